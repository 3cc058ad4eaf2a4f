"""The losses against their formulas, term by term."""

import math

import pytest
import torch
from open_clip.loss import ClipLoss

from evo_t2i.training.losses import contrast_with_truth, relativistic, soft_cross_entropy


@pytest.fixture
def features():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(5, 7, generator=generator), torch.randn(5, 7, generator=generator)


def test_contrast_with_identity_truth_is_open_clips_loss(features):
    a, b = (torch.nn.functional.normalize(x, dim=1) for x in features)
    ours = contrast_with_truth(a, b, torch.eye(5, dtype=torch.bool), torch.tensor(14.0))
    theirs = ClipLoss()(a, b, torch.tensor(14.0))
    assert float(ours) == pytest.approx(float(theirs), rel=1e-5)


def test_a_second_true_caption_is_no_negative(features):
    a, b = features
    b = torch.cat([b[:1], b[:1], b[2:]])  # captions 0 and 1 are equal, and true of both images
    a = torch.cat([b[:1], b[:1], b[2:]])
    truth = torch.eye(5, dtype=torch.bool)
    truth[0, 1] = truth[1, 0] = True
    scale = torch.tensor(50.0)
    several = contrast_with_truth(a, b, truth, scale)
    assert several < contrast_with_truth(a, b, torch.eye(5, dtype=torch.bool), scale) + 1e-6
    assert float(several) == pytest.approx(2 / 5 * math.log(2), abs=1e-3)


def test_soft_cross_entropy_of_its_own_distribution_is_the_entropy():
    logits = torch.tensor([[1.0, 2.0, 0.5]])
    probabilities = logits.softmax(1)
    entropy = -(probabilities * probabilities.log()).sum()
    assert float(soft_cross_entropy(logits, probabilities)) == pytest.approx(float(entropy))


def test_relativistic_loss_compares_pairs():
    real, fake = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 0.0]])
    expected = (math.log1p(math.exp(-2)) + math.log(2)) / 2
    assert float(relativistic(real, fake)) == pytest.approx(expected, rel=1e-5)
    assert relativistic(real, fake) < relativistic(fake, real)
