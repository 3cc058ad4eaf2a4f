"""The losses against their formulas, term by term."""

import math

import pytest
import torch
from open_clip.loss import ClipLoss, SigLipLoss

from evo_t2i.errors import UsageError
from evo_t2i.scores.region_word import region_word as region_word_score
from evo_t2i.training.losses import (
    FORMS,
    contrast,
    contrast_with_truth,
    non_saturating,
    pseudo_text,
    region_word,
    rejected,
    relativistic,
    siglip,
    slopes,
    soft_cross_entropy,
    text_label,
    two_way,
    word_matches,
)


@pytest.fixture
def features():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(5, 7, generator=generator), torch.randn(5, 7, generator=generator)


def gradient(loss, tensor):
    tensor = tensor.clone().requires_grad_()
    (found,) = torch.autograd.grad(loss(tensor), tensor)
    return float(found.abs().max())


# Two pictures at 0° and 90°, two captions at 0° and 60°: cosines 1, 1/2 and 0, √3/2.
PICTURES = torch.tensor([[2.0, 0.0], [0.0, 3.0]])
CAPTIONS = torch.tensor([[5.0, 0.0], [0.5, math.sqrt(3) / 2]])


def test_sharpened_contrast_by_hand():
    exp = math.exp
    own, other = exp(exp(1 / 0.5)), exp(exp(0 / 0.5))  # caption 0: its picture, the other
    first = -math.log(own / (own + other))
    own, other = exp(exp(math.sqrt(3) / 2 / 0.5)), exp(exp(0.5 / 0.5))
    second = -math.log(own / (own + other))
    assert float(contrast(PICTURES, CAPTIONS)) == pytest.approx((first + second) / 2, rel=1e-5)


def test_infonce_contrast_by_hand():
    first = math.log(1 + math.exp((0 - 1) / 0.1))
    second = math.log(1 + math.exp((0.5 - math.sqrt(3) / 2) / 0.1))
    found = contrast(PICTURES, CAPTIONS, 0.1, "infonce")
    assert float(found) == pytest.approx((first + second) / 2, rel=1e-4)


def test_the_denominator_of_contrast_runs_over_pictures():
    """So a picture at 60° and one at 90° are compared for the caption at 60°, not the captions."""
    pictures = torch.tensor([CAPTIONS[1].tolist(), [0.0, 1.0]])
    captions = torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    first = math.log(1 + math.exp((1 - math.sqrt(3) / 2) / 0.1))
    second = math.log(1 + math.exp((math.sqrt(3) / 2 - 1) / 0.1))
    found = contrast(pictures, captions, 0.1, "infonce")
    assert float(found) == pytest.approx((first + second) / 2, rel=1e-4)
    assert float(contrast(captions, pictures, 0.1, "infonce")) == pytest.approx(math.log(2))


@pytest.mark.parametrize("form", FORMS)
def test_contrast_moves_both_sides_and_forgets_lengths(features, form):
    a, b = features
    assert gradient(lambda x: contrast(x, b, 0.5, form), a) > 1e-3
    assert gradient(lambda x: contrast(a, x, 0.5, form), b) > 1e-3
    scaled = contrast(a * 7, b / 3, 0.5, form)
    torch.testing.assert_close(scaled, contrast(a, b, 0.5, form))


def test_sharpening_acts_as_a_temperature_that_falls_with_the_cosine():
    """d Sim / d cos = exp(cos/τ)/τ, the inverse of the temperature that acts there."""
    for cosine, temperature in ((0.0, 0.5), (1.0, 0.068)):
        c = torch.tensor(cosine, requires_grad=True)
        (slope,) = torch.autograd.grad((c / 0.5).exp(), c)
        assert 1 / float(slope) == pytest.approx(temperature, rel=0.01)


def test_an_unknown_form_is_refused(features):
    with pytest.raises(UsageError, match=r"`form` is 'infonec'; did you mean 'infonce'\?"):
        contrast(*features, 0.5, "infonec")


def test_a_denominator_that_repeats_i_would_teach_nothing(features):
    """As the notes print iiv_d for the discriminator; read as a sum over j it teaches."""
    a, b = features

    def as_printed(x):
        own = (torch.cosine_similarity(x, b) / 0.5).exp()
        return -(own.exp() / (own.exp() * len(own))).log().mean()

    assert gradient(as_printed, a) < 1e-6
    assert gradient(lambda x: contrast(x, b), a) > 1e-3


def test_two_way_is_open_clips_loss(features):
    a, b = (torch.nn.functional.normalize(x, dim=1) for x in features)
    assert float(two_way(*features)) == pytest.approx(
        float(ClipLoss()(a, b, torch.tensor(10.0))), rel=1e-5
    )
    assert gradient(lambda x: two_way(x, b), a) > 1e-3


def test_word_matches_by_hand():
    """One picture of two regions, one caption of one word: 0° and 90° against 60°."""
    regions, word = PICTURES[None], CAPTIONS[None, 1:]
    near, far = math.exp(5 * math.sqrt(3) / 2), math.exp(5 * 0.5)
    gathered = (far / (near + far), near / (near + far))
    cosine = (gathered[0] * 0.5 + gathered[1] * math.sqrt(3) / 2) / math.hypot(*gathered)
    found = word_matches(regions, word, torch.ones(1, 1, dtype=torch.bool), temperature=0.1)
    assert float(found) == pytest.approx(cosine / 0.1, rel=1e-5)


