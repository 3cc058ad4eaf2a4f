"""Pictures in a terminal, as well as it can show them.

What a terminal can do is read from the environment alone. Asking it by an escape sequence would
need its answer from stdin, which belongs to the person.
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

import numpy as np
from PIL import Image

from evo_t2i.cli.terminal import graphics
from evo_t2i.errors import UsageError

FORCED = "EVO_T2I_GRAPHICS"
"""Environment variable that names the way to draw, for terminals that do not say what they can."""
WAYS = ("kitty", "iterm2", "blocks", "none")
GAP = 2
"""Columns between two pictures."""
BLOCKS_CELL = (1, 2)
"""Pixels (width, height) that a half block shows."""
USUAL_CELL = (10, 20)
"""Pixels of a cell in a terminal that does not tell."""
MOST_ENLARGED = 2
"""Pictures are sent at most so much larger than they are; the terminal does the rest."""
_MULTIPLEXERS = ("TMUX", "STY", "ZELLIJ")
_ITERM2_PROGRAMS = ("iTerm.app", "iTerm2", "WezTerm", "mintty")
_TRUE_COLOUR_TERMS = ("kitty", "ghostty", "alacritty", "foot", "wezterm", "contour", "direct")


@dataclass(frozen=True)
class Terminal:
    """What a terminal can show now; ``way`` is one of ``WAYS``, ``cell`` in pixels."""

    way: str
    true_colour: bool
    columns: int
    lines: int
    cell: tuple[int, int]


@dataclass(frozen=True)
class Drawing:
    """Text that draws pictures from the cursor at the start of a line on, and leaves it at the
    start of the line below; so many ``lines`` high."""

    text: str
    lines: int


def terminal_of(stream: TextIO, environment: Mapping[str, str] = os.environ) -> Terminal:
    """What the terminal behind ``stream`` can do; its ``way`` is "none" for anything else.

    Raises UsageError for an unknown way in EVO_T2I_GRAPHICS.
    """
    forced = environment.get(FORCED, "")
    if forced and forced not in WAYS:
        raise UsageError(f"{FORCED} is {forced!r}; give one of {', '.join(WAYS)}.")
    columns, lines, cell = _size(stream)
    way = (forced or _way(environment)) if stream.isatty() else "none"
    return Terminal(way, _true_colour(environment), columns, lines, cell)


def draw(
    images: Sequence[np.ndarray],
    labels: Sequence[str],
    terminal: Terminal,
    lines: int,
    *,
    most_rows: int = 1,
) -> Drawing:
    """``images`` (h, w, 3) uint8, each below its label, in at most so many ``lines``.

    They stand in one row, or in up to ``most_rows`` where that makes them larger, each in a square.
    Without room for them nothing is drawn.
    """
    if not images or terminal.way == "none":
        return Drawing("", 0)
    choices = []
    for down in range(1, most_rows + 1):
        across = -(-len(images) // down)
        width = (terminal.columns - GAP * (across - 1)) // across
        height = (lines - down) // down
        choices.append((min(width, 2 * height) // 2 * 2, across))
    side, across = max(choices)
    if side < 2:
        return Drawing("", 0)
    parts = []
    for start in range(0, len(images), across):
        row = images[start : start + across]
        titles = [label[:side].ljust(side) for label in labels[start : start + across]]
        parts.append((" " * GAP).join(titles).rstrip() + "\n")
        parts.append(_row(row, side, terminal))
    height = 1 + side // 2
    return Drawing("".join(parts), height * -(-len(images) // across))


def fitting(columns: int, side: int) -> int:
    """How many pictures of ``side`` columns stand in a row, at least 1."""
    return max(1, (columns + GAP) // (side + GAP))


def _row(images: Sequence[np.ndarray], side: int, terminal: Terminal) -> str:
    """Pictures ``side`` columns wide and half as many lines high, from left to right."""
    columns, lines = len(images) * (side + GAP) - GAP, side // 2
    if terminal.way == "blocks":
        strip = _strip(images, side, BLOCKS_CELL)
        return graphics.half_blocks(strip, true_colour=terminal.true_colour) + "\n"
    cell = terminal.cell
    # the terminal scales what it gets to its cells
    largest = MOST_ENLARGED * max(max(image.shape[:2]) for image in images)
    shrink = min(1.0, largest / (side * cell[0]))
    cell = (max(1, round(cell[0] * shrink)), max(2, round(cell[1] * shrink)))
    protocol = {"kitty": graphics.kitty, "iterm2": graphics.iterm2}[terminal.way]
    text = protocol(_strip(images, side, cell), columns, lines)
    # the lines are made first, so that the picture scrolls nothing
    room = "\n" * lines
    return f"{room}\x1b[{lines}A\x1b7{text}\x1b8\x1b[{lines}B\r"


def _strip(images: Sequence[np.ndarray], side: int, cell: tuple[int, int]) -> np.ndarray:
    """(h, w, 4) RGBA: the pictures in a row, each as large as a square of ``side`` columns allows
    and in the upper left of it."""
    width, height = cell
    strip = Image.new("RGBA", ((len(images) * (side + GAP) - GAP) * width, side // 2 * height))
    for place, image in enumerate(images):
        picture = Image.fromarray(image)
        factor = min(side * width / picture.width, side // 2 * height / picture.height)
        size = (
            max(1, round(picture.width * factor)),
            max(2, 2 * round(picture.height * factor / 2)),
        )
        scaled = picture.resize(size, Image.Resampling.LANCZOS)
        strip.paste(scaled, (place * (side + GAP) * width, 0))
    return np.asarray(strip)


def _way(environment: Mapping[str, str]) -> str:
    term = environment.get("TERM", "")
    program = environment.get("TERM_PROGRAM", "")
    if term in ("", "dumb", "unknown"):
        return "none"
    multiplexed = term.startswith(("screen", "tmux")) or any(
        environment.get(name) for name in _MULTIPLEXERS
    )
    if not multiplexed:
        in_kitty = term.startswith("xterm") and "KITTY_WINDOW_ID" in environment and not program
        if "kitty" in term or "ghostty" in term or program == "ghostty" or in_kitty:
            return "kitty"
        if (program or environment.get("LC_TERMINAL")) in _ITERM2_PROGRAMS:
            return "iterm2"
    return "none" if "NO_COLOR" in environment else "blocks"


def _true_colour(environment: Mapping[str, str]) -> bool:
    term = environment.get("TERM", "")
    return environment.get("COLORTERM", "") in ("truecolor", "24bit") or any(
        name in term for name in _TRUE_COLOUR_TERMS
    )


def _size(stream: TextIO) -> tuple[int, int, tuple[int, int]]:
    """Columns, lines, and a cell's pixels (width, height)."""
    try:
        columns, lines = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError, AttributeError):
        columns, lines = shutil.get_terminal_size()
    cell = USUAL_CELL
    try:
        import fcntl
        import struct
        import termios

        packed = fcntl.ioctl(stream.fileno(), termios.TIOCGWINSZ, b"\0" * 8)
        rows, across, width, height = struct.unpack("HHHH", packed)
        if rows and across and width >= 2 * across and height >= 4 * rows:
            cell = (width // across, height // rows)
    except (ImportError, OSError, ValueError):
        pass
    return columns or 80, lines or 24, cell
