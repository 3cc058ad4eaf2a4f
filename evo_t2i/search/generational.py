"""What generational searches have in common: asking, counting, archiving, going on from arrays."""

from abc import ABC, abstractmethod
from collections.abc import Mapping

import numpy as np

from evo_t2i.points import Points, state_count
from evo_t2i.search.archive import extend


def random_generator(seed: int, generation: int, step: int) -> np.random.Generator:
    """A generation's random stream: step 0 makes its points, step 1 chooses the survivors.

    Nothing carries over from one generation to the next, so a seed and a number resume any run.
    """
    return np.random.default_rng([seed, generation, step])


class Generational(ABC):
    """A search in two functions: ``_propose`` makes a generation's latents, ``_select`` the next
    population.

    Keeps the promises of ``evo_t2i.search.protocol.Search``: the same latents until they are told,
    ids in the order of evaluation, the archive, and a state of plain arrays. A search with a memory
    beyond its population adds that to ``state`` and ``restore``. One that ``wants`` descriptors of
    the pictures finds those of the newest points in ``described``.
    """

    wants: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def __init__(self, *, dimensions: int, objectives: int, seed: int) -> None:
        self.generation = 0
        self.population = Points.empty(dimensions, objectives)
        self.archive = Points.empty(dimensions, objectives)
        self._seed = seed
        self._evaluations = 0
        self._asked: tuple[np.ndarray, np.ndarray] | None = None
        self.described: Mapping[str, np.ndarray] = {}
        """(n, k) float32 by name, of the points that are told now."""

    @abstractmethod
    def _propose(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Latents (n, d) float32 and the ids of their parents (n, 2), -1 for none."""

    @abstractmethod
    def _select(self, points: Points, rng: np.random.Generator) -> Points:
        """The next population, from the present one and the new ``points``.

        Rows that are not finite survive only where nothing else can.
        """

    def _archived(self, points: Points) -> Points:
        """The archive with the new ``points``; called after ``_select``."""
        return extend(self.archive, points)

    def ask(self) -> np.ndarray:
        """(n, d) float32; the same until they are told."""
        if self._asked is None:
            rng = random_generator(self._seed, self.generation, step=0)
            self._asked = self._propose(rng)
        return self._asked[0].copy()

    def tell(
        self,
        latents: np.ndarray,
        scores: np.ndarray,
        described: Mapping[str, np.ndarray] | None = None,
    ) -> Points:
        """(n, m) scores, higher is better, of the (n, d) latents that ``ask`` returned, and what
        the search ``wants`` to know of their pictures.

        The latents may have moved since (refined by gradients); those that are told count. Returns
        the points that came of it. Raises ValueError without an ``ask`` before it, for another
        shape and without something that the search wants.
        """
        if self._asked is None:
            raise ValueError("tell needs an ask before it")
        asked, parents = self._asked
        expected = (len(asked), self.archive.scores.shape[1])
        if latents.shape != asked.shape or scores.shape != expected:
            raise ValueError(
                f"expected latents {asked.shape} and scores {expected}, "
                f"got {latents.shape} and {scores.shape}"
            )
        self.described = described or {}
        for name in self.wants:
            if len(self.described.get(name, ())) != len(asked):
                raise ValueError(f"this search wants {name!r} of {len(asked)} pictures")
        points = Points(
            latents=latents.astype(np.float32),
            scores=scores.astype(np.float64),
            ids=np.arange(self._evaluations, self._evaluations + len(asked), dtype=np.int64),
            parents=parents,
            generations=np.full(len(asked), self.generation, np.int64),
        )
        rng = random_generator(self._seed, self.generation, step=1)
        self.population = self._select(points, rng)
        self.archive = self._archived(points)
        self.generation += 1
        self._evaluations += len(points)
        self._asked = None
        return points

    def state(self) -> dict[str, np.ndarray]:
        """Arrays from which ``restore`` continues bit for bit; taken after ``tell``."""
        return {
            "generation": np.array(self.generation, np.int64),
            "evaluations": np.array(self._evaluations, np.int64),
            **self.population.to_state("population"),
            **self.archive.to_state("archive"),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue where ``state`` was taken; raises RunDataError when it does not fit this run."""
        shape = self.archive.latents.shape[1], self.archive.scores.shape[1]
        population = Points.from_state(state, "population", *shape)
        archive = Points.from_state(state, "archive", *shape)
        generation = state_count(state, "generation")
        evaluations = state_count(state, "evaluations")
        self.population, self.archive = population, archive
        self.generation, self._evaluations = generation, evaluations
        self._asked = None
