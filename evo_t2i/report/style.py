"""What all figures share: colours, the typeface, and captions as plain text."""

import unicodedata
from bisect import bisect_right
from functools import cache
from pathlib import Path

import matplotlib
from matplotlib import ft2font
from matplotlib.ft2font import FT2Font
from PIL import ImageFont, features

from evo_t2i.runs.result import Front

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

_LEFTWARDS = ("R", "AL")
_SHAPER = "__libraqm_version__"
"""matplotlib 3.11 and newer lay out text with libraqm."""


@cache
def font(size: int, *, bold: bool = False, leftwards: bool = False) -> ImageFont.FreeTypeFont:
    """DejaVu Sans at ``size`` pixels, the copy that matplotlib carries, so that it is always there.

    ``leftwards`` lays out Arabic and Hebrew, see ``runs_leftwards``.
    """
    layout = ImageFont.Layout.RAQM if leftwards else ImageFont.Layout.BASIC
    return ImageFont.truetype(_font_file(bold=bold), size, layout_engine=layout)


def plain(text: str) -> str:
    """``text`` as it can be drawn: on one line, without control and direction-changing characters,
    and with escapes such as ``\\u732b`` for what ``undrawn`` names."""
    missing = undrawn(text)
    kept = (
        " "
        if character.isspace()
        else character.encode("unicode_escape").decode()
        if character in missing
        else character
        for character in text
        if character.isspace() or not _is_control(character)
    )
    return " ".join("".join(kept).split())


def undrawn(text: str) -> str:
    """The characters of ``text`` that cannot be drawn, each once: DejaVu Sans lacks them, or they
    run from right to left where nothing can lay them out."""
    characters = _drawable()
    return "".join(
        character
        for character in dict.fromkeys(text)
        if character not in characters and not character.isspace() and not _is_control(character)
    )


def title_note(caption: str) -> str | None:
    """What to say about a caption that titles cannot show; None when they show all of it."""
    missing = undrawn(caption)
    if not missing:
        return None
    return (
        f"The titles of figures and sheets have no letters for {missing} and show their code "
        "points instead; report.html shows them."
    )


def runs_leftwards(text: str) -> bool:
    """Whether ``text`` holds letters that are written from right to left."""
    return any(unicodedata.bidirectional(character) in _LEFTWARDS for character in text)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf", "Cs")


@cache
def _drawable() -> frozenset[str]:
    """All characters that both weights have and both libraries lay out in their order."""
    regular, bold = (FT2Font(_font_file(bold=bold)).get_charmap() for bold in (False, True))
    characters = {chr(code) for code in regular.keys() & bold.keys()}
    orders = features.check("raqm") and features.check("fribidi") and hasattr(ft2font, _SHAPER)
    return frozenset(
        character for character in characters if orders or not runs_leftwards(character)
    )


def _font_file(*, bold: bool) -> str:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name)


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


def front_title(front: Front) -> str:
    """What a figure calls the pictures of a run."""
    return "Pareto front" if front.leading.all() else "Pareto front and other looks"
