"""Random search: every generation is drawn anew from the prior; the baseline for any other."""

from collections.abc import Mapping

import numpy as np

from evo_t2i.config import RunConfig
from evo_t2i.errors import UsageError
from evo_t2i.search.archive import extend
from evo_t2i.search.base import Archive, Sample, random_generator, state_array


class RandomSearch:
    """As many evaluations as NSGA-II with the same configuration, without learning from them.

    Generation 0 is the same as NSGA-II's for the same seed. The archive is the result; the
    population is the latest batch. Raises UsageError for an operator or a survival other than the
    configuration's default, as neither has a meaning here.
    """

    def __init__(
        self, *, sample: Sample, dimensions: int, objectives: int, config: RunConfig
    ) -> None:
        for name in ("operators", "survival"):
            if getattr(config, name) != getattr(RunConfig, name):
                raise UsageError(
                    f"--{name} is {getattr(config, name)!r}, but random search has no {name}; "
                    f"leave it out or use --sampler nsga2."
                )
        self._sample = sample
        self._config = config
        self._asked: np.ndarray | None = None
        self._evaluations = 0
        self.generation = 0
        self.population = Archive.empty(dimensions, objectives)
        self.archive = Archive.empty(dimensions, objectives)

    @property
    def parents(self) -> np.ndarray:
        """(n, 2) int64, all -1: nothing has parents."""
        count = len(self.population) if self._asked is None else len(self._asked)
        return np.full((count, 2), -1, np.int64)

    def ask(self) -> np.ndarray:
        """(n, d) float32 from the prior: ``population`` latents, then ``offspring`` each time."""
        if self._asked is None:
            count = self._config.offspring if self.generation else self._config.population
            rng = random_generator(self._config.seed, self.generation, step=0)
            self._asked = self._sample(count, rng).astype(np.float32)
        return self._asked.copy()

    def tell(self, latents: np.ndarray, scores: np.ndarray) -> None:
        """(n, m) scores, higher is better; rows that are not finite are never archived."""
        asked, objectives = self._asked, self.population.scores.shape[1]
        if asked is None:
            raise ValueError("tell needs an ask before it")
        if latents.shape != asked.shape or scores.shape != (len(asked), objectives):
            raise ValueError(
                f"expected latents {asked.shape} and scores {(len(asked), objectives)}, "
                f"got {latents.shape} and {scores.shape}"
            )
        self.population = Archive(
            latents=latents.astype(np.float32),
            scores=scores.astype(np.float64),
            ids=np.arange(self._evaluations, self._evaluations + len(asked), dtype=np.int64),
            parents=self.parents,
            generations=np.full(len(asked), self.generation, np.int64),
        )
        self.archive = extend(self.archive, self.population)
        self.generation += 1
        self._evaluations += len(asked)
        self._asked = None

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
        dimensions, objectives = self.population.latents.shape[1], self.population.scores.shape[1]
        population = Archive.from_state(state, "population", dimensions, objectives)
        archive = Archive.from_state(state, "archive", dimensions, objectives)
        generation = int(state_array(state, "generation"))
        evaluations = int(state_array(state, "evaluations"))
        self.population, self.archive = population, archive
        self.generation, self._evaluations = generation, evaluations
        self._asked = None
