"""Finished runs of random scores and grey pictures."""

import numpy as np
from hand_made import generation_facts, result_facts

from evo_t2i.config import RunConfig
from evo_t2i.points import Points
from evo_t2i.runs.directory import RunDirectory

NAMES = ("text_image", "image_real", "region_word", "word_label", "another")


def finished_run(
    path, *, scores=4, front=7, caption="skyline at sunset.", generations=2, images=None, looks=None
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
            record = Points(
                latents=rng.normal(size=(20, 3)).astype(np.float32),
                scores=values,
                ids=np.arange(20) + 20 * generation,
                parents=np.full((20, 2), -1),
                generations=np.full(20, generation),
            )
            facts = generation_facts(scores, hypervolume=1 - 0.5**generation, front=front)
            run.commit(record, {}, facts)
        shown = pictures(front) if images is None else images
        run.finish(record[-front:], shown, result_facts(), looks)
    return RunDirectory.open(path)


def pictures(count, height=16, width=16):
    ramp = np.linspace(0, 255, height * width).reshape(height, width)
    shifts = np.arange(count)[:, None, None] * 31
    return np.stack([(ramp + shifts) % 256] * 3, axis=-1).astype(np.uint8)
