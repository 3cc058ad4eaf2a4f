"""Picture files that a command is given: each is read, or said to be unreadable, and the rest goes
on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

import typer

from evo_t2i.cli.arguments import home_expanded
from evo_t2i.cli.terminal.output import say, say_error
from evo_t2i.errors import EvoError, NonFiniteScoresError, UsageError

if TYPE_CHECKING:
    import numpy as np

Value = TypeVar("Value")
PictureFiles = Annotated[
    list[Path],
    typer.Argument(metavar="IMAGE...", help="PNG, JPEG or WEBP files.", callback=home_expanded),
]


@dataclass(frozen=True)
class Result(Generic[Value]):
    """What became of one file: a value, or why it has none; and what was not taken as it is."""

    file: Path
    value: Value | None = None
    notes: tuple[str, ...] = ()
    error: str | None = None
    read: bool = True
    """Whether it is a picture at all."""

    def as_json(self, described: Callable[[Value], dict[str, Any]]) -> dict[str, Any]:
        """The file's entry, with what ``described`` makes of its value."""
        if self.value is None:
            return {"file": str(self.file), "error": self.error}
        notes = {"notes": list(self.notes)} if self.notes else {}
        return {"file": str(self.file), **described(self.value), **notes}


def of_each(files: Sequence[Path], found: Callable[["np.ndarray"], Value]) -> list[Result[Value]]:
    """``found`` of the pixels (h, w, 3) uint8 of each file, in their order.

    What is wrong with a file is raised where it is the only one, and else said and kept. Raises
    UsageError when not one of them can be read.
    """
    results = [_of_one(file, found, alone=len(files) == 1) for file in files]
    if not any(result.read for result in results):
        raise UsageError(f"None of the {len(files)} files can be read; give PNG, JPEG or WEBP.")
    return results


def raise_for_failures(results: Sequence[Result[Any]], done: str) -> None:
    """EvoError where files have no value: they could not be ``done``."""
    failed = sum(result.error is not None for result in results)
    if failed:
        raise EvoError(f"{failed} of {len(results)} files could not be {done}; see above.")


def _of_one(file: Path, found: Callable[["np.ndarray"], Value], *, alone: bool) -> Result[Value]:
    from evo_t2i.runs.foreign_images import read_image

    try:
        image = read_image(file)
    except UsageError as error:
        return _failed(file, error, alone=alone, read=False)
    for note in image.notes:
        say(f"{file}: {note}")
    try:
        return Result(file, found(image.pixels), image.notes)
    except NonFiniteScoresError as error:
        return _failed(file, error, alone=alone)


def _failed(file: Path, error: EvoError, *, alone: bool, read: bool = True) -> Result[Any]:
    if alone:
        raise error
    said = str(error) if str(file) in str(error) else f"{file}: {error}"
    say_error(said)
    return Result(file, error=said, read=read)
