"""`evo-t2i runs`: what runs there are."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evo_t2i.cli.arguments import home_expanded
from evo_t2i.cli.terminal.output import print_json, print_table, say

if TYPE_CHECKING:
    from evo_t2i.runs.library import Listed

_MOST_OF_A_CAPTION = 60


def runs(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to look.", callback=home_expanded)
    ] = Path("runs"),
    json_output: Annotated[bool, typer.Option("--json", help="One JSON array on stdout.")] = False,
) -> None:
    """List the runs under DIR, the newest first: caption, state, front, when, and the pick.

    \b
    evo-t2i runs
    evo-t2i runs birds --json

    `latest` stands for the newest one under runs wherever a command asks for a RUN.
    """
    from evo_t2i.runs.library import list_runs

    found = list_runs(folder)
    if json_output:
        print_json([_as_json(each) for each in found])
    elif found:
        print_table(
            ["run", "caption", "state", "front", "when", "pick"],
            [_row(each) for each in found],
        )
    else:
        say(f"There is no run under {folder}; make one with evo-t2i sample.")


def _row(run: "Listed") -> list[str]:
    caption = " ".join(run.caption.split())
    if len(caption) > _MOST_OF_A_CAPTION:
        caption = caption[:_MOST_OF_A_CAPTION] + "…"
    front = "" if run.front is None else f"{run.front:,}"
    pick = "" if run.pick is None else run.pick.relative_to(run.path).as_posix()
    return [str(run.path), caption, run.described, front, _when(run, "%Y-%m-%d %H:%M"), pick]


def _as_json(run: "Listed") -> dict[str, object]:
    return {
        "run": str(run.path),
        "caption": run.caption,
        "seed": run.seed,
        "state": run.state,
        "generation": run.generation,
        "generations": run.generations,
        "front": run.front,
        "when": _when(run, "%Y-%m-%dT%H:%M:%S%z"),
        "pick": None if run.pick is None else str(run.pick),
    }


def _when(run: "Listed", form: str) -> str:
    return time.strftime(form, time.localtime(run.when))
