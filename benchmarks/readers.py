"""Two readers of captions: does the second read rightly what the first misreads?

    python benchmarks/readers.py training-runs/text other-runs/text

The folders of two text trainings (`evo-t2i train builtin text --out other-runs --seed 11`), whose
checkpoints hold what names a caption's contents, which no finished model keeps. Fresh captions of
the grammar, in synonyms, and with words that were kept out; all that a caption names has to be
read. Then what the sentence encoder alone can know of the kept-out words: how many are nearest to
the mean of what they mean, of each name's taught words.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch.nn.functional import normalize

from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.generators.vocabulary import PROMPT
from evo_t2i.models.sentence_encoder import SentenceEncoder
from evo_t2i.training.builtin.text import (
    Encoder,
    TextStudents,
    fresh_captions,
    read_captions,
    read_rightly,
)
from evo_t2i.world import Caption, truth_of
from evo_t2i.world.synonyms import HELD_OUT, HELD_OUT_WORDS, SYNONYMS

SEED = 4_242
KINDS: Mapping[str, Mapping[str, Sequence[str]] | None] = {
    "the grammar's words": None,
    "synonyms": SYNONYMS,
    "words that were kept out": HELD_OUT,
}


def students(folder: Path) -> TextStudents:
    """What a training has trained."""
    saved = load_file(folder / "checkpoint.safetensors")
    kept = {name.removeprefix("side/"): tensor for name, tensor in saved.items()
            if name.startswith("side/")}  # fmt: skip
    side = TextStudents()
    side.load_state_dict(kept)
    return side.eval()


def rightly(side: TextStudents, said: Sequence[Caption], encoder: Encoder) -> np.ndarray:
    """(n,) bool: all that the captions name is read."""
    meaning = side.reader(*encoder.padded([each.text for each in said]))
    read = read_captions(side.namer, meaning)
    hits: np.ndarray = np.all(list(read_rightly(read, truth_of(said)).values()), axis=0)
    return hits


def nearest_by_encoder() -> float:
    """Share of the kept-out words whose name has the nearest mean of taught words."""
    encode = SentenceEncoder(minilm_folder())
    taught = [(name, word) for name, words in SYNONYMS.items() for word in (name, *words)]
    features = encode([PROMPT.format(word) for _, word in taught])
    mean = features.mean(0)
    names = list(SYNONYMS)
    owners = torch.tensor([names.index(name) for name, _ in taught])
    unit = normalize(features - mean, dim=1)
    means = torch.stack([unit[owners == row].mean(0) for row in range(len(names))])
    asked = normalize(encode([PROMPT.format(word) for word in HELD_OUT_WORDS]) - mean, dim=1)
    found = (asked @ normalize(means, dim=1).T).argmax(1).tolist()
    right = [names[row] == name for row, name in zip(found, HELD_OUT_WORDS.values(), strict=True)]
    return float(np.mean(right))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--captions", type=int, default=800)
    given = parser.parse_args()
    torch.set_grad_enabled(False)
    first, second = students(given.first), students(given.second)
    encoder = Encoder()
    print("| captions | first | second | second where the first misreads |")
    print("|---|---|---|---|")
    for kind, words in KINDS.items():
        said = fresh_captions(words, given.captions, SEED)
        ours, theirs = (rightly(side, said, encoder) for side in (first, second))
        print(f"| {kind} | {ours.mean():.2f} | {theirs.mean():.2f} | {theirs[~ours].mean():.2f} "
              f"of {(~ours).sum()} |")  # fmt: skip
    print(f"\nnearest by the sentence encoder alone: {nearest_by_encoder():.2f}")


if __name__ == "__main__":
    main()
