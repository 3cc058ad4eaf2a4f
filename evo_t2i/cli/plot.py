"""`evo-t2i plot`: draw a finished run's figures again."""

from pathlib import Path
from typing import Annotated

import typer

from evo_t2i.cli.output import shown
from evo_t2i.cli.silence import libraries_silenced
from evo_t2i.errors import UsageError


def plot(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a finished run.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Draw only the scatter matrix, into this PNG file."),
    ] = None,
) -> None:
    """Draw RUN's scatter matrix (pareto.png) and contact sheet (contact_sheet.png) again.

    Both mark the newest pick, the one in RUN/pick.

    \b
    evo-t2i plot RUN
    evo-t2i plot RUN --out skyline.png
    """
    from evo_t2i.run import Run
    from evo_t2i.runs.directory import RunDirectory

    if out is not None and out.suffix.lower() != ".png":
        raise UsageError(f"--out is {out}; give a name that ends in .png.")
    picked = Run(run).picked()
    directory = RunDirectory.open(run)
    with libraries_silenced():
        from evo_t2i.report.plots import pareto
        from evo_t2i.report.sheets import front_sheet

        matrix = run / "pareto.png" if out is None else out
        pareto(directory, matrix, picked=picked.chosen)
        if out is None:
            front_sheet(directory, picked, run / "contact_sheet.png")
    print(shown(matrix))
    if out is None:
        print(shown(run / "contact_sheet.png"))
