"""The dialogue of `evo-t2i pick --ask`: four pictures, and which of them is the worst."""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from evo_t2i.cli.output import say
from evo_t2i.errors import UsageError
from evo_t2i.picking.ask import MOST_ROUNDS, WeightLearner
from evo_t2i.report.sheets import numbered_row
from evo_t2i.runs.directory import Front
from evo_t2i.runs.images import save_png

GAP = 2
SHEET_TILE = 256
_RESERVED_LINES = 4


def learn(learner: WeightLearner, front: Front, sheet: Path) -> str:
    """Ask until the learner is finished or the person has had enough; returns how it ended.

    Questions go to stderr, answers come from stdin, one a line: a place from 1, ``s`` for "cannot
    tell", ``q`` for enough. The pictures are drawn with coloured half blocks on a terminal, and in
    any case into the file ``sheet``, which is removed at the end. Raises UsageError when stdin
    ends too early.
    """
    say(
        f"Which picture is the worst? Up to {MOST_ROUNDS} questions; s: cannot tell, q: enough. "
        f"The same pictures, larger: {sheet}"
    )
    try:
        while not learner.finished:
            question = learner.question()
            images = [front.image(row) for row in question]
            save_png(sheet, numbered_row(images, SHEET_TILE))
            if _draws_colours():
                columns, lines = shutil.get_terminal_size()
                print(half_blocks(images, columns, lines), file=sys.stderr)
            answer = _answer(learner.rounds + 1, len(question))
            if answer == "q":
                return f"enough after {_counted(learner.rounds)}"
            learner.answer(question, None if answer == "s" else int(answer) - 1)
    finally:
        sheet.unlink(missing_ok=True)
    if learner.settled:
        return f"the last answers left the pick as it was, after {_counted(learner.rounds)}"
    return f"after {_counted(learner.rounds)}"


def half_blocks(images: Sequence[np.ndarray], columns: int, lines: int) -> str:
    """Numbered ``images`` (h, w, 3) as text of so many columns and at most so many lines.

    A character is two pixels, one above the other: the upper half block in 24-bit colours, which
    every terminal of today shows. The pictures stand in one row, or in two where that makes them
    larger.
    """
    choices = []
    for across in (len(images), -(-len(images) // 2)):
        down = -(-len(images) // across)
        width = (columns - GAP * (across - 1)) // across
        height = 2 * ((lines - _RESERVED_LINES - down) // down)
        choices.append((min(width, height), across))
    side, across = max(choices)
    side = max(2, side - side % 2)
    rows = []
    for start in range(0, len(images), across):
        pixels = [_scaled(image, side) for image in images[start : start + across]]
        tall = max(len(picture) for picture in pixels)
        titles = [str(start + place + 1).ljust(side) for place in range(len(pixels))]
        rows.append((" " * GAP).join(titles).rstrip())
        for y in range(0, tall, 2):
            cells = [_cells(picture, y, side) for picture in pixels]
            rows.append((" " * GAP).join(cells))
    return "\n".join(rows)


def _cells(picture: np.ndarray, y: int, side: int) -> str:
    """Lines y and y + 1 of ``picture``, padded to ``side`` characters."""
    if y >= len(picture):
        return " " * side
    text = "".join(
        "\x1b[38;2;{};{};{};48;2;{};{};{}m▀".format(*upper, *lower)
        for upper, lower in zip(picture[y].tolist(), picture[y + 1].tolist(), strict=True)
    )
    return f"{text}\x1b[0m{' ' * (side - picture.shape[1])}"


def _scaled(image: np.ndarray, side: int) -> np.ndarray:
    """(h, w, 3) with a longer side of ``side`` pixels and an even height."""
    picture = Image.fromarray(image)
    factor = side / max(picture.size)
    width = max(1, round(picture.width * factor))
    height = max(2, 2 * round(picture.height * factor / 2))
    return np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS))


def _answer(number: int, shown: int) -> str:
    """``1`` to ``shown``, ``s`` or ``q``; asks again for anything else."""
    places = [str(place) for place in range(1, shown + 1)]
    while True:
        prompt = f"{number}/{MOST_ROUNDS} worst (1-{shown}, s, q)? "
        print(prompt, end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not sys.stdin.isatty():
            print(file=sys.stderr)
        if not line:
            raise UsageError(
                f"The answers ended at question {number}; answer --ask in a terminal, or give a "
                f"line for each of up to {MOST_ROUNDS} questions (1 to {shown}, s or q)."
            )
        answer = line.strip().lower()
        if answer in places or answer in ("s", "q"):
            return answer
        say(f"{answer!r} is no answer; give 1 to {shown}, s or q.")


def _draws_colours() -> bool:
    return sys.stderr.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def _counted(rounds: int) -> str:
    return f"{rounds} question{'s' if rounds != 1 else ''}"
