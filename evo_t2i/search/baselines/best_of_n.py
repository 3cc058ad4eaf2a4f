"""Best of N: draw from the prior, keep the best."""

import numpy as np

from evo_t2i.points import Points
from evo_t2i.search.scalar import ScalarSearch


class BestOfN(ScalarSearch):
    """As random search; the population are the best so far, ``config.population`` of them."""

    def _offspring(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        count = self._config.offspring
        return self._sample(count, rng), np.full((count, 2), -1, np.int64)

    def _kept(self, points: Points, _rng: np.random.Generator) -> Points:
        return self.best(Points.joined([self.population, points]), self._config.population)
