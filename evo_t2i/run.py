"""A finished run as people use it: its front, its pictures, its pick."""

import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from PIL import Image

from evo_t2i.config import RunConfig
from evo_t2i.errors import RunDataError, UsageError
from evo_t2i.picking.exported import read_exported
from evo_t2i.picking.methods import Pick, pick
from evo_t2i.picking.table import pick_json
from evo_t2i.picking.taste import BALANCED, Taste
from evo_t2i.runs.atomic import make_directory, naming_errors, read_bytes, write_bytes
from evo_t2i.runs.directory import RunDirectory
from evo_t2i.runs.result import Front
from evo_t2i.runs.stored import is_stored

PICK = "pick/pick.json"
_COPY = re.compile(r"\d{2,}-\d{4,}\.png")
_CHECKSUM = "checksum"


@dataclass(frozen=True)
class FrontImage:
    """One picture of the front with its scores by name (higher is better)."""

    id: int
    file: Path
    generation: int
    scores: dict[str, float]
    image: Image.Image


class Run:
    """A finished run directory, read back.

    ``warnings`` are sentences about what was stepped around while the run was made. Raises
    RunDataError when the run is unfinished or damaged, RunLockedError when it is still going on.
    """

    def __init__(self, path: Path | str, *, warnings: Sequence[str] = ()):
        self.path = Path(path)
        self.warnings = tuple(warnings)
        self._directory = RunDirectory.open(self.path)
        self._front = self._directory.front()

    @property
    def config(self) -> RunConfig:
        """What was asked."""
        return self._directory.config

    @property
    def facts(self) -> dict[str, Any]:
        """The run's run.json: models, label coverage, evaluations, hypervolume by generation."""
        return self._directory.facts()

    @property
    def arrays(self) -> Front:
        """The front as arrays, with generation 0's scores."""
        return self._front

    @cached_property
    def front(self) -> list[FrontImage]:
        """The pictures, by ascending id; ``arrays.leading`` says which are non-dominated."""
        return [self._image(row) for row in range(len(self._front))]

    def rank(self, taste: Taste = BALANCED) -> Pick:
        """The picking itself, with its table; rows index ``front``."""
        front = self._front
        return pick(front.scores, front.generation0_scores, front.score_names, taste)

    def pick(self, taste: Taste = BALANCED, **wish: Any) -> list[FrontImage]:
        """The best pictures, best first; see ``evo_t2i.picking.methods.pick`` for the methods.

        ``wish`` are fields of Taste, in place of those of ``taste``:

        >>> run.pick(method="topsis", weights={"text_image": 2}, count=3)  # doctest: +SKIP
        """
        return [self._image(row) for row in self.rank(replace(taste, **wish)).chosen]

    def picked(self) -> Pick:
        """The pick that ``pick/pick.json`` tells of; the balanced one when there is none.

        Raises RunDataError for a pick.json that is damaged or does not fit the run.
        """
        try:
            table = _read_pick(self.path)
        except FileNotFoundError:
            return self.rank()
        balanced = self.rank()
        if table == self.pick_table(balanced):
            return balanced
        rows = {f"front/{file.name}": row for row, file in enumerate(self._front.files)}
        try:
            weighted = table["method"] != "extremes" and any(table["weights"].values())
            again = self.rank(
                Taste(
                    method=table["method"],
                    weights=table["weights"] if weighted else {},
                    floors=table["floors"],
                    order=table["order"] or None,
                    tolerance=table["tolerance"],
                )
            )
            chosen = tuple(rows[image["file"]] for image in table["chosen"])
            if not chosen:
                raise ValueError("nothing is chosen")
        except (ValueError, LookupError, TypeError, AttributeError, UsageError) as error:
            raise _no_pick(self.path) from error
        return replace(again, chosen=chosen)

    def chosen_on_page(self, file: Path | str) -> Pick:
        """The pictures that a person picked (or starred) on the run's page, from the pick.json that
        it exported; in their order, with the values of the taste set there.

        Raises UsageError for a file that is no such export, is of another run or chooses nothing.
        """
        exported = read_exported(Path(file))
        if exported.run != self._directory.digest:
            raise UsageError(
                f"{file} was exported from another run ({exported.caption!r}, seed "
                f"{exported.seed}); give that run's folder, or export from {self.path}/report.html."
            )
        rows = {int(individual): row for row, individual in enumerate(self._front.ids)}
        unknown = [individual for individual in exported.ids if individual not in rows]
        if unknown:
            raise UsageError(
                f"{file} chooses picture {unknown[0]}, which is not on the front of {self.path}; "
                "export it again from the run's page."
            )
        if not exported.ids:
            raise UsageError(
                f"{file} picks and stars no picture; mark some on the page and export again."
            )
        ranked = self.rank(exported.taste)
        best = self._front.files[ranked.chosen[0]].name
        by_method = f"{exported.taste.method} itself would take front/{best}."
        return replace(
            ranked,
            chosen=tuple(rows[individual] for individual in exported.ids),
            runner_up=None,
            margin=None,
            notes=(f"Chosen by hand; {by_method}", *ranked.notes),
        )

    def pick_table(self, picked: Pick) -> dict[str, Any]:
        """What pick.json holds of ``picked``, as plain JSON values."""
        front = self._front
        files = [f"front/{file.name}" for file in front.files]
        return pick_json(picked, front.scores, front.score_names, files, front.digests)

    def _image(self, row: int) -> FrontImage:
        front = self._front
        return FrontImage(
            id=int(front.ids[row]),
            file=front.files[row],
            generation=int(front.generations[row]),
            scores=dict(zip(front.score_names, front.scores[row].tolist(), strict=True)),
            image=Image.fromarray(front.image(row)),
        )


