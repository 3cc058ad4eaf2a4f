"""Losses of the training commands, one formula a function. Features are L2-normalised inside.

What is minimised is returned, as a mean over the batch, of shape (). Row i of one feature belongs
to row i of the other.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from evo_t2i.errors import UsageError, near_miss
from evo_t2i.training.lafite_settings import FORMS


def similarities(a: Tensor, b: Tensor, temperature: float, form: str) -> Tensor:
    """(n, m) logits of features (n, d) against (m, d).

    ``infonce`` is cos/τ. ``sharpened`` is exp(cos/τ), which the softmax around it exponentiates
    once more, as LAFITE's code does: with τ = 0.5 it acts as a temperature of 0.5 where cos is 0
    and of 0.068 where it is 1. Raises UsageError for another form.
    """
    if form not in FORMS:
        raise UsageError(f"`form` is {form!r}; {near_miss(form, FORMS)}")
    cosines = F.normalize(a.float(), dim=1) @ F.normalize(b.float(), dim=1).T
    logits = cosines / temperature
    return logits.exp() if form == "sharpened" else logits


def contrast(a: Tensor, b: Tensor, temperature: float = 0.5, form: str = "sharpened") -> Tensor:
    """-mean_i log( exp Sim(a_i, b_i) / Σ_j exp Sim(a_j, b_i) ): which row of ``a`` fits b_i?

    Zhou et al. (LAFITE, 2022), equations 6 and 7, without their factor τ before the sum, which only
    scales the loss: LAFITE's flags itd and itc are weights of this mean.
    """
    return F.cross_entropy(similarities(a, b, temperature, form).T, _own(b))


def two_way(a: Tensor, b: Tensor, temperature: float = 0.1) -> Tensor:
    """Cross-entropy of cos/τ over rows and over columns, halved (Zhang et al., XMC-GAN, 2021).

    Its sentence-image and image-image losses, through whichever network the features come from.
    """
    logits = similarities(a, b, temperature, "infonce")
    return (F.cross_entropy(logits, _own(a)) + F.cross_entropy(logits.T, _own(b))) / 2


def word_matches(
    regions: Tensor,
    words: Tensor,
    present: Tensor,
    region_sharpness: float = 5.0,
    word_sharpness: float = 5.0,
    temperature: float = 0.1,
) -> Tensor:
    """(n, m): how well each picture's regions (n, r, d) hold each caption's words (m, t, d).

    XMC-GAN, equations 4 to 6: α = softmax over regions of ρ1 cos(word, region), c = Σ α region,
    S = log(Σ exp(ρ2 cos(word, c))) / ρ2 / τ over the words that are ``present`` (m, t) bool.
    """
    regions, words = F.normalize(regions.float(), dim=-1), F.normalize(words.float(), dim=-1)
    cosines = torch.einsum("mtd,nrd->nmtr", words, regions)
    attention = (region_sharpness * cosines).softmax(dim=-1)
    gathered = F.normalize(torch.einsum("nmtr,nrd->nmtd", attention, regions), dim=-1)
    fits = (gathered * words).sum(dim=-1)  # (n, m, t)
    fits = (word_sharpness * fits).masked_fill(~present, -torch.inf)
    return fits.logsumexp(dim=-1) / word_sharpness / temperature


def region_word(regions: Tensor, words: Tensor, present: Tensor, **constants: float) -> Tensor:
    """Cross-entropy of ``word_matches`` over captions and over pictures, halved.

    XMC-GAN's paper writes the first direction, its code has both.
    """
    matches = word_matches(regions, words, present, **constants)
    own = _own(regions)
    return (F.cross_entropy(matches, own) + F.cross_entropy(matches.T, own)) / 2


def text_label(logits: Tensor, label_similarities: Tensor) -> Tensor:
    """1 - mean_i Σ_j p_ij s_ij with p = softmax of a classifier's logits (n, k).

    ``label_similarities`` (n, k) say how near each picture's caption is to each label: what is
    recognised is to be what the caption speaks of, as the score word_label measures it.
    """
    return 1 - (logits.float().softmax(dim=1) * label_similarities).sum(dim=1).mean()


def non_saturating(logits: Tensor) -> Tensor:
    """mean softplus(-D(x)) = -mean log σ(D(x)): the pictures are to pass (Goodfellow, 2014)."""
    return F.softplus(-logits.float()).mean()


def rejected(logits: Tensor) -> Tensor:
    """mean softplus(D(x)) = -mean log(1 - σ(D(x))): the pictures are to be seen through."""
    return F.softplus(logits.float()).mean()


def relativistic(preferred: Tensor, other: Tensor) -> Tensor:
    """mean softplus(-(preferred - other)) over logits of one shape (Huang et al., R3GAN, 2024)."""
    return F.softplus(other.float() - preferred.float()).mean()


def slopes(logits: Tensor, images: Tensor) -> Tensor:
    """(n,) squared length of each logit's gradient by its own picture, itself differentiable.

    Its mean over real pictures is R1, over drawn ones R2 (Mescheder et al., 2018), each weighted by
    γ/2. ``logits`` (n, …) must have been computed from ``images`` (n, 3, h, w), row by row.
    """
    (gradient,) = torch.autograd.grad(logits.float().sum(), images, create_graph=True)
    return gradient.float().square().sum(dim=(1, 2, 3))


def pseudo_text(image_features: Tensor, noise: Tensor, share: float = 0.75) -> Tensor:
    """LAFITE's stand-in h' for a caption's feature, from the picture alone: unit (n, d).

    normalise((1 - share) · CLIP's image feature + share · noise), both of unit length first.
    """
    image, noise = F.normalize(image_features, dim=1), F.normalize(noise, dim=1)
    return F.normalize(torch.lerp(image, noise, share), dim=1)


def contrast_with_truth(
    images: Tensor, texts: Tensor, truth: Tensor, logit_scale: Tensor, balance: float = 0.5
) -> Tensor:
    """CLIP's loss with several positives: balance * CE over rows + (1 - balance) * CE over columns.

    ``truth`` (n, n), bool or weights from 0, says how well text j fits image i; each row's
    (column's) target is in proportion to it. With the identity this is open_clip's ClipLoss.
    """
    logits = F.normalize(images, dim=1) @ F.normalize(texts, dim=1).T * logit_scale
    positive = truth.to(logits.dtype)
    over_texts = -(logits.log_softmax(1) * positive).sum(1) / positive.sum(1)
    over_images = -(logits.log_softmax(0) * positive).sum(0) / positive.sum(0)
    return balance * over_texts.mean() + (1 - balance) * over_images.mean()


def siglip(
    images: Tensor, texts: Tensor, truth: Tensor, logit_scale: Tensor, logit_bias: Tensor
) -> Tensor:
    """-mean_i Σ_j log σ( ±(scale · cos + bias) ), + where ``truth`` (n, n) holds (Zhai, 2023).

    Each pair is judged by itself, so equal captions in a batch are no false negatives.
    """
    cosines = F.normalize(images, dim=1) @ F.normalize(texts, dim=1).T
    signs = truth.to(cosines.dtype) * 2 - 1
    return -F.logsigmoid(signs * (cosines * logit_scale + logit_bias)).sum(dim=1).mean()


def soft_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of logits (n, k) against distributions (n, k), averaged over the batch."""
    return -(target * logits.log_softmax(1)).sum(1).mean()


def _own(rows: Tensor) -> Tensor:
    return torch.arange(len(rows), device=rows.device)
