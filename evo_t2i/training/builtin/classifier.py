"""Train the built-in VGG-19_bn to name the world's objects."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from evo_t2i.models import vgg
from evo_t2i.training.builtin.pool import Pool
from evo_t2i.training.losses import soft_cross_entropy
from evo_t2i.training.supervised import FitSettings, Progress, degrade, fit, to_batch
from evo_t2i.world import KINDS

MAIN_SHARE = 0.8
"""Probability mass of the main thing; the scene's others, or else the other labels, share the rest.
"""
TEXTURE = 0.35
"""Standard deviation of the coarse noise that spoils a picture wholly; colours are in [0, 1]."""
MEAN, STD = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
SIZE = 64
"""Pixels a side that the classifier sees."""
WIDTH = 16
"""Channels of the first block; VGG-19 was published with 64."""


def label_distribution(pool: Pool) -> np.ndarray:
    """(n, kinds) float32 targets; a scene without things is uniform: nothing to recognise."""
    present = (pool.shown.counts[:, : len(KINDS)] > 0).astype(np.float32)
    rows = np.arange(len(pool))
    main = pool.layout.kinds[:, 0].astype(int)
    holds_thing = main >= 0
    others = present.copy()
    others[rows[holds_thing], main[holds_thing]] = 0
    count = others.sum(1, keepdims=True)
    target = np.where(count > 0, others / np.maximum(count, 1), 1 / (len(KINDS) - 1))
    target *= 1 - MAIN_SHARE
    target[rows[holds_thing], main[holds_thing]] = MAIN_SHARE
    target[~holds_thing] = 1 / len(KINDS)
    return target.astype(np.float32)


def train_classifier(
    pool: Pool,
    settings: FitSettings,
    out: Path,
    device: torch.device,
    *,
    width: int = WIDTH,
    progress: Progress | None = None,
) -> vgg.Vgg:
    """Fit the classifier on renders; the returned model is in eval mode."""
    torch.manual_seed(settings.seed)
    model = vgg.build(width, len(KINDS), dropout=0.1)
    model = model.to(device).to(memory_format=torch.channels_last)
    targets = torch.from_numpy(label_distribution(pool)).to(device)
    uniform = torch.full_like(targets[:1], 1 / len(KINDS))

    def loss(rows: np.ndarray, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        rows = np.sort(rows)
        batch = degrade(to_batch(pool.images[rows], device, SIZE), generator)
        batch, amount = spoil(batch, generator)
        target = torch.lerp(targets[torch.from_numpy(rows)], uniform, amount[:, None])
        with torch.autocast(device.type, torch.bfloat16):
            logits = model(batch * 2 - 1)
        return soft_cross_entropy(logits.float(), target), {}

    fit(model, loss, pool, settings, out, progress)
    return model


def spoil(batch: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """About half of the pictures (n, 3, h, w) in [0, 1] blurred, overlaid with another or textured.

    Returns them and by how much they were spoiled, (n,) in [0, 1]. These are the faults of a
    generator; the classifier is to be the less sure the more there is of them, so that its
    confidence says something about the picture as well as about the thing.
    """
    n, _, size, _ = batch.shape
    fault = torch.randint(3, (n, 1, 1, 1), generator=generator).to(batch.device)
    amount = torch.rand(n, generator=generator)
    amount = (amount * (torch.rand(n, generator=generator) < 0.5)).to(batch.device)
    blurred = _enlarged(F.avg_pool2d(batch, size // 8), size)
    overlaid = (batch + batch.roll(1, 0)) / 2
    noise = torch.randn(n, 3, size // 4, size // 4, generator=generator).to(batch.device)
    textured = (batch + TEXTURE * _enlarged(noise, size)).clamp(0, 1)
    spoiled = torch.where(fault == 0, blurred, torch.where(fault == 1, overlaid, textured))
    return torch.lerp(batch, spoiled, amount[:, None, None, None]), amount


def _enlarged(batch: Tensor, size: int) -> Tensor:
    return F.interpolate(batch, size=(size, size), mode="bilinear", align_corners=False)


@torch.inference_mode()
def evaluate(model: vgg.Vgg, pool: Pool) -> dict[str, float]:
    """Top-1 accuracy on scenes with things; mean confidence with things, without, and spoiled."""
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(0)
    clean, spoiled, amounts = [], [], []
    for start in range(0, len(pool), 250):
        batch = to_batch(pool.images[start : start + 250], device, SIZE)
        clean.append(model(batch * 2 - 1).softmax(1).cpu())
        batch, amount = spoil(batch, generator)
        spoiled.append(model(batch * 2 - 1).softmax(1).amax(1).cpu())
        amounts.append(amount.cpu())
    probabilities = torch.cat(clean).numpy()
    confidence = torch.cat(spoiled).numpy()
    badly = torch.cat(amounts).numpy() > 0.5
    main = pool.layout.kinds[:, 0]
    named = main >= 0
    right = probabilities.argmax(1) == main
    return {
        "top1": float(right[named].mean()),
        "confidence_with_things": float(probabilities.max(1)[named].mean()),
        "confidence_without_things": float(probabilities.max(1)[~named].mean()),
        "confidence_spoiled_by_half_or_more": float(confidence[named & badly].mean()),
    }
