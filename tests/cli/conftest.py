"""Runs the commands in this process, a small finished run to use them on, and a terminal."""

import contextlib
import fcntl
import os
import struct
import termios
import threading
from dataclasses import dataclass

import pyte
import pytest
from hand_made import write_run

from evo_t2i.cli.main import run


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


@pytest.fixture
def evo(capsys, tmp_path, monkeypatch):
    """``evo("list", "scores")`` → Outcome; the working directory is ``tmp_path``."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture
def finished_run(tmp_path):
    return write_run(tmp_path / "finished")


@pytest.fixture
def other_run(tmp_path):
    return write_run(tmp_path / "other", seed=8)


@pytest.fixture
def unfinished_run(tmp_path):
    return write_run(tmp_path / "unfinished", committed=1, finished=False)


class Shown:
    """What a terminal received: ``data``, and the ``screen`` that it makes of it."""

    def __init__(self, columns: int, lines: int):
        self.data = b""
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)

    def pixels(self, line: int, start: int, width: int) -> list[tuple[str, str]]:
        """(upper, lower) colours of the half blocks in a line."""
        cells = [self.screen.buffer[line][column] for column in range(start, start + width)]
        assert {cell.data for cell in cells} == {"▀"}
        return [(cell.fg, cell.bg) for cell in cells]


@pytest.fixture
def terminal(monkeypatch):
    """``with terminal(80, 24, TERM="xterm") as shown``: stderr is a real pseudo-terminal."""

    @contextlib.contextmanager
    def opened(columns, lines, *, cell=(0, 0), **environment):
        for name in ("TMUX", "STY", "ZELLIJ", "NO_COLOR", "COLORTERM", "TERM_PROGRAM",
                     "LC_TERMINAL", "KITTY_WINDOW_ID", "EVO_T2I_GRAPHICS"):  # fmt: skip
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        ours, theirs = os.openpty()
        size = struct.pack("HHHH", lines, columns, columns * cell[0], lines * cell[1])
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, size)
        shown = Shown(columns, lines)

        def read():
            with contextlib.suppress(OSError):  # the other end was closed
                while data := os.read(ours, 65536):
                    shown.data += data
                    shown.stream.feed(data)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            with os.fdopen(theirs, "w", encoding="utf-8") as stream, monkeypatch.context() as patch:
                patch.setattr("sys.stderr", stream)
                yield shown
        finally:
            reader.join()
            os.close(ours)

    return opened
