"""`evo-t2i plot`: draw a finished run's figures."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evo_t2i.cli.arguments import FinishedRun, home_expanded
from evo_t2i.cli.terminal.output import shown
from evo_t2i.cli.terminal.silence import libraries_silenced
from evo_t2i.errors import UsageError

if TYPE_CHECKING:
    from evo_t2i.picking.methods import Pick
    from evo_t2i.runs.directory import RunDirectory

FORMATS = ("png", "svg", "pdf")
ANIMATIONS = ("gif", "mp4")
FILES = {
    "pairs": "pairs",
    "parallel": "parallel",
    "convergence": "convergence",
    "evolution": "evolution",
    "sheet": "contact_sheet",
}
"""Kinds, and the names of their files."""
UNMARKED = ("convergence",)
"""Kinds that mark no pick."""
PIXELS = ("sheet",)
"""Kinds that are pictures of pixels, for which PNG is the only format."""


def plot(
    run: FinishedRun,
    kind: Annotated[
        str | None,
        typer.Option(help=f"One figure: {', '.join(FILES)}."),
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="png, svg or pdf for --kind (sheet: png); gif or mp4 for --animate.",
            show_default="png or gif",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="File to write; without --kind the scatter matrix as PNG, alone.",
            callback=home_expanded,
        ),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--pick",
            metavar="METHOD",
            help="Mark what this method picks instead of the newest pick.",
        ),
    ] = None,
    animate: Annotated[
        bool, typer.Option("--animate", help="The front growing, as evolution.gif or .mp4.")
    ] = False,
) -> None:
    """Draw RUN's figures: trade-offs, convergence, evolution, contact sheet, or an animation.

    Without --kind the scatter matrix (pareto.png) and the contact sheet (contact_sheet.png) again.
    The newest pick is marked, the one in RUN/pick. --kind draws one figure instead, into RUN.

    \b
    evo-t2i plot RUN
    evo-t2i plot RUN --kind pairs --format pdf
    evo-t2i plot RUN --kind parallel --pick topsis --out trade-offs.svg
    evo-t2i plot RUN --animate --format mp4
    """
    from evo_t2i.run import Run
    from evo_t2i.runs.atomic import write_bytes
    from evo_t2i.runs.directory import RunDirectory

    if kind is not None and kind not in FILES:
        raise UsageError(f"--kind is {kind}; give one of {', '.join(FILES)}.")
    if animate and kind is not None:
        raise UsageError("--animate draws a figure of its own; leave out --kind.")
    if kind is None and not animate and file_format is not None:
        raise UsageError(f"--format needs --animate or --kind: one of {', '.join(FILES)}.")
    if method is not None and kind in UNMARKED:
        raise UsageError(f"--kind {kind} marks no pick; leave out --pick.")
    known = ANIMATIONS if animate else ("png",) if kind in (None, *PIXELS) else FORMATS
    written = _checked_format(out, file_format, known)
    finished = Run(run)
    picked = finished.picked() if method is None else finished.rank(method=method)
    directory = RunDirectory.open(run)
    with libraries_silenced():
        if animate:
            from evo_t2i.report.animation import animation

            files = [run / f"evolution.{written}" if out is None else out]
            write_bytes(files[0], animation(directory, picked, written))
        elif kind is not None:
            files = [run / f"{FILES[kind]}.{written}" if out is None else out]
            write_bytes(files[0], _drawn(kind, directory, picked, written))
        else:
            files = _both(directory, picked, out)
    for file in files:
        print(shown(file))


def _both(directory: "RunDirectory", picked: "Pick", out: Path | None) -> list[Path]:
    """The scatter matrix and, unless it goes to ``out``, the contact sheet."""
    from evo_t2i.report.plots import pareto
    from evo_t2i.report.sheets import front_sheet

    matrix = directory.path / "pareto.png" if out is None else out
    pareto(directory, matrix, picked=picked.chosen)
    if out is not None:
        return [matrix]
    sheet = directory.path / "contact_sheet.png"
    front_sheet(directory, picked, sheet)
    return [matrix, sheet]


def _drawn(kind: str, directory: "RunDirectory", picked: "Pick", file_format: str) -> bytes:
    from evo_t2i.report import lines
    from evo_t2i.report.plots import pairs
    from evo_t2i.report.sheets import front_sheet_png

    if kind == "sheet":
        return front_sheet_png(directory, picked)
    if kind == "convergence":
        return lines.convergence(directory, file_format)
    draw = {"pairs": pairs, "parallel": lines.parallel, "evolution": lines.evolution}[kind]
    return draw(directory, picked.chosen, file_format)


def _checked_format(out: Path | None, wanted: str | None, known: tuple[str, ...]) -> str:
    """The format of --format, else of the name --out; UsageError when they disagree."""
    if wanted is not None and wanted not in known:
        raise UsageError(f"--format is {wanted}; give one of {', '.join(known)}.")
    if out is None:
        return wanted or known[0]
    ending = out.suffix.lower().removeprefix(".")
    fitting = known if wanted is None else (wanted,)
    if ending not in fitting:
        endings = " or ".join(f".{ending}" for ending in fitting)
        raise UsageError(f"--out is {out}; give a name that ends in {endings}.")
    return ending