def write_pick(directory: RunDirectory, picked: Pick) -> list[Path]:
    """Copy the chosen pictures to ``pick/`` and tell of them in pick.json; returns the copies.

    ``directory`` is open for writing. pick.json is the commit: before it the earlier pick stands,
    with its pictures, as a copy's name tells what it holds; after it this one does.
    """
    run = Run(directory.path)
    table = run.pick_table(picked)
    make_directory(run.path / "pick")
    names = _copies(table)
    for name, row in zip(names, picked.chosen, strict=True):
        write_bytes(run.path / "pick" / name, run.arrays.png(row))
    text = json.dumps({**table, _CHECKSUM: _checksum(table)}, indent=2, ensure_ascii=False) + "\n"
    write_bytes(run.path / PICK, text.encode())
    _remove_others(run.path, names)
    return [run.path / "pick" / name for name in names]


def set_pick_aside(directory: RunDirectory) -> None:
    """Make place for the pick of another front: a person's own goes to ``pick-<n>``, n the newest
    generation; the balanced one, and one that is damaged, is removed.

    ``directory`` is complete and open for writing.
    """
    path = directory.path
    if not (path / PICK).exists():
        return
    run = Run(path)
    try:
        own = _read_pick(path) != run.pick_table(run.rank())
    except RunDataError:
        own = False
    aside = path / f"pick-{len(directory.journal) - 1}"
    with naming_errors(path):
        if own and not os.path.lexists(aside):
            os.rename(path / "pick", aside)
        else:
            os.unlink(path / PICK)


def mend_pick(directory: RunDirectory) -> None:
    """Bring the pictures in ``pick/`` in line with pick.json, which stays as it is.

    Writes those that are missing or were changed again and removes earlier ones. ``directory`` is
    open for writing. Raises RunDataError when pick.json is damaged.
    """
    path = directory.path
    table = _read_pick(path)
    try:
        names = _copies(table)
        wanted = [(image["file"], image["sha256"]) for image in table["chosen"]]
    except (LookupError, TypeError) as error:
        raise _no_pick(path) from error
    front = Run(path).arrays
    rows = {f"front/{file.name}": row for row, file in enumerate(front.files)}
    for name, (file, digest) in zip(names, wanted, strict=True):
        if is_stored(path, f"pick/{name}", digest):
            continue
        if file not in rows or front.digests[rows[file]] != digest:
            raise _no_pick(path)
        write_bytes(path / "pick" / name, front.png(rows[file]))
    _remove_others(path, names)


def _read_pick(run: Path) -> dict[str, Any]:
    """pick.json as it was written; FileNotFoundError, or RunDataError when it is damaged."""
    try:
        table = json.loads(read_bytes(run / PICK))
        checksum = table.pop(_CHECKSUM)
        if checksum != _checksum(table):
            raise ValueError("it was changed")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise _no_pick(run) from error
    return dict(table)


def _no_pick(run: Path) -> RunDataError:
    return RunDataError(
        f"{run / PICK} is not a pick of this run, or was changed since; write it again with "
        f"`evo-t2i pick {run}`."
    )


def _copies(table: dict[str, Any]) -> list[str]:
    """Names of the chosen pictures in ``pick/``: their place, and their name in ``front/``."""
    return [
        f"{place:02d}-{Path(image['file']).name}"
        for place, image in enumerate(table["chosen"], start=1)
    ]


def _remove_others(run: Path, names: Sequence[str]) -> None:
    """Remove the copies of earlier picks."""
    with naming_errors(run / "pick"):
        for old in sorted(os.listdir(run / "pick")):
            if _COPY.fullmatch(old) and old not in names:
                os.unlink(run / "pick" / old)


def _checksum(table: dict[str, Any]) -> str:
    """sha256 of the values, however they are laid out."""
    text = json.dumps(table, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
