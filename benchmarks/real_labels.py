"""image_real and word_label with a real network, real labels and photographs.

EfficientNet-Lite0 on ImageNet's 1,000 labels (the extra ``efficientnet``) looks at scikit-learn's
two sample photographs, a palace in China and a flower. First its answers, of the whole picture and
of its central square; then, for the design notes' captions and for captions of the photographs,
whether a label matches (label coverage), and both scores of both photographs.

    python benchmarks/real_labels.py
"""

import argparse

import numpy as np
import torch
from sklearn.datasets import load_sample_images

from evo_t2i.config import ScorerModels
from evo_t2i.evaluate.evaluator import score_images
from evo_t2i.evaluate.models import load_scorers
from evo_t2i.features.words import LABEL_THRESHOLD

PHOTOGRAPHS = ("palace", "flower")
CAPTIONS = (
    "skyline at sunset.",
    "a cat is lay on the table.",
    "a street scene with a double-decker bus on the road.",
    "A bird that is on a tree",
    "A dog with goggles staring at the camera.",
    "a palace with a tower",
    "a monastery by a lake",
    "a daisy in a garden",
    "a photograph of a flower",
)
"""Those of the design notes, then those of the photographs."""
SHOWN = 3


def squares(images: list[torch.Tensor]) -> list[torch.Tensor]:
    """The central squares of images (1, 3, h, w)."""
    cut = []
    for image in images:
        side = min(image.shape[2:])
        top, left = ((length - side) // 2 for length in image.shape[2:])
        cut.append(image[..., top : top + side, left : left + side])
    return cut


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--classifier", default="efficientnet_lite0")
    parser.add_argument("--clip", default="builtin", help="for --classifier clip:FILE")
    arguments = parser.parse_args()
    images = [
        torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 255
        for picture in load_sample_images().images
    ]
    models = ScorerModels(classifier=arguments.classifier, clip=arguments.clip)
    scorers = load_scorers(("image_real", "word_label"), device=torch.device("cpu"), models=models)
    answers(scorers, images)
    matching(scorers, images)


def answers(scorers, images) -> None:
    classifier, others = scorers.extractors["vgg"], scorers.extractors
    print("| photograph | part | first answers |")
    print("|---|---|---|")
    for part, shown in (("whole, squeezed", images), ("central square", squares(images))):
        for name, image in zip(PHOTOGRAPHS, shown, strict=True):
            with torch.inference_mode():
                features = {}
                if classifier.needs:
                    features |= others["clip"].text(name) | others["clip"].images(image, {})
                p = classifier.images(image, features)["vgg.logits"].softmax(dim=1)[0]
            best = p.topk(min(SHOWN, len(p)))
            told = [
                f"{classifier.labels[label]} {value:.2f}"
                for value, label in zip(best.values.tolist(), best.indices.tolist(), strict=True)
            ]
            print(f"| {name} | {part} | {', '.join(told)} |")


def matching(scorers, images) -> None:
    print("\n| caption | coverage | nearest label | word_label: palace | flower |")
    print("|---|---|---|---|---|")
    words = scorers.extractors["words"]
    real = None
    for caption in CAPTIONS:
        scorer = scorers.for_caption(caption)
        scores = np.concatenate([score_images(scorer, image, 1) for image in squares(images)])
        real = scores[:, 0]
        similar = words.text(caption)["words.word_labels"].max(dim=0).values
        nearest = words.labels[int(similar.argmax())]
        mark = "" if scorer.coverage >= LABEL_THRESHOLD else " (no label)"
        print(
            f"| {caption} | {scorer.coverage:.2f}{mark} | {nearest} | "
            f"{scores[0, 1]:.2f} | {scores[1, 1]:.2f} |"
        )
    told = ", ".join(f"{name} {value:.2f}" for name, value in zip(PHOTOGRAPHS, real, strict=True))
    print(f"\nimage_real, whatever the caption: {told}")


if __name__ == "__main__":
    main()
