"""`evo-t2i view`: open a run's interactive page in the browser."""

import os
from pathlib import Path
from typing import Annotated

import typer

from evo_t2i.cli.arguments import run_folder
from evo_t2i.cli.terminal.output import say, shown


def view(
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="Folder of a run, or latest.", callback=run_folder)
    ],
) -> None:
    """Open RUN's interactive page in the browser; its path is printed.

    The page of a finished run is written first if it is missing. One that is still going on has a
    page when it was begun with --live page.

    \b
    evo-t2i view RUN
    """
    import webbrowser

    from evo_t2i.report import run_page
    from evo_t2i.runs.directory import RunDirectory

    file = run / run_page.PAGE
    if not os.path.lexists(file) or (run_page.is_live(file) and RunDirectory.open(run).finished):
        run_page.report(RunDirectory.open(run), file)
    print(shown(file), flush=True)
    if not webbrowser.open(file.resolve().as_uri()):
        say(f"No browser could be started; open {file} in one.")
