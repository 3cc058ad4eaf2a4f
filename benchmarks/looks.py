"""How many different looks does a front offer, and what do ways to have more of them cost?

For each caption and each variant of the search one run of a few generations, from the same
generation 0. Counted are the pictures and the looks (``evo_t2i.looks``: greedy grouping, best
first, root mean square over 15/255 at 16 px) of the non-dominated ones and of all that the archive
holds, the hypervolume in generation 0's boxes, the balanced value of the pick, and seconds.

    python benchmarks/looks.py --out runs/looks --sheets docs/images/looks.png

What is measured is kept in --out, one file a run, and a second call goes on from there.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evo_t2i.config import RunConfig
from evo_t2i.evaluate.evaluator import Evaluator
from evo_t2i.evaluate.models import Models, load
from evo_t2i.looks import SAME, covers, grouped, thumbnails
from evo_t2i.picking.methods import pick
from evo_t2i.points import Points
from evo_t2i.report.sheets import grid_png
from evo_t2i.runs.atomic import write_bytes
from evo_t2i.sampler import search_of, told
from evo_t2i.search.archive import extend
from evo_t2i.search.hypervolume import Box
from evo_t2i.search.protocol import Search

CAPTIONS = (
    "skyline at sunset.",
    "a cat is lay on the table.",
    "a street scene with a double-decker bus on the road.",
    "A bird that is on a tree",
    "A dog with goggles staring at the camera.",
    "a white boat on the sea at sunset",
    "a red flower on the grass",
    "a black cat and a blue ball in a room",
)
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {"floor": 0.0},
    "floor": {},
    "capped, rounded, niches of looks": {"floor": 0.0, "cap": 3.0, "round": 0.25, "niche": "look"},
    "capped and rounded": {"floor": 0.0, "cap": 3.0, "round": 0.25},
    "niches of looks": {"floor": 0.0, "niche": "look"},
    "niches of embeddings": {"floor": 0.0, "niche": "embedding"},
    "guarded": {"floor": 0.0, "guard": True},
}
"""Options of nsga2. Every run keeps the archive of looks besides, which changes nothing else: its
front is what the archive without it would be."""
SHOWN = 12
"""Covers of a front on a sheet."""


def searched(
    caption: str, options: dict[str, Any], models: Models, arguments: argparse.Namespace
) -> tuple[Evaluator, Search, Points, float]:
    """The evaluator, the search at its end, generation 0 and the seconds it all took."""
    config = RunConfig(
        caption=caption,
        seed=arguments.seed,
        population=arguments.population,
        offspring=arguments.population,
        generations=arguments.generations,
        options={"nsga2": {**options, "keep": "looks"}},
    )
    evaluator = models.for_caption(caption)
    search = search_of(config, models)
    start = time.perf_counter()
    first = None
    while search.generation <= config.generations:
        points = told(search, search.ask(), evaluator)
        first = points if first is None else first
    assert first is not None
    return evaluator, search, first, time.perf_counter() - start


def measured(
    caption: str, options: dict[str, Any], models: Models, arguments: argparse.Namespace
) -> tuple[dict[str, Any], np.ndarray]:
    """The figures of one run, and the covers of its archive's looks (k, h, w, 3) best first."""
    evaluator, search, first, seconds = searched(caption, options, models, arguments)
    archive, names = search.archive, evaluator.scorer.names
    images = evaluator.render(archive.latents)
    thumbs = thumbnails(images)
    picked = pick(archive.scores, first.scores, names)
    leading = np.isin(archive.ids, extend(archive[:0], archive).ids)
    order = np.array(picked.ranking)
    best = picked.chosen[0]
    figures = {
        "front": int(leading.sum()),
        "looks": len(covers(thumbs, order[leading[order]], SAME)),
        "archive": len(archive),
        "archive_looks": int(grouped(thumbs, order).max()),
        "hypervolume": Box.around(first.scores).volume(archive.scores),
        "value": float(picked.value[best]),
        "largest_z": float(picked.z[best].max()),
        "seconds": seconds,
    }
    return figures, images[covers(thumbs, order, SAME)]


def print_table(found: dict[str, dict[str, dict[str, Any]]]) -> None:
    """A row a variant: medians over the captions, and the looks of each caption."""
    print(
        "| variant | pictures | looks of the front | median | looks of the archive | median "
        "| hypervolume over plain's | pick's value | seconds |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for variant, rows in found.items():
        captions = [caption for caption in rows if caption in found["plain"]]
        each = [rows[caption] for caption in captions]
        ratios = [
            rows[caption]["hypervolume"] / found["plain"][caption]["hypervolume"]
            for caption in captions
        ]

        def median(key: str, each: list[dict[str, Any]] = each) -> float:
            return float(np.median([row[key] for row in each]))

        cells = [
            variant,
            f"{median('front'):.0f}",
            ", ".join(str(row["looks"]) for row in each),
            f"{median('looks'):g}",
            ", ".join(str(row["archive_looks"]) for row in each),
            f"{median('archive_looks'):g}",
            f"{np.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]",
            f"{median('value'):+.2f}",
            f"{median('seconds'):.1f}",
        ]
        print(f"| {' | '.join(cells)} |")


def sheet(caption: str, folder: Path, variants: list[str]) -> bytes:
    """The covers of a caption's fronts, a row a variant."""
    pictures, labels = [], []
    for variant in variants:
        kept = np.load(folder / f"{_slug(caption, variant)}.npz")["covers"][:SHOWN]
        blank = np.full((SHOWN - len(kept), *kept.shape[1:]), 255, np.uint8)
        pictures += [*kept, *blank]
        labels += [[variant if place == 0 else ""] for place in range(SHOWN)]
    return grid_png(pictures, labels, caption, "the looks of each front, best first", (), SHOWN)


def _slug(caption: str, variant: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in f"{caption} {variant}").split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--variants", nargs="*", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--captions", nargs="*", default=list(CAPTIONS))
    parser.add_argument("--generations", type=int, default=10)
    parser.add_argument("--population", type=int, default=100)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("runs/looks"))
    parser.add_argument("--sheets", type=Path, help="folder for a contact sheet a caption")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.set_grad_enabled(False)
    models: Models | None = None
    found: dict[str, dict[str, dict[str, Any]]] = {name: {} for name in arguments.variants}
    for caption in arguments.captions:
        for variant in arguments.variants:
            file = arguments.out / f"{_slug(caption, variant)}.json"
            if not file.exists():
                if models is None:
                    models = load(RunConfig(caption=caption, seed=0))
                figures, shown = measured(caption, VARIANTS[variant], models, arguments)
                np.savez_compressed(file.with_suffix(".npz"), covers=shown)
                file.write_text(json.dumps(figures))
                print(f"{caption} · {variant}: {figures}", file=sys.stderr)
            found[variant][caption] = json.loads(file.read_text())
        if arguments.sheets:
            write_bytes(
                arguments.sheets / f"{_slug(caption, 'looks')}.png",
                sheet(caption, arguments.out, arguments.variants),
            )
    print_table(found)


if __name__ == "__main__":
    main()
