"""Does the built-in CLIP read rightly what a caption claims?

    python benchmarks/readers.py

Fresh captions of the grammar, those of three things, in synonyms, and with words that were kept
out: a hit is a caption of which everything that it names, and nothing else, is claimed. Then the
last ones again, each unknown word replaced by the name whose taught words' mean is nearest to it by
the sentence encoder, and how many of the kept-out words that finds. Intervals are 95 % bootstraps
over captions.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import torch
from bootstrap import with_interval
from torch import Tensor
from torch.nn.functional import normalize

from evo_t2i import builtin_clip
from evo_t2i.caption import spoken_words
from evo_t2i.caption_check import unknown_words
from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.generators.vocabulary import PROMPT, WorldVocabulary
from evo_t2i.models.sentence_encoder import SentenceEncoder
from evo_t2i.models.text_side import TextSide, meanings
from evo_t2i.training.builtin.claims import claims_of
from evo_t2i.training.builtin.text import fresh_captions
from evo_t2i.world import HELD_OUT_WORDS, Caption, truth_of
from evo_t2i.world.synonyms import HELD_OUT, SYNONYMS

SEED = 4_242
KINDS: Mapping[str, Mapping[str, Sequence[str]] | None] = {
    "the grammar's words": None,
    "synonyms": SYNONYMS,
    "words that were kept out": HELD_OUT,
}


def rightly(side: TextSide, said: Sequence[Caption]) -> np.ndarray:
    """(n,) bool: what is claimed is what the captions name."""
    made = claims_of(truth_of(said)) > 0.5
    read = meanings(side, [each.text for each in said], minilm_folder())[:, -made.shape[1] :] > 0.5
    return (read == made).all(dim=1).numpy()


@cache
def nearest_names() -> tuple[Tensor, Tensor, SentenceEncoder]:
    """(names, d) unit means of each name's taught words, the mean of all, and the encoder."""
    encode = SentenceEncoder(minilm_folder())
    taught = [(name, word) for name, words in SYNONYMS.items() for word in (name, *words)]
    features = encode([PROMPT.format(word) for _, word in taught])
    mean = features.mean(0)
    names = list(SYNONYMS)
    owners = torch.tensor([names.index(name) for name, _ in taught])
    unit = normalize(features - mean, dim=1)
    means = torch.stack([unit[owners == row].mean(0) for row in range(len(names))])
    return normalize(means, dim=1), mean, encode


def named(words: Sequence[str]) -> list[str]:
    """The name whose mean is nearest to each word."""
    means, mean, encode = nearest_names()
    unit = normalize(encode([PROMPT.format(word) for word in words]) - mean, dim=1)
    return [list(SYNONYMS)[row] for row in (unit @ means.T).argmax(1).tolist()]


def plainly(caption: Caption) -> Caption:
    """``caption`` with each unknown word replaced by the nearest name."""
    text = caption.text.lower()
    unknown = unknown_words(spoken_words(text), WorldVocabulary())
    for word, name in zip(unknown, named(unknown) if unknown else (), strict=True):
        text = text.replace(word, name)
    return replace(caption, text=text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captions", type=int, default=800)
    given = parser.parse_args()
    torch.set_grad_enabled(False)
    side = builtin_clip.load().model.text.side
    many = fresh_captions(None, 12 * given.captions, SEED)
    groups = {kind: fresh_captions(words, given.captions, SEED) for kind, words in KINDS.items()}
    groups["three things"] = [each for each in many if len(each.things) == 3][: given.captions]
    groups["kept-out words, replaced"] = [plainly(each) for each in groups[list(KINDS)[-1]]]
    print("| captions | number | read rightly |\n|---|---|---|")
    for kind, said in groups.items():
        print(f"| {kind} | {len(said)} | {with_interval(rightly(side, said))} |", flush=True)
    right = [
        a == b for a, b in zip(named(list(HELD_OUT_WORDS)), HELD_OUT_WORDS.values(), strict=True)
    ]
    print(f"\nkept-out words whose name has the nearest mean: {np.mean(right):.2f}")


if __name__ == "__main__":
    main()
