"""NSGA-II against what others know: pymoo's own run, analytic fronts of DTLZ, brute force."""

from math import erf, pi, sqrt

import moocore
import numpy as np
import pytest
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM
from pymoo.operators.selection.tournament import TournamentSelection
from pymoo.operators.survival.rank_and_crowding import RankAndCrowding
from test_search import advance, cosines, make

from evo_t2i.search.generational import random_generator
from evo_t2i.search.hypervolume import hypervolume
from evo_t2i.search.nsga2 import Nsga2
from evo_t2i.search.random_search import RandomSearch
from evo_t2i.search.survival import SURVIVALS, survive

VARIABLES = 6


def by_rank_and_crowding(pop, pairs, random_state, **_kwargs):
    """Written out one by one, as the paper tells it."""
    winners = []
    coins = random_state.random(len(pairs))
    for (first, second), coin in zip(pairs, coins, strict=True):
        keys = [(-pop[row].get("rank"), pop[row].get("crowding")) for row in (first, second)]
        tied = keys[0] == keys[1]
        wins = coin < 0.5 if tied else keys[0] > keys[1]
        winners.append([first if wins else second])
    return np.array(winners)


@pytest.mark.parametrize("crowding", ["cd", "mnn"])
@pytest.mark.parametrize(("population", "offspring"), [(24, 24), (20, 33), (30, 7)])
def test_the_engine_is_pymoos_nsga2(crowding: str, population: int, offspring: int) -> None:
    problem = cosines(32, 3)
    ours = make(
        Nsga2,
        3,
        population=population,
        offspring=offspring,
        operators="sbx-pm",
        survival={"cd": "crowding", "mnn": "mnn"}[crowding],
    )
    theirs = NSGA2(
        pop_size=population,
        n_offsprings=offspring,
        sampling=ours.ask(),
        selection=TournamentSelection(func_comp=by_rank_and_crowding),
        crossover=SBX(eta=15, prob=0.9),
        mutation=PM(eta=20),
        survival=RankAndCrowding(crowding_func=crowding),
        eliminate_duplicates=False,
    )
    theirs.setup(Problem(n_var=32, n_obj=3, xl=-4.0, xu=4.0), termination=NoTermination())
    for generation in range(8):
        theirs.random_state = random_generator(3, generation, step=0)
        infills = theirs.ask()
        latents = ours.ask()
        assert np.array_equal(infills.get("X").astype(np.float32), latents)
        scores = problem(latents)
        infills.set("X", latents, "F", -scores)
        theirs.random_state = random_generator(3, generation, step=1)
        theirs.tell(infills=infills)
        ours.tell(latents, scores)
        assert np.array_equal(theirs.pop.get("X"), ours.population.latents)
        assert np.array_equal(theirs.pop.get("rank"), ours.state()["rank"])
        assert np.array_equal(theirs.pop.get("crowding"), ours.state()["crowding"])


def in_unit_cube(latents: np.ndarray) -> np.ndarray:
    """Standard Gaussian numbers → uniform ones: the variables of DTLZ."""
    return (1 + np.vectorize(erf)(latents[:, :VARIABLES].astype(np.float64) / sqrt(2))) / 2


def dtlz1(latents: np.ndarray, scores: int) -> np.ndarray:
    """Minus the objectives of DTLZ1 (Deb et al., 2002), whose front is the simplex sum f = 1/2;
    with the smooth distance of DTLZ2, as its many local fronts are another question."""
    x = in_unit_cube(latents)
    distance = 1 + ((x[:, scores - 1 :] - 0.5) ** 2).sum(axis=1)
    columns = []
    for j in range(scores):
        value = 0.5 * distance * x[:, : scores - 1 - j].prod(axis=1)
        columns.append(value * (1 - x[:, scores - 1 - j]) if j else value)
    return -np.stack(columns, axis=1)


def dtlz2(latents: np.ndarray, scores: int) -> np.ndarray:
    """Minus the objectives of DTLZ2, whose front is the unit sphere's positive part."""
    x = in_unit_cube(latents)
    distance = 1 + ((x[:, scores - 1 :] - 0.5) ** 2).sum(axis=1)
    angles = x[:, : scores - 1] * pi / 2
    columns = []
    for j in range(scores):
        value = distance * np.cos(angles[:, : scores - 1 - j]).prod(axis=1)
        columns.append(value * np.sin(angles[:, scores - 1 - j]) if j else value)
    return -np.stack(columns, axis=1)


FRONTS = {
    # reference, the front's hypervolume, its distance function, the share that is reached
    (dtlz1, 2): (1.0, 1 - 0.5**2 / 2, lambda f: f.sum(axis=1) / 0.5, 0.98),
    (dtlz1, 4): (1.0, 1 - 0.5**4 / 24, lambda f: f.sum(axis=1) / 0.5, 0.98),
    (dtlz2, 2): (1.5, 1.5**2 - pi / 4, lambda f: np.linalg.norm(f, axis=1), 0.97),
    (dtlz2, 4): (1.5, 1.5**4 - pi**2 / 32, lambda f: np.linalg.norm(f, axis=1), 0.9),
}


@pytest.mark.parametrize(("problem", "scores"), FRONTS)
@pytest.mark.parametrize("survival", SURVIVALS)
def test_the_archive_nears_the_analytic_front(problem, scores: int, survival: str) -> None:
    reference, volume, place, share = FRONTS[problem, scores]
    search = make(Nsga2, scores, survival=survival, population=60, offspring=60)
    random = make(RandomSearch, scores, population=60, offspring=60)
    for one in (search, random):
        advance(one, lambda latents: problem(latents, scores), 40)
    found = hypervolume(search.archive.scores, np.full(scores, -reference))
    assert share * volume < found < volume
    assert found > hypervolume(random.archive.scores, np.full(scores, -reference))
    places = place(-search.archive.scores)
    assert places.min() > 1 - 1e-9  # nothing lies beyond the front
    assert np.median(places) < (1.1 if scores == 2 else 1.35)
    # all of the front is near something that was found, not one end of it
    rng = np.random.default_rng(0)
    directions = np.abs(rng.standard_normal((200, scores)))
    on_front = directions / place(directions)[:, None]
    distances = np.linalg.norm(on_front[:, None] + search.archive.scores, axis=2).min(axis=1)
    assert distances.max() < 0.5


@pytest.mark.parametrize("survival", SURVIVALS)
def test_ranks_are_those_of_brute_force(survival: str) -> None:
    rng = np.random.default_rng(0)
    for scores in (rng.random((50, 3)), rng.integers(4, size=(50, 4)).astype(float)):
        rank, left, number = np.zeros(50, int), set(range(50)), 0
        while left:
            front = {
                row
                for row in left
                if not any(
                    (scores[other] >= scores[row]).all() and (scores[other] > scores[row]).any()
                    for other in left
                )
            }
            for row in front:
                rank[row] = number
            left, number = left - front, number + 1
        chosen = survive(survival, scores, 20, np.random.default_rng(1))
        assert np.array_equal(chosen.rank, rank[chosen.rows])
        assert np.array_equal(rank, moocore.pareto_rank(-scores))
