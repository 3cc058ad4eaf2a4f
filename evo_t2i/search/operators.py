"""How offspring are made from the population.

``uniform-pcn`` (the default) keeps the Gaussian prior. Each number of a child comes from either
parent with equal odds, then a preconditioned Crank-Nicolson step z' = sqrt(1 - β²) z + β ε with
ε ~ N(0, I) (Cotter, Roberts, Stuart and White, 2013) moves it. Both maps leave N(0, I) unchanged,
so latents stay on the shell of radius about sqrt(d) that the generator was trained on, without
bounds.

``haar-pcn`` is the same for latents that are a picture's noise (c, h, w), in an orthonormal Haar
basis: the coarse half of the bands steps by β, the fine bands by a β of their own. An orthonormal
change of basis leaves N(0, I) unchanged, and so do the two maps.

``sbx-pm`` is NSGA-II's classic pair as pymoo sets it: simulated binary crossover (η 15, applied to
90 % of the matings) and polynomial mutation (η 20, about one number a child), within ±4 for every
number. Wider bounds push the latents off the shell.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from pymoo.core.crossover import Crossover
from pymoo.core.mutation import Mutation
from pymoo.core.problem import Problem
from pymoo.core.variable import get
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM

from evo_t2i.errors import UsageError
from evo_t2i.search import haar
from evo_t2i.search.protocol import check_choice
from evo_t2i.search.steps import crank_nicolson

OPERATORS = ("uniform-pcn", "sbx-pm", "haar-pcn")
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


def build_operators(
    name: str,
    *,
    step: float = STEP,
    fine_step: float = STEP,
    latent_shape: tuple[int, ...] | None = None,
) -> Operators:
    """The operators called ``name``; raises UsageError, naming the choices, for another name.

    ``step`` is β, ``fine_step`` that of the fine bands of ``haar-pcn``, which needs latents
    (c, h, w) with even sides: UsageError for another ``latent_shape``.
    """
    check_choice("operators", name, OPERATORS)
    if name == "sbx-pm":
        return Operators(SBX(eta=15, prob=0.9), PM(eta=20), BOUND)
    if name == "uniform-pcn":
        return Operators(UniformCrossover(), CrankNicolson(step), None)
    if latent_shape is None or haar.levels(latent_shape) == 0:
        raise UsageError(
            f"`operators` haar-pcn needs latents (channels, height, width) with even sides, and "
            f"this generator's are {latent_shape}; use uniform-pcn."
        )
    moved = HaarCrankNicolson(step, fine_step, latent_shape)
    return Operators(HaarCrossover(latent_shape), moved, None)


def offspring(
    operators: Operators,
    latents: np.ndarray,
    parents: np.ndarray,
    rng: np.random.Generator,
    **steps: np.ndarray,
) -> np.ndarray:
    """Children (matings * children, d) of rows ``parents`` (matings, 2) of ``latents`` (n, d): the
    first child of every mating, then the second of every mating.

    ``steps`` may hold ``factor`` (children,), by which each child's β is multiplied, for operators
    with a β. Draws random numbers as pymoo's operators do on its own populations.
    """
    crossover, mutation = operators.crossover, operators.mutation
    problem = _problem(latents.shape[1], operators.bound)
    pairs = latents[parents.T]  # (2, matings, d)
    matings = len(parents)
    crossed = rng.random(matings) < get(crossover.prob, size=matings)
    children = np.empty((crossover.n_offsprings, *pairs.shape[1:]), pairs.dtype)
    if crossed.any():
        recombined = crossover._do(problem, pairs, random_state=rng)
        children[:, crossed] = recombined[:, crossed]
    for mating in np.flatnonzero(~crossed):
        whose = np.arange(2)
        if crossover.n_offsprings == 1:
            whose = rng.choice(whose, size=1, replace=False)
        children[:, mating] = pairs[whose, mating]
    born = children.reshape(-1, latents.shape[1])
    moved = mutation._do(problem, born, random_state=rng, **steps)
    kept = rng.random(len(born)) > get(mutation.prob, size=len(born))
    return np.where(kept[:, None], born, moved)


def _problem(dimensions: int, bound: float | None) -> Problem:
    bounds = {} if bound is None else {"xl": -bound, "xu": bound}
    return Problem(n_var=dimensions, n_obj=1, **bounds)


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


class HaarCrossover(UniformCrossover):
    """As ``UniformCrossover``, of the Haar coefficients of latents (c, h, w)."""

    def __init__(self, latent_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.latent_shape = latent_shape

    def _do(
        self,
        _problem: Any,
        latents: np.ndarray,  # (2, matings, d)
        *_args: Any,
        random_state: np.random.Generator,
        **_kwargs: Any,
    ) -> np.ndarray:
        coefficients = np.stack([haar.forward(parent, self.latent_shape) for parent in latents])
        children = super()._do(_problem, coefficients, random_state=random_state)
        return haar.inverse(children[0], self.latent_shape)[None]


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
        factor: np.ndarray | None = None,  # (n,)
        **_kwargs: Any,
    ) -> np.ndarray:
        noise = random_state.standard_normal(latents.shape, dtype=np.float32)
        return crank_nicolson(latents, noise, np.float32(self.step), factor)


class HaarCrankNicolson(Mutation):
    """The step of ``CrankNicolson`` on the Haar coefficients of latents (c, h, w): ``step`` for the
    coarse half of the levels, ``fine_step`` for the others."""

    def __init__(self, step: float, fine_step: float, latent_shape: tuple[int, ...]) -> None:
        super().__init__(prob=1.0)
        fine = haar.fine(latent_shape)
        self.step = np.where(fine, np.float32(fine_step), np.float32(step))  # (d,)
        self.latent_shape = latent_shape

    def _do(
        self,
        _problem: Any,
        latents: np.ndarray,  # (n, d)
        *_args: Any,
        random_state: np.random.Generator,
        factor: np.ndarray | None = None,  # (n,)
        **_kwargs: Any,
    ) -> np.ndarray:
        noise = random_state.standard_normal(latents.shape, dtype=np.float32)
        coefficients = haar.forward(latents, self.latent_shape)
        moved = crank_nicolson(coefficients, noise, self.step, factor)
        return haar.inverse(moved, self.latent_shape)


def tournament(
    rank: np.ndarray, crowding: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """(count,) winners of NSGA-II's binary tournaments: lower rank, then larger crowding, then a
    coin. ``rank`` and ``crowding`` are (n,).

    Who meets whom is drawn by permutations of the n, so all take part nearly equally often.
    """
    n = len(rank)
    rounds = -(-2 * count // n)
    drawn = np.concatenate([rng.permutation(n) for _ in range(rounds)])[: 2 * count]
    first, second = drawn.reshape(count, 2).T
    even = rank[first] == rank[second]
    better = (rank[first] < rank[second]) | (even & (crowding[first] > crowding[second]))
    tied = even & ~(crowding[first] > crowding[second]) & ~(crowding[first] < crowding[second])
    coin = rng.random(count) < 0.5
    return np.where(better | (tied & coin), first, second)
