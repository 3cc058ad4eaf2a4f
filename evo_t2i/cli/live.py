"""`--live`: the best pictures of the moment, while a run goes on."""

import contextlib
import math
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from evo_t2i.cli.output import say
from evo_t2i.config import RunConfig
from evo_t2i.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from evo_t2i.cli.pictures import Terminal
    from evo_t2i.sampler import Event
    from evo_t2i.snapshot import Snapshot

LIVE_HELP = "Show the best pictures of the moment: terminal."
SHARE = 0.1
"""Of a run's time that its live view may take."""
MOST_PICTURES = 6
LEAST_COLUMNS = {"blocks": 24, "kitty": 16, "iterm2": 16, "sixel": 16}
"""A picture's least width, in characters; fewer are shown where there is no room for that."""
MOST_LINES = 18
_BESIDES = 4
"""Lines for the title and the bar, and two to spare."""
_END_OF_ANYTHING = "\x1b\\\x1b[0m\x1b[?2026l"


class Allowance:
    """Says when something may be done again that must not take more than a share of all time."""

    def __init__(self, share: float = SHARE, clock: Callable[[], float] = time.monotonic) -> None:
        self._rest = (1 - share) / share
        self._clock = clock
        self._next = -math.inf

    @property
    def due(self) -> bool:
        """Whether enough time has passed since the last time; the first time is always due."""
        return self._clock() >= self._next

    @contextlib.contextmanager
    def spent(self) -> Iterator[None]:
        """What is done within this counts."""
        start = self._clock()
        try:
            yield
        finally:
            end = self._clock()
            self._next = end + self._rest * (end - start)


class LiveTerminal:
    """The best few pictures above the progress bar, drawn in place generation after generation."""

    def __init__(self, config: RunConfig) -> None:
        self._last = config.generations
        self._allowance = Allowance()
        self._drawn: tuple[Terminal, int] | None = None
        self._pixels: dict[int, np.ndarray] = {}
        self._failed = False

    def show(
        self, event: "Event", bar_removed: Callable[[], contextlib.AbstractContextManager[None]]
    ) -> None:
        """Draw what ``event`` brings, if there is time for it; a failure is said, once."""
        last = event.generation == self._last
        if event.snapshot is None or self._failed or not (self._allowance.due or last):
            return
        with self._allowance.spent():
            try:
                self._redraw(event, bar_removed)
            except Exception as error:
                self._failed = True
                say(f"The pictures cannot be drawn any more ({error}); the run goes on.")

    def _redraw(
        self, event: "Event", bar_removed: Callable[[], contextlib.AbstractContextManager[None]]
    ) -> None:
        from evo_t2i.cli.pictures import draw, fitting, terminal_of

        assert event.snapshot is not None
        terminal = terminal_of(sys.stderr)
        count = min(MOST_PICTURES, fitting(terminal.columns, LEAST_COLUMNS.get(terminal.way, 1)))
        labels, images = self._best(event.snapshot, count)
        free = min(MOST_LINES, terminal.lines - _BESIDES)
        drawing = draw(images, labels, terminal, free)
        said = _said(len(images) if drawing.lines else 0, event.front)
        title = f"generation {event.generation}/{self._last}: {said}"[: terminal.columns - 1]
        with bar_removed():
            above = ""
            if self._drawn is not None and self._drawn[0] == terminal:
                above = f"\x1b[{self._drawn[1]}A\x1b[J"
            try:
                sys.stderr.write(f"\x1b[?2026h{above}{title}\n{drawing.text}")
            finally:  # a picture that a signal cut short would swallow everything after it
                sys.stderr.write(_END_OF_ANYTHING)
                sys.stderr.flush()
        self._drawn = terminal, 1 + drawing.lines

    def _best(self, snapshot: "Snapshot", count: int) -> tuple[list[str], list["np.ndarray"]]:
        """Labels and pictures, best first; only those that were not shown before are drawn."""
        picked = snapshot.rank(count)
        ids = snapshot.front.ids[list(picked.chosen)].tolist()
        new = [row for row in picked.chosen if int(snapshot.front.ids[row]) not in self._pixels]
        if new:
            drawn = zip(snapshot.front.ids[new].tolist(), snapshot.images(new), strict=True)
            self._pixels |= dict(drawn)
        self._pixels = {individual: self._pixels[individual] for individual in ids}
        values = [picked.value[row] for row in picked.chosen]
        labels = [
            f"value {value:+.2f} #{individual}"
            for value, individual in zip(values, ids, strict=True)
        ]
        return labels, list(self._pixels.values())


def _said(shown: int, front: int) -> str:
    if shown == 0:
        return "the terminal is too small for pictures"
    if shown == 1:
        return f"the best of {front:,} on the front"
    return f"the best of {front:,} on the front, and others that differ"


def checked_live(choice: str | None, *, quiet: bool) -> str | None:
    """``terminal``, or None when no live view was asked for.

    Raises UsageError for anything else, for ``--quiet`` beside it, and when stderr is no terminal
    that shows pictures.
    """
    from evo_t2i.cli.pictures import terminal_of

    if choice is None:
        return None
    if choice != "terminal":
        raise UsageError(f"--live is {choice!r}; the only choice is terminal.")
    if quiet:
        raise UsageError("--quiet shows no progress and --live terminal does; leave out one.")
    if not sys.stderr.isatty():
        raise UsageError(
            "--live terminal draws on stderr, which is no terminal here; leave out --live."
        )
    if terminal_of(sys.stderr).way == "none":
        raise UsageError(
            "--live terminal needs colours, and TERM or NO_COLOR says that this terminal has none; "
            "leave out --live."
        )
    return choice
