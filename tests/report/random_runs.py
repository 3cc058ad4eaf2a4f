"""Finished runs of random scores and grey pictures."""

from types import SimpleNamespace

import numpy as np

from evo_t2i.config import RunConfig
from evo_t2i.runs.directory import GenerationRecord, RunDirectory

NAMES = ("text_image", "image_real", "region_word", "word_label", "another")


def finished_run(
    path, *, scores=4, front=7, caption="skyline at sunset.", generations=2, images=None
):
    """A run of random scores whose last ``front`` individuals are the front."""
    config = RunConfig(
        caption=caption, seed=11, population=20, generations=generations, scores=NAMES[:scores]
    )
    rng = np.random.default_rng(0)
    with RunDirectory.create(path, config) as run:
        for generation in range(generations + 1):
            values = rng.normal(generation, 1.0, (20, scores))
            values[0] = np.nan
            record = GenerationRecord(
                latents=rng.normal(size=(20, 3)).astype(np.float32),
                scores=values,
                ids=np.arange(20) + 20 * generation,
                parents=np.full((20, 2), -1),
            )
            facts = {"hypervolume": 1 - 0.5**generation, "front": front}
            run.commit(generation, record, {}, facts)
        individuals = SimpleNamespace(
            latents=record.latents[-front:],
            scores=record.scores[-front:],
            ids=record.ids[-front:],
            parents=record.parents[-front:],
            generations=np.full(front, generations),
        )
        run.finish(individuals, pictures(front) if images is None else images, {})
    return RunDirectory.open(path)


def pictures(count, height=16, width=16):
    ramp = np.linspace(0, 255, height * width).reshape(height, width)
    shifts = np.arange(count)[:, None, None] * 31
    return np.stack([(ramp + shifts) % 256] * 3, axis=-1).astype(np.uint8)
