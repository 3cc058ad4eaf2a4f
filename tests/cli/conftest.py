"""Runs the commands in this process, a small finished run to use them on, and a terminal."""

import contextlib
import fcntl
import os
import struct
import termios
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyte
import pytest
from hand_made import generation_facts, result_facts

from evo_t2i.cli.main import run
from evo_t2i.config import RunConfig
from evo_t2i.points import Points
from evo_t2i.runs.directory import RunDirectory

COUNT, DIMENSIONS = 6, 4
CAPTION = "a [red]cat[/red] :smile: on the table\x1b[31m."


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


def write_run(path: Path, *, seed: int = 7, committed: int = 2, finished: bool = True) -> Path:
    """A run of two generations over two scores whose latents are the scores."""
    config = RunConfig(
        caption=CAPTION,
        seed=seed,
        population=COUNT,
        offspring=COUNT,
        generations=1,
        scores=("text_image", "word_label"),
    )
    rng = np.random.default_rng(seed)
    with RunDirectory.create(path, config) as directory:
        for generation in range(committed):
            latents = rng.standard_normal((COUNT, DIMENSIONS)).astype(np.float32) + generation
            record = Points(
                latents=latents,
                scores=latents[:, :2].astype(np.float64),
                ids=np.arange(COUNT, dtype=np.int64) + generation * COUNT,
                parents=np.full((COUNT, 2), generation - 1, dtype=np.int64),
                generations=np.full(COUNT, generation, dtype=np.int64),
            )
            facts = generation_facts(2, hypervolume=2.0 + 3.0 * generation, front=COUNT)
            directory.commit(record, {}, facts)
        if finished:
            pixels = np.clip(128 + 40 * record.latents.reshape(COUNT, 2, 2, 1), 0, 255)
            images = np.repeat(pixels, 3, axis=3).astype(np.uint8)
            facts = result_facts(evaluations=config.evaluations, hypervolume=[2.0, 5.0])
            directory.finish(record, images, facts)
    return path


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
