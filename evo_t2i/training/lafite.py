"""Train a LAFITE-type generator on people's own captioned pictures.

Zhou et al., "Towards Language-Free Training for Text-to-Image Generation" (2022), with the design
notes' objectives and changes, each of which can be switched (``terms``, ``architecture``).
"""

import json
import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from evo_t2i.errors import EvoError, UsageError
from evo_t2i.generators.stylegan2_ada import TRAINED
from evo_t2i.models.precision import check_precision
from evo_t2i.training import checkpoint
from evo_t2i.training.data import Pictures
from evo_t2i.training.frozen import Teachers
from evo_t2i.training.lafite_batches import Prefetch, gather
from evo_t2i.training.lafite_model import (
    Draw,
    grid,
    held_out_draw,
    in_grid,
    save_model,
)
from evo_t2i.training.lafite_settings import LafiteSettings
from evo_t2i.training.lafite_step import (
    Students,
    follow,
    fresh_students,
    load_teachers,
    set_rates,
    take_step,
)
from evo_t2i.training.processes import ALONE, Processes
from evo_t2i.training.supervised import Progress, flushed_denormals
from evo_t2i.training.terms import objective

METRICS = "metrics.jsonl"
Whole = Callable[[], AbstractContextManager[object]]
"""Entered around each step and its report; whoever stops a training from outside holds that back
until its end."""


class Measure(Protocol):
    """Numbers about a generator, for each report."""

    def __call__(self, draw: "Draw") -> dict[str, float]: ...


