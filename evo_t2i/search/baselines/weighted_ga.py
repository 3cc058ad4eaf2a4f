"""A genetic algorithm for one number: NSGA-II's default operators, the best survive."""

import numpy as np

from evo_t2i.points import Points
from evo_t2i.search.operators import build_operators, offspring
from evo_t2i.search.scalar import ScalarSearch, tournament_by


class WeightedGa(ScalarSearch):
    """Binary tournament, uniform crossover, pCN; of parents and offspring the best by value.

    It tells what many objectives bring over their sum.
    """

    def _offspring(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        count, values = self._config.offspring, self.value(self.population)
        pairs = tournament_by(values, 2 * count, 2, rng).reshape(count, 2)
        latents = self.population.latents
        return offspring(build_operators("uniform-pcn"), latents, pairs, rng), pairs

    def _kept(self, points: Points, _rng: np.random.Generator) -> Points:
        return self.best(Points.joined([self.population, points]), self._config.population)
