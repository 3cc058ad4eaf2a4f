"""Train the built-in generator's painter: from what is to be drawn to pixels.

Choices, amounts and things are those of the renders (teacher forcing), so that every picture has
exactly one right answer and no encoder has to guess it. The loss is the mean absolute difference
of pixels at both sizes, of neighbouring pixels' differences, and of the classifier's first maps.
"""

import copy
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from evo_t2i.models.layout_generator import LayoutGeneratorConfig, Painter, Things
from evo_t2i.models.vgg import Vgg
from evo_t2i.training import checkpoint
from evo_t2i.training.builtin.pool import FORMS, Pool
from evo_t2i.training.supervised import Progress, falling, flushed_denormals, to_batch
from evo_t2i.world import AMOUNTS, CHOICES


@dataclass(frozen=True, kw_only=True)
class PainterSettings:
    """How long and how fast to train."""

    images: int
    seed: int = 0
    batch: int = 32
    rate: float = 2e-3
    """Adam's rate, falling along a cosine to a fiftieth of it."""
    softened: float = 0.1
    """Up to how much of a choice's probability goes to the others: the decider is never certain."""
    edges: float = 0.5
    features: float = 0.2
    average_images: float = 4_000.0
    """Half-life of the moving average that is kept."""
    report_every: int = 4_800
    """Images between metrics, sheet and checkpoint."""


def generator_config() -> LayoutGeneratorConfig:
    """The generator's sizes for this world."""
    arrangement = next(choice for choice in CHOICES if choice.name == "arrangement")
    return LayoutGeneratorConfig(
        choices=tuple((choice.name, len(choice.options)) for choice in CHOICES),
        amounts=len(AMOUNTS),
        behind_first=tuple(
            arrangement.options.index(name) for name in ("on", "under", "in front of")
        ),
        forms=len(FORMS),
    )


def exact(
    pool: Pool, rows: np.ndarray, device: torch.device
) -> tuple[list[Tensor], Tensor, Things]:
    """What the painter is told of pictures: choices, amounts and things, without doubt."""
    choices = []
    for number, choice in enumerate(CHOICES):
        taken = torch.from_numpy(pool.choices[rows, number].astype(np.int64))
        size = len(choice.options)
        taken = torch.where(taken < 0, torch.full_like(taken, size), taken)
        choices.append(F.one_hot(taken, size + 1).float().to(device))
    layout = pool.layout[rows]
    present = torch.from_numpy(layout.kinds >= 0)
    slots = torch.from_numpy(layout.slots.astype(np.int64)).clamp(min=0)
    forms = torch.from_numpy(layout.forms.astype(np.int64)).clamp(min=0)
    boxes = torch.from_numpy(layout.boxes)
    boxes = torch.where(present[..., None], boxes, torch.tensor([0.4, 0.4, 0.6, 0.6]))
    things = Things(
        present.float().to(device),
        F.one_hot(slots, 3).float().to(device),
        F.one_hot(forms, len(FORMS)).float().to(device),
        boxes.to(device),
        torch.from_numpy(layout.mirrored).float().to(device),
    )
    return choices, torch.from_numpy(pool.amounts[rows]).to(device), things


