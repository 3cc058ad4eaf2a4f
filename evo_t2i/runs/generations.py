"""The generations of a run: their two files, their line in the journal, and the way back.

The line is the commit: files that no line names do not count.
"""

import dataclasses
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from evo_t2i.errors import RunDataError
from evo_t2i.points import Points
from evo_t2i.runs.atomic import make_directory, naming_errors, require_directory
from evo_t2i.runs.journal import Journal
from evo_t2i.runs.stored import Layout, is_stored, packed, store, stored, unpacked

STATES_KEPT = 2
"""Besides generation 0, so many of the newest generations keep their full state."""

_STATE_FILE = re.compile(r"(\d{4,})\.state\.safetensors")
_STATE = "state."


@dataclass(frozen=True)
class GenerationFacts:
    """What the journal says of one generation. Raises ValueError for values that make no sense."""

    evaluations: int
    """Images scored so far, this generation's included."""
    front: int
    """Images on the front after it."""
    hypervolume: float
    """Of that front, in units of ``box``."""
    box: tuple[tuple[float, ...], tuple[float, ...]]
    """The reference and the best corner of generation 0's box, a number for each score."""
    micro_batch: int
    """Images that were generated and scored at once, 1 or more."""
    models: dict[str, str]
    """The digest of every model that decides the result."""
    environment: dict[str, str | int]
    """What beside them can change the last bits: threads, versions of libraries."""

    def __post_init__(self) -> None:
        _require(_whole(self.evaluations, 0), "evaluations", self.evaluations)
        _require(_whole(self.front, 0), "front", self.front)
        _require(
            _finite(self.hypervolume) and self.hypervolume >= 0, "hypervolume", self.hypervolume
        )
        _require(len(self.box) == 2 and len(self.box[0]) == len(self.box[1]), "box", self.box)
        _require(all(_finite(value) for corner in self.box for value in corner), "box", self.box)
        _require(_whole(self.micro_batch, 1), "micro_batch", self.micro_batch)
        for name, kinds in (("models", (str,)), ("environment", (str, int))):
            given = getattr(self, name)
            texts = isinstance(given, dict) and all(
                type(key) is str and type(value) in kinds for key, value in given.items()
            )
            _require(texts, name, given)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; ``from_json`` reads it back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Raises ValueError for a key that is missing or of the wrong type; others are left."""
        try:
            given = {field.name: values[field.name] for field in dataclasses.fields(cls)}
            reference, best = given["box"]
            return cls(**given | {"box": (tuple(reference), tuple(best))})
        except KeyError as error:
            raise ValueError(f"{error.args[0]} is missing") from error
        except TypeError as error:
            raise ValueError(f"box is {values['box']!r}") from error


class Generations:
    """The committed generations of the run in the folder ``path``.

    ``objectives`` is the number of scores. What is stepped around is said in ``warnings``. Raises
    RunDataError for a journal whose lines are not generations in order.
    """

    def __init__(self, path: Path, journal: Journal, objectives: int, warnings: list[str]) -> None:
        self._path = path
        self._journal = journal
        self._objectives = objectives
        self._warnings = warnings
        for number, entry in enumerate(self.entries):
            self._check(number, entry)

    @property
    def entries(self) -> list[dict[str, Any]]:
        """The journal's lines of generations."""
        return [entry for entry in self._journal.entries if "generation" in entry]

    def facts(self, generation: int) -> GenerationFacts:
        """What was committed with ``generation``; RunDataError when there is none such."""
        return GenerationFacts.from_json(self._entry(generation))

    def commit(
        self, points: Points, state: Mapping[str, np.ndarray], facts: GenerationFacts
    ) -> None:
        """Make the generation of ``points`` durable: its files, then its journal line.

        One that is committed already is replaced, with all after it.
        """
        generation = int(points.generations[0])
        if (points.generations != generation).any():
            raise ValueError("the points are of several generations")
        committed = len(self.entries)
        if not 0 <= generation <= committed:
            raise ValueError(f"generation {generation} cannot follow {committed} committed ones")
        self._journal.truncate(1 + generation)
        make_directory(self._path / "gen")
        scored = {"scores": points.scores, "ids": points.ids, "parents": points.parents}
        full = {"latents": points.latents} | {_STATE + key: state[key] for key in sorted(state)}
        files = {
            name: store(self._path, name, packed(arrays))
            for name, arrays in (
                (_scores_name(generation), scored),
                (_state_name(generation), full),
            )
        }
        self._journal.append({"generation": generation, "files": files, **facts.to_json()})
        self.prune()

    def last(self) -> tuple[int, dict[str, np.ndarray]] | None:
        """The newest generation that can be gone on from, and the search's state there.

        Steps back over damaged or missing files, as far as generation 0, and says so in
        ``warnings``; None when the run has to begin anew.
        """
        entries = self.entries
        usable = 0
        for entry in entries:
            if not self._intact(entry, _scores_name(entry["generation"])):
                break
            usable += 1
        found: tuple[int, dict[str, np.ndarray]] | None = None
        for entry in reversed(entries[:usable]):
            generation = entry["generation"]
            if self._intact(entry, _state_name(generation)):
                found = generation, self._state(generation)[1]
                break
        if found is not None and not self._intact(entries[0], _state_name(0)):
            found = None  # generation 0 is shown beside the pick, so it is needed as well
        if entries and (found is None or found[0] < len(entries) - 1):
            place = "the start" if found is None else f"generation {found[0]}"
            self._warnings.append(
                f"Files of generation {len(entries) - 1} or before it are damaged or missing; "
                f"the run goes on from {place} and comes to the same result."
            )
        return found

    def record(self, generation: int) -> Points:
        """Generation 0 or one of the last two, with latents; RunDataError for any other."""
        scored = self._scored(generation)
        latents, _ = self._state(generation)
        if len(latents) != len(scored):
            raise RunDataError(
                f"{self._path / _state_name(generation)} has {len(latents)} latents for "
                f"{len(scored)} scores; start a new run."
            )
        return dataclasses.replace(scored, latents=latents)

    def history(self) -> Points:
        """Every committed evaluation, without latents; there is at least one generation."""
        return Points.joined([self._scored(entry["generation"]) for entry in self.entries])

    def generation0_scores(self) -> np.ndarray:
        """(k, m)."""
        return self._scored(0).scores

    def damaged(self) -> tuple[str, ...]:
        """Names of the files that are needed and were changed or are missing: all scores, and the
        states of generation 0 and the newest. The other states are spare ones for the newest."""
        entries = self.entries
        names = [(entry, _scores_name(entry["generation"])) for entry in entries]
        names += [(entries[place], _state_name(entries[place]["generation"])) for place in (0, -1)]
        return tuple(dict.fromkeys(name for entry, name in names if not self._intact(entry, name)))

    def prune(self) -> None:
        """Remove the full states that are no longer kept."""
        if not os.path.lexists(self._path / "gen"):
            return
        require_directory(self._path / "gen")
        committed = len(self.entries)
        with naming_errors(self._path / "gen"):
            for name in sorted(os.listdir(self._path / "gen")):
                match = _STATE_FILE.fullmatch(name)
                if match and 0 < int(match[1]) < committed - STATES_KEPT:
                    os.unlink(self._path / "gen" / name)

    def _check(self, number: int, entry: Mapping[str, Any]) -> None:
        if entry["generation"] != number:
            raise RunDataError(
                f"{self._journal.path} does not list the generations in order; "
                "restore a copy or start a new run."
            )
        names = {_scores_name(number), _state_name(number)}
        try:
            facts = GenerationFacts.from_json(entry)
            if len(facts.box[0]) != self._objectives:
                raise ValueError(f"box has {len(facts.box[0])} scores")
            if not is_digests(entry.get("files")) or set(entry["files"]) != names:
                raise ValueError("files are not the two of a generation")
        except ValueError as error:
            raise RunDataError(
                f"{self._journal.path} says of generation {number} what no run writes ({error}); "
                "restore a copy or start a new run."
            ) from error

    def _entry(self, generation: int) -> dict[str, Any]:
        entries = self.entries
        if not 0 <= generation < len(entries):
            raise RunDataError(
                f"{self._path} has no generation {generation}, only {len(entries)} committed ones; "
                f"run `evo-t2i resume {self._path}` to go on."
            )
        return entries[generation]

    def _scored(self, generation: int) -> Points:
        name = _scores_name(generation)
        arrays = self._arrays(generation, name, scored_layout(self._objectives))
        count = len(arrays["ids"])
        return Points(
            latents=np.empty((count, 0), np.float32),
            generations=np.full(count, generation, np.int64),
            **{key: arrays[key] for key in ("scores", "ids", "parents")},
        )

    def _state(self, generation: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        layout: Layout = {"latents": (np.float32, (None, None))}
        arrays = self._arrays(generation, _state_name(generation), layout)
        state = {key.removeprefix(_STATE): arrays[key] for key in arrays if key.startswith(_STATE)}
        return arrays["latents"], state

    def _arrays(self, generation: int, name: str, layout: Layout) -> dict[str, np.ndarray]:
        data = stored(self._path, name, self._entry(generation)["files"][name])
        return unpacked(data, self._path / name, layout)

    def _intact(self, entry: Mapping[str, Any], name: str) -> bool:
        return is_stored(self._path, name, entry["files"][name])


def environment_warning(
    then: Sequence[Mapping[str, str | int]], now: Mapping[str, str | int]
) -> str | None:
    """What to say when a run goes on under other libraries or threads than it was computed with.

    ``then`` are the environments of its generations so far; None when all are as ``now``.
    """
    for before in then:
        differing = [
            f"{name} {before.get(name, 'none')}, now {now.get(name, 'none')}"
            for name in sorted(before.keys() | now.keys())
            if before.get(name) != now.get(name)
        ]
        if differing:
            return (
                f"The run was computed with {'; '.join(differing)}: its last bits, and with them "
                "in time its pictures, may differ from an uninterrupted run's."
            )
    return None


def scored_layout(objectives: int) -> Layout:
    """Of scores, ids and parents in a file of a run."""
    return {
        "scores": (np.float64, (None, objectives)),
        "ids": (np.int64, (None,)),
        "parents": (np.int64, (None, 2)),
    }


def is_digests(files: object) -> bool:
    """Whether this is digests by name."""
    return isinstance(files, dict) and all(
        isinstance(name, str) and isinstance(digest, str) for name, digest in files.items()
    )


def _scores_name(generation: int) -> str:
    return f"gen/{generation:04d}.safetensors"


def _state_name(generation: int) -> str:
    return f"gen/{generation:04d}.state.safetensors"


def _whole(value: object, least: int) -> bool:
    return type(value) is int and value >= least


def _finite(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value)


def _require(condition: bool, name: str, value: object) -> None:
    if not condition:
        raise ValueError(f"{name} is {value!r}")
