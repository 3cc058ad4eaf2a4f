"""NSGA-II through pymoo's ask and tell: the default search."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.config import Config
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.sampling import Sampling
from pymoo.core.termination import NoTermination

from evo_t2i.config import RunConfig
from evo_t2i.errors import RunDataError
from evo_t2i.search.archive import extend
from evo_t2i.search.base import Archive, Sample, random_generator, state_array
from evo_t2i.search.operators import Operators, RecordingMating, build_operators
from evo_t2i.search.survival import build_survival


class Nsga2:
    """Non-dominated sorting genetic algorithm II (Deb et al., 2002) over Gaussian latents.

    ``config`` gives the population, the offspring a generation, the seed, the operators and the
    survival; ``operators`` replaces those that it names, for experiments. Raises UsageError for an
    unknown operator or survival.
    """

    def __init__(
        self,
        *,
        sample: Sample,
        dimensions: int,
        objectives: int,
        config: RunConfig,
        operators: Operators | None = None,
    ) -> None:
        operators = operators or build_operators(config.operators)
        self._seed = config.seed
        self._mating = RecordingMating(operators)
        self._algorithm = _algorithm(
            config, self._mating, PriorSampling(sample, operators.bound), dimensions, objectives
        )
        self._asked: Population | None = None
        self._parents = np.empty((0, 2), np.int64)
        self._evaluations = 0
        self.generation = 0
        self.population = Archive.empty(dimensions, objectives)
        self.archive = Archive.empty(dimensions, objectives)

    @property
    def parents(self) -> np.ndarray:
        """(n, 2) int64 ids of the parents of what ``ask`` just returned; -1 for none."""
        return self._parents

    def ask(self) -> np.ndarray:
        """(n, d) float32: the population from the prior, then each time the offspring."""
        if self._asked is None:
            self._algorithm.random_state = random_generator(self._seed, self.generation, step=0)
            self._asked = self._algorithm.ask()
            if self.generation == 0:
                self._parents = np.full((len(self._asked), 2), -1, np.int64)
            else:
                self._parents = self.population.ids[self._mating.parents]
        latents: np.ndarray = self._asked.get("X").astype(np.float32)
        return latents

    def tell(self, latents: np.ndarray, scores: np.ndarray) -> None:
        """(n, m) scores, higher is better, of the (n, d) latents that ``ask`` returned.

        Rows that are not finite survive only where nothing else can and are never archived.
        """
        asked = self._asked
        dimensions, objectives = self.population.latents.shape[1], self.population.scores.shape[1]
        if asked is None:
            raise ValueError("tell needs an ask before it")
        if latents.shape != (len(asked), dimensions) or scores.shape != (len(asked), objectives):
            raise ValueError(
                f"expected latents {(len(asked), dimensions)} and scores "
                f"{(len(asked), objectives)}, got {latents.shape} and {scores.shape}"
            )
        points = Archive(
            latents=latents.astype(np.float32),
            scores=scores.astype(np.float64),
            ids=np.arange(self._evaluations, self._evaluations + len(asked), dtype=np.int64),
            parents=self._parents,
            generations=np.full(len(asked), self.generation, np.int64),
        )
        together = self.population.joined(points)
        asked.set("X", points.latents, "F", _objectives(points.scores))
        asked.set("row", np.arange(len(self.population), len(together)))
        self._algorithm.pop.set("row", np.arange(len(self.population)))
        self._algorithm.random_state = random_generator(self._seed, self.generation, step=1)
        self._algorithm.tell(infills=asked)

        self.population = together[self._algorithm.pop.get("row")]
        self.archive = extend(self.archive, points)
        self.generation += 1
        self._evaluations += len(asked)
        self._asked = None

    def state(self) -> dict[str, np.ndarray]:
        """Arrays from which ``restore`` continues bit for bit; taken after ``tell``."""
        rank, crowding = self._algorithm.pop.get("rank", "crowding")
        return {
            "generation": np.array(self.generation, np.int64),
            "evaluations": np.array(self._evaluations, np.int64),
            "rank": np.asarray(rank, np.int64),
            "crowding": np.asarray(crowding, np.float64),
            **self.population.to_state("population"),
            **self.archive.to_state("archive"),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue where ``state`` was taken; raises RunDataError when it does not fit this run."""
        dimensions, objectives = self.population.latents.shape[1], self.population.scores.shape[1]
        population = Archive.from_state(state, "population", dimensions, objectives)
        archive = Archive.from_state(state, "archive", dimensions, objectives)
        rank, crowding = state_array(state, "rank"), state_array(state, "crowding")
        generation = int(state_array(state, "generation"))
        evaluations = int(state_array(state, "evaluations"))
        expected = (self._algorithm.pop_size if generation else 0,)
        if not population.ids.shape == rank.shape == crowding.shape == expected:
            raise RunDataError(
                f"The saved state holds {len(population):,} points, not {expected[0]:,}; "
                "it belongs to another run: start a new one."
            )
        self.population, self.archive = population, archive
        self.generation, self._evaluations = generation, evaluations
        self._asked = None
        self._algorithm.is_initialized = generation > 0
        self._algorithm.n_iter = generation + 1
        self._algorithm.pop = Population.new(
            "X", population.latents, "F", _objectives(population.scores)
        )
        self._algorithm.pop.set("rank", rank, "crowding", crowding)


class PriorSampling(Sampling):
    """Generation 0 from the prior, clipped to the operators' bound where they have one."""

    def __init__(self, sample: Sample, bound: float | None) -> None:
        super().__init__()
        self.sample = sample
        self.bound = bound

    def _do(
        self,
        _problem: Any,
        n_samples: int,
        *_args: Any,
        random_state: np.random.Generator,
        **_kwargs: Any,
    ) -> np.ndarray:
        latents = self.sample(n_samples, random_state)
        return latents if self.bound is None else np.clip(latents, -self.bound, self.bound)


def _algorithm(
    config: RunConfig,
    mating: RecordingMating,
    sampling: PriorSampling,
    dimensions: int,
    objectives: int,
) -> NSGA2:
    """pymoo's NSGA-II: never ends by itself, keeps duplicates, writes nothing to stdout."""
    Config.warnings["not_compiled"] = False
    algorithm = NSGA2(
        pop_size=config.population,
        n_offsprings=config.offspring,
        sampling=sampling,
        mating=mating,
        survival=build_survival(config.survival),
        eliminate_duplicates=False,
        output=None,
    )
    bounds = {} if sampling.bound is None else {"xl": -sampling.bound, "xu": sampling.bound}
    problem = Problem(n_var=dimensions, n_obj=objectives, **bounds)
    algorithm.setup(problem, termination=NoTermination())
    algorithm.pop = Population.empty()
    return algorithm


def _objectives(scores: np.ndarray) -> np.ndarray:
    """Maximised scores → pymoo's minimised objectives; a row that is not finite → all infinite."""
    finite = np.isfinite(scores).all(axis=1, keepdims=True)
    return np.where(finite, -scores, np.inf)
