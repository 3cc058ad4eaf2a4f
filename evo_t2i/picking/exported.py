"""What a person chose on the page of a run, read back from the pick.json that it exports."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evo_t2i.errors import UsageError
from evo_t2i.picking.taste import Taste

KIND = "evo-t2i pick"
FORMAT = 1
MOST_BYTES = 16 * 2**20


@dataclass(frozen=True)
class ExportedPick:
    """A taste and the ids that were chosen under it.

    Attributes:
        run: the digest of the run that the page shows.
        caption, seed: what that run was asked, for people.
        taste: what was set on the page.
        picked, starred: ids, in the order in which they were marked.
    """

    run: str
    caption: str
    seed: int
    taste: Taste
    picked: tuple[int, ...]
    starred: tuple[int, ...]

    @property
    def ids(self) -> tuple[int, ...]:
        """The picked ids; the starred ones when none is picked."""
        return self.picked or self.starred


def read_exported(path: Path) -> ExportedPick:
    """Read the file; UsageError when it is missing, damaged or no export of a page, or holds no
    taste."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}); give the pick.json that the page exported."
        ) from error
    try:
        if len(data) > MOST_BYTES:
            raise ValueError("it is too large")
        return _checked(json.loads(data))
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise UsageError(
            f"{path} is not a pick of a run's page; export one with its button pick.json."
        ) from error


def _checked(values: dict[str, Any]) -> ExportedPick:
    if values["kind"] != KIND or values["format"] != FORMAT:
        raise ValueError("another kind of file")
    return ExportedPick(
        run=_of_type(str, values["run"]),
        caption=_of_type(str, values["caption"]),
        seed=_of_type(int, values["seed"]),
        taste=Taste(
            method=_of_type(str, values["method"]),
            weights=_numbers(values["weights"]),
            floors=_numbers(values["floors"]),
            order=_names(values["order"]) if "order" in values else None,
            tolerance=_number(values["tolerance"]) if "tolerance" in values else None,
        ),
        picked=_ids(values["picked"]),
        starred=_ids(values["starred"]),
    )


def _of_type(kind: type, value: Any) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float):
        raise TypeError(f"{value!r} is no number")
    return float(value)


def _numbers(values: dict[str, Any]) -> dict[str, float]:
    return {name: _number(number) for name, number in values.items()}


def _names(values: list[Any]) -> tuple[str, ...]:
    return tuple(_of_type(str, value) for value in _of_type(list, values))


def _ids(values: list[Any]) -> tuple[int, ...]:
    ids = tuple(_of_type(int, value) for value in _of_type(list, values))
    if len(set(ids)) != len(ids):
        raise ValueError("an id is there twice")
    return ids
