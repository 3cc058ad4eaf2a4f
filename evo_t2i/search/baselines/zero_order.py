"""Zero-order search around a pivot (Ma et al., 2025, arXiv 2501.09732)."""

from dataclasses import dataclass

import numpy as np

from evo_t2i.config import described, require
from evo_t2i.points import Points
from evo_t2i.search.scalar import ScalarSearch, pairs_of, stepped


class ZeroOrder(ScalarSearch):
    """Neighbours of the best point so far; the best of them is the next pivot where it is better.

    Neighbours are pCN steps, so that they stay on the prior's shell, with a cosine of 0.95 to the
    pivot, as in the program by Paul and Ma (tt-scale-flux).
    """

    @dataclass(frozen=True, kw_only=True)
    class Options:
        """How far neighbours are."""

        step: float = described("Beta of a neighbour, above 0, at most 1.", 0.312)

        def __post_init__(self) -> None:
            require(0 < self.step <= 1, "step", self.step, "a number above 0, at most 1")

    def _offspring(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        rows = np.zeros(self._config.offspring, np.int64)
        moved = stepped(self.population.latents[rows], self._options.step, rng)
        return moved, pairs_of(rows)

    def _kept(self, points: Points, _rng: np.random.Generator) -> Points:
        return self.best(Points.joined([self.population, points]), 1)
