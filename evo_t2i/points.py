"""One set of evaluated points: what the search makes, a run keeps and a page shows."""

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from evo_t2i.errors import RunDataError

LARGEST_SCORE = 1e100
"""A score beyond this, up or down, is none: it could not be squared or measured any more."""


def usable(scores: np.ndarray) -> np.ndarray:
    """(n,) which rows of (n, m) scores have all of them, finite and up to ``LARGEST_SCORE``."""
    rows: np.ndarray = (np.abs(scores) <= LARGEST_SCORE).all(axis=1)
    return rows


@dataclass(frozen=True, eq=False)
class Points:
    """Latents with their scores and their descent, one point a row."""

    latents: np.ndarray
    """(n, d) float32; d is 0 where the latents were not kept."""
    scores: np.ndarray
    """(n, m) float64, higher is better; nan where an image had no score."""
    ids: np.ndarray
    """(n,) int64: the order of evaluation, from 0."""
    parents: np.ndarray
    """(n, 2) int64 ids; -1 for a point that was drawn from the prior."""
    generations: np.ndarray
    """(n,) int64: the generation that evaluated the point, from 0."""

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def leading(self) -> np.ndarray:
        """(n,) bool: the points that none of these dominates; their scores must be finite."""
        import moocore  # takes a tenth of a second that most commands need not wait

        led: np.ndarray = moocore.is_nondominated(self.scores, maximise=True, keep_weakly=True)
        return led

    @property
    def led(self) -> int:
        """How many are ``leading``."""
        return int(self.leading.sum())

    def __getitem__(self, rows: np.ndarray | slice) -> "Points":
        """The points of some rows: an index array, a mask or a slice."""
        return Points(**{name: array[rows] for name, array in self.arrays().items()})

    @classmethod
    def empty(cls, dimensions: int, objectives: int) -> Self:
        """No points, with latents of ``dimensions`` numbers and ``objectives`` scores."""
        return cls(
            latents=np.empty((0, dimensions), np.float32),
            scores=np.empty((0, objectives), np.float64),
            ids=np.empty(0, np.int64),
            parents=np.empty((0, 2), np.int64),
            generations=np.empty(0, np.int64),
        )

    @classmethod
    def joined(cls, parts: "Iterable[Points]") -> Self:
        """All points of one part after the other; there is at least one part."""
        columns = zip(*(part.arrays().values() for part in parts), strict=True)
        return cls(*(np.concatenate(column) for column in columns))

    def arrays(self) -> dict[str, np.ndarray]:
        """The five arrays by their names; not copied."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(Points)}

    def to_state(self, name: str) -> dict[str, np.ndarray]:
        """Arrays under ``name.latents``, ``name.scores`` …, copied."""
        return {f"{name}.{key}": array.copy() for key, array in self.arrays().items()}

    @classmethod
    def from_state(
        cls, state: Mapping[str, np.ndarray], name: str, dimensions: int, objectives: int
    ) -> Self:
        """Read ``to_state`` back.

        Raises RunDataError when an array is missing or belongs to another kind of run.
        """
        count = len(state_array(state, f"{name}.ids", dimensions=1))
        arrays = {}
        for key, expected in cls.empty(dimensions, objectives).arrays().items():
            array = state_array(state, f"{name}.{key}")
            shape = (count, *expected.shape[1:])
            if array.shape != shape or array.dtype != expected.dtype:
                raise RunDataError(
                    f"The saved state's {name}.{key} is {array.dtype}{array.shape}, not "
                    f"{expected.dtype}{shape}; it belongs to another run: start a new one."
                )
            arrays[key] = array.copy()
        return cls(**arrays)


def state_array(
    state: Mapping[str, np.ndarray], key: str, dimensions: int | None = None
) -> np.ndarray:
    """An array of a saved state; raises RunDataError when it is missing or has others than so many
    dimensions."""
    if key not in state:
        raise RunDataError(
            f"The saved state has no {key!r}; it is damaged or belongs to another sampler: "
            "start a new run."
        )
    array = state[key]
    if dimensions is not None and array.ndim != dimensions:
        raise RunDataError(
            f"The saved state's {key} has {array.ndim} dimensions, not {dimensions}; it is damaged "
            "or belongs to another sampler: start a new run."
        )
    return array


def state_count(state: Mapping[str, np.ndarray], key: str) -> int:
    """A whole number of a saved state, 0 or more; raises RunDataError when there is none."""
    array = state_array(state, key, dimensions=0)
    if array.dtype.kind not in "iu" or array < 0:
        raise RunDataError(
            f"The saved state's {key} is {array.dtype} {array}, not a whole number from 0 on; it "
            "is damaged or belongs to another sampler: start a new run."
        )
    return int(array)
