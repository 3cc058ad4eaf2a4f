"""Which prompt tells a caption's right labels from the wrong ones, and when does none match?

Captions whose labels are known, and captions without any, against the built-in classifier's labels
under the built-in sentence encoder. The first table: AUC is the probability that a right pair of
caption and label has the larger similarity, over all captions together; the gap is the difference
of the means. The second: label coverage, the largest similarity of a content word to a label, of
the setting in use.

    python benchmarks/label_prompts.py
"""

from collections.abc import Sequence

import numpy as np
import torch
from flair.data import Sentence
from flair.embeddings import TransformerDocumentEmbeddings
from torch import Tensor
from torch.nn.functional import normalize

from evo_t2i.caption import content_words
from evo_t2i.checkpoints import builtin
from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.features.words import LABEL_THRESHOLD, POOLING, PROMPT, WordFeatures

MATCHED = {
    "a cat is lay on the table.": "cat table",
    "A bird that is on a tree": "bird tree",
    "A dog with goggles staring at the camera.": "dog goggles",
    "a red bus parked by a house": "bus house",
    "a kitten in a garden": "cat",
    "two sailing ships on the sea": "boat",
    "a puppy wearing sunglasses": "dog goggles",
    "a mug of coffee on a desk": "cup table",
    "a rose in a vase": "flower",
    "a man drives an automobile": "car",
    "an oak in the field": "tree",
    "a parrot": "bird",
    "a cottage by the lake": "house",
    "soccer player kicking a football": "ball",
    "a woman wearing a sombrero": "hat",
    "a parasol on the beach": "umbrella",
    "hot air balloon over the hills": "balloon",
    "a yacht near the shore": "boat",
    "a truck on the road": "car bus",
    "tulips in a pot": "flower cup",
}
UNMATCHED = (
    "skyline at sunset.",
    "a plate of spaghetti",
    "mountains covered in snow",
    "a man playing guitar",
    "the moon at night",
    "a laptop computer and a keyboard",
    "waves crashing on rocks",
    "a waterfall",
    "portrait of an old woman",
    "an abstract pattern of lines",
    "a clock on the wall",
    "pizza with cheese",
    "a computer screen",
    "fire burning brightly",
    "a river through the desert",
    "green grass",
    "of the",
    "☀",
    "blood",
)


class Similarities:
    """Cosines (n, k) of texts to ``labels`` in ``prompt``; ``centred`` as the package does it."""

    def __init__(self, labels: Sequence[str], prompt: str, *, centred: bool) -> None:
        self._encoder = TransformerDocumentEmbeddings(
            str(minilm_folder()), cls_pooling=POOLING, fine_tune=False, use_context_separator=False
        )
        self._prompt = prompt
        matrix = self._embed([prompt.format(label) for label in labels])
        self._mean = matrix.mean(dim=0) if centred else torch.zeros_like(matrix[0])
        self._matrix = normalize(matrix - self._mean, dim=-1)

    def caption(self, caption: str) -> np.ndarray:
        """(k,) of the whole caption."""
        return self._to_labels([caption])[0]

    def best_word(self, caption: str) -> np.ndarray:
        """(k,) of the content word nearest to each label."""
        return self._to_labels([self._prompt.format(w) for w in content_words(caption)]).max(axis=0)

    def _to_labels(self, texts: Sequence[str]) -> np.ndarray:
        return (normalize(self._embed(texts) - self._mean, dim=-1) @ self._matrix.T).numpy()

    def _embed(self, texts: Sequence[str]) -> Tensor:
        sentences = [Sentence(text) for text in texts]
        self._encoder.embed(sentences)
        return torch.stack([sentence.embedding.float().cpu() for sentence in sentences])


def separation(similar: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """AUC and gap of similarities whose pairs are ``right`` or not; ties count half."""
    pairs = similar[right][:, None] - similar[~right][None]
    return float(np.mean(pairs > 0) + np.mean(pairs == 0) / 2), float(
        similar[right].mean() - similar[~right].mean()
    )


def main() -> None:
    labels = builtin.load("vgg").config["labels"]
    right = np.array([[label in known.split() for label in labels] for known in MATCHED.values()])
    print("| prompt | centred | whole caption: AUC, gap | best word: AUC, gap |")
    print("|---|---|---|---|")
    for prompt in ("{}", PROMPT):
        for centred in (False, True):
            similarities = Similarities(labels, prompt, centred=centred)
            cells = [
                separation(np.stack([measure(caption) for caption in MATCHED]), right)
                for measure in (similarities.caption, similarities.best_word)
            ]
            row = [f"{area:.3f}, {gap:.2f}" for area, gap in cells]
            print(f"| {prompt} | {'yes' if centred else 'no'} | {' | '.join(row)} |")

    features = WordFeatures(device=torch.device("cpu"), labels=labels)
    print(f"\n| captions | of them with coverage from {LABEL_THRESHOLD} | lowest | highest |")
    print("|---|---|---|---|")
    for kind, said in (("with a label", tuple(MATCHED)), ("without", UNMATCHED)):
        found = sorted((float(features.text(c)["words.coverage"]), c) for c in said)
        reached = sum(value >= LABEL_THRESHOLD for value, _ in found)
        ends = [f"{value:.2f}, {caption!r}" for value, caption in (found[0], found[-1])]
        print(f"| {kind} | {reached} of {len(said)} | {' | '.join(ends)} |")


if __name__ == "__main__":
    main()
