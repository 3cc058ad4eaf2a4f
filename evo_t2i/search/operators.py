"""How offspring are made from the population.

``uniform-pcn`` (the default) keeps the Gaussian prior. Each number of a child comes from either
parent with equal odds, then a preconditioned Crank-Nicolson step z' = sqrt(1 - β²) z + β ε with
ε ~ N(0, I) (Cotter, Roberts, Stuart and White, 2013) moves it. Both maps leave N(0, I) unchanged,
so latents stay on the shell of radius about sqrt(d) that the generator was trained on, without
bounds.

``sbx-pm`` is NSGA-II's classic pair as pymoo sets it: simulated binary crossover (η 15, applied to
90 % of the matings) and polynomial mutation (η 20, about one number a child), within ±4 for every
number. Wider bounds push the latents off the shell.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from pymoo.core.crossover import Crossover
from pymoo.core.mating import Mating
from pymoo.core.mutation import Mutation
from pymoo.core.population import Population
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM
from pymoo.operators.selection.tournament import TournamentSelection

from evo_t2i.search.protocol import check_choice

OPERATORS = ("uniform-pcn", "sbx-pm")
"""Ways to make offspring, the default first."""
STEP = 0.1
"""β of the pCN step; benchmarks/search_quality.py compares others."""
BOUND = 4.0
"""Largest magnitude of a latent's numbers under ``sbx-pm``."""


@dataclass(frozen=True)
class Operators:
    """A crossover, a mutation, and the bound that they need."""

    crossover: Crossover
    mutation: Mutation
    bound: float | None


def build_operators(name: str) -> Operators:
    """The operators called ``name``; raises UsageError, naming the choices, for another name."""
    check_choice("operators", name, OPERATORS)
    if name == "sbx-pm":
        return Operators(SBX(eta=15, prob=0.9), PM(eta=20), BOUND)
    return Operators(UniformCrossover(), CrankNicolson(STEP), None)


class UniformCrossover(Crossover):
    """Two parents, one child that takes each number from either with equal odds."""

    def __init__(self) -> None:
        super().__init__(n_parents=2, n_offsprings=1, prob=1.0)

    def _do(
        self,
        _problem: Any,
        latents: np.ndarray,  # (2, matings, d)
        *_args: Any,
        random_state: np.random.Generator,
        **_kwargs: Any,
    ) -> np.ndarray:
        from_first = random_state.random(latents.shape[1:], dtype=np.float32) < 0.5
        return np.where(from_first, latents[0], latents[1])[None]  # (1, matings, d)


class CrankNicolson(Mutation):
    """z' = sqrt(1 - β²) z + β ε: a step of the chain whose stationary law is the prior.

    ``step`` is β, from 0 (children are only recombined) to 1 (new draws from the prior).
    """

    def __init__(self, step: float) -> None:
        super().__init__(prob=1.0)
        self.step = step

    def _do(
        self,
        _problem: Any,
        latents: np.ndarray,  # (n, d)
        *_args: Any,
        random_state: np.random.Generator,
        **_kwargs: Any,
    ) -> np.ndarray:
        noise = random_state.standard_normal(latents.shape, dtype=np.float32)
        step = np.float32(self.step)
        moved: np.ndarray = np.sqrt(1 - step**2) * latents + step * noise
        return moved


class RecordingMating(Mating):
    """Tournament, crossover, mutation; remembers which parents each child has."""

    parents: np.ndarray
    """(n, 2) rows of the population that the latest offspring come from."""

    def __init__(self, operators: Operators) -> None:
        selection = TournamentSelection(func_comp=tournament)
        super().__init__(selection, operators.crossover, operators.mutation)

    def _do(
        self,
        problem: Any,
        pop: Population,
        n_offsprings: int,
        parents: np.ndarray | None = None,
        random_state: np.random.Generator | None = None,
        **kwargs: Any,
    ) -> Population:
        children = self.crossover.n_offsprings
        matings = -(-n_offsprings // children)
        parents = self.selection(
            problem, pop, matings, n_parents=2, to_pop=False, random_state=random_state
        )
        # pymoo lists the first child of every mating, then the second of every mating.
        self.parents = np.tile(parents, (children, 1))[:n_offsprings]
        return super()._do(
            problem, pop, n_offsprings, parents=pop[parents], random_state=random_state, **kwargs
        )


def tournament(
    pop: Population, pairs: np.ndarray, random_state: np.random.Generator, **_kwargs: Any
) -> np.ndarray:
    """NSGA-II's binary tournament: lower rank, then larger crowding, then a coin.

    ``pairs`` is (n, 2) rows of the population; the winners are (n, 1).
    """
    rank, crowding = pop.get("rank", "crowding")
    first, second = pairs.T
    even = rank[first] == rank[second]
    better = (rank[first] < rank[second]) | (even & (crowding[first] > crowding[second]))
    tied = even & ~(crowding[first] > crowding[second]) & ~(crowding[first] < crowding[second])
    coin = random_state.random(len(pairs)) < 0.5
    return np.where(better | (tied & coin), first, second)[:, None]
