"""Train the built-in VGG-19_bn to name the world's objects."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from evo_t2i.models import vgg
from evo_t2i.training.losses import soft_cross_entropy
from evo_t2i.training.pool import Pool
from evo_t2i.training.supervised import FitSettings, Progress, degrade, fit, to_batch
from evo_t2i.world import KINDS

MAIN_SHARE = 0.8
"""Probability mass of the main thing where a scene holds several; the others share the rest."""
MEAN, STD = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)


def label_distribution(pool: Pool) -> np.ndarray:
    """(n, kinds) float32 targets; a scene without things is uniform: nothing to recognise."""
    present = (pool.shown.colours > -2).astype(np.float32)
    rows = np.arange(len(pool))
    holds_thing = pool.main_kind >= 0
    others = present.copy()
    others[rows[holds_thing], pool.main_kind[holds_thing]] = 0
    count = others.sum(1, keepdims=True)
    target = others / np.maximum(count, 1) * (1 - MAIN_SHARE)
    main = np.where(count[:, 0] > 0, MAIN_SHARE, 1.0)
    target[rows[holds_thing], pool.main_kind[holds_thing]] = main[holds_thing]
    target[~holds_thing] = 1 / len(KINDS)
    return target.astype(np.float32)


def train_classifier(
    pool: Pool,
    settings: FitSettings,
    out: Path,
    device: torch.device,
    *,
    width: int = 16,
    progress: Progress | None = None,
) -> vgg.Vgg:
    """Fit the classifier on renders; the returned model is in eval mode."""
    torch.manual_seed(settings.seed)
    model = vgg.build(width, len(KINDS), dropout=0.1)
    model = model.to(device).to(memory_format=torch.channels_last)
    targets = torch.from_numpy(label_distribution(pool)).to(device)

    def loss(rows: np.ndarray, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        rows = np.sort(rows)
        batch = degrade(to_batch(pool.images[rows], device), generator)
        with torch.autocast(device.type, torch.bfloat16):
            logits = model(batch * 2 - 1)
        value = soft_cross_entropy(logits.float(), targets[torch.from_numpy(rows)])
        return value, {}

    fit(model, loss, pool, settings, out, progress)
    return model


@torch.inference_mode()
def evaluate(model: vgg.Vgg, pool: Pool) -> dict[str, float]:
    """Top-1 accuracy on scenes with things and mean confidence with and without them."""
    device = next(model.parameters()).device
    probabilities = torch.cat(
        [
            model(to_batch(pool.images[start : start + 250], device) * 2 - 1).softmax(1).cpu()
            for start in range(0, len(pool), 250)
        ]
    ).numpy()
    named = pool.main_kind >= 0
    right = probabilities.argmax(1) == pool.main_kind
    return {
        "top1": float(right[named].mean()),
        "confidence_with_things": float(probabilities.max(1)[named].mean()),
        "confidence_without_things": float(probabilities.max(1)[~named].mean()),
    }
