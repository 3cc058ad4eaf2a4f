"""NSGA-II through pymoo's ask and tell: the default search."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.config import Config
from pymoo.core.population import Population
from pymoo.core.problem import Problem
from pymoo.core.sampling import Sampling
from pymoo.core.termination import NoTermination

from evo_t2i.config import RunConfig, described
from evo_t2i.errors import RunDataError
from evo_t2i.points import Points, state_array
from evo_t2i.search.generational import Generational
from evo_t2i.search.operators import OPERATORS, Operators, RecordingMating, build_operators
from evo_t2i.search.protocol import Sample, check_choice
from evo_t2i.search.survival import SURVIVALS, build_survival


class Nsga2(Generational):
    """Non-dominated sorting genetic algorithm II (Deb et al., 2002) over Gaussian latents.

    ``config`` gives the population, the offspring a generation and the seed; ``operators`` replaces
    those that the options name, for experiments.
    """

    @dataclass(frozen=True, kw_only=True)
    class Options:
        """How offspring are made and who survives; docs/search.md compares the choices."""

        operators: str = described(
            f"How offspring are made: {' or '.join(OPERATORS)}.", OPERATORS[0]
        )
        survival: str = described(f"Who survives: {', '.join(SURVIVALS)}.", SURVIVALS[0])

        def __post_init__(self) -> None:
            check_choice("operators", self.operators, OPERATORS)
            check_choice("survival", self.survival, SURVIVALS)

    def __init__(
        self,
        *,
        sample: Sample,
        dimensions: int,
        objectives: int,
        config: RunConfig,
        options: Options | None = None,
        operators: Operators | None = None,
    ) -> None:
        super().__init__(dimensions=dimensions, objectives=objectives, seed=config.seed)
        options = options or self.Options()
        operators = operators or build_operators(options.operators)
        self._mating = RecordingMating(operators)
        self._algorithm = _algorithm(
            config,
            options.survival,
            self._mating,
            PriorSampling(sample, operators.bound),
            dimensions,
            objectives,
        )
        self._infills = Population.empty()

    def _propose(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        self._algorithm.random_state = rng
        self._infills = self._algorithm.ask()
        latents: np.ndarray = self._infills.get("X").astype(np.float32)
        if self.generation == 0:
            return latents, np.full((len(latents), 2), -1, np.int64)
        return latents, self.population.ids[self._mating.parents]

    def _select(self, points: Points, rng: np.random.Generator) -> Points:
        together = Points.joined([self.population, points])
        self._infills.set("X", points.latents, "F", _objectives(points.scores))
        self._infills.set("row", np.arange(len(self.population), len(together)))
        self._algorithm.pop.set("row", np.arange(len(self.population)))
        self._algorithm.random_state = rng
        self._algorithm.tell(infills=self._infills)
        return together[self._algorithm.pop.get("row")]

    def state(self) -> dict[str, np.ndarray]:
        """As for every search, with the population's ranks and crowding distances."""
        rank, crowding = self._algorithm.pop.get("rank", "crowding")
        return super().state() | {
            "rank": np.asarray(rank, np.int64),
            "crowding": np.asarray(crowding, np.float64),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue where ``state`` was taken; raises RunDataError when it does not fit this run."""
        rank, crowding = state_array(state, "rank"), state_array(state, "crowding")
        generation = int(state_array(state, "generation"))
        count = self._algorithm.pop_size if generation else 0
        held = len(state_array(state, "population.ids"))
        if not (held,) == rank.shape == crowding.shape == (count,):
            raise RunDataError(
                f"The saved state holds {held:,} points, not {count:,}; "
                "it belongs to another run: start a new one."
            )
        super().restore(state)
        self._algorithm.is_initialized = generation > 0
        self._algorithm.n_iter = generation + 1
        self._algorithm.pop = Population.new(
            "X", self.population.latents, "F", _objectives(self.population.scores)
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
    survival: str,
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
        survival=build_survival(survival),
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
