"""EvoSearch's mutation of the initial noise (He et al., 2025, arXiv 2505.17618)."""

from dataclasses import dataclass

import numpy as np

from evo_t2i.config import described, require
from evo_t2i.points import Points
from evo_t2i.search.scalar import ScalarSearch, best_of_share, pairs_of, stepped


class EvoSearch(ScalarSearch):
    """Elites stay, all others are mutated winners of tournaments; no crossover.

    A tournament is among nine tenths of the points, so nearly all children are the best one's or
    the second's. The mutation z' = sqrt(1 - β²) z + β ε keeps the prior. The paper also mutates the
    states between a pipeline's steps, which a search over initial noise does not see.
    """

    @dataclass(frozen=True, kw_only=True)
    class Options:
        """The defaults are those of the authors' program for Stable Diffusion 2.1."""

        step: float = described("Beta of the mutation, above 0, at most 1.", 0.2)
        elites: int = described("Points that stay as they are.", 5)
        tournament: float = described("Share of the points that are in a tournament.", 0.9)

        def __post_init__(self) -> None:
            require(0 < self.step <= 1, "step", self.step, "a number above 0, at most 1")
            require(self.elites >= 1, "elites", self.elites, "1 or more")
            require(
                0 < self.tournament <= 1,
                "tournament",
                self.tournament,
                "a share above 0, at most 1",
            )

    def _offspring(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        values, options = self.value(self.population), self._options
        rows = best_of_share(values, self._config.offspring, options.tournament, rng)
        moved = stepped(self.population.latents[rows], options.step, rng)
        return moved, pairs_of(rows)

    def _kept(self, points: Points, _rng: np.random.Generator) -> Points:
        elites = self.best(self.population, self._options.elites)
        return Points.joined([elites, points])
