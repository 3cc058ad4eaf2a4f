"""Drafting more than is finished: what is finished, what is recorded, and how it goes on."""

from types import SimpleNamespace

import numpy as np
import pytest
from whole_runs import CAPTION, SMALL, digests

import evo_t2i
from evo_t2i.config import RunConfig
from evo_t2i.errors import UsageError
from evo_t2i.evaluate.screen import Screen
from evo_t2i.runs.directory import RunDirectory

SCREENED = SMALL | {"screen": 3, "precision": "fp32"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return evo_t2i.sample(CAPTION, out=tmp_path_factory.mktemp("run") / "cat", **SCREENED)


def test_a_third_of_the_drafts_is_finished(run):
    history = RunDirectory.open(run.path).history()
    finished = np.isfinite(history.scores).all(axis=1)
    for generation in range(4):
        now = history.generations == generation
        assert (now.sum(), finished[now].sum()) == ((24, 8) if generation else (12, 12))
    assert run.facts["evaluations"] == 12 + 3 * 8
    assert run.facts["screened"]["drafts"] == 3 * 24
    assert finished[run.arrays.ids].all()
    assert run.facts["rescored"] is None


def test_a_screened_run_goes_on_as_if_it_had_not_stopped(run, tmp_path):
    path = tmp_path / "part"
    evo_t2i.sample(CAPTION, out=path, **SCREENED | {"generations": 1})
    evo_t2i.resume(path, generations=3)
    whole, part = digests(run.path), digests(path)
    assert whole["front.csv"] == part["front.csv"]


def test_what_is_finished_is_not_dominated_by_what_is_not():
    scores = np.random.default_rng(0).standard_normal((60, 2))
    scores[7] = np.nan
    drafts = SimpleNamespace(score_latents=lambda latents: scores[latents[:, 0].astype(int)])
    screen = Screen(drafts, drafts, finished=20, drafts=60)
    rows = screen.promising(np.arange(60.0)[:, None])
    assert len(rows) == 20
    assert (np.diff(rows) > 0).all()
    assert 7 not in rows
    others = np.setdiff1d(np.arange(60), [*rows, 7])
    better = (scores[others][:, None] > scores[rows][None]).all(axis=2)
    assert not better.any()


def test_a_generator_without_previews_is_refused():
    models = SimpleNamespace(for_caption=lambda *_, **__: SimpleNamespace(preview=None))
    config = RunConfig(caption=CAPTION, seed=1, screen=2)
    with pytest.raises(UsageError, match="`screen` is 2, but the generator builtin offers no prev"):
        Screen.of(config, models, None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"screen": 0}, "`screen` is 0; give 1 or more"),
        ({"screen": 17}, "`screen` is 17; give at most 16"),
        ({"screen": 2, "refine": 3}, "`screen` is 2 and `refine` 3; give one of the two"),
    ],
)
def test_screens_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        RunConfig(caption=CAPTION, seed=1, **settings)
