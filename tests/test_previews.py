"""A search that goes by cheaper pictures, whose front is drawn and scored in full."""

import numpy as np
import pytest
import torch
from PIL import Image
from scoring import scores_of
from whole_runs import CAPTION, SMALL

import evo_t2i
from evo_t2i.config import DEFAULT_SCORES, RunConfig
from evo_t2i.evaluate.models import load
from evo_t2i.generators.builtin import BuiltinGenerator
from evo_t2i.picking.scale import rank_correlation
from evo_t2i.runs.directory import RunDirectory

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return evo_t2i.sample(CAPTION, out=tmp_path_factory.mktemp("run") / "cat", **SMALL)


def test_the_saved_pictures_are_whole_and_have_the_recorded_scores(run):
    pixels = np.stack([np.asarray(Image.open(picture.file)) for picture in run.front])
    assert pixels.shape[1:] == (128, 128, 3)
    batch = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255
    found = scores_of(batch, CAPTION, DEFAULT_SCORES, micro_batch=1)
    np.testing.assert_allclose(found, run.arrays.scores, atol=1e-5)


def test_the_search_went_by_previews_and_the_front_says_how_well_they_order(run):
    before = RunDirectory.open(run.path).history().scores[run.arrays.ids]
    assert (np.abs(run.arrays.scores - before).max(axis=0) > 1e-6).all()
    agreement = run.facts["rescored"]["rank_correlation"]
    assert list(agreement) == list(DEFAULT_SCORES)
    assert all(value is None or -1 <= value <= 1 for value in agreement.values())


def test_without_previews_nothing_is_scored_again(run, tmp_path):
    exact = evo_t2i.sample(CAPTION, out=tmp_path / "run", previews=False, precision="fp32", **SMALL)
    assert exact.facts["rescored"] is None
    latent = run.arrays.latents[:1]
    whole = load(exact.config).for_caption(CAPTION).score_latents(latent)
    np.testing.assert_allclose(whole, run.arrays.scores[:1], atol=1e-4)


def test_previews_are_scored_as_pictures_of_their_own_size():
    generator = BuiltinGenerator(device=CPU)
    models = load(RunConfig(caption=CAPTION, seed=1, device="cpu", precision="fp32"))
    latents = models.prior(6, np.random.default_rng(0))
    with torch.inference_mode():
        small = generator.preview(torch.from_numpy(latents), generator.condition(CAPTION))
    assert small.shape == (6, 3, 64, 64)
    rounded = (small * 255).round() / 255
    expected = scores_of(rounded, CAPTION, DEFAULT_SCORES, micro_batch=6)
    found = models.for_caption(CAPTION, micro_batch=6).score_latents(latents)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_previews_order_pictures_nearly_as_whole_ones_do():
    models = load(RunConfig(caption=CAPTION, seed=1, device="cpu", precision="fp32"))
    evaluator = models.for_caption(CAPTION)
    latents = models.prior(60, np.random.default_rng(0))
    cheap = evaluator.score_latents(latents)
    whole = evaluator.render_and_score(latents)[1]
    for column in range(cheap.shape[1]):
        assert rank_correlation(cheap[:, column], whole[:, column]) > 0.8
