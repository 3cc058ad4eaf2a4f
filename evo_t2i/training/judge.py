"""Train and use the judge: does a picture show everything that a caption names?"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from evo_t2i.models.judge import Judge
from evo_t2i.training.pool import Pool, Truth, holds
from evo_t2i.training.supervised import FitSettings, Progress, degrade, fit, to_batch
from evo_t2i.world import COLOURS, KINDS, SCENES, TIMES


def build_judge() -> Judge:
    """A judge for the world's scenes, times, kinds and colours, randomly initialised."""
    return Judge(len(SCENES), len(TIMES), len(KINDS), len(COLOURS))


def train_judge(
    pool: Pool,
    settings: FitSettings,
    out: Path,
    device: torch.device,
    progress: Progress | None = None,
) -> Judge:
    """Fit a judge on renders; the returned model is in eval mode."""
    torch.manual_seed(settings.seed)
    model = build_judge().to(device)

    def loss(rows: np.ndarray, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        rows = np.sort(rows)
        batch = degrade(to_batch(pool.images[rows], device), generator)
        truth = pool.shown[rows]
        with torch.autocast(device.type, torch.bfloat16):
            scene, time, kinds, colours = model(batch)
        present = torch.from_numpy(truth.colours > -2).to(device)
        colour = torch.from_numpy(truth.colours).to(device)
        value = F.cross_entropy(scene, torch.from_numpy(truth.scene).to(device))
        value = value + F.cross_entropy(time, torch.from_numpy(truth.time).to(device))
        value = value + F.binary_cross_entropy_with_logits(kinds, present.float()) * 8
        value = value + F.cross_entropy(colours[present], colour[present])
        return value, {}

    fit(model, loss, pool, settings, out, progress)
    return model


@torch.inference_mode()
def read(model: Judge, images: np.ndarray, batch: int = 250) -> Truth:
    """What the judge sees in (n, 64, 64, 3) uint8 images."""
    device = next(model.parameters()).device
    parts = []
    for start in range(0, len(images), batch):
        scene, time, kinds, colours = model(to_batch(images[start : start + batch], device))
        seen = torch.where(kinds > 0, colours.argmax(-1), torch.full_like(kinds, -2).long())
        parts.append(
            (scene.argmax(1).cpu().numpy(), time.argmax(1).cpu().numpy(), seen.cpu().numpy())
        )
    return Truth(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def agreement(shown: Truth, named: Truth) -> np.ndarray:
    """(n,) bool: does image i show everything that its own caption i names?"""
    rows = np.arange(len(shown.scene))
    return np.array([holds(shown[row], named[row])[0, 0] for row in rows[:, None]])


def evaluate(model: Judge, pool: Pool) -> dict[str, float]:
    """Share of renders of which the judge sees all that a caption names, and all there is."""
    seen = read(model, np.asarray(pool.images))
    return {
        "caption_agreement": float(agreement(seen, pool.named[pool.caption_rows[:, 0]]).mean()),
        "full_truth": float(agreement(seen, pool.shown).mean()),
    }
