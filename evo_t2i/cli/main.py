"""`evo-t2i`: the command line's entry, and what it says when something goes wrong."""

import os
import re
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, Any

import typer

import evo_t2i
from evo_t2i.cli.commands import (
    batch,
    classify,
    compare,
    models,
    names,
    pick,
    plot,
    report,
    resume,
    runs,
    sample,
    score,
    train,
    view,
    world,
)
from evo_t2i.cli.terminal.output import ReaderGone, open_streams, say, say_error
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
app.command("batch")(batch.batch)
app.command("resume")(resume.resume)
app.command("runs")(runs.runs)
app.command("pick")(pick.pick)
app.command("view")(view.view)
app.command("report")(report.report)
app.command("plot")(plot.plot)
app.command("compare")(compare.compare)
app.command("score")(score.score)
app.command("classify")(classify.classify)
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
    try:
        open_streams()
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except ReaderGone:
        code = EvoError.exit_code
    except EvoError as error:
        say_error(str(error))
        code = error.exit_code
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
    except ReaderGone:
        return EvoError.exit_code
    except EvoError as error:
        _trace()
        say_error(with_flags(str(error), arguments))
        return error.exit_code
    except typer.TyperException as error:
        if message := _one_line(error):
            say_error(message)
        return error.exit_code
    except Exception as error:
        _trace()
        say_error(_unforeseen(error))
        return EvoError.exit_code
    return 0


def with_flags(message: str, arguments: Sequence[str]) -> str:
    """``message`` with the command's flags in the place of Python arguments in backquotes.

    "`micro_batch` is -1" becomes "--micro-batch is -1" where the command of ``arguments`` has that
    flag, so its parameters are called as those of the library; "Options of nsga2: `survival` is"
    becomes "-o nsga2.survival is".
    """
    message = re.sub(r"Options of (\S+): `(\w+)`", r"-o \1.\2", message)
    command = _command_of(arguments)
    flags = {
        each.name: each.opts[0] if each.param_type_name == "option" else str(each.metavar)
        for each in command.params
    }
    return re.sub(r"`(\w+)`", lambda found: flags.get(found[1], found[0]), message)


def _command_of(arguments: Sequence[str]) -> Any:
    command: Any = typer.main.get_command(app)
    for argument in arguments:
        command = getattr(command, "commands", {}).get(argument, command)
    return command


def _unforeseen(error: Exception) -> str:
    """For what no part of the library has put into words."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename} cannot be used ({error.strerror}); check that path and the disk."
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    hint = "" if os.environ.get(DEBUG) else f"; run again with {DEBUG}=1 for the traceback"
    return f"unexpected {said.rstrip('.')}{hint}."


def _one_line(error: typer.TyperException) -> str:
    """Typer's message for a wrong command line, and where to look."""
    message = " ".join(error.format_message().split()).rstrip(".")
    message = re.sub(r", unable to parse string as an? \w+", "", message)
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "evo-t2i"
    return f"{message}; see `{path} --help`." if message else ""


def _trace() -> None:
    if os.environ.get(DEBUG):
        traceback.print_exc()
