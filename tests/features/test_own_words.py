"""A caption that no label matches lends its words to the classifier."""

import numpy as np
import pytest
import torch

import evo_t2i
from evo_t2i.caption import content_words
from evo_t2i.config import DEFAULT_SCORES, ScorerModels
from evo_t2i.errors import UsageError
from evo_t2i.evaluate.models import load_scorers
from evo_t2i.features.classifiers import classifier_labels
from evo_t2i.features.own_words import with_own_words
from evo_t2i.world import render, sample_scene

CPU = torch.device("cpu")
SKYLINE, CAT = "skyline at sunset.", "a black cat on a table."
LABELS = len(classifier_labels("builtin"))


@pytest.fixture(scope="module")
def auto():
    return load_scorers(DEFAULT_SCORES, device=CPU)


def scenes(wanted, count=3):
    drawn = (sample_scene(np.random.default_rng([21, i])) for i in range(4000))
    found = [scene for scene in drawn if wanted(scene)][:count]
    pixels = np.stack([render(scene, 64).image for scene in found])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255


@torch.inference_mode()
def scored(scorer, images):
    return dict(zip(scorer.names, scorer(images).T, strict=True))


def test_what_was_asked_for_counts_for_more_than_what_was_not(auto):
    skylines = scenes(lambda s: s.scene == "skyline" and not s.things and s.time == "sunset")
    cats = scenes(lambda s: [thing.kind for thing in s.things] == ["cat"])
    scorer = auto.for_caption(SKYLINE)
    asked, other = scored(scorer, skylines), scored(scorer, cats)
    assert scorer.own_words
    assert asked["word_label"].min() > 0.8 > 0.5 > other["word_label"].max()
    fixed = load_scorers(DEFAULT_SCORES, device=CPU, models=ScorerModels(labels="fixed"))
    plain = scored(fixed.for_caption(SKYLINE), skylines)
    assert not fixed.for_caption(SKYLINE).own_words
    assert plain["word_label"].max() < 0.45
    assert asked["image_real"].min() > plain["image_real"].max()
    for name in ("text_image", "region_word"):
        assert torch.equal(asked[name], plain[name])


def test_labels_and_words_stand_in_the_same_order(auto):
    _, features = auto.for_caption(SKYLINE).with_features(torch.rand(2, 3, 64, 64), ["vgg.logits"])
    assert features["vgg.logits"].shape == (2, LABELS + 2)
    words = with_own_words(auto.extractors)["words"].text(SKYLINE)["words.word_labels"]
    own = words[:, LABELS:]
    assert words.shape == (2, LABELS + 2)
    torch.testing.assert_close(own.diagonal(), torch.ones(2))
    torch.testing.assert_close(own, own.T)
    assert own[0, 1] < 0.9


def test_coverage_stays_that_of_the_labels(auto):
    scorer = auto.for_caption(SKYLINE)
    assert scorer.label_facts == {
        "coverage": pytest.approx(float(scorer.coverage)),
        "label_matched": False,
        "own_words": True,
    }
    assert scorer.coverage < 0.45


def test_a_caption_with_a_label_keeps_the_classifier(auto):
    scorer = auto.for_caption(CAT)
    assert scorer.label_matched
    assert not scorer.own_words
    _, features = scorer.with_features(torch.rand(1, 3, 64, 64), ["vgg.logits"])
    assert features["vgg.logits"].shape == (1, LABELS)


@pytest.mark.parametrize("names", [["word_label"], ["image_real", "text_image"]])
def test_nothing_is_lent_where_clip_or_the_words_are_missing(names):
    scorer = load_scorers(names, device=CPU).for_caption(SKYLINE)
    assert not scorer.own_words


def test_scores_stay_differentiable(auto):
    images = torch.rand(2, 3, 64, 64, requires_grad=True)
    columns = auto.for_caption(SKYLINE)(images)
    (gradient,) = torch.autograd.grad(columns[:, DEFAULT_SCORES.index("image_real")].sum(), images)
    assert gradient.abs().sum() > 0


def test_another_value_is_refused():
    with pytest.raises(UsageError, match=r"labels.*auto or fixed"):
        ScorerModels(labels="mine")


def test_a_run_says_what_it_did(tmp_path):
    settings = {"population": 4, "offspring": 4, "seed": 2, "device": "cpu", "generations": 1}
    for labels, own in (("auto", True), ("fixed", False)):
        run = evo_t2i.sample(SKYLINE, out=tmp_path / labels, labels=labels, **settings)
        assert run.facts["own_words"] is own
        assert run.facts["label_matched"] is False
        assert run.config.scorer_models.labels == labels


def test_content_words_are_what_is_lent(auto):
    told = with_own_words(auto.extractors)["vgg"].text(SKYLINE)["vgg.told"]
    clip = auto.extractors["clip"]
    torch.testing.assert_close(told[LABELS:], clip.embed_labels(content_words(SKYLINE)))
