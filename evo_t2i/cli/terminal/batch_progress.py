"""How far a batch is, over all its workers: a bar on a terminal, a few plain lines elsewhere."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from evo_t2i.cli.terminal.output import say
from evo_t2i.cli.terminal.progress import clock, duration

if TYPE_CHECKING:
    from evo_t2i.batch.ledger import BatchEvent

LINES = 20
"""So many plain lines a batch, about."""
_STEADY_SECONDS = 3.0
"""Images are counted so long before a time left is told."""


class BatchView:
    """What a batch has come to, in words."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self.captions = 0
        self.finished = 0
        self.failed = 0
        self._seconds = seconds
        self._start: float | None = None
        self._last: BatchEvent | None = None

    @property
    def left(self) -> int:
        """Captions that are neither finished nor given up."""
        return self.captions - self.finished - self.failed

    def begun(self, captions: int, finished: int) -> None:
        """What was there already."""
        self.captions, self.finished = captions, finished

    def heard(self, event: "BatchEvent") -> None:
        """Take note of an event."""
        self.captions, self.finished, self.failed = event.captions, event.finished, event.failed
        if self._start is None and event.images:
            self._start = self._seconds()
        self._last = event

    def facts(self, time_left: Callable[[float], str]) -> str:
        """``2 failed · 431 images/s · 1 h 05 min left · 2 workers``."""
        event = self._last
        if event is None:
            return ""
        parts = [f"{event.failed:,} failed"] if event.failed else []
        seconds = 0.0 if self._start is None else self._seconds() - self._start
        if seconds >= _STEADY_SECONDS and event.images:
            rate = event.images / seconds
            parts.append(f"{rate:,.0f} images/s" if rate >= 10 else f"{rate:.1f} images/s")
            if event.images_left:
                parts.append(f"{time_left(event.images_left / rate)} left")
        workers = event.workers
        return " · ".join([*parts, f"{workers} worker{'' if workers == 1 else 's'}"])


@contextlib.contextmanager
def batch_display(view: BatchView, *, quiet: bool) -> Iterator[Callable[["BatchEvent"], None]]:
    """Gives the function that takes a batch's events and keeps ``view``."""
    if quiet:
        yield view.heard
    elif sys.stderr.isatty():
        with _bar(view) as heard:
            yield heard
    else:
        yield _Lines(view)


class _Lines:
    """A line for about every twentieth of the captions, for the last, and for every note."""

    def __init__(self, view: BatchView) -> None:
        self._view = view
        self._said = -1

    def __call__(self, event: "BatchEvent") -> None:
        self._view.heard(event)
        if event.note:
            say(event.note)
        ended = event.finished + event.failed
        step = ended * LINES // max(event.captions, LINES)
        if self._said == -1:
            self._said = step
        elif step > self._said or (ended == event.captions and self._said < LINES + 1):
            self._said = LINES + 1 if ended == event.captions else step
            facts = self._view.facts(duration)
            say(f"{event.finished:,} of {event.captions:,} captions · {facts}")


@contextlib.contextmanager
def _bar(view: BatchView) -> Iterator[Callable[["BatchEvent"], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[facts]}", markup=False),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, expand=True, transient=True) as progress:
        task = progress.add_task("Loading models…", total=None, facts="")

        def heard(event: "BatchEvent") -> None:
            view.heard(event)
            if event.note:
                progress.stop()
                say(event.note)
                progress.start()
            progress.update(
                task,
                description=f"{event.finished:,} of {event.captions:,} captions",
                total=event.images + event.images_left or None,
                completed=event.images,
                facts=view.facts(clock),
            )

        yield heard
