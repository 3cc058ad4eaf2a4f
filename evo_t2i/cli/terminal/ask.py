"""The dialogue of `evo-t2i pick --ask`: four pictures, and which of them is the worst."""

import sys
from pathlib import Path

from evo_t2i.cli.terminal.output import say
from evo_t2i.cli.terminal.pictures import draw, terminal_of
from evo_t2i.errors import UsageError
from evo_t2i.picking.ask import MOST_ROUNDS, WeightLearner
from evo_t2i.report.sheets import numbered_row
from evo_t2i.runs.directory import Front
from evo_t2i.runs.images import save_png

SHEET_TILE = 256
_RESERVED_LINES = 4


def learn(learner: WeightLearner, front: Front, sheet: Path) -> str:
    """Ask until the learner is finished or the person has had enough; returns how it ended.

    Questions go to stderr, answers come from stdin, one a line: a place from 1, ``s`` for "cannot
    tell", ``q`` for enough. The pictures are drawn in the terminal, where there is one that can,
    and in any case into the file ``sheet``, which is removed at the end. Raises UsageError when
    stdin ends too early.
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
            terminal = terminal_of(sys.stderr)
            labels = [str(place) for place in range(1, len(images) + 1)]
            free = terminal.lines - _RESERVED_LINES
            print(draw(images, labels, terminal, free, most_rows=2).text, end="", file=sys.stderr)
            answer = _answer(learner.rounds + 1, len(question))
            if answer == "q":
                return f"enough after {_counted(learner.rounds)}"
            learner.answer(question, None if answer == "s" else int(answer) - 1)
    finally:
        sheet.unlink(missing_ok=True)
    if learner.settled:
        return f"the last answers left the pick as it was, after {_counted(learner.rounds)}"
    return f"after {_counted(learner.rounds)}"


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


def _counted(rounds: int) -> str:
    return f"{rounds} question{'s' if rounds != 1 else ''}"
