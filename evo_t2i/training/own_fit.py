"""The loop of the trainings on people's own pictures: AdamW, cosine schedule, checkpoints."""

import json
import math
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evo_t2i.errors import EvoError
from evo_t2i.models.precision import check_precision
from evo_t2i.training import checkpoint
from evo_t2i.training.lafite import METRICS, Whole, between_steps, forget_after
from evo_t2i.training.own_settings import FitSettings
from evo_t2i.training.supervised import Progress

Read = TypeVar("Read")
_WARMUP, _FINAL = 0.03, 0.02
_CLOSEST = 0.8
"""Smallest share of a picture's side that a training step sees."""


def fit_pictures(
    trained: nn.Module,
    read: Callable[[np.random.Generator], Read],
    loss: Callable[[Read, torch.Generator], Tensor],
    report: Callable[[], Mapping[str, float]],
    settings: FitSettings,
    identity: object,
    out: Path,
    device: torch.device,
    *,
    progress: Progress | None = None,
    whole: Whole = nullcontext,
) -> None:
    """Minimise ``loss`` of what ``read`` chooses for each step; a thread reads one step ahead.

    At each report, for which ``report`` measures and saves the model, ``out`` receives a line of
    metrics.jsonl and the checkpoint. Goes on from the checkpoint where there is one, to the same
    weights as a training that was not stopped, on the same machine. One that is stopped at the end
    of ``whole``, which is entered around each step, writes the checkpoint first. ``identity`` is
    what the training depends on, beside ``settings``.

    Raises RunDataError for another training's checkpoint, EvoError when the loss is not finite.
    """
    check_precision(settings.precision, device)
    out.mkdir(parents=True, exist_ok=True)
    parameters = [p for p in trained.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters,
        lr=settings.peak_rate,
        weight_decay=settings.weight_decay,
        betas=(0.9, 0.98),
    )
    path, whose = out / "checkpoint.safetensors", (settings, identity)
    modules, optimizers = {"model": trained}, {"model": optimizer}
    step = saved = checkpoint.restore(path, whose, modules, optimizers) if path.exists() else 0
    forget_after(out / METRICS, step * settings.batch)
    steps = max(1, settings.images // settings.batch)
    every = max(1, settings.report_every // settings.batch)

    def choose(number: int) -> Read:
        return read(np.random.default_rng([settings.seed, number]))

    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(choose, step)
        losses: list[Tensor] = []
        started, waited = time.perf_counter(), 0.0
        try:
            while step < steps:
                with whole():
                    asked = time.perf_counter()
                    batch = coming.result()
                    waited += time.perf_counter() - asked
                    coming = thread.submit(choose, step + 1)
                    for group in optimizer.param_groups:
                        group["lr"] = settings.peak_rate * course(step / steps)
                    seed = settings.seed * 1_000_003 + step
                    trained.train()
                    with torch.random.fork_rng(devices=[] if device.type == "cpu" else None):
                        torch.manual_seed(seed)  # dropout draws from torch's own stream
                        value = loss(batch, torch.Generator().manual_seed(seed))
                    optimizer.zero_grad(set_to_none=True)
                    torch.autograd.backward(value)
                    nn.utils.clip_grad_norm_(parameters, 1.0)
                    optimizer.step()
                    losses.append(value.detach())
                    step += 1
                    if step % every and step < steps:
                        continue
                    done = step * settings.batch
                    mean = float(torch.stack(losses).mean())
                    if not math.isfinite(mean):
                        raise EvoError(
                            f"The training came apart before image {done}: the loss is {mean}; "
                            "begin again in another folder with a smaller `rate`."
                        )
                    seconds = time.perf_counter() - started
                    trained.eval()
                    line = {
                        "images": done,
                        "loss": round(mean, 5),
                        "images_per_second": round(len(losses) * settings.batch / seconds, 3),
                        "waiting_for_data": round(waited / seconds, 5),
                        **report(),
                    }
                    with (out / METRICS).open("a", encoding="utf-8") as file:
                        file.write(json.dumps(line) + "\n")
                    checkpoint.save(path, step, whose, modules, optimizers)
                    saved = step
                    if progress:
                        progress(done, steps * settings.batch, line)
                    losses, started, waited = [], time.perf_counter(), 0.0
        except BaseException as stop:
            if saved < step and between_steps(stop, whole):
                checkpoint.save(path, step, whose, modules, optimizers)
            raise
    trained.eval()


def course(progress: float) -> float:
    """Share of the peak rate: up along a line, then down along a cosine to a fiftieth."""
    if progress < _WARMUP:
        return (progress + 1e-3) / (_WARMUP + 1e-3)
    return _FINAL + (1 - _FINAL) * 0.5 * (
        1 + math.cos(math.pi * (progress - _WARMUP) / (1 - _WARMUP))
    )


def closer(batch: Tensor, generator: torch.Generator) -> Tensor:
    """(n, 3, s, s): a random square of each picture, four fifths of its side or more, at size s.

    Colours and sides stay, since captions and labels may name them.
    """
    n = len(batch)
    share = _CLOSEST + (1 - _CLOSEST) * torch.rand(n, generator=generator)
    shift = (torch.rand(n, 2, generator=generator) * 2 - 1) * (1 - share)[:, None]
    placed = torch.zeros(n, 2, 3)
    placed[:, 0, 0] = placed[:, 1, 1] = share
    placed[:, :, 2] = shift
    grid = F.affine_grid(placed.to(batch.device), list(batch.shape), align_corners=False)
    return F.grid_sample(batch, grid, padding_mode="border", align_corners=False)
