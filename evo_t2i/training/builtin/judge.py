"""Train and use the judge: does a picture show everything that a caption names?"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from evo_t2i.models.judge import Judge
from evo_t2i.training.builtin.pool import Pool
from evo_t2i.training.supervised import FitSettings, Progress, degrade, fit, to_batch
from evo_t2i.world import COLOURS, NAMES, POSES, RELATIONS, SCENES, TIMES, Truth, shows_own

SIZE = 64
"""Pixels a side that the judge sees."""
HEADS: Mapping[str, tuple[int, ...]] = {
    "scene": (len(SCENES),),
    "time": (len(TIMES),),
    "counts": (len(NAMES), 4),
    "colours": (len(NAMES), len(COLOURS)),
    "poses": (len(NAMES), len(POSES)),
    "subjects": (len(RELATIONS), len(NAMES)),
    "objects": (len(RELATIONS), len(NAMES)),
}
"""As `truth.py` of the world describes them."""


def build_judge() -> Judge:
    """A judge of the world, randomly initialised."""
    return Judge(HEADS)


def train_judge(
    pool: Pool,
    settings: FitSettings,
    out: Path,
    device: torch.device,
    progress: Progress | None = None,
) -> Judge:
    """Fit a judge on renders; the returned model is in eval mode."""
    torch.manual_seed(settings.seed)
    model = build_judge().to(device).to(memory_format=torch.channels_last)

    def loss(rows: np.ndarray, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        rows = np.sort(rows)
        batch = degrade(to_batch(pool.images[rows], device, SIZE), generator)
        with torch.autocast(device.type, torch.bfloat16):
            told = model(batch)
        return misread(told, pool.shown[rows], device), {}

    fit(model, loss, pool, settings, out, progress)
    return model


def misread(told: Mapping[str, Tensor], truth: Truth, device: torch.device) -> Tensor:
    """Sum of the heads' cross-entropies, a mean over pictures of sums over names."""

    def tensor(values: np.ndarray) -> Tensor:
        return torch.from_numpy(values.astype(np.int64)).to(device)

    count = len(truth)
    value = F.cross_entropy(told["scene"], tensor(truth.scene))
    value = value + F.cross_entropy(told["time"], tensor(truth.time))
    counts = tensor(truth.counts)
    value = value + F.cross_entropy(told["counts"].flatten(0, 1), counts.flatten()) * len(NAMES)
    for name, values in (("colours", truth.colours), ("poses", truth.poses)):
        known = tensor(values)
        named = known >= 0
        if named.any():
            wrong = F.cross_entropy(told[name][named], known[named], reduction="sum")
            value = value + wrong / count
    for name, flags in (("subjects", truth.subjects), ("objects", truth.objects)):
        wrong = F.binary_cross_entropy_with_logits(
            told[name], tensor(flags).float(), reduction="sum"
        )
        value = value + wrong / count
    return value


@torch.inference_mode()
def read(model: Judge, images: np.ndarray, batch: int = 250) -> Truth:
    """What the judge sees in (n, h, w, 3) uint8 images, h a multiple of 64."""
    device = next(model.parameters()).device
    parts = []
    for start in range(0, len(images), batch):
        told = model(to_batch(images[start : start + batch], device, SIZE))
        parts.append({name: logits.cpu() for name, logits in told.items()})
    return understood({name: torch.cat([part[name] for part in parts]) for name in parts[0]})


def understood(told: Mapping[str, Tensor]) -> Truth:
    """The likeliest answers as a `Truth`."""
    counts = told["counts"].argmax(-1)
    seen = counts > 0

    def where_seen(name: str) -> np.ndarray:
        answers = told[name].argmax(-1)
        result: np.ndarray = torch.where(seen, answers, torch.full_like(answers, -1)).numpy()
        return result.astype(np.int8)

    return Truth(
        told["scene"].argmax(-1).numpy(),
        told["time"].argmax(-1).numpy(),
        counts.numpy().astype(np.int8),
        where_seen("colours"),
        where_seen("poses"),
        (told["subjects"] > 0).numpy(),
        (told["objects"] > 0).numpy(),
    )


def evaluate(model: Judge, pool: Pool) -> dict[str, float]:
    """Share of renders of which the judge sees all that a caption names, and all there is."""
    seen = read(model, np.asarray(pool.images))
    shown = pool.shown
    right = {
        "scenes": seen.scene == shown.scene,
        "times": seen.time == shown.time,
        "counts": (seen.counts == shown.counts).all(1),
        "colours": ((shown.colours < 0) | (seen.colours == shown.colours)).all(1),
        "relations": ((seen.subjects == shown.subjects) & (seen.objects == shown.objects)).all(
            (1, 2)
        ),
    }
    scores = {
        "caption_agreement": float(shows_own(seen, pool.named[pool.caption_rows[:, 0]]).mean())
    }
    scores |= {name: float(hits.mean()) for name, hits in right.items()}
    return scores | {"full_truth": float(np.all(list(right.values()), axis=0).mean())}