def test_word_matches_are_the_scores_but_for_the_number_of_words():
    generator = torch.Generator().manual_seed(1)
    regions, words = (
        torch.randn(4, 9, 6, generator=generator),
        torch.randn(3, 6, generator=generator),
    )
    unit = torch.nn.functional.normalize
    score = region_word_score(unit(regions, dim=-1), unit(words, dim=-1), 5.0, 5.0, 0.1)
    found = word_matches(regions, words[None], torch.ones(1, 3, dtype=torch.bool))[:, 0]
    torch.testing.assert_close(found, score + math.log(3) / 5 / 0.1)


def test_absent_words_count_for_nothing_and_get_no_gradient():
    generator = torch.Generator().manual_seed(2)
    regions = torch.randn(3, 4, 6, generator=generator)
    words = torch.randn(3, 5, 6, generator=generator)
    present = torch.tensor([[True] * 5, [True] * 2 + [False] * 3, [True] * 3 + [False] * 2])
    words[~present] = 0.0
    changed = words.clone()
    changed[~present] = 9.0
    torch.testing.assert_close(
        region_word(regions, words, present), region_word(regions, changed, present)
    )
    words.requires_grad_()
    (found,) = torch.autograd.grad(region_word(regions, words, present), words)
    assert found.isfinite().all()
    assert (found[~present] == 0).all()
    assert (found[present].abs().sum(1) > 0).all()


def test_region_word_is_cross_entropy_both_ways():
    generator = torch.Generator().manual_seed(3)
    regions = torch.randn(2, 3, 4, generator=generator)
    words, present = torch.randn(2, 3, 4, generator=generator), torch.ones(2, 3, dtype=torch.bool)
    (aa, ab), (ba, bb) = word_matches(regions, words, present).tolist()
    softplus = [math.log1p(math.exp(d)) for d in (ab - aa, ba - bb, ba - aa, ab - bb)]
    assert float(region_word(regions, words, present)) == pytest.approx(sum(softplus) / 4, rel=1e-4)
    assert gradient(lambda x: region_word(x, words, present), regions) > 1e-3


def test_text_label_on_the_notes_two_cases():
    similarity = [[0.75, 0.77, 0.73, 0.67, 0.80], [0.95, 0.24, 0.30, 0.12, 0.53]]
    probability = torch.tensor([[0.2] * 5, [0.80, 0.01, 0.01, 0.01, 0.17]])
    scores = []
    for row in range(2):
        loss = text_label(probability[row : row + 1].log(), torch.tensor(similarity[row : row + 1]))
        scores.append(1 - float(loss))
    assert scores == pytest.approx([0.744, 0.856], abs=1e-3)
    both = text_label(probability.log(), torch.tensor(similarity))
    assert float(both) == pytest.approx(1 - sum(scores) / 2)
    assert gradient(lambda x: text_label(x, torch.tensor(similarity)), probability.log()) > 1e-3


def test_the_logistic_losses_are_minus_log_sigmoid():
    logits = torch.tensor([0.0, 2.0])
    sigmoid = 1 / (1 + math.exp(-2))
    assert float(non_saturating(logits)) == pytest.approx((math.log(2) - math.log(sigmoid)) / 2)
    assert float(rejected(logits)) == pytest.approx((math.log(2) - math.log(1 - sigmoid)) / 2)
    assert gradient(non_saturating, logits) > 0.1
    assert gradient(rejected, logits) > 0.1


def test_slopes_by_hand_and_their_own_gradient():
    """D(x) = a · Σ x² / 2 has the slope a² Σ x², whose derivative by a is 2 a Σ x²."""
    images = torch.arange(24.0).reshape(2, 3, 2, 2).requires_grad_()
    a = torch.tensor(0.5, requires_grad=True)
    found = slopes(a * images.square().sum(dim=(1, 2, 3)) / 2, images)
    energy = images.detach().square().sum(dim=(1, 2, 3))
    torch.testing.assert_close(found, 0.25 * energy)
    (by_a,) = torch.autograd.grad(found.mean(), a)
    torch.testing.assert_close(by_a, energy.mean())


def test_pseudo_text_is_a_quarter_picture_and_three_quarters_noise():
    image, noise = torch.tensor([[4.0, 0.0]]), torch.tensor([[0.0, 9.0]])
    found = pseudo_text(image, noise)
    torch.testing.assert_close(found, torch.tensor([[0.25, 0.75]]) / math.hypot(0.25, 0.75))


def test_contrast_with_identity_truth_is_open_clips_loss(features):
    a, b = (torch.nn.functional.normalize(x, dim=1) for x in features)
    ours = contrast_with_truth(a, b, torch.eye(5, dtype=torch.bool), torch.tensor(14.0))
    theirs = ClipLoss()(a, b, torch.tensor(14.0))
    assert float(ours) == pytest.approx(float(theirs), rel=1e-5)


def test_the_balance_weighs_rows_against_columns(features):
    a, b = features
    truth, scale = torch.eye(5, dtype=torch.bool), torch.tensor(14.0)
    rows = contrast_with_truth(a, b, truth, scale, balance=1.0)
    columns = contrast_with_truth(a, b, truth, scale, balance=0.0)
    torch.testing.assert_close(columns, contrast_with_truth(b, a, truth, scale, balance=1.0))
    mixed = contrast_with_truth(a, b, truth, scale, balance=0.3)
    torch.testing.assert_close(mixed, 0.3 * rows + 0.7 * columns)


def test_siglip_is_open_clips_loss(features):
    a, b = (torch.nn.functional.normalize(x, dim=1) for x in features)
    scale, bias = torch.tensor(10.0), torch.tensor(-10.0)
    ours = siglip(*features, torch.eye(5, dtype=torch.bool), scale, bias)
    assert float(ours) == pytest.approx(float(SigLipLoss()(a, b, scale, bias)), rel=1e-5)
    assert gradient(lambda x: siglip(x, b, torch.eye(5, dtype=torch.bool), scale, bias), a) > 1e-3


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
