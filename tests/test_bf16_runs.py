"""A search in bfloat16 whose front is drawn and scored again in float32."""

import numpy as np
import pytest
import torch
import whole_runs
from PIL import Image
from scoring import scores_of
from whole_runs import CAPTION, digests, killed_half_way

import evo_t2i
from evo_t2i import registry, sampler
from evo_t2i.config import DEFAULT_SCORES, RunConfig
from evo_t2i.errors import UsageError
from evo_t2i.evaluate import models as models_of_a_run
from evo_t2i.evaluate.models import load
from evo_t2i.features.clip import ClipFeatures
from evo_t2i.features.vgg import VggFeatures
from evo_t2i.generators.builtin import BuiltinGenerator
from evo_t2i.points import Points
from evo_t2i.runs.directory import RunDirectory
from evo_t2i.search.hypervolume import Box
from evo_t2i.testing import check_feature_extractor, check_generator
from evo_t2i.world import LATENT_SIZE

CPU = torch.device("cpu")
SMALL = whole_runs.SMALL | {"precision": "bf16"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return evo_t2i.sample(CAPTION, out=tmp_path_factory.mktemp("run") / "cat", **SMALL)


def test_the_saved_pictures_have_the_recorded_scores_in_fp32(run):
    pixels = np.stack([np.asarray(Image.open(picture.file)) for picture in run.front])
    batch = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255
    found = scores_of(batch, CAPTION, DEFAULT_SCORES, micro_batch=1)
    np.testing.assert_allclose(found, run.arrays.scores, atol=1e-5)


def test_the_search_was_in_bf16_and_the_front_says_what_changed(run):
    history = RunDirectory.open(run.path).history()
    rescored = run.facts["rescored"]
    before = history.scores[run.arrays.ids]
    change = np.abs(run.arrays.scores - before).max(axis=0)
    assert (change > 1e-6).all()
    assert list(rescored["largest_change"]) == list(DEFAULT_SCORES)
    assert (np.array(list(rescored["largest_change"].values())) >= change).all()
    _, state = RunDirectory.open(run.path).last()
    assert rescored["left"] == len(state["archive.ids"]) - len(run.front)
    assert 0 < rescored["hypervolume"] == pytest.approx(run.facts["hypervolume"][-1], rel=0.1)


def test_an_fp32_run_is_not_scored_again(tmp_path):
    plain = SMALL | {"precision": "fp32", "previews": False, "generations": 0}
    assert evo_t2i.sample(CAPTION, out=tmp_path / "run", **plain).facts["rescored"] is None


def test_the_same_seed_gives_the_same_files(run, tmp_path):
    again = evo_t2i.sample(CAPTION, out=tmp_path / "again", **SMALL)
    assert digests(again.path) == digests(run.path)


def test_killed_and_resumed_equals_uninterrupted(run, tmp_path):
    path = tmp_path / "killed"
    killed_half_way(path, SMALL)
    evo_t2i.resume(path)
    assert digests(path) == digests(run.path)


def test_a_run_that_goes_on_in_another_precision_says_so(tmp_path, monkeypatch):
    settings = SMALL | {"precision": "auto", "generations": 1}
    monkeypatch.setattr(models_of_a_run, "fast_precision", lambda _device: "bf16")
    path = evo_t2i.sample(CAPTION, out=tmp_path / "run", **settings).path
    monkeypatch.setattr(models_of_a_run, "fast_precision", lambda _device: "fp32")
    resumed = evo_t2i.resume(path, generations=2)
    assert any("precision bf16, now fp32" in warning for warning in resumed.warnings)


@pytest.mark.parametrize("stage", ["rescoring", "writing"])
def test_stopped_after_the_search_and_resumed_equals_uninterrupted(run, tmp_path, stage):
    path = tmp_path / "stopped"

    def stop(event):
        if event.stage == stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evo_t2i.sample(CAPTION, out=path, progress=stop, **SMALL)
    evo_t2i.resume(path)
    assert digests(path) == digests(run.path)


def test_a_lost_figure_is_made_again_in_fp32(run):
    before = digests(run.path)
    (run.path / "before_after.png").unlink()
    evo_t2i.resume(run.path)
    assert digests(run.path) == before


@pytest.fixture(scope="module")
def evaluator():
    config = RunConfig(caption=CAPTION, seed=1, device="cpu", precision="bf16", previews=False)
    return load(config).for_caption(CAPTION)


def test_what_fp32_finds_dominated_or_not_finite_leaves_the_front(evaluator):
    latents = np.random.default_rng(0).standard_normal((20, LATENT_SIZE), dtype=np.float32)
    latents[3] = np.nan
    claimed = np.stack([np.arange(20.0), -np.arange(20.0), np.zeros(20), np.zeros(20)], axis=1)
    found = Points(
        latents=latents,
        scores=claimed,
        ids=np.arange(100, 120),
        parents=np.full((20, 2), -1),
        generations=np.zeros(20, np.int64),
    )
    box = Box((-1.0,) * 4, (1.0,) * 4)
    front, images, facts = sampler._rescored(found, evaluator, box)
    expected, scores = evaluator.render_and_score(latents)
    stays = [
        row
        for row in range(20)
        if row != 3
        and not any((o >= scores[row]).all() and (o > scores[row]).any() for o in scores)
    ]
    assert 0 < len(stays) < 19
    assert front.ids.tolist() == [100 + row for row in stays]
    np.testing.assert_array_equal(front.scores, scores[stays])
    np.testing.assert_array_equal(images, expected[stays])
    assert facts["left"] == 20 - len(stays)
    change = np.abs(scores - claimed)[np.isfinite(scores[:, 0])].max(axis=0)
    assert list(facts["largest_change"].values()) == change.tolist()


def test_bf16_scores_are_near_those_in_fp32_and_hardly_depend_on_the_batch(evaluator):
    latents = np.random.default_rng(1).standard_normal((12, LATENT_SIZE), dtype=np.float32)
    half = evaluator.score_latents(latents)
    exact = evaluator.render_and_score(latents)[1]
    assert (np.abs(half - exact).max(axis=0) > 1e-6).all()
    assert (np.median(np.abs(half - exact), axis=0) < 0.01).all()
    singly = np.concatenate([evaluator.score_latents(latents[[row]]) for row in range(12)])
    assert (np.median(np.abs(half - singly), axis=0) < 0.01).all()


def test_what_is_rendered_is_fp32_whatever_the_search(evaluator):
    latents = np.random.default_rng(1).standard_normal((3, LATENT_SIZE), dtype=np.float32)
    exact = RunConfig(caption=CAPTION, seed=1, device="cpu", precision="fp32")
    plain = load(exact).for_caption(CAPTION)
    np.testing.assert_array_equal(evaluator.render(latents), plain.render(latents))
    assert not np.array_equal(evaluator.score_latents(latents), plain.score_latents(latents))


def test_the_built_in_networks_keep_their_contracts_in_bf16():
    check_generator(BuiltinGenerator(device=CPU), precision="bf16")
    for extractor in (ClipFeatures(device=CPU), VggFeatures(device=CPU)):
        check_feature_extractor(extractor, precision="bf16")


class ByNumpy(BuiltinGenerator):
    """Turns its latents by numpy, which has no bfloat16."""

    preview = None

    def generate(self, latents, condition):
        turned = np.flip((latents @ torch.eye(32)).numpy(), axis=1)
        return super().generate(torch.from_numpy(turned.copy()), condition)


def test_networks_that_cannot_do_bf16_are_refused_in_a_sentence(monkeypatch, tmp_path):
    real = registry.load
    monkeypatch.setattr(
        registry, "load", lambda kind, name: ByNumpy if kind == "generator" else real(kind, name)
    )
    with pytest.raises(UsageError) as caught:
        evo_t2i.sample(CAPTION, out=tmp_path / "run", **SMALL)
    assert "`precision` bf16 does not work with these networks (" in str(caught.value)
    assert str(caught.value).endswith("; use `precision` fp32.")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_where_nobody_asked_networks_that_cannot_do_bf16_search_in_fp32(monkeypatch):
    real = registry.load
    monkeypatch.setattr(
        registry, "load", lambda kind, name: ByNumpy if kind == "generator" else real(kind, name)
    )
    monkeypatch.setattr(models_of_a_run, "fast_precision", lambda _device: "bf16")
    assert load(RunConfig(caption=CAPTION, seed=1, device="cpu")).precision == "fp32"


def test_an_unknown_precision_is_refused():
    with pytest.raises(UsageError, match="`precision` is fp16; give auto, fp32, bf16"):
        RunConfig(caption=CAPTION, seed=1, precision="fp16")
