"""Losses of the training commands, one formula a function. Features are L2-normalised inside."""

from torch import Tensor
from torch.nn import functional as F


def contrast_with_truth(
    images: Tensor, texts: Tensor, truth: Tensor, logit_scale: Tensor, balance: float = 0.5
) -> Tensor:
    """CLIP's loss with several positives: balance * CE over rows + (1 - balance) * CE over columns.

    ``truth`` (n, n) bool says whether text j is true of image i; each row's (column's) target is
    uniform over its true entries. With ``truth`` the identity this is open_clip's ClipLoss.
    """
    logits = F.normalize(images, dim=1) @ F.normalize(texts, dim=1).T * logit_scale
    positive = truth.to(logits.dtype)
    over_texts = -(logits.log_softmax(1) * positive).sum(1) / positive.sum(1)
    over_images = -(logits.log_softmax(0) * positive).sum(0) / positive.sum(0)
    return balance * over_texts.mean() + (1 - balance) * over_images.mean()


def soft_cross_entropy(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of logits (n, k) against distributions (n, k), averaged over the batch."""
    return -(target * logits.log_softmax(1)).sum(1).mean()


def relativistic(preferred: Tensor, other: Tensor) -> Tensor:
    """mean softplus(-(preferred - other)) over logits of one shape (Huang et al., R3GAN, 2024)."""
    return F.softplus(other - preferred).mean()
