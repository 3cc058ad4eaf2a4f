"""What every search has in common: the protocol, sets of evaluated points, names of the parts."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from evo_t2i.errors import RunDataError, UsageError

OPERATORS = ("uniform-pcn", "sbx-pm")
"""Ways to make offspring: see ``evo_t2i.search.operators``."""
SURVIVALS = ("reference", "mnn", "crowding")
"""Ways to choose the next population: see ``evo_t2i.search.survival``."""

Sample = Callable[[int, np.random.Generator], np.ndarray]
"""Draws ``count`` latents from the prior: (count, rng) → (count, d) float32."""


def random_generator(seed: int, generation: int, step: int) -> np.random.Generator:
    """A generation's random stream: step 0 makes its points, step 1 chooses the survivors.

    Nothing carries over from one generation to the next, so a seed and a number resume any run.
    """
    return np.random.default_rng([seed, generation, step])


def check_choice(option: str, name: str, choices: tuple[str, ...]) -> None:
    """Raise UsageError, naming the choices, unless ``name`` is one of them."""
    if name not in choices:
        raise UsageError(f"{option} is {name!r}; choose from {', '.join(choices)}.")


@dataclass(frozen=True)
class Archive:
    """Evaluated points, one a row."""

    latents: np.ndarray
    """(n, d) float32."""
    scores: np.ndarray
    """(n, m) float64, higher is better."""
    ids: np.ndarray
    """(n,) int64: the order of evaluation, from 0."""
    parents: np.ndarray
    """(n, 2) int64 ids; -1 for a point that was drawn from the prior."""
    generations: np.ndarray
    """(n,) int64: the generation that evaluated the point, from 0."""

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: np.ndarray) -> "Archive":
        """The points of some rows: an index array or a mask."""
        return Archive(*(array[rows] for array in self._arrays()))

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

    def joined(self, other: "Archive") -> "Archive":
        """These points, then the other's."""
        pairs = zip(self._arrays(), other._arrays(), strict=True)
        return Archive(*(np.concatenate(pair) for pair in pairs))

    def to_state(self, name: str) -> dict[str, np.ndarray]:
        """Arrays under ``name.latents``, ``name.scores`` …, copied."""
        fields = dataclasses.fields(self)
        return {f"{name}.{field.name}": getattr(self, field.name).copy() for field in fields}

    @classmethod
    def from_state(
        cls, state: Mapping[str, np.ndarray], name: str, dimensions: int, objectives: int
    ) -> Self:
        """Read ``to_state`` back.

        Raises RunDataError when an array is missing or belongs to another kind of run.
        """
        like = cls.empty(dimensions, objectives)
        arrays = {}
        count = len(state_array(state, f"{name}.ids"))
        for field in dataclasses.fields(cls):
            expected = getattr(like, field.name)
            array = state_array(state, f"{name}.{field.name}")
            shape = (count, *expected.shape[1:])
            if array.shape != shape or array.dtype != expected.dtype:
                raise RunDataError(
                    f"The saved state's {name}.{field.name} is {array.dtype}{array.shape}, not "
                    f"{expected.dtype}{shape}; it belongs to another run: start a new one."
                )
            arrays[field.name] = array.copy()
        return cls(**arrays)

    def _arrays(self) -> tuple[np.ndarray, ...]:
        return (self.latents, self.scores, self.ids, self.parents, self.generations)


def state_array(state: Mapping[str, np.ndarray], key: str) -> np.ndarray:
    """An array of a saved state; raises RunDataError when it is missing."""
    if key not in state:
        raise RunDataError(
            f"The saved state has no {key!r}; it is damaged or belongs to another sampler: "
            "start a new run."
        )
    return state[key]


class Search(Protocol):
    """Proposes latents and learns from their scores, generation after generation.

    A factory takes keyword-only ``sample`` (Sample), ``dimensions``, ``objectives`` and ``config``
    (RunConfig), and raises UsageError for an option that it does not honour.
    """

    @property
    def generation(self) -> int:
        """Generations told so far; 0 before the first ``tell``."""

    def ask(self) -> np.ndarray:
        """(n, d) float32: ``config.population`` latents first, then ``config.offspring`` each time.

        Asking again before ``tell`` gives the same latents.
        """

    def tell(self, latents: np.ndarray, scores: np.ndarray) -> None:
        """Learn what ``ask`` just returned scored.

        ``scores`` is (n, m), higher is better. A row that is not finite counts as a failure: it
        never displaces a finite one and is never archived. Raises ValueError without an ``ask``
        before it or for another shape.
        """

    @property
    def parents(self) -> np.ndarray:
        """(n, 2) int64 ids of the parents of what ``ask`` just returned; -1 for none."""

    @property
    def archive(self) -> Archive:
        """All finite non-dominated points told so far, ids ascending."""

    @property
    def population(self) -> Archive:
        """The points that the next generation starts from."""

    def state(self) -> dict[str, np.ndarray]:
        """Everything ``restore`` needs, as arrays."""

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue where ``state`` was taken, bit for bit; RunDataError if it does not fit."""
