"""Runs that are written by hand: a small one, and what any says of itself."""

from pathlib import Path
from typing import Any

import numpy as np

from evo_t2i.config import RunConfig
from evo_t2i.points import Points
from evo_t2i.runs.directory import RunDirectory
from evo_t2i.runs.generations import GenerationFacts

COUNT, DIMENSIONS = 6, 4
CAPTION = "a [red]cat[/red] :smile: on the table\x1b[31m."


def generation_facts(scores: int, **changed: Any) -> GenerationFacts:
    """Of a generation over so many scores."""
    facts = {
        "evaluations": 6,
        "front": 6,
        "hypervolume": 1.0,
        "box": ((0.0,) * scores, (1.0,) * scores),
        "micro_batch": 25,
        "models": {"builtin": "ab" * 32},
        "environment": {"threads": 1},
    }
    return GenerationFacts(**facts | changed)


def result_facts(**changed: Any) -> dict[str, Any]:
    """For run.json."""
    facts = {
        "models": {},
        "coverage": 0.28,
        "label_matched": False,
        "evaluations": 12,
        "hypervolume": [1.0],
        "rescored": None,
    }
    return facts | changed


def write_run(path: Path, *, seed: int = 7, committed: int = 2, finished: bool = True) -> Path:
    """A run of two generations over two scores whose latents are the scores."""
    config = RunConfig(
        caption=CAPTION,
        seed=seed,
        population=COUNT,
        offspring=COUNT,
        generations=1,
        scores=("text_image", "word_label"),
    )
    rng = np.random.default_rng(seed)
    with RunDirectory.create(path, config) as directory:
        for generation in range(committed):
            latents = rng.standard_normal((COUNT, DIMENSIONS)).astype(np.float32) + generation
            record = Points(
                latents=latents,
                scores=latents[:, :2].astype(np.float64),
                ids=np.arange(COUNT, dtype=np.int64) + generation * COUNT,
                parents=np.full((COUNT, 2), generation - 1, dtype=np.int64),
                generations=np.full(COUNT, generation, dtype=np.int64),
            )
            facts = generation_facts(2, hypervolume=2.0 + 3.0 * generation, front=COUNT)
            directory.commit(record, {}, facts)
        if finished:
            pixels = np.clip(128 + 40 * record.latents.reshape(COUNT, 2, 2, 1), 0, 255)
            images = np.repeat(pixels, 3, axis=3).astype(np.uint8)
            facts = result_facts(evaluations=config.evaluations, hypervolume=[2.0, 5.0])
            directory.finish(record, images, facts)
    return path