@flushed_denormals()
def train_painter(
    pool: Pool,
    classifier: Vgg,
    settings: PainterSettings,
    out: Path,
    device: torch.device,
    progress: Progress | None = None,
    config: LayoutGeneratorConfig | None = None,
) -> Painter:
    """Returns the moving average of the painter, on the CPU; ``config`` instead of the published
    sizes.

    Goes on from ``out/checkpoint.safetensors`` when it exists; a resumed training equals an
    uninterrupted one on the same machine.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    painter = Painter(config or generator_config()).to(device).to(memory_format=torch.channels_last)
    classifier.to(device)
    average = copy.deepcopy(painter).requires_grad_(False)
    optimizer = torch.optim.Adam(painter.parameters(), lr=settings.rate, betas=(0.9, 0.99))
    modules: dict[str, nn.Module] = {"painter": painter, "average": average}
    path, identity = out / "checkpoint.safetensors", (settings, pool.folder.name)
    step = (
        checkpoint.restore(path, identity, modules, {"painter": optimizer}) if path.exists() else 0
    )
    steps = max(1, settings.images // settings.batch)
    seen: dict[str, list[float]] = {}
    began, first = time.monotonic(), step
    while step < steps:
        rng = np.random.default_rng([settings.seed, step])
        rows = np.sort(rng.integers(len(pool), size=settings.batch))
        share = step / steps
        optimizer.param_groups[0]["lr"] = settings.rate * falling(share, rise=0.01, start=0.02)
        for name, value in _step(painter, optimizer, classifier, pool, rows, rng, settings).items():
            seen.setdefault(name, []).append(value)
        step += 1
        half_life = min(settings.average_images, 0.1 * step * settings.batch)
        decay = 0.5 ** (settings.batch / max(half_life, 1.0))
        with torch.no_grad():
            for slow, fast in zip(average.parameters(), painter.parameters(), strict=True):
                slow.lerp_(fast, 1 - decay)
        if step % max(1, settings.report_every // settings.batch) == 0 or step == steps:
            line = {"images": float(step * settings.batch)}
            line |= {name: round(float(np.mean(values)), 4) for name, values in seen.items()}
            line["images_per_second"] = round(
                (step - first) * settings.batch / (time.monotonic() - began), 1
            )
            seen = {}
            sheet(average, pool, np.arange(24), device).save(out / "sheet.png")
            with (out / "metrics.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            checkpoint.save(path, step, identity, modules, {"painter": optimizer})
            if progress:
                progress(step * settings.batch, settings.images, line)
    return average.cpu().eval()


def _step(
    painter: Painter,
    optimizer: torch.optim.Optimizer,
    classifier: Vgg,
    pool: Pool,
    rows: np.ndarray,
    rng: np.random.Generator,
    settings: PainterSettings,
) -> dict[str, float]:
    device = next(painter.parameters()).device
    real = to_batch(pool.images[rows], device) * 2 - 1
    real = real.contiguous(memory_format=torch.channels_last)
    choices, amounts, things = exact(pool, rows, device)
    amount = torch.from_numpy(rng.random(len(rows), np.float32) * settings.softened).to(device)
    choices = [soften(choice, amount) for choice in choices]
    with torch.autocast(device.type, torch.bfloat16):
        small, full = painter(choices, amounts, things)
        assert full is not None
        parts = {"pixels": (full - real).abs().mean()}
        real_small = F.avg_pool2d(real, 2)
        parts["small"] = (small - real_small).abs().mean()
        edges = [(d(full) - d(real)).abs().mean() for d in (_across, _down)]
        parts["edges"] = settings.edges * torch.stack(edges).sum()
        features = _feature_distance(classifier, F.avg_pool2d(full, 2), real_small)
        parts["features"] = settings.features * features
    loss = torch.stack(list(parts.values())).sum()
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    nn.utils.clip_grad_norm_(painter.parameters(), 1.0)
    optimizer.step()
    return {name: float(value.detach()) for name, value in parts.items()}


def soften(choice: Tensor, amount: Tensor) -> Tensor:
    """(n, options) probabilities moved by (n,) ``amount`` towards even ones."""
    return torch.lerp(choice, torch.full_like(choice, 1 / choice.shape[1]), amount[:, None])


def _across(images: Tensor) -> Tensor:
    return images[..., 1:] - images[..., :-1]


def _down(images: Tensor) -> Tensor:
    return images[..., 1:, :] - images[..., :-1, :]


def _feature_distance(classifier: Vgg, fake: Tensor, real: Tensor) -> Tensor:
    """Mean over the classifier's first three maps of |difference| over the map's mean size."""
    with torch.no_grad():
        wanted = classifier.features_at(real)[:3]
    parts = [
        (a - b).abs().mean() / b.abs().mean().clamp(min=1e-6)
        for a, b in zip(classifier.features_at(fake)[:3], wanted, strict=True)
    ]
    return torch.stack(parts).mean()


@torch.inference_mode()
def sheet(painter: Painter, pool: Pool, rows: np.ndarray, device: torch.device) -> Image.Image:
    """Renders and what the painter makes of the same scenes, below one another."""
    _, full = painter(*exact(pool, rows, device))
    assert full is not None
    drawn = ((full.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    columns = 8
    bands = []
    for start in range(0, len(rows), columns):
        for images in (
            np.asarray(pool.images[rows[start : start + columns]]),
            drawn[start : start + columns],
        ):
            bands.append(np.concatenate(list(images), axis=1))
    return Image.fromarray(np.concatenate(bands, axis=0))
