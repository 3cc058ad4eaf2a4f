"""What a person chooses from: the looks of fronts before and after a change, a row a run.

    python benchmarks/fronts_side_by_side.py runs/before runs/after --out sheet.webp

Folders of finished runs of the same captions under the same names, by whatever version: read are
`front.csv`, `front/` and the first file of `pick/`. A row has the pick, then the covers of other
looks (``evo_t2i.looks``) by their mean rank over the scores, and says how many looks there are.
"""

import argparse
import csv
import json
from pathlib import Path

import numpy as np
from PIL import Image

from evo_t2i.looks import SAME, covers, thumbnails
from evo_t2i.report.sheets import grid_png

SHOWN = 10
"""Covers of a front."""


def fronts_covers(run: Path, side: int) -> tuple[list[np.ndarray], int, int]:
    """The first covers, ``side`` pixels, how many looks there are and how many pictures."""
    with (run / "front.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = [name for name in rows[0] if name not in ("file", "generation", "look", "front")]
    scores = np.array([[float(row[name]) for name in names] for row in rows])
    files = [run / row["file"] for row in rows]
    picked = sorted((run / "pick").glob("01-*.png"))[0].name.removeprefix("01-")
    first = next(place for place, file in enumerate(files) if file.name == picked)
    rank = scores.argsort(axis=0).argsort(axis=0).mean(axis=1)
    rank[first] = np.inf
    order = np.argsort(-rank, kind="stable")
    pictures = np.stack([opened(file, side) for file in files])
    looks = covers(thumbnails(pictures), order, SAME)
    return [pictures[row] for row in looks[:SHOWN]], len(looks), len(files)


def opened(file: Path, side: int) -> np.ndarray:
    """(side, side, 3) uint8."""
    with Image.open(file) as picture:
        return np.asarray(picture.convert("RGB").resize((side, side), Image.Resampling.BICUBIC))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--side", type=int, default=128)
    given = parser.parse_args()
    pictures: list[np.ndarray] = []
    labels: list[list[str]] = []
    print("| caption | looks before | after |\n|---|---|---|")
    for name in sorted(each.name for each in given.after.iterdir() if each.is_dir()):
        counts = []
        for folder in (given.before, given.after):
            shown, looks, images = fronts_covers(folder / name, given.side)
            blank = [np.full((given.side, given.side, 3), 250, np.uint8)] * (SHOWN - len(shown))
            pictures += [*shown, *blank]
            said = f"{folder.name}: {looks} looks, {images} pictures"
            labels += [[said]] + [[""]] * (SHOWN - 1)
            counts.append(f"{looks} of {images}")
        caption = json.loads((given.after / name / "config.json").read_text("utf-8"))["caption"]
        print(f"| {caption} | {' | '.join(counts)} |")
    given.out.write_bytes(grid_png(pictures, labels, "Eight captions", "", (), SHOWN))
    with Image.open(given.out) as sheet:
        sheet.convert("RGB").save(given.out, "WEBP", quality=82)


if __name__ == "__main__":
    main()
