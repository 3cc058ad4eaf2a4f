"""Texts of the command line → checked values, without loading any plug-in."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from evo_t2i import registry
from evo_t2i.errors import UsageError, first_line

PluginOptions = Annotated[
    list[str] | None,
    typer.Option(
        "-o",
        "--option",
        metavar="NAME.KEY=VALUE",
        help="Set an option of the sampler, a score, a feature or the generator; `list` shows "
        "them; repeatable.",
    ),
]
"""``-o``, the same in every command; ``plugin_options`` reads what it brings."""


def plugin_options(texts: Sequence[str] | None) -> dict[str, dict[str, str]]:
    """``["nsga2.survival=mnn"]`` → ``{"nsga2": {"survival": "mnn"}}``, for ``configure``.

    The values are still texts, and nothing is known about the names. Raises UsageError for another
    form, and when an option is given twice.
    """
    options: dict[str, dict[str, str]] = {}
    for text in texts or ():
        place, equals, value = text.partition("=")
        name, _, key = place.rpartition(".")
        if not (name and key and equals):
            raise UsageError(
                f"-o is {text!r}; give NAME.KEY=VALUE, for example -o nsga2.survival=mnn."
            )
        if key in options.setdefault(name, {}):
            raise UsageError(f"-o names {name}.{key} twice; give it once.")
        options[name][key] = value
    return options


def home_expanded(given: Any) -> Any:
    """Callback of every argument that is a path, or several: a leading ``~`` is the home folder.

    A shell expands ``--out ~/x`` and leaves ``--out=~/x`` as it is. Raises UsageError for a path
    that no file system can hold.
    """
    if isinstance(given, list | tuple):
        return [home_expanded(each) for each in given]
    if given is None:
        return None
    try:
        path = Path(given).expanduser()
    except RuntimeError as error:  # no such user, or no home
        raise UsageError(
            f"{given} cannot be found ({first_line(error)}); write the folder out, or put ./ "
            "before a name that begins with ~."
        ) from error
    if any(_is_too_long(each) for each in (str(path), *path.parts)):
        raise UsageError(
            f"{_shortened(str(given))} is too long a path for the file system; give a shorter one."
        )
    return path


def _is_too_long(path: str) -> bool:
    try:
        os.lstat(path)
    except OSError as error:
        return error.errno == errno.ENAMETOOLONG
    return False


LATEST = "latest"
"""Stands for the newest run wherever a RUN is asked for; ./latest is a folder of that name."""


def run_folder(given: Any) -> Any:
    """Callback of every argument that is a RUN, or several: ``home_expanded``, and LATEST is the
    newest run of the default folder."""
    if isinstance(given, list | tuple):
        return [run_folder(each) for each in given]
    if str(given) != LATEST:
        return home_expanded(given)
    from evo_t2i.runs.library import latest

    return latest()


FinishedRun = Annotated[
    Path,
    typer.Argument(metavar="RUN", help="Folder of a finished run, or latest.", callback=run_folder),
]


def score_names(text: str) -> tuple[str, ...]:
    """``"a,b"`` → ``("a", "b")``, each installed."""
    names = listed_names(text)
    for name in names:
        require_installed("score", name)
    return names


def listed_names(text: str | None) -> tuple[str, ...]:
    """``"a, b c"`` → ``("a", "b_c")``; nothing → nothing."""
    return tuple(_name(part) for part in (text or "").split(",") if part.strip())


def require_installed(kind: str, name: str) -> None:
    """Raise UsageError, with the nearest name, unless a plug-in is registered under it."""
    if name not in registry.names(kind):
        registry.load(kind, name)  # refuses the name, so nothing is loaded


def named_numbers(option: str, texts: Sequence[str]) -> dict[str, float]:
    """``["a=2", "b c=0.5"]`` → ``{"a": 2.0, "b_c": 0.5}``; UsageError names the ``option``."""
    numbers: dict[str, float] = {}
    for text in texts:
        given, _, value = text.partition("=")
        name = _name(given)
        try:
            number = float(value)
        except ValueError:
            raise UsageError(
                f"{option} is {text!r}; give name=number, for example {option} text_image=0.5."
            ) from None
        if name in numbers:
            raise UsageError(f"{option} names {name!r} twice; give each score once.")
        numbers[name] = number
    return numbers


def _name(text: str) -> str:
    """A score's name; figures and the page write its underscores as spaces."""
    return "_".join(text.split())


def _shortened(text: str) -> str:
    return f"{text[:40]}…{text[-20:]}"
