"""Random search: every generation is drawn anew from the prior; the baseline for any other."""

import numpy as np

from evo_t2i.config import RunConfig
from evo_t2i.points import Points
from evo_t2i.search.generational import Generational
from evo_t2i.search.protocol import Sample


class RandomSearch(Generational):
    """As many evaluations as NSGA-II with the same configuration, without learning from them.

    Generation 0 is the same as NSGA-II's for the same seed. The archive is the result; the
    population is the latest batch.
    """

    def __init__(
        self, *, sample: Sample, dimensions: int, objectives: int, config: RunConfig
    ) -> None:
        super().__init__(dimensions=dimensions, objectives=objectives, seed=config.seed)
        self._sample = sample
        self._config = config

    def _propose(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        count = self._config.offspring if self.generation else self._config.started
        return self._sample(count, rng).astype(np.float32), np.full((count, 2), -1, np.int64)

    def _select(self, points: Points, _rng: np.random.Generator) -> Points:
        return points
