"""The loop of the trainings that know the right answers: AdamW, cosine schedule, checkpoints."""

import json
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from evo_t2i.training import checkpoint


class Drawn(Protocol):
    """Pictures that lie in a folder of their own."""

    @property
    def folder(self) -> Path: ...

    def __len__(self) -> int: ...


Progress = Callable[[int, int, dict[str, float]], None]
"""(images done, images in all, newest metrics)."""


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """How long and how fast to train; the same seed and settings give the same weights."""

    images: int
    seed: int = 0
    batch: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    warmup: float = 0.03
    """Share of the steps over which the learning rate rises."""
    report_every: int = 100
    """Steps between metrics lines and checkpoints."""


def fit(
    module: nn.Module,
    loss: Callable[[np.ndarray, torch.Generator], tuple[Tensor, dict[str, float]]],
    pool: Drawn,
    settings: FitSettings,
    out: Path,
    progress: Progress | None = None,
) -> None:
    """Minimise ``loss(rows, generator)`` over random rows of a pool.

    Writes ``out/checkpoint.safetensors`` and ``out/metrics.jsonl`` and goes on from them when
    they exist. ``loss`` returns the value to minimise and metrics to record.
    """
    out.mkdir(parents=True, exist_ok=True)
    parameters = [p for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters, lr=settings.learning_rate, weight_decay=settings.weight_decay, betas=(0.9, 0.98)
    )
    path, identity = out / "checkpoint.safetensors", (settings, pool.folder.name)
    modules, optimizers = {"model": module}, {"model": optimizer}
    start = checkpoint.restore(path, identity, modules, optimizers) if path.exists() else 0
    steps = max(1, settings.images // settings.batch)
    for step in range(start, steps):
        rng = np.random.default_rng([settings.seed, step])
        generator = torch.Generator().manual_seed(settings.seed * 1_000_003 + step)
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * _schedule(step / steps, settings.warmup)
        module.train()
        rows = rng.integers(len(pool), size=settings.batch)
        with plain_attention(parameters[0].device), torch.random.fork_rng():
            torch.manual_seed(generator.initial_seed())  # dropout draws from torch's own stream
            value, metrics = loss(rows, generator)
            optimizer.zero_grad(set_to_none=True)
            torch.autograd.backward(value)
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        if (step + 1) % settings.report_every == 0 or step + 1 == steps:
            done = (step + 1) * settings.batch
            line = {"images": done, "loss": float(value.detach()), **metrics}
            with (out / "metrics.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            checkpoint.save(path, step + 1, identity, modules, optimizers)
            if progress:
                progress(done, steps * settings.batch, line)
    module.eval()


def falling(share: float, *, rise: float, start: float) -> float:
    """Of the rate: from ``start`` up within ``rise`` of the steps, then a cosine to a fiftieth."""
    return min(1.0, share / rise + start) * (0.02 + 0.98 * (1 + math.cos(math.pi * share)) / 2)


@contextmanager
def plain_attention(device: torch.device) -> Iterator[None]:
    """Attention by matrix products for as long, on a processor: the fused one's way back takes
    several times as long there in bfloat16."""
    with sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext():
        yield


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Numbers too small for a normal float count as 0 for as long: they cost a processor dearly."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def to_batch(images: np.ndarray, device: torch.device, size: int | None = None) -> Tensor:
    """(n, h, w, 3) uint8 → (n, 3, size, size) float in [0, 1], averaged down; h x w without one."""
    batch = torch.from_numpy(np.array(images)).to(device)
    batch = batch.permute(0, 3, 1, 2).float().div_(255)
    return batch if size is None else F.avg_pool2d(batch, batch.shape[-1] // size)


def degrade(batch: Tensor, generator: torch.Generator, reach: int = 3) -> Tensor:
    """Noise, blur and shifts by ``reach`` pixels at most, each on about half of the images.

    Keeps the scorers honest about pictures that a generator draws less cleanly than the renderer;
    colours are left alone, since captions name them.
    """
    n = len(batch)
    level = torch.rand(n, 1, 1, 1, generator=generator) * 0.08
    noisy = torch.rand(n, 1, 1, 1, generator=generator) < 0.5
    noise = randn(batch.shape, generator, batch.device) * (level * noisy).to(batch.device)
    blurred = F.interpolate(
        F.avg_pool2d(batch, 2), scale_factor=2, mode="bilinear", align_corners=False
    )
    blend = torch.rand(n, 1, 1, 1, generator=generator) * 1.6 - 0.8
    batch = torch.lerp(batch, blurred, blend.clamp(min=0).to(batch.device))
    shift = int(torch.randint(-reach, reach + 1, (), generator=generator))
    padded = F.pad(batch, (reach,) * 4, mode="replicate")
    size = batch.shape[-1]
    vertical = int(torch.randint(-reach, reach + 1, (), generator=generator))
    batch = padded[:, :, reach + vertical :, reach + shift :][:, :, :size, :size]
    return (batch + noise).clamp(0, 1)


def randn(shape: Sequence[int], generator: torch.Generator, device: torch.device) -> Tensor:
    """Normal numbers on ``device``, drawn there: by the CPU's ``generator``, or seeded from it."""
    if device.type == "cpu":
        return torch.randn(shape, generator=generator)
    seed = int(torch.randint(2**62, (), generator=generator))
    there = torch.Generator(device).manual_seed(seed)
    return torch.randn(shape, generator=there, device=device)


def _schedule(progress: float, warmup: float) -> float:
    if progress < warmup:
        return (progress + 1e-6) / warmup
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))
