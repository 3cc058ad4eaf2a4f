"""`evo-t2i`: the command line's entry, and what it says when something goes wrong."""

import contextlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

import evo_t2i
from evo_t2i.cli.commands import (
    compare,
    models,
    names,
    pick,
    plot,
    report,
    resume,
    sample,
    score,
    train,
    view,
    world,
)
from evo_t2i.cli.terminal.output import say, say_error
from evo_t2i.cli.terminal.silence import DEBUG
from evo_t2i.cli.terminal.stop import Stopped, stop_on_signals
from evo_t2i.errors import EvoError

INTERRUPTED = 130

app = typer.Typer(
    add_completion=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("sample")(sample.sample)
app.command("resume")(resume.resume)
app.command("pick")(pick.pick)
app.command("view")(view.view)
app.command("report")(report.report)
app.command("plot")(plot.plot)
app.command("compare")(compare.compare)
app.command("score")(score.score)
app.command("list")(names.list_names)
app.add_typer(models.app, name="models")
app.add_typer(world.app, name="world")
app.add_typer(train.app, name="train")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"evo-t2i {evo_t2i.__version__}")
        raise typer.Exit


@app.callback()
def evo_t2i_command(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    """Evolve pictures for a caption: a Pareto front over several scores, and the best one picked.

    \b
    evo-t2i sample "skyline at sunset." --generations 50
    evo-t2i pick runs/skyline-at-sunset-7 --weight text_image=2

    Results go to stdout, progress to stderr.
    """


def main() -> None:
    """Run the command of ``sys.argv`` and leave with its exit code."""
    stop_on_signals()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = _reader_gone()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command; returns its exit code after at most one line about what went wrong."""
    command = typer.main.get_command(app)
    try:
        command.main(list(arguments) or ["--help"], prog_name="evo-t2i", standalone_mode=False)
    except Stopped as stop:
        say(stop.message)
        return stop.exit_code
    except (KeyboardInterrupt, typer.Abort):
        say("Stopped.")
        return INTERRUPTED
    except BrokenPipeError:
        return _reader_gone()
    except EvoError as error:
        _trace()
        say_error(str(error))
        return error.exit_code
    except typer.TyperException as error:
        if message := _one_line(error):
            say_error(message)
        return error.exit_code
    except Exception as error:
        _trace()
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        hint = "" if os.environ.get(DEBUG) else f"; run again with {DEBUG}=1 for the traceback"
        say_error(f"unexpected {said.rstrip('.')}{hint}.")
        return 1
    return 0


def _one_line(error: typer.TyperException) -> str:
    """Typer's message for a wrong command line, and where to look."""
    message = " ".join(error.format_message().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "evo-t2i"
    return f"{message}; see `{path} --help`." if message else ""


def _trace() -> None:
    if os.environ.get(DEBUG):
        traceback.print_exc()


def _reader_gone() -> int:
    """Quietly: whoever read the output has what they wanted. Nothing more can be written."""
    with contextlib.suppress(OSError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
    return 1
