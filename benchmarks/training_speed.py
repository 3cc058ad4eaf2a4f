"""Is a training ever slower than its networks? Images a second of all of it, and of them alone.

Trains a generator on a folder of pictures (or renders of the world) for some steps, and takes the
same steps on one batch that lies in memory: no pictures read, no metrics, no average. The ratio is
what reading, averaging and noting down cost; ``waiting_for_data`` the share of the time that steps
waited for their batch. Both take turns, so that a busy machine is fair to both, and processor time
is told beside the clock's.

    python benchmarks/training_speed.py --data my-pictures --preset lafite notes xmc
"""

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from evo_t2i.training.data import Pictures
from evo_t2i.training.lafite import train_lafite
from evo_t2i.training.lafite_batches import Prefetch, gather
from evo_t2i.training.lafite_settings import (
    PRESETS,
    Architecture,
    LafiteSettings,
    ObjectiveSettings,
)
from evo_t2i.training.lafite_step import fresh_students, load_teachers, take_step
from evo_t2i.training.own_pictures import WORLD, read_pictures
from evo_t2i.training.processes import ALONE
from evo_t2i.training.terms import objective


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=WORLD)
    parser.add_argument("--renders", type=int, default=1000)
    parser.add_argument("--preset", nargs="+", choices=PRESETS, default=list(PRESETS))
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--channels", type=int, default=4096)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=16, help="of each turn")
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    device = torch.device(given.device)
    print("| preset | training, images/s | networks alone | ratio | by processor time | waiting |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        pictures = read_pictures(given.data, given.resolution, home, renders=given.renders)
        for preset in given.preset:
            print(_row(preset, pictures, given, home, device), flush=True)


def _row(
    preset: str, pictures: Pictures, given: argparse.Namespace, home: Path, device: torch.device
) -> str:
    settings = LafiteSettings(
        images=given.steps * given.batch,
        batch=given.batch,
        report_every=given.steps * given.batch,
        objective=ObjectiveSettings(preset=preset),
        architecture=Architecture.of_preset(
            preset, resolution=given.resolution, channel_base=given.channels
        ),
    )
    networks = _networks(pictures, settings, device)
    waiting: list[float] = []

    def training(clock: Clock) -> None:
        out = home / "out"
        shutil.rmtree(out, ignore_errors=True)
        train_lafite(
            pictures,
            settings,
            out,
            device,
            progress=lambda _done, _all, line: waiting.append(line["waiting_for_data"]),
            whole=clock,
        )

    for work in (networks, training):  # features are read and kept, kernels chosen
        work(Clock(device))
    waiting.clear()
    turns = []
    for _ in range(given.turns):
        clocks = Clock(device), Clock(device)
        networks(clocks[0])
        training(clocks[1])
        turns.append([clock.spent() for clock in clocks])
    images = (given.steps - 1) * given.batch
    (alone, alone_busy), (whole, whole_busy) = np.median(np.array(turns), axis=0)
    return (
        f"| {preset} | {images / whole:.1f} | {images / alone:.1f} | {alone / whole:.2f} "
        f"| {alone_busy / whole_busy:.2f} | {100 * np.median(waiting):.2f} % |"
    )


class Clock:
    """Entered around each step: seconds and processor seconds from the first step to the last."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._marks: list[tuple[float, float]] = []

    def __call__(self) -> "Clock":
        return self

    def __enter__(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        self._marks.append((time.perf_counter(), time.process_time()))

    def __exit__(self, *_error: object) -> None:
        pass

    def spent(self) -> tuple[float, float]:
        """What all steps but the last took: that one ends with a report."""
        (start, busy), (end, last) = self._marks[0], self._marks[-1]
        return end - start, last - busy


def _networks(
    pictures: Pictures, settings: LafiteSettings, device: torch.device
) -> Callable[[Clock], None]:
    """The steps of a training on one batch in memory."""
    terms = objective(settings.objective, settings.images, settings.batch)
    teachers = load_teachers(settings, terms, device)
    data = gather(pictures, np.arange(len(pictures)), teachers, settings, device)
    students = fresh_students(settings, teachers, terms, device, ALONE)
    with Prefetch(data, settings, device, ALONE) as batches:
        batch = batches.get(0)

    def steps(clock: Clock) -> None:
        for step in range(settings.images // settings.batch):
            with clock:
                take_step(step, batch, students, teachers, terms, settings)

    return steps


if __name__ == "__main__":
    main()
