"""A finished run as people use it: its front, its pictures, its pick."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from PIL import Image

from evo_t2i.config import RunConfig
from evo_t2i.errors import RunDataError, UsageError
from evo_t2i.picking.exported import read_exported
from evo_t2i.picking.methods import Pick, pick
from evo_t2i.picking.table import pick_json
from evo_t2i.runs.atomic import make_directory, write_bytes
from evo_t2i.runs.directory import Front, RunDirectory


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

    Raises RunDataError when the run is unfinished or damaged.
    """

    def __init__(self, path: Path | str):
        self.path = Path(path)
        self._directory = RunDirectory.open(self.path)
        self._front = self._directory.front()

    @property
    def config(self) -> RunConfig:
        """What was asked."""
        return self._directory.config

    @property
    def facts(self) -> dict[str, object]:
        """The run's run.json: models, label coverage, evaluations, hypervolume by generation."""
        return self._directory.facts()

    @property
    def arrays(self) -> Front:
        """The front as arrays, with generation 0's scores."""
        return self._front

    @cached_property
    def front(self) -> list[FrontImage]:
        """The non-dominated pictures, by ascending id."""
        return [self._image(row) for row in range(len(self._front))]

    def rank(
        self,
        *,
        method: str = "balanced",
        weights: Mapping[str, float] | None = None,
        floors: Mapping[str, float] | None = None,
        count: int = 1,
        order: Sequence[str] | None = None,
        tolerance: float | None = None,
    ) -> Pick:
        """The picking itself, with its table; rows index ``front``."""
        return pick(
            self._front.scores,
            self._front.generation0_scores,
            self._front.score_names,
            method=method,
            weights=dict(weights) if weights else None,
            floors=dict(floors) if floors else None,
            count=count,
            order=order,
            tolerance=tolerance,
        )

    def picked(self) -> Pick:
        """The pick that ``pick/pick.json`` tells of; the balanced one when there is none.

        Raises RunDataError for a pick.json that does not fit the run.
        """
        path = self.path / "pick" / "pick.json"
        if not path.exists():
            return self.rank()
        rows = {f"front/{file.name}": row for row, file in enumerate(self._front.files)}
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
            weighted = table["method"] != "extremes" and any(table["weights"].values())
            again = self.rank(
                method=table["method"],
                weights=table["weights"] if weighted else None,
                floors=table["floors"],
                order=table.get("order"),
                tolerance=table.get("tolerance"),
            )
            chosen = tuple(rows[image["file"]] for image in table["chosen"])
        except (ValueError, LookupError, TypeError, AttributeError, UsageError) as error:
            raise RunDataError(
                f"{path} is not a pick of this run; write it again with `evo-t2i pick {self.path}`."
            ) from error
        return replace(again, chosen=chosen)

    def chosen_on_page(self, file: Path | str) -> Pick:
        """The pictures that a person picked (or starred) on the run's page, from the pick.json that
        it exported; in their order, with the values of the method and weights set there.

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
        ranked = self.rank(
            method=exported.method,
            weights=exported.weights,
            floors=exported.floors,
            order=exported.order,
            tolerance=exported.tolerance,
        )
        best = self._front.files[ranked.chosen[0]].name
        by_method = f"{exported.method} itself would take front/{best}."
        return replace(
            ranked,
            chosen=tuple(rows[individual] for individual in exported.ids),
            runner_up=None,
            margin=None,
            notes=(f"Chosen by hand; {by_method}", *ranked.notes),
        )

    def pick(
        self,
        *,
        method: str = "balanced",
        weights: Mapping[str, float] | None = None,
        floors: Mapping[str, float] | None = None,
        count: int = 1,
        order: Sequence[str] | None = None,
        tolerance: float | None = None,
    ) -> list[FrontImage]:
        """The best pictures, best first; see ``evo_t2i.picking.methods.pick`` for the methods."""
        ranked = self.rank(
            method=method,
            weights=weights,
            floors=floors,
            count=count,
            order=order,
            tolerance=tolerance,
        )
        return [self._image(row) for row in ranked.chosen]

    def _image(self, row: int) -> FrontImage:
        front = self._front
        return FrontImage(
            id=int(front.ids[row]),
            file=front.files[row],
            generation=int(front.generations[row]),
            scores=dict(zip(front.score_names, front.scores[row].tolist(), strict=True)),
            image=Image.fromarray(front.image(row)),
        )


def write_pick(run: Run, picked: Pick, *, name: str = "pick") -> list[Path]:
    """Copy the chosen pictures to ``pick/`` with their table as pick.json; returns the copies."""
    front = run.arrays
    files = [f"front/{file.name}" for file in front.files]
    folder = run.path / name
    make_directory(folder)
    copies = []
    for place, row in enumerate(picked.chosen, start=1):
        copies.append(folder / f"{place:02d}-{front.files[row].name}")
        write_bytes(copies[-1], front.png(row))
    for old in folder.glob("[0-9][0-9]*-*.png"):
        if old not in copies:
            old.unlink()
    table = pick_json(picked, front.scores, front.score_names, files)
    text = json.dumps(table, indent=2, ensure_ascii=False) + "\n"
    write_bytes(folder / "pick.json", text.encode())
    return copies
