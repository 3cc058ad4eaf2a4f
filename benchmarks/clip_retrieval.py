"""How well the built-in CLIP finds captions and pictures, on renders that no training saw.

    python benchmarks/clip_retrieval.py --pictures 1000

Retrieval among as many captions as pictures, the captions in the grammar's words, in synonyms that
the text side was taught, and with words that it never read. A hit is a caption that is true of the
picture. Intervals are 95 % bootstraps over pictures. `zero_shot.py` asks it to name things.
"""

import argparse

import numpy as np
import torch
from bootstrap import with_interval
from numpy.typing import NDArray

from evo_t2i.features.clip import ClipFeatures
from evo_t2i.world import (
    Caption,
    Scene,
    captions,
    holds,
    render,
    sample_scene,
    truth_of,
)
from evo_t2i.world.synonyms import HELD_OUT, SYNONYMS, reword

SEED = 31_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=1000)
    count = parser.parse_args().pictures
    clip = ClipFeatures(device=torch.device("cpu"))
    scenes = [sample_scene(np.random.default_rng([SEED, i])) for i in range(count)]
    pictures = embedded(clip, scenes)
    shown = truth_of(scenes)
    print("| captions | of | picture → caption R@1 | R@5 | caption → picture R@1 | R@5 |")
    print("|---|---|---|---|---|---|")
    for kind, words in (("grammar", {}), ("synonyms", SYNONYMS), ("unseen words", HELD_OUT)):
        rows, said = spoken(scenes, words)
        texts = clip.embed([caption.text for caption in said])
        near = (pictures[rows] @ texts.T).numpy()
        true = holds(shown[rows], truth_of(said))
        cells = [
            with_interval(hits(near, true, 1)),
            with_interval(hits(near, true, 5)),
            with_interval(hits(near.T, true.T, 1)),
            with_interval(hits(near.T, true.T, 5)),
        ]
        print(f"| {kind} | {len(said)} | " + " | ".join(cells) + " |")


@torch.inference_mode()
def embedded(clip: ClipFeatures, scenes: list[Scene]) -> torch.Tensor:
    parts = []
    for start in range(0, len(scenes), 100):
        pixels = np.stack([render(scene, 128).image for scene in scenes[start : start + 100]])
        batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
        parts.append(clip.images(batch, {})["clip.image"])
    return torch.cat(parts)


def spoken(scenes: list[Scene], words: dict) -> tuple[NDArray[np.int64], list[Caption]]:
    """Captions, and the rows of the scenes that they are of; all have a new word where asked."""
    rows, said = [], []
    for row, scene in enumerate(scenes):
        rng = np.random.default_rng([SEED, row, 1])
        caption = captions(scene, rng, 1)[0]
        if words:
            other = reword(caption, rng, 0.8, words)
            if other.text == caption.text:
                continue
            caption = other
        rows.append(row)
        said.append(caption)
    return np.array(rows), said


def hits(near: NDArray, true: NDArray, k: int) -> NDArray[np.bool_]:
    """(n,) whether one of the k nearest columns is true."""
    best = np.argsort(-near, axis=1)[:, :k]
    return np.take_along_axis(true, best, axis=1).any(1)


if __name__ == "__main__":
    main()
