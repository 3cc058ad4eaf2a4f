"""How far a run is: a bar on a terminal, a few plain lines elsewhere, on stderr."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from evo_t2i.cli.terminal.output import say, shown
from evo_t2i.config import RunConfig

if TYPE_CHECKING:
    from rich.progress import Progress

    from evo_t2i.cli.terminal.live import LiveTerminal
    from evo_t2i.events import Event

LINES = 10
"""So many plain lines a run, besides the one for generation 0."""
_ENDING = {
    "rescoring": "Scoring the front again in fp32…",
    "writing": "Writing the front…",
}


@contextlib.contextmanager
def progress_display(
    config: RunConfig, *, quiet: bool, pictures: "LiveTerminal | None" = None
) -> Iterator[Callable[["Event"], None]]:
    """Gives the function that takes a run's events; the first message appears at once.

    ``pictures`` stand above the bar.
    """
    if quiet:
        yield lambda _event: None
    elif sys.stderr.isatty():
        with _bar(config, pictures) as report:
            yield report
    else:
        say("Loading models…")
        yield _Lines(config)


class Pace:
    """Evaluations per second and the time left, from the first scored micro-batch on."""

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._clock = clock
        self._start: tuple[float, int] | None = None

    def __call__(self, evaluations: int) -> tuple[float, float] | None:
        """(images a second, seconds left); None as long as nothing can be said."""
        now = self._clock()
        if self._start is None:
            self._start = now, evaluations
        seconds, done = now - self._start[0], evaluations - self._start[1]
        if seconds <= 0 or done <= 0:
            return None
        return done / seconds, (self._total - evaluations) * seconds / done


def duration(seconds: float) -> str:
    """``41 s``, ``3 min 20 s`` or ``1 h 05 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def clock(seconds: float) -> str:
    """``0:41``, ``3:20`` or ``1:05:00``: shorter than ``duration``, for the bar."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d}"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


class _Lines:
    """A line for generation 0, for about every tenth of the others, and for the last."""

    def __init__(self, config: RunConfig) -> None:
        self._last = config.last_generation
        self._pace = Pace(config.evaluations)

    def __call__(self, event: "Event") -> None:
        if event.stage == "scoring":
            self._pace(event.evaluations)
        if event.stage in _ENDING:
            say(_ENDING[event.stage])
        if event.stage == "doubts":
            for doubt in event.doubts:
                say(doubt)
        if event.stage != "generation" or not self._is_due(event.generation):
            return
        parts = [f"generation {event.generation}/{self._last}", f"{event.evaluations:,} images"]
        if pace := self._pace(event.evaluations):
            parts += [f"{pace[0]:.0f} images/s", f"{duration(pace[1])} left"]
        parts += [f"hypervolume {event.hypervolume:.3f}", f"front {event.front}"]
        say(" · ".join(parts))

    def _is_due(self, generation: int) -> bool:
        if generation in (0, self._last):
            return True
        return generation * LINES // self._last > (generation - 1) * LINES // self._last


@contextlib.contextmanager
def _bar(config: RunConfig, pictures: "LiveTerminal | None") -> Iterator[Callable[["Event"], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[facts]}", markup=False),
    )
    pace = Pace(config.evaluations)
    with Progress(*columns, console=Console(stderr=True), expand=True, transient=True) as progress:
        task = progress.add_task("Loading models…", total=None, facts="")
        volume = 0.0

        def report(event: "Event") -> None:
            nonlocal volume
            if event.stage == "models":
                return
            if event.stage == "doubts":
                for doubt in event.doubts:
                    progress.console.print(shown(doubt), markup=False, highlight=False)
                return
            if event.stage in _ENDING:
                progress.update(task, description=_ENDING[event.stage], facts="")
                return
            volume = event.hypervolume or volume
            parts = []
            if measured := pace(event.evaluations):
                parts += [f"{measured[0]:.0f}/s", f"{clock(measured[1])} left"]
            if event.front:
                parts += [f"hypervolume {volume:.3f}", f"front {event.front}"]
            progress.update(
                task,
                description=f"generation {event.generation}/{config.last_generation}",
                total=config.evaluations,
                completed=event.evaluations,
                facts=" · ".join(parts),
            )
            if pictures is not None:
                pictures.show(event, lambda: _bar_removed(progress))

        yield report


@contextlib.contextmanager
def _bar_removed(progress: "Progress") -> Iterator[None]:
    """Within this the cursor stands where the bar was."""
    progress.stop()
    try:
        yield
    finally:
        progress.start()


@contextlib.contextmanager
def bytes_display(*, quiet: bool) -> Iterator[Callable[[str, str, int, int | None], None]]:
    """Gives the function that takes ``(verb, file, bytes so far, bytes in all)``."""
    if quiet:
        yield lambda _verb, _file, _done, _total: None
    elif sys.stderr.isatty():
        with _bytes_bar() as report:
            yield report
    else:
        yield _BytesLines()


class _BytesLines:
    """A line when a file's turn comes."""

    def __init__(self) -> None:
        self._last: tuple[str, str] | None = None

    def __call__(self, verb: str, file: str, _done: int, total: int | None) -> None:
        if (verb, file) != self._last:
            self._last = verb, file
            size = "" if total is None else f" ({total / 1e6:,.1f} MB)"
            say(f"{verb} {file}{size}")


@contextlib.contextmanager
def _bytes_bar() -> Iterator[Callable[[str, str, int, int | None], None]]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), expand=True) as progress:
        task = progress.add_task("", total=None)
        shown = ""

        def report(verb: str, file: str, done: int, total: int | None) -> None:
            nonlocal shown
            if shown != (shown := f"{verb} {file}"):
                progress.reset(task, total=total, completed=done, description=shown)
            progress.update(task, completed=done, total=total)

        yield report
