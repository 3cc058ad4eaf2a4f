"""Any labels by CLIP: the ensemble by hand, shared passes, and what a run remembers of a file."""

import json

import numpy as np
import open_clip
import pytest
import torch
from scoring import scores_of
from torch.nn.functional import normalize

import evo_t2i
from evo_t2i.config import DEFAULT_SCORES, ScorerModels
from evo_t2i.errors import RunDataError
from evo_t2i.evaluate.models import load_scorers
from evo_t2i.features.clip import ClipFeatures
from evo_t2i.features.vgg import VggFeatures
from evo_t2i.features.zero_shot import ZeroShotClassifier, zero_shot_logits
from evo_t2i.runs.directory import RunDirectory
from evo_t2i.scores.image_real import image_real
from evo_t2i.testing import check_feature_extractor
from evo_t2i.world import render, sample_scene

CPU = torch.device("cpu")
SKYLINE = "skyline at sunset."
LABELS = ("skyline", "sunset", "night", "cat", "dog", "bus", "tree")


@pytest.fixture
def labels(tmp_path, monkeypatch):
    """A file of LABELS, with a cache of this test's own."""
    monkeypatch.setenv("EVO_T2I_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "labels.txt"
    file.write_text("\n".join(LABELS))
    return file


def images(count=4, size=64):
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(3))


@torch.inference_mode()
def test_the_ensemble_is_the_mean_of_unit_features(small_clip, labels):  # noqa: ARG001
    features = ClipFeatures(device=CPU, models=ScorerModels(clip=f"local-dir:{small_clip}"))
    names, templates = ("cat", "apple"), ("a photo of a {}.", "{}")
    classifier = ZeroShotClassifier(features, names, templates)
    own = open_clip.create_model(f"local-dir:{small_clip}", require_pretrained=True).eval()
    tokenizer = open_clip.get_tokenizer(f"local-dir:{small_clip}")
    means = []
    for texts in (["a photo of a cat.", "cat"], ["a photo of an apple.", "apple"]):
        means.append(normalize(own.encode_text(tokenizer(texts)), dim=1).mean(dim=0))
    expected = normalize(torch.stack(means), dim=1)
    torch.testing.assert_close(features.embed_labels(names, templates), expected, atol=1e-4, rtol=0)
    batch = images(3, 32)
    similarities, probabilities = classifier(batch)
    seen = features.images(batch, {})["clip.image"]
    torch.testing.assert_close(similarities, seen @ expected.T, atol=1e-4, rtol=0)
    cosines = seen @ features.embed_labels(names, templates).T
    wanted = (own.logit_scale.exp() * cosines).softmax(dim=1)
    torch.testing.assert_close(probabilities, wanted, atol=1e-4, rtol=0)


def test_what_the_cache_keeps_is_what_was_computed(small_clip, labels):  # noqa: ARG001
    features = ClipFeatures(device=CPU, models=ScorerModels(clip=f"local-dir:{small_clip}"))
    first = features.embed_labels(["cat", "dog"])
    features._tokenize = None  # nothing is read again
    assert torch.equal(features.embed_labels(["cat", "dog"]), first)
    with pytest.raises(TypeError):
        features.embed_labels(["dog", "cat"])


def test_logits_keep_their_digits_in_bf16():
    image, texts = normalize(torch.randn(5, 64), dim=1), normalize(torch.randn(3, 64), dim=1)
    plain = zero_shot_logits(image, texts, torch.tensor(100.0))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(zero_shot_logits(image, texts, torch.tensor(100.0)), plain)


@pytest.mark.usefixtures("random_models")
def test_scores_by_labels_of_ones_own_share_clips_pass(labels):
    models = ScorerModels(classifier=f"clip:{labels}")
    scorers = load_scorers(DEFAULT_SCORES, device=CPU, models=models)
    clip, vgg = scorers.extractors["clip"], scorers.extractors["vgg"]
    assert list(scorers.extractors).index("clip") < list(scorers.extractors).index("vgg")
    assert vgg.labels == scorers.extractors["words"].labels == LABELS
    passes = []
    clip._model.visual.register_forward_hook(lambda *_: passes.append(1))
    with torch.inference_mode():
        found = scorers.for_caption(SKYLINE)(images())
        assert passes == [1]
        seen = clip.images(images(), {})["clip.image"]
        logits = zero_shot_logits(seen, clip.embed_labels(LABELS), clip.logit_scale)
    torch.testing.assert_close(found[:, 1], image_real(logits))


@pytest.mark.usefixtures("random_models")
def test_a_score_that_needs_labels_alone_brings_clip_with_it(labels):
    models = ScorerModels(classifier=f"clip:{labels}")
    scorers = load_scorers(["image_real"], device=CPU, models=models)
    assert list(scorers.extractors) == ["clip", "vgg"]
    check_feature_extractor(scorers.extractors["clip"])

    def needed(batch):
        return scorers.extractors["clip"].text(SKYLINE) | scorers.extractors["clip"].images(
            batch, {}
        )

    for precision in ("fp32", "bf16"):
        check_feature_extractor(
            scorers.extractors["vgg"], needed=needed, precision=precision, count=3
        )
    assert scores_of(images(), SKYLINE, ["image_real"], models=models).shape == (4, 1)


def test_the_notes_skyline_has_labels(labels):
    """No label of the built-in classifier matches it: the notes' limitation."""
    scenes = [sample_scene(np.random.default_rng([21, i])) for i in range(2000)]
    bare = [s for s in scenes if s.scene == "skyline" and not s.things and s.time == "sunset"][:3]
    cats = [s for s in scenes if [t.kind for t in s.things] == ["cat"]][:3]
    pixels = np.stack([render(scene, 64).image for scene in (*bare, *cats)])
    batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    models = ScorerModels(classifier=f"clip:{labels}")
    scorers = load_scorers(DEFAULT_SCORES, device=CPU, models=models)
    own, builtin = scorers.for_caption(SKYLINE), load_scorers(["word_label"], device=CPU)
    assert own.label_matched is True
    assert builtin.for_caption(SKYLINE).label_matched is False
    with torch.inference_mode():
        found = own(batch)
        before = builtin.for_caption(SKYLINE)(batch)
    word_label = DEFAULT_SCORES.index("word_label")
    assert found[:3, word_label].min() > 0.9 > 0.5 > found[3:, word_label].max()
    assert before.max() < 0.45


def test_a_run_remembers_the_labels(labels, tmp_path):
    settings = {"population": 4, "offspring": 4, "seed": 2, "device": "cpu", "generations": 1}
    run = evo_t2i.sample(
        SKYLINE,
        out=tmp_path / "run",
        classifier=f"clip:{labels}",
        scores=["image_real"],
        **settings,
    )
    noted = RunDirectory.open(run.path).facts_of(0).models["vgg"]
    assert noted == VggFeatures(device=CPU, models=run.config.scorer_models).digest
    labels.write_text("\n".join(LABELS[::-1]))
    journal = run.path / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:2]))
    (run.path / "run.json").unlink()
    assert json.loads((run.path / "config.json").read_text())["scorer_models"]["classifier"] == (
        f"clip:{labels}"
    )
    with pytest.raises(RunDataError, match="begun with other models"):
        evo_t2i.resume(run.path)
    labels.write_text("\n".join(LABELS))
    again = evo_t2i.resume(run.path)
    np.testing.assert_array_equal(again.arrays.scores, run.arrays.scores)
