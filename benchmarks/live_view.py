"""What watching a run costs: the same run alone, with pictures in a terminal, with a live page.

Prints for each how often it was refreshed, and the time that the refreshes took of the run's.
"""

import argparse
import contextlib
import fcntl
import io
import os
import struct
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

import evo_t2i
from evo_t2i.cli.terminal.live import LiveTerminal, LiveWebPage
from evo_t2i.cli.terminal.progress import progress_display
from evo_t2i.config import RunConfig

CAPTION = "A dog with goggles staring at the camera."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--population", type=int, default=100)
    parser.add_argument("--generations", type=int, default=10)
    arguments = parser.parse_args()
    options = {
        "seed": 1,
        "population": arguments.population,
        "offspring": arguments.population,
        "generations": arguments.generations,
    }
    config = RunConfig(caption=CAPTION, **options)
    print(f"{'watched by':<12} refreshes  seconds of them  of the run    share")
    with tempfile.TemporaryDirectory() as folder:
        for way in ("nobody", "blocks", "kitty", "iterm2", "page"):
            out = Path(folder) / way
            refreshes, spent, seconds = measured(way, config, out, options)
            share = 100 * spent / seconds
            print(
                f"{way:<12} {refreshes:9} {spent:16.2f} {seconds:11.1f} {share:7.1f} %", flush=True
            )


def measured(way: str, config: RunConfig, out: Path, options: dict) -> tuple[int, float, float]:
    """(refreshes, seconds that they took, seconds of the run) watched in one way."""
    os.environ["EVO_T2I_GRAPHICS"] = way if way not in ("nobody", "page") else "none"
    spent = []

    def timed(show):
        def called(*arguments):
            start = time.perf_counter()
            show(*arguments)
            spent.append(time.perf_counter() - start)

        return called

    pictures = None
    if way not in ("nobody", "page"):
        pictures = LiveTerminal(config)
        pictures._redraw = timed(pictures._redraw)
    os.environ.pop("DISPLAY", None)  # opens no browser
    page = LiveWebPage(out, quiet=True)
    page._write = timed(page._write)
    with a_terminal(), progress_display(config, quiet=False, pictures=pictures) as report:

        def heard(event) -> None:
            report(event)
            if way == "page":
                page.show(event)

        start = time.perf_counter()
        evo_t2i.sample(CAPTION, out=out, progress=heard, **options)
        seconds = time.perf_counter() - start
    return len(spent), sum(spent), seconds


@contextlib.contextmanager
def a_terminal():
    """Within this stderr is a pseudo-terminal, read by somebody who looks away."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 45, 160, 1600, 900))

    def read() -> None:
        with contextlib.suppress(OSError):
            while os.read(ours, 65536):
                pass

    reader = threading.Thread(target=read)
    reader.start()
    before = sys.stderr
    with io.TextIOWrapper(os.fdopen(theirs, "wb"), encoding="utf-8") as stream:
        sys.stderr = stream
        try:
            yield
        finally:
            sys.stderr = before
    reader.join()
    os.close(ours)


if __name__ == "__main__":
    main()
