"""`--live`: the best pictures of the moment, while a run goes on."""

import contextlib
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from evo_t2i.cli.terminal.output import say
from evo_t2i.config import RunConfig
from evo_t2i.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from evo_t2i.cli.terminal.pictures import Terminal
    from evo_t2i.events import Event
    from evo_t2i.snapshot import Snapshot

WHERE = ("terminal", "page", "auto")
LIVE_HELP = "Show the best pictures of the moment: in the terminal, on a page, or auto."
SHARE = 0.1
"""Of a run's time that its live view may take."""
LEAST_SECONDS = 2.0
"""Between two pages."""
MOST_PICTURES = 6
LEAST_COLUMNS = {"blocks": 24, "kitty": 16, "iterm2": 16}
"""A picture's least width, in characters; fewer are shown where there is no room for that."""
MOST_LINES = 18
_BESIDES = 4
"""Lines for the title and the bar, and two to spare."""
_END_OF_ANYTHING = "\x1b\\\x1b[0m\x1b[?2026l"


class Allowance:
    """How much time may be spent on something that must not take more than a share of all time."""

    def __init__(self, share: float = SHARE, clock: Callable[[], float] = time.monotonic) -> None:
        self._share = share
        self._clock = clock
        self._start = clock()
        self._spent = 0.0
        self._since: float | None = None

    @property
    def left(self) -> float:
        """Seconds; negative when too many were spent already."""
        now = self._clock()
        spending = 0.0 if self._since is None else now - self._since
        return self._share * (now - self._start) - self._spent - spending

    @contextlib.contextmanager
    def spent(self) -> Iterator[None]:
        """What is done within this counts."""
        self._since = self._clock()
        try:
            yield
        finally:
            self._spent += self._clock() - self._since
            self._since = None


class LiveTerminal:
    """The best few pictures above the progress bar, drawn in place generation after generation."""

    def __init__(self, config: RunConfig) -> None:
        self._last = config.last_generation
        self._allowance = Allowance()
        self._drawn: tuple[Terminal, int] | None = None
        self._pixels: dict[int, np.ndarray] = {}
        self._failed = False

    def show(
        self, event: "Event", bar_removed: Callable[[], contextlib.AbstractContextManager[None]]
    ) -> None:
        """Draw what ``event`` brings, if there is time for it; a failure is said, once."""
        last = event.generation == self._last
        if event.snapshot is None or self._failed or not (last or self._allowance.left > 0):
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
        from evo_t2i.cli.terminal.pictures import draw, fitting, terminal_of

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


class LiveWebPage:
    """The run's page, rewritten as the generations go by, and opened in the browser."""

    def __init__(self, directory: Path, *, quiet: bool) -> None:
        from evo_t2i.report.live_page import LivePage

        self._page = LivePage(directory)
        self._quiet = quiet
        self._allowance = Allowance()
        self._written: float | None = None
        self._failed = False

    def show(self, event: "Event") -> None:
        """Write what ``event`` brings, if there is time for it; a failure is said, once."""
        if event.stage == "doubts":
            self._page.doubts = event.doubts
        since = math.inf if self._written is None else time.monotonic() - self._written
        if (
            event.snapshot is None
            or self._failed
            or self._allowance.left <= 0
            or since < LEAST_SECONDS
        ):
            return
        with self._allowance.spent():
            try:
                self._write(event.snapshot, LEAST_SECONDS if self._written is None else since)
            except Exception as error:
                self._failed = True
                say(f"The page cannot be written any more ({error}); the run goes on.")

    def ended(self, said: str) -> None:
        """Leave a page that says so and waits for no other one."""
        with contextlib.suppress(Exception):
            self._page.end(said)

    def _write(self, snapshot: "Snapshot", interval: float) -> None:
        from evo_t2i.report.live_page import MOST_PICTURES

        self._page.write(
            snapshot.front,
            snapshot.rank(MOST_PICTURES - len(snapshot.score_names)),
            snapshot.images,
            interval=interval,
            enough=lambda: self._allowance.left <= 0,
        )
        first = self._written is None
        self._written = time.monotonic()
        if first and not _opened(self._page.file) and not self._quiet:
            say(f"Open {self._page.file} in a browser to watch; it reloads itself.")


def _opened(file: Path) -> bool:
    """Show ``file`` in a browser with windows; one in the terminal would take it over."""
    import webbrowser

    windows = sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    )
    with contextlib.suppress(webbrowser.Error, OSError):
        return windows and webbrowser.open(file.resolve().as_uri())
    return False


def _said(shown: int, front: int) -> str:
    if shown == 0:
        return "the terminal is too small for pictures"
    if shown == 1:
        return f"the best of {front:,} on the front"
    return f"the best of {front:,} on the front, and others that differ"


def checked_live(choice: str | None, *, quiet: bool) -> str | None:
    """``terminal`` or ``page``, or None when no live view was asked for.

    ``auto`` becomes the terminal where stderr is one that shows pictures, else the page. Raises
    UsageError for anything else, and for a terminal where there is none or beside ``--quiet``.
    """
    if choice is None or choice == "page":
        return choice
    if choice not in WHERE:
        raise UsageError(f"--live is {choice!r}; give one of {', '.join(WHERE)}.")
    from evo_t2i.cli.terminal.pictures import terminal_of

    shows = terminal_of(sys.stderr).way != "none"
    if choice == "auto":
        return "terminal" if shows and not quiet else "page"
    if quiet:
        raise UsageError("--quiet shows no progress and --live terminal does; leave out one.")
    if not sys.stderr.isatty():
        raise UsageError(
            "--live terminal draws on stderr, which is no terminal here; give --live page."
        )
    if not shows:
        raise UsageError(
            "--live terminal needs colours, and TERM or NO_COLOR says that this terminal has none; "
            "give --live page."
        )
    return choice
