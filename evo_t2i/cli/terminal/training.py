"""What a person sees of a training: pictures read, a bar or a line a report, how to go on."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evo_t2i.cli.terminal.output import say
from evo_t2i.cli.terminal.progress import duration
from evo_t2i.cli.terminal.stop import Stopped

_PARTS = 5
"""So many lines are said while pictures are read."""


@contextmanager
def going_on_later(out: Path) -> Iterator[None]:
    """Says, when a training is stopped, what is kept and how to go on."""
    try:
        yield
    except Stopped as stop:
        kept = (out / "checkpoint.safetensors").exists()
        where = f"; the last checkpoint is in {out}" if kept else " before the first checkpoint"
        stop.message = f"Stopped{where}. Give the same command again to go on."
        raise


def counted(verb: str) -> Callable[[int, int], None]:
    """Tells on stderr how many of how many pictures there are, a few times in all."""

    def told(done: int, total: int) -> None:
        before = max(0, done - 1)
        if done == total or done * _PARTS // total > before * _PARTS // total:
            say(f"{verb} {done:,} of {total:,} pictures")

    return told


class TrainingReport:
    """A bar on a terminal, a line a report elsewhere, on stderr."""

    def __init__(self, name: str):
        self.name = name
        self.start: tuple[float, int] | None = None
        self.bar: Any = None

    def __call__(self, done: int, total: int, metrics: dict[str, float]) -> None:
        """``done`` of ``total`` images, and the newest metrics."""
        if sys.stderr.isatty():
            self._draw(done, total, self._values(metrics, ("images",)))
            return
        now = time.monotonic()
        pace = metrics.get("images_per_second")
        if pace is None and self.start is not None:
            pace = (done - self.start[1]) / (now - self.start[0])
        self.start = self.start or (now, done)
        told = ""
        if pace:
            told = f", {pace:.0f} images/s, {duration((total - done) / pace)} left"
        values = self._values(metrics, ("images", "images_per_second"))
        say(f"{self.name} {done:,}/{total:,}{told}: {values}")

    @staticmethod
    def _values(metrics: dict[str, float], left_out: tuple[str, ...]) -> str:
        return " ".join(f"{k} {v:.3f}" for k, v in metrics.items() if k not in left_out)

    def _draw(self, done: int, total: int, values: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        if self.bar is None:
            columns = (
                TextColumn(self.name),
                BarColumn(),
                TextColumn("{task.completed:,.0f}/{task.total:,.0f} images"),
                TimeRemainingColumn(),
                TextColumn("{task.description}", markup=False),
            )
            self.bar = Progress(*columns, console=Console(stderr=True), speed_estimate_period=600)
            self.bar.add_task("", total=total)
            self.bar.start()
        self.bar.update(0, completed=done, description=values)
        if done >= total:
            self.bar.stop()
