"""`evo-t2i report`: write a finished run's interactive page."""

from pathlib import Path
from typing import Annotated

import typer

from evo_t2i.cli.arguments import FinishedRun, home_expanded
from evo_t2i.cli.terminal.output import shown


def report(
    run: FinishedRun,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The page's file.", show_default="RUN/report.html", callback=home_expanded
        ),
    ] = None,
) -> None:
    """Write RUN's interactive page: gallery, trade-offs, weights, picking by hand.

    One file that needs no network; its path is printed.

    \b
    evo-t2i report RUN
    evo-t2i report RUN --out skyline.html
    """
    from evo_t2i.report import run_page
    from evo_t2i.runs.directory import RunDirectory

    file = run / run_page.PAGE if out is None else out
    run_page.report(RunDirectory.open(run), file)
    print(shown(file))