@flushed_denormals()
def train_lafite(
    pictures: Pictures,
    settings: LafiteSettings,
    out: Path,
    device: torch.device,
    *,
    measure: Measure | None = None,
    progress: Progress | None = None,
    processes: Processes = ALONE,
    whole: Whole = nullcontext,
) -> Path:
    """Train, and return the folder of the finished generator, ``out/model``.

    Goes on from ``out/checkpoint.safetensors`` where there is one: a training that was stopped at
    any time equals one that was not, on the same machine. One that is stopped between two steps, at
    the end of ``whole``, writes the checkpoint first. At each report ``out`` receives a line of
    metrics.jsonl, a grid of held-out captions, the model and the checkpoint. The line holds each
    term, unweighted, as its mean since the last report or the beginning, what ``measure`` says,
    images a second and the share of that time that was spent waiting for data.

    With several ``processes`` each takes its part of every batch and compares the pictures of that
    part; the main one reports and saves, and its terms are those that are told.

    Raises UsageError for too few pictures or ones of another size, ModelError for missing weights,
    RunDataError for the checkpoint of another training, EvoError when a term is no longer finite.
    """
    check_precision(settings.precision, device)
    if settings.batch % processes.count or settings.batch < 2 * processes.count:
        raise UsageError(
            f"A batch of {settings.batch} cannot be shared by {processes.count} processes; give a "
            "multiple of their number, 2 or more for each."
        )
    out.mkdir(parents=True, exist_ok=True)
    terms = objective(settings.objective, settings.images, settings.batch)
    teachers = load_teachers(settings, terms, device)
    held = pictures.held_out(settings.held_out)
    _require_enough(pictures, held, settings)
    with processes.main_first():
        data = gather(pictures, np.flatnonzero(~held), teachers, settings, device)
    students = fresh_students(settings, teachers, terms, device, processes)
    state = _State(out, settings, pictures, teachers, students)
    with processes.main_first():
        step = state.restore()
    steps = max(1, settings.images // settings.batch)
    report_steps = max(1, settings.report_every // settings.batch)
    draw = held_out_draw(students.average, data, np.flatnonzero(held), settings, device)
    shown = [f"{draw.captions[index]}\n" for index in in_grid(draw)]
    (out / "grid-captions.txt").write_text("".join(shown), encoding="utf-8")
    saved = step

    def report(pace: _Pace) -> None:
        images = step * settings.batch
        line = pace.line(step) | {"augment_p": float(students.augmentation.p)}
        if processes.main:
            if measure is not None:
                line |= measure(draw)
            grid(draw).save(out / f"grid-{images:08d}.png")
            with (out / METRICS).open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            save_model(out / TRAINED, students, settings, teachers, images)
            state.save(step)
        processes.wait()
        if progress and processes.main:
            progress(images, steps * settings.batch, line)

    with Prefetch(data, settings, device, processes) as batches:
        pace = _Pace(step, settings.batch, batches)
        try:
            while step < steps:
                with whole():
                    set_rates(step / steps, settings, students)
                    batch = batches.get(step)
                    if step + 1 < steps:
                        batches.begin(step + 1)
                    pace.note(take_step(step, batch, students, teachers, terms, settings))
                    step += 1
                    follow(students.average, students.generator, step * settings.batch, settings)
                    if step % report_steps == 0 or step == steps:
                        report(pace)
                        saved, pace = step, _Pace(step, settings.batch, batches)
        except BaseException as stop:
            if saved < step and processes.main and between_steps(stop, whole):
                state.save(step)
            raise
    return out / TRAINED


def between_steps(stop: BaseException, whole: Whole) -> bool:
    """Whether what stopped a training came from outside, and waited for the end of a step."""
    return whole is not nullcontext and not isinstance(stop, Exception)


class _State:
    """The checkpoint of a training: networks, optimisers, augmentation, step."""

    def __init__(
        self,
        out: Path,
        settings: LafiteSettings,
        pictures: Pictures,
        teachers: Teachers,
        students: Students,
    ) -> None:
        self._out, self._path, self._batch = out, out / "checkpoint.safetensors", settings.batch
        seen_through = None if teachers.classifier is None else teachers.classifier.digest
        self._identity = (settings, pictures.digest, teachers.clip.digest, seen_through)
        self._modules: dict[str, nn.Module] = {
            "generator": students.generator,
            "discriminator": students.discriminator,
            "average": students.average,
            "augmentation": students.augmentation,
        }
        self._optimizers = {
            "generator": students.optimizer_g,
            "discriminator": students.optimizer_d,
        }

    def restore(self) -> int:
        """The step to go on from, 0 at first; later lines of the metrics are forgotten."""
        if not self._path.exists():
            step = 0
        else:
            step = checkpoint.restore(self._path, self._identity, self._modules, self._optimizers)
        forget_after(self._out / METRICS, step * self._batch)
        return step

    def save(self, step: int) -> None:
        """Write it, in one go."""
        checkpoint.save(self._path, step, self._identity, self._modules, self._optimizers)


class _Pace:
    """The terms and the time since the last report."""

    def __init__(self, step: int, batch: int, batches: Prefetch) -> None:
        self._step, self._batch, self._batches = step, batch, batches
        self._started, self._waited = time.perf_counter(), batches.waited
        self._seen: dict[str, list[Tensor]] = {}

    def note(self, told: Mapping[str, Tensor]) -> None:
        """One step's terms."""
        for name, value in told.items():
            self._seen.setdefault(name, []).append(value)

    def line(self, step: int) -> dict[str, float]:
        """Raises EvoError when a mean is not finite."""
        images = step * self._batch
        means = {name: float(torch.stack(values).mean()) for name, values in self._seen.items()}
        for name, value in means.items():
            if not math.isfinite(value):
                raise EvoError(
                    f"The training came apart before image {images}: {name} is {value}; begin "
                    "again in another folder with smaller rates or a larger r1."
                )
        seconds = time.perf_counter() - self._started
        return {
            "images": float(images),
            **{name: round(value, 5) for name, value in means.items()},
            "images_per_second": round((images - self._step * self._batch) / seconds, 3),
            "waiting_for_data": round((self._batches.waited - self._waited) / seconds, 5),
        }


def _require_enough(pictures: Pictures, held: np.ndarray, settings: LafiteSettings) -> None:
    side, wanted = pictures.images.shape[1], settings.architecture.resolution
    if side != wanted:
        raise UsageError(
            f"The pictures were read at {side} pixels and the generator draws {wanted}; read them "
            "again at that size, or change `resolution`."
        )
    kept_aside, trained = int(held.sum()), int((~held).sum())
    if trained < 2:
        raise UsageError(
            f"{trained} of {len(pictures)} pictures are left to train on; give more pictures, or a "
            "smaller `held_out`."
        )
    spoken = [row for row in np.flatnonzero(held) if pictures.captions[row]]
    if not spoken:
        raise UsageError(
            f"None of the {kept_aside} held-out pictures has a caption to draw grids for; give "
            "more pictures, or a larger `held_out`."
        )
    if settings.captioned and not all(pictures.captions):
        raise UsageError(
            "Some pictures have no caption; read them again with captions wanted, or set "
            "`language_free` to 1."
        )


def forget_after(path: Path, images: int) -> None:
    """Leave out the lines of a metrics file that a training will write again."""
    if path.is_file():
        lines = path.read_text("utf-8").splitlines(keepends=True)
        kept = [line for line in lines if line.endswith("\n") and _images_of(line) <= images]
        if len(kept) < len(lines):
            path.write_text("".join(kept), encoding="utf-8")


def _images_of(line: str) -> float:
    try:
        return float(json.loads(line)["images"])
    except (ValueError, KeyError, TypeError):
        return math.inf
