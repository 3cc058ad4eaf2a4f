"""Can the built-in CLIP tell what belongs to what, or only which words there are?

    python benchmarks/clip_binding.py --pictures 8000

Pairs of renders that no training saw, of which the second has one thing changed, two things'
colours exchanged, or two things in each other's places; a caption that is true of the first and not
of the second, in the grammar's words. A hit is a caption that is nearer to its own picture; chance
is a half. Intervals are 95 % bootstraps over pairs.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from bootstrap import with_interval
from numpy.typing import NDArray

from evo_t2i.features.clip import ClipFeatures
from evo_t2i.training.builtin.pool import Pool, load_pool
from evo_t2i.training.supervised import to_batch
from evo_t2i.world import shows_own

SEED = 52_000
CPU = torch.device("cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=8000, help="of all pairs")
    parser.add_argument("--most", type=int, default=300, help="pairs of a row of the table")
    parser.add_argument("--out", type=Path, default=Path("training-runs"))
    given = parser.parse_args()
    pool = load_pool(given.out, given.pictures, SEED, kind="swaps", workers=2)
    clip = ClipFeatures(device=CPU)
    print("| the second picture has | things | pairs | nearer to its own |\n|---|---|---|---|")
    for (change, slots), rows in kinds_of_pairs(pool).items():
        found = nearer(clip, pool, rows[: given.most])
        print(f"| {change} | {slots} | {len(found)} | {with_interval(found)} |", flush=True)


def kinds_of_pairs(pool: Pool) -> dict[tuple[str, int], NDArray[np.int64]]:
    """What was changed, and how many kinds of thing the first shows → the first's rows.

    Only pairs whose first caption is not true of the second.
    """
    first = np.arange(0, len(pool), 2)
    said = pool.caption_rows[first, 0]
    told_apart = ~shows_own(pool.shown[first + 1], pool.named[said])
    kinds, colours = pool.layout.kinds, pool.layout.colours
    slots = pool.layout.slots[first].max(axis=1) + 1

    def same(values: NDArray[np.int8], in_order: bool) -> NDArray[np.bool_]:
        ours, theirs = values[first], values[first + 1]
        if not in_order:
            ours, theirs = np.sort(ours, axis=1), np.sort(theirs, axis=1)
        result: NDArray[np.bool_] = (ours == theirs).all(axis=1)
        return result

    exchanged = same(kinds, False) & same(colours, False)
    changes = {
        "one thing changed": ~exchanged,
        "two colours exchanged": exchanged & same(kinds, True) & ~same(colours, True),
        "two things in each other's places": exchanged & ~same(kinds, True),
    }
    found = {}
    for change, which in changes.items():
        for count in (1, 2, 3):
            rows = first[which & told_apart & (slots == count)]
            if len(rows):
                found[change, count] = rows
    return found


@torch.inference_mode()
def nearer(clip: ClipFeatures, pool: Pool, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(n,) whether the first caption of each picture is nearer to it than to the next one."""
    texts = clip.embed([pool.texts[text] for text in pool.caption_rows[rows, 0]])
    ours, theirs = (
        clip.images(to_batch(pool.images[which], CPU), {})["clip.image"]
        for which in (rows, rows + 1)
    )
    result: NDArray[np.bool_] = ((ours - theirs) * texts).sum(1).numpy() > 0
    return result


if __name__ == "__main__":
    main()
