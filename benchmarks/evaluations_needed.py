"""How many pictures does a search need for what random drawing reaches with 5,100?

    python benchmarks/evaluations_needed.py --captions 20 --out runs/needed

For each of fresh captions of the world, from the same generation 0: the hypervolume (in boxes of
generation 0) that random drawing has after ``RANDOM`` pictures, the number of pictures after which
each sampler has as much, and its hypervolume at ``EQUAL``. A caption a line in --out, so that the
command can be given again until it is through. Prints Markdown: medians over captions with
quartiles; a sampler that never gets there counts as ``LONGEST``.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evo_t2i.config import RunConfig
from evo_t2i.evaluate.models import Models, load
from evo_t2i.points import Points
from evo_t2i.runs.atomic import write_bytes
from evo_t2i.sampler import search_of, told
from evo_t2i.search.archive import extend
from evo_t2i.search.hypervolume import Box
from evo_t2i.world import captions, sample_scene

CAPTION_SEED, RUN_SEED = 43_000, 43_001
RANDOM, EQUAL, LONGEST = 5_100, 2_500, 2_500
BATCH = 100
SAMPLERS: dict[str, tuple[str, dict[str, Any]]] = {
    "nsga2": ("nsga2", {"keep": "front"}),
    "nsga2, no floor": ("nsga2", {"keep": "front", "floor": 0.0}),
    "clip-glass": ("clip-glass", {}),
}
"""Samplers with their options."""


def fresh(index: int) -> str:
    """A caption of a scene."""
    rng = np.random.default_rng([CAPTION_SEED, index])
    return captions(sample_scene(rng), rng, 1)[0].text


def volumes(
    caption: str,
    sampler: str,
    options: dict[str, Any],
    pictures: int,
    models: Models,
    enough: float,
) -> list[float]:
    """The hypervolume after each hundred pictures, until it is ``enough`` at ``EQUAL`` or later."""
    evaluator = models.for_caption(caption)
    config = RunConfig(
        caption=caption,
        seed=RUN_SEED,
        sampler=sampler,
        population=BATCH,
        offspring=BATCH,
        generations=pictures // BATCH - 1,
        options={sampler: options} if options else {},
    )
    search = search_of(config, models)
    archive: Points | None = None
    found: list[float] = []
    while search.generation <= config.generations:
        points = told(search, search.ask(), evaluator)
        if archive is None:
            box, archive = Box.around(points.scores), points[:0]
        archive = extend(archive, points)
        found.append(box.volume(archive.scores))
        if found[-1] >= enough and len(found) * BATCH >= EQUAL:
            break
    return found


def measure(line: dict[str, Any], models: Models) -> None:
    """Add to ``line`` what it has not yet of its caption, as plain JSON values."""
    caption = line["caption"]
    if "random" not in line:
        drawn = volumes(caption, "random", {}, RANDOM, models, np.inf)
        line |= {"random": drawn[-1], "random at equal": drawn[EQUAL // BATCH - 1]}
    goal = line["random"]
    for name, (sampler, options) in SAMPLERS.items():
        if name not in line:
            found = volumes(caption, sampler, options, LONGEST, models, goal)
            there = [(place + 1) * BATCH for place, volume in enumerate(found) if volume >= goal]
            line[name] = {"needed": there[0] if there else None, "at equal": found[-1]}


def print_table(lines: Sequence[Mapping[str, Any]]) -> None:
    print(f"{len(lines)} captions\n")
    print(f"| sampler | pictures for random's hypervolume at {RANDOM:,} | never within {LONGEST:,} "
          f"| hypervolume at {EQUAL:,} over random's |\n|---|---|---|---|")  # fmt: skip
    for sampler in SAMPLERS:
        needed = [line[sampler]["needed"] for line in lines]
        ratio = [line[sampler]["at equal"] / line["random at equal"] for line in lines]
        counts = [LONGEST if each is None else each for each in needed]
        print(f"| {sampler} | {quartiles(counts, '.0f')} | {needed.count(None)} "
              f"| {quartiles(ratio, '.2f')} |")  # fmt: skip
    for name in list(SAMPLERS)[:-1]:
        ratio = [line[name]["at equal"] / line["clip-glass"]["at equal"] for line in lines]
        print(f"\n{name} over clip-glass at {EQUAL:,}: {quartiles(ratio, '.2f')}")


def quartiles(values: Sequence[float], form: str) -> str:
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return f"{middle:{form}} [{low:{form}}, {high:{form}}]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captions", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("runs/needed"))
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    path = given.out / "captions.jsonl"
    lines = list(map(json.loads, path.read_text().splitlines())) if path.exists() else []
    torch.set_grad_enabled(False)
    models = load(RunConfig(caption="a cat", seed=0))
    lines += [{"caption": fresh(index)} for index in range(len(lines), given.captions)]
    for number, line in enumerate(lines):
        measure(line, models)
        known = [each for each in lines if each.keys() > {"caption"}]
        text = "".join(json.dumps(each) + "\n" for each in known)
        write_bytes(path, text.encode())
        print(f"{number + 1} {line}", flush=True)
    print()
    print_table(lines)


if __name__ == "__main__":
    main()
