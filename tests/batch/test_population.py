"""A population that is scored by actors: equal to one process, also when an actor is killed."""

import os
import signal

import numpy as np
import pytest
from tiny_batch import SETTINGS

import evo_t2i
from evo_t2i.batch.population import SpreadModels, spread
from evo_t2i.config import configure
from evo_t2i.errors import EvoError, UsageError
from evo_t2i.evaluate.models import load

LARGE = SETTINGS | {"population": 301, "offspring": 250, "generations": 1, "micro_batch": 16}


def results(path):
    return {
        file.relative_to(path).as_posix(): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


def test_two_actors_one_of_them_killed_make_the_very_same_run(tmp_path, tiny):
    ray = pytest.importorskip("ray")
    config = configure("a cat", seed=3, **LARGE)
    killed = []
    with spread(config, workers=2) as models:
        loaders = {int(line.split()[0]) for line in tiny.read_text().splitlines()}
        actors = sorted(loaders - {os.getpid()})
        assert len(actors) == 2

        def progress(event):
            if event.evaluations > 100 and not killed:
                killed.append(event.evaluations)
                os.kill(actors[0], signal.SIGKILL)

        evo_t2i.sample(
            "a cat", out=tmp_path / "spread", seed=3, models=models, progress=progress, **LARGE
        )
        with pytest.raises(EvoError, match="An actor died too often"):
            list(models.crew.scores("always kill it", [np.zeros((2, 3), np.float32)]))
        with pytest.raises(EvoError, match="An actor failed: this caption is poison"):
            list(models.crew.scores("a poison apple", [np.zeros((2, 3), np.float32)] * 5))
    assert killed == [112]
    assert not ray.is_initialized()
    evo_t2i.sample("a cat", out=tmp_path / "single", seed=3, **LARGE)
    assert results(tmp_path / "spread") == results(tmp_path / "single")


class HalfAsLarge:
    """A crew whose memory holds six rows at most."""

    def __init__(self, evaluator):
        self.evaluator = evaluator
        self.sizes = []

    def scores(self, _caption, batches, wanted):
        for latents in batches:
            self.sizes.append(len(latents))
            yield self.evaluator.raw_scores(latents, wanted) if len(latents) <= 6 else None


@pytest.mark.usefixtures("tiny")
def test_a_micro_batch_that_does_not_fit_is_halved_and_nothing_scored_twice():
    config = configure("a cat", seed=3, **SETTINGS)
    models = load(config)
    single = models.for_caption("a cat", 16)
    crew = HalfAsLarge(single)
    spread_models = SpreadModels(**vars(models), crew=crew)
    evaluator = spread_models.for_caption("a cat", 16)
    latents = models.prior(19, np.random.default_rng(0))
    done = []
    assert np.array_equal(
        evaluator.score_latents(latents, done.append), single.score_latents(latents)
    )
    assert crew.sizes == [16, 8, 4, 4, 4, 4, 3]
    assert done == [4, 8, 12, 16, 19]
    assert evaluator.batches.size == 4
    assert evaluator.score_latents(latents[:0]).shape == (0, 2)
    scores, described = evaluator.score_and_describe(latents, {"look"})
    alone = single.score_and_describe(latents, {"look"})
    assert np.array_equal(scores, alone[0])
    assert np.array_equal(described["look"], alone[1]["look"])


def test_models_of_another_configuration_are_refused(tiny, tmp_path):
    models = load(configure("a cat", seed=3, **SETTINGS))
    for caption in ("a cat", "a dog"):
        evo_t2i.sample(caption, out=tmp_path / caption, seed=3, models=models, **SETTINGS)
    assert len(tiny.read_text().splitlines()) == 1
    other = SETTINGS | {"scores": "red"}
    with pytest.raises(UsageError, match=r"`models` were loaded for .*; pass those that `l"):
        evo_t2i.sample("a cat", out=tmp_path / "other", seed=3, models=models, **other)
    assert not (tmp_path / "other").exists()
