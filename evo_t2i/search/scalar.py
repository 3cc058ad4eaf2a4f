"""What searches for one number have in common: the mean of all scores as z against generation 0."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from evo_t2i.config import RunConfig
from evo_t2i.picking.scale import robust_scale, standardise
from evo_t2i.points import Points, state_array
from evo_t2i.search.generational import Generational
from evo_t2i.search.protocol import Sample
from evo_t2i.search.steps import crank_nicolson


class ScalarSearch(Generational):
    """A search that sees of each point only its ``value``; the archive sees all scores.

    Generation 0 is drawn from the prior, as NSGA-II's is for the same seed. A subclass says how
    ``_offspring`` are made and who is kept.
    """

    Options: Any = None
    """A subclass's dataclass, if it has options."""

    def __init__(
        self,
        *,
        sample: Sample,
        dimensions: int,
        objectives: int,
        config: RunConfig,
        options: Any = None,
    ) -> None:
        super().__init__(dimensions=dimensions, objectives=objectives, seed=config.seed)
        self._sample = sample
        self._config = config
        self._options = self.Options() if self.Options and options is None else options
        self._scale = np.zeros(objectives), np.zeros(objectives)

    @abstractmethod
    def _offspring(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """``config.offspring`` latents (n, d) and the rows (n, 2) of the population that they come
        from, -1 for none."""

    @abstractmethod
    def _kept(self, points: Points, rng: np.random.Generator) -> Points:
        """The next population, from the present one and the new ``points``."""

    def value(self, points: Points) -> np.ndarray:
        """(n,) the mean z of each point; -inf for one that failed to score."""
        z = standardise(points.scores, *self._scale)
        failed = ~np.isfinite(points.scores).all(axis=1)
        z[failed] = -np.inf
        values: np.ndarray = z.mean(axis=1)
        return values

    def best(self, points: Points, count: int) -> Points:
        """The ``count`` of highest value, best first; the earlier of equals."""
        return points[np.lexsort((points.ids, -self.value(points)))[:count]]

    def _propose(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        if self.generation == 0:
            latents = self._sample(self._config.started, rng).astype(np.float32)
            return latents, np.full((len(latents), 2), -1, np.int64)
        latents, rows = self._offspring(rng)
        ids = np.where(rows >= 0, self.population.ids[rows], -1)
        return latents.astype(np.float32), ids.astype(np.int64)

    def _select(self, points: Points, rng: np.random.Generator) -> Points:
        if self.generation == 0:
            self._scale = robust_scale(points.scores)
        return self._kept(points, rng)

    def state(self) -> dict[str, np.ndarray]:
        """As for every search, with generation 0's scale."""
        centre, spread = self._scale
        return super().state() | {"scale.centre": centre, "scale.spread": spread}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue where ``state`` was taken; raises RunDataError when it does not fit this run."""
        super().restore(state)
        self._scale = (
            state_array(state, "scale.centre").copy(),
            state_array(state, "scale.spread").copy(),
        )


def pairs_of(rows: np.ndarray) -> np.ndarray:
    """(n,) rows of one parent each → (n, 2)."""
    return np.stack([rows, np.full(len(rows), -1)], axis=1)


def tournament_by(
    values: np.ndarray, count: int, size: int, rng: np.random.Generator
) -> np.ndarray:
    """(count,) rows: the best of ``size`` that are drawn with replacement, each time."""
    drawn = rng.integers(len(values), size=(count, size))
    winners: np.ndarray = drawn[np.arange(count), np.argmax(values[drawn], axis=1)]
    return winners


def best_of_share(
    values: np.ndarray, count: int, share: float, rng: np.random.Generator
) -> np.ndarray:
    """(count,) rows: the best of ``share`` of all that are drawn without replacement, each time.

    Drawn from the chances of each rank: the k best are all left out with
    Π_{i<k} (left out - i) / (n - i).
    """
    order = np.argsort(-values, kind="stable")
    drawn = max(1, int(share * len(values)))
    left_out = len(values) - drawn
    before = np.arange(left_out)
    misses = np.cumprod(np.concatenate([[1.0], (left_out - before) / (len(values) - before)]))
    chances = misses * drawn / (len(values) - np.arange(left_out + 1))
    rows: np.ndarray = order[rng.choice(left_out + 1, size=count, p=chances / chances.sum())]
    return rows


def stepped(latents: np.ndarray, step: float, rng: np.random.Generator) -> np.ndarray:
    """A ``crank_nicolson`` step of each latent."""
    noise = rng.standard_normal(latents.shape, dtype=np.float32)
    return crank_nicolson(latents, noise, np.float32(step))
