"""What all figures share: colours, the typeface, and captions as plain text."""

import unicodedata
from bisect import bisect_right
from functools import cache
from pathlib import Path

import matplotlib
from PIL import ImageFont

PAPER = "#faf9f6"
INK = "#22262b"
MUTED = "#767c85"
RULE = "#d9d6ce"
EVALUATED = "#d6d9de"
GENERATION_0 = "#8b929c"
FRONT = "#c8423b"
PICKED = "#f2b134"
SERIES = ("#c8423b", "#2b6ca3", "#3c8d5a", "#8d5fa8", "#b9770e", "#4a4f57")
"""Colours of curves, told apart by colour-blind readers as well; ``DASHES`` goes with them."""
DASHES = ("solid", (0, (6, 2)), (0, (1.5, 1.5)), (0, (6, 1.5, 1.5, 1.5)), (0, (3, 3)), (0, (9, 3)))


@cache
def font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans at ``size`` pixels, the copy that matplotlib carries, so that it is always there.

    Characters that it lacks (Chinese, emoji) appear as boxes.
    """
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    file = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name
    return ImageFont.truetype(str(file), size, layout_engine=ImageFont.Layout.BASIC)


def plain(text: str) -> str:
    """``text`` on one line, without control and direction-changing characters."""
    kept = (
        " " if character.isspace() else character
        for character in text
        if character.isspace() or not unicodedata.category(character).startswith("C")
    )
    return " ".join("".join(kept).split())


def wrapped(text: str, face: ImageFont.FreeTypeFont, width: float, lines: int = 2) -> list[str]:
    """``text`` broken at spaces (or anywhere when it has none) into at most ``lines`` lines of
    ``width`` pixels; an ellipsis ends what did not fit."""
    result: list[str] = []
    rest = plain(text)
    while rest and len(result) < lines:
        if face.getlength(rest) <= width:
            result.append(rest)
            return result
        if len(result) == lines - 1:
            result.append(rest[: _fitting(rest, face, width, "…")].rstrip() + "…")
            return result
        fitting = _fitting(rest, face, width)
        space = rest.rfind(" ", 1, fitting + 1)
        end = space if space > 0 else fitting
        result.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return result


def _fitting(text: str, face: ImageFont.FreeTypeFont, width: float, tail: str = "") -> int:
    """How many characters of ``text``, at least 1, fit ``width`` together with ``tail``."""
    ends = range(1, len(text) + 1)
    return max(1, bisect_right(ends, width, key=lambda end: face.getlength(text[:end] + tail)))


def score_title(name: str) -> str:
    """``text_image`` as a person reads it."""
    return name.replace("_", " ")
