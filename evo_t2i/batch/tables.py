"""The tables of a batch: a row a caption, a row a picture, and a row a category."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from evo_t2i.batch.files import replacing
from evo_t2i.batch.jobs import Job
from evo_t2i.batch.place import Place
from evo_t2i.batch.results import Chosen, JobResult

SCHEMA = 1
"""Of the tables' columns; it goes up when one changes its meaning or goes."""
Values = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """``kind`` is str, int or float; a missing value is None."""

    name: str
    kind: type


class Table(Protocol):
    """Where rows go."""

    def add(self, values: Values) -> None:
        """One row; columns without a value are empty."""


def score_names(jobs: Iterable[Job]) -> list[str]:
    """Every score of some job, in the order of appearance."""
    return list(dict.fromkeys(name for job in jobs for name in job.config.scores))


def index_columns(scores: Sequence[str]) -> list[Column]:
    """A row a caption; scores and z are those of the first pick."""
    texts = [Column(name, str) for name in ("id", "caption", "category", "state")]
    numbers = [Column("seed", int), Column("evaluations", int), Column("front", int)]
    floats = [Column("hypervolume", float), *_score_columns(scores)]
    return [*texts, *numbers, *floats, Column("pick", str), Column("sha256", str)]


def front_columns(scores: Sequence[str]) -> list[Column]:
    """A row a picture of a front; ``front`` is 1 for those that no other of it dominates, 0 for
    those kept for their looks, ``picked`` the place among the picks, from 1."""
    return [
        Column("id", str),
        Column("individual", int),
        Column("generation", int),
        *_score_columns(scores),
        Column("front", int),
        Column("picked", int),
        Column("file", str),
        Column("sha256", str),
    ]


def index_row(result: JobResult, place: Place) -> Values:
    """The row of ``result`` under ``index_columns``; paths begin at the batch's folder."""
    job = result.job
    row: dict[str, Any] = {
        "id": job.id,
        "caption": job.config.caption,
        "category": job.category or None,
        "state": result.state,
        "seed": job.config.seed,
        "evaluations": None,
    }
    if (chosen := result.chosen) is not None:
        best = chosen.picked[0]
        row |= {
            "evaluations": chosen.facts["evaluations"],
            "front": chosen.front.led,
            "hypervolume": chosen.facts["hypervolume"][-1],
            "pick": file_in(place, chosen, best),
            "sha256": chosen.front.digests[best],
            **_scores(chosen, best),
        }
    return row


def front_rows(result: JobResult, place: Place) -> Iterator[Values]:
    """The rows of ``result`` under ``front_columns``, by ascending individual."""
    if (chosen := result.chosen) is None:
        return
    places = {row: number for number, row in enumerate(chosen.picked, start=1)}
    for row in range(len(chosen.front)):
        yield {
            "id": result.job.id,
            "individual": int(chosen.front.ids[row]),
            "generation": int(chosen.front.generations[row]),
            **_scores(chosen, row),
            "front": int(chosen.front.leading[row]),
            "picked": places.get(row),
            "file": file_in(place, chosen, row),
            "sha256": chosen.front.digests[row],
        }


def file_in(place: Place, chosen: Chosen, row: int) -> str:
    """The picture of ``row`` as a path from the batch's folder, with slashes."""
    return chosen.front.files[row].relative_to(place.path).as_posix()


class Categories:
    """Means over the captions of each category, in the order of appearance."""

    def __init__(self, scores: Sequence[str]) -> None:
        self._scores = scores
        self._values: dict[str, list[Values]] = {}

    def __len__(self) -> int:
        return len(self._values)

    @property
    def columns(self) -> list[Column]:
        """Scores and z are means over the first picks, ``front`` over the fronts' sizes."""
        counts = [Column("captions", int), Column("finished", int)]
        return [Column("category", str), *counts, Column("front", float),
                *_score_columns(self._scores)]  # fmt: skip

    def add(self, result: JobResult, index: Values) -> None:
        """Count a caption; ``index`` is its row of the index."""
        if result.job.category:
            self._values.setdefault(result.job.category, []).append(index)

    def rows(self) -> Iterator[Values]:
        """A row a category."""
        for category, values in self._values.items():
            numbers = [column.name for column in self.columns if column.kind is float]
            yield {
                "category": category,
                "captions": len(values),
                "finished": sum(row.get("front") is not None for row in values),
                **{name: _mean([row.get(name) for row in values]) for name in numbers},
            }


@contextmanager
def csv_table(path: Path, columns: Sequence[Column]) -> Iterator[Table]:
    """A CSV file in UTF-8 that replaces ``path``; numbers have six decimals."""
    with replacing(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        table = _Csv(text, columns)
        yield table
        text.flush()
        text.detach()


class _Csv:
    def __init__(self, text: io.TextIOBase, columns: Sequence[Column]) -> None:
        self._columns = columns
        self._writer = csv.writer(text, lineterminator="\n")
        self._writer.writerow([column.name for column in columns])

    def add(self, values: Values) -> None:
        self._writer.writerow([_cell(values.get(column.name)) for column in self._columns])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.6f}" if isinstance(value, float) else str(value)


def _score_columns(scores: Sequence[str]) -> list[Column]:
    return [*(Column(name, float) for name in scores),
            *(Column(f"{name}_z", float) for name in scores)]  # fmt: skip


def _scores(chosen: Chosen, row: int) -> dict[str, float]:
    names = chosen.front.score_names
    scores = dict(zip(names, chosen.front.scores[row].tolist(), strict=True))
    z = dict(zip((f"{name}_z" for name in names), chosen.z[row].tolist(), strict=True))
    return scores | z


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
