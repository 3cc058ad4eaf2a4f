"""The four scores: the published examples, slow oracles and the contract."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from evo_t2i import registry
from evo_t2i.config import DEFAULT_SCORES
from evo_t2i.scores.image_real import image_real
from evo_t2i.scores.region_word import region_word
from evo_t2i.scores.word_label import WordLabel, word_label
from evo_t2i.testing import check_score

IMAGE_KEYS = frozenset({"clip.image", "clip.dense", "vgg.logits"})
CASES = {
    0.744: ((0.2, 0.2, 0.2, 0.2, 0.2), (0.75, 0.77, 0.73, 0.67, 0.80), 3.72),
    0.8567: ((0.80, 0.01, 0.01, 0.01, 0.17), (0.95, 0.24, 0.30, 0.12, 0.53), 2.14),
}


@pytest.fixture(scope="module")
def features():
    draw = torch.Generator().manual_seed(0)

    def unit(*shape):
        return normalize(torch.randn(*shape, generator=draw), dim=-1)

    return {
        "clip.image": unit(6, 16),
        "clip.dense": unit(6, 9, 16),
        "clip.text": unit(16),
        "clip.words": unit(3, 16),
        "clip.phrases": unit(2, 16),
        "vgg.logits": 3 * torch.randn(6, 8, generator=draw),
        "words.labels": 2 * torch.rand(8, generator=draw) - 1,
        "words.word_labels": 2 * torch.rand(3, 8, generator=draw) - 1,
    }


@pytest.mark.parametrize("expected", CASES)
def test_word_label_weighs_similarities_by_probability(expected):
    p, similarities, unweighted = CASES[expected]
    similarities = torch.tensor(similarities)
    score = word_label(torch.tensor([p]).log(), similarities)
    assert score.item() == pytest.approx(expected, abs=1e-4)
    assert similarities.sum().item() == pytest.approx(unweighted, abs=1e-5)


def test_the_weighting_reverses_the_ranking_of_the_unweighted_sums():
    (uniform, (_, _, high)), (peaked, (_, _, low)) = CASES.items()
    assert uniform < peaked
    assert high > low


def test_word_label_takes_the_top_labels_only_and_renormalises():
    p = torch.tensor([[0.4, 0.2, 0.1, 0.1, 0.1, 0.06, 0.04]])
    similarities = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.5, 100.0, 100.0])
    expected = (0.04 + 0.04 + 0.03 + 0.04 + 0.05) / 0.9
    assert word_label(p.log(), similarities).item() == pytest.approx(expected, abs=1e-6)
    assert word_label(p.log(), similarities, top_labels=1).item() == pytest.approx(0.1)
    assert word_label(p.log(), similarities, top_labels=50).item() > 1


def test_word_label_reads_the_caption_or_its_best_word(features):
    by_word = WordLabel(options=WordLabel.Options(text="words"))
    by_caption = WordLabel(options=WordLabel.Options(text="caption"))
    logits = torch.full((1, 8), -50.0)
    logits[0, 2] = 50.0
    assert by_word({**features, "vgg.logits": logits}).item() == pytest.approx(
        features["words.word_labels"][:, 2].max().item(), abs=1e-6
    )
    assert by_caption({**features, "vgg.logits": logits}).item() == pytest.approx(
        features["words.labels"][2].item(), abs=1e-6
    )
    assert by_caption.needs == {"vgg.logits", "words.labels"}


@pytest.mark.parametrize(("temperature", "larger"), [(0.5, 0.9), (5.0, 0.555)])
def test_temperature_sharpens_below_one_and_blunts_above(temperature, larger):
    logits = torch.tensor([[-1.386, -0.288]])
    assert image_real(logits, temperature).item() == pytest.approx(larger, abs=1e-3)
    left = word_label(logits, torch.tensor([1.0, 0.0]), temperature)
    assert left.item() == pytest.approx(1 - larger, abs=1e-3)


def test_image_real_forms_at_their_ends():
    uniform, certain = torch.zeros(1, 10), torch.tensor([[200.0] + [0.0] * 9])
    assert image_real(uniform).item() == pytest.approx(0.1)
    assert image_real(uniform, form="entropy").item() == pytest.approx(0.0, abs=1e-6)
    assert image_real(certain).item() == pytest.approx(1.0)
    assert image_real(certain, form="entropy").item() == pytest.approx(1.0)
    assert image_real(uniform, 2.0, "energy").item() == pytest.approx(2 * math.log(10), rel=1e-5)
    assert image_real(torch.zeros(1, 1), form="entropy").item() == 1.0


def test_region_word_equals_one_image_and_one_word_at_a_time(features):
    regions, words = (
        features["clip.dense"].double().numpy(),
        features["clip.words"].double().numpy(),
    )
    rho_1, rho_2, tau = 7.0, 5.0, 0.5
    expected = []
    for image in regions:
        total = 0.0
        for word in words:
            cosines = [float(word @ region) for region in image]
            exponentials = [math.exp(rho_1 * cosine) for cosine in cosines]
            c = sum(e / sum(exponentials) * r for e, r in zip(exponentials, image, strict=True))
            total += math.exp(rho_2 * float(word @ c) / float(np.linalg.norm(c)))
        expected.append(math.log(total / len(words)) / rho_2 / tau)
    score = region_word(features["clip.dense"], features["clip.words"], rho_1, rho_2, tau)
    np.testing.assert_allclose(score.numpy(), expected, atol=1e-5)


def test_region_word_does_not_grow_when_a_word_is_repeated(features):
    words = features["clip.words"]
    torch.testing.assert_close(
        region_word(features["clip.dense"], words.repeat(4, 1)),
        region_word(features["clip.dense"], words),
    )


def test_region_word_is_one_where_every_word_has_its_region():
    words = torch.eye(4)[:2]
    assert region_word(torch.eye(4)[None], words).item() == pytest.approx(1.0, abs=1e-4)


def test_region_word_takes_phrases_unless_words_are_asked_for(features):
    for text, given in (("phrases", {}), ("words", {"region_word": {"text": "words"}})):
        score = registry.make("score", "region_word", options=given)
        assert score.needs == {"clip.dense", f"clip.{text}"}
        expected = region_word(features["clip.dense"], features[f"clip.{text}"])
        torch.testing.assert_close(score(features), expected)


@pytest.mark.parametrize("name", DEFAULT_SCORES)
def test_every_score_keeps_the_contract(name, features):
    ranges = {"image_real": (0.0, 1.0)}
    score = registry.make("score", name)
    check_score(score, features, image_keys=IMAGE_KEYS, value_range=ranges.get(name, (-1.0, 1.0)))


@pytest.mark.parametrize("width", [0, 8])
def test_the_discriminators_score_adds_the_text_to_its_logits(width):
    draw = torch.Generator().manual_seed(0)
    features = {
        "discriminator.logits": torch.randn(6, generator=draw),
        "discriminator.image": torch.randn(6, width, generator=draw),
        "discriminator.text": torch.randn(width, generator=draw),
    }
    score = registry.make("score", "discriminator")
    keys = frozenset({"discriminator.logits", "discriminator.image"})
    check_score(score, features, image_keys=keys)
    for row, value in enumerate(score(features)):
        image = features["discriminator.image"][row]
        product = sum(a * b for a, b in zip(image, features["discriminator.text"], strict=True))
        assert value.item() == pytest.approx(
            float(features["discriminator.logits"][row] + product), abs=1e-5
        )
