"""Does the built-in CLIP read rightly what a caption claims?

    python benchmarks/readers.py

Fresh captions of the grammar, those of three things, in synonyms, and with words that were kept
out: a hit is a caption of which everything that it names, and nothing else, is claimed. Then the
last ones again in the likeliest of their readings (`WorldVocabulary.readings`), in which a name
takes an unknown word's place, and of how many kept-out words it is the right one. Intervals are
95 % bootstraps over captions.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from bootstrap import with_interval

from evo_t2i import builtin_clip
from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.models.text_side import TextSide, meanings
from evo_t2i.training.builtin.claims import claims_of
from evo_t2i.training.builtin.text import fresh_captions
from evo_t2i.vocabulary import WorldVocabulary
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


def plainly(caption: Caption, vocabulary: WorldVocabulary) -> Caption:
    """``caption`` in the likeliest of its readings."""
    return replace(
        caption, text=max(vocabulary.readings(caption.text), key=lambda reading: reading[1])[0]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captions", type=int, default=800)
    given = parser.parse_args()
    torch.set_grad_enabled(False)
    side = builtin_clip.load().model.text.side
    many = fresh_captions(None, 12 * given.captions, SEED)
    groups = {kind: fresh_captions(words, given.captions, SEED) for kind, words in KINDS.items()}
    groups["three things"] = [each for each in many if len(each.things) == 3][: given.captions]
    vocabulary = WorldVocabulary()
    groups["kept-out words, replaced"] = [
        plainly(each, vocabulary) for each in groups[list(KINDS)[-1]]
    ]
    print("| captions | number | read rightly |\n|---|---|---|")
    for kind, said in groups.items():
        print(f"| {kind} | {len(said)} | {with_interval(rightly(side, said))} |", flush=True)
    cosines, names = vocabulary.name_similarities(list(HELD_OUT_WORDS))
    nearest = [names[column] for column in cosines.argmax(dim=1).tolist()]
    right = [a == b for a, b in zip(nearest, HELD_OUT_WORDS.values(), strict=True)]
    print(f"\nkept-out words whose name has the nearest mean: {np.mean(right):.2f}")


if __name__ == "__main__":
    main()
