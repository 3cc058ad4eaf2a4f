"""Who of the population and its offspring survives.

All three choices sort by Pareto rank as NSGA-II does and differ in how they cut the front that does
not fit. With four scores nearly everything is on the first front, so this decides the search.

``reference`` (the default) picks, one by one, the point that adds most to the hypervolume as seen
along fixed reference directions; it works for any number of scores. ``mnn`` keeps points whose
nearest neighbours are far (Kukkonen and Deb, 2006). ``crowding`` is NSGA-II's crowding distance
(Deb et al., 2002), which suits two scores.

benchmarks/search_quality.py measures them.
"""

import heapq
from functools import cache
from typing import Any

import numpy as np
from moocore import pareto_rank
from pymoo.core.population import Population
from pymoo.core.survival import Survival
from pymoo.operators.survival.rank_and_crowding import RankAndCrowding

from evo_t2i.search.protocol import check_choice

SURVIVALS = ("reference", "mnn", "crowding")
"""Ways to choose the next population, the default first."""
MARGIN = 0.3
"""How far below the worst scores the directions start, as a share of the scores' range."""


def build_survival(name: str) -> Survival:
    """The survival called ``name``; raises UsageError, naming the choices, for another name."""
    check_choice("survival", name, SURVIVALS)
    if name == "reference":
        return FiniteFirst(ReferenceSurvival())
    return FiniteFirst(RankAndCrowding(crowding_func={"mnn": "mnn", "crowding": "cd"}[name]))


class FiniteFirst(Survival):
    """Gives points that failed to score (infinite objectives) only places nobody else can take."""

    def __init__(self, inner: Survival) -> None:
        super().__init__(filter_infeasible=False)
        self.inner = inner

    def _do(
        self,
        problem: Any,
        pop: Population,
        *_args: Any,
        n_survive: int | None = None,
        random_state: np.random.Generator | None = None,
        **_kwargs: Any,
    ) -> Population:
        wanted = len(pop) if n_survive is None else n_survive
        finite = np.isfinite(pop.get("F")).all(axis=1)
        survivors = self.inner.do(problem, pop[finite], n_survive=wanted, random_state=random_state)
        failed = pop[~finite][: wanted - len(survivors)]
        failed.set("rank", np.full(len(failed), len(pop)), "crowding", np.zeros(len(failed)))
        return Population.merge(survivors, failed)


class ReferenceSurvival(Survival):
    """Pareto rank, then ``choose_by_directions``; a survivor's gain is its crowding value."""

    def __init__(self) -> None:
        super().__init__(filter_infeasible=False)

    def _do(
        self,
        _problem: Any,
        pop: Population,
        *_args: Any,
        n_survive: int,
        **_kwargs: Any,
    ) -> Population:
        objectives = pop.get("F").astype(np.float64)
        rank = pareto_rank(objectives)
        chosen, gain = choose_by_directions(-objectives, rank, n_survive)
        survivors = pop[chosen]
        survivors.set("rank", rank[chosen], "crowding", gain)
        return survivors


def choose_by_directions(
    scores: np.ndarray, rank: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Choose ``count`` of n points, front after front; within a front the greatest gain first.

    ``scores`` is (n, m), finite, maximised; ``rank`` is (n,), 0 for the non-dominated. Scores are
    scaled by the range of the fronts in question. From a point a little below them, the boxes that
    a set of points dominates reach a length along each direction; the mean of length^m over all
    directions is the set's hypervolume up to a constant (Shang, Ishibuchi and Ni, 2020). A point's
    gain is what it adds to that. Gains only fall as the set grows, so a heap of outdated gains
    finds the best point after a few recalculations. When nobody adds anything (few distinct
    points), the rest is chosen as if the set were empty again, and equal points in their order.

    Returns the chosen rows (count,) and their gains (count,), both in order of choice. Takes
    about 10 ms for 100 of 200 four-score points and 0.4 s for 1,000 of 2,000.
    """
    count = min(count, len(scores))
    last = np.sort(rank)[count - 1]
    directions = 1 if scores.shape[1] == 1 else min(max(500, 4 * count), 2_000)
    reach = _reach(scores, scores[rank <= last], directions)
    alone = reach.mean(axis=1)  # a point's gain when nothing is chosen
    chosen: list[int] = []
    gains: list[float] = []
    for front in range(last + 1):
        # Dominated points add nothing to the fronts before theirs: each front starts afresh.
        covered, layer = np.zeros(reach.shape[1]), 0
        waiting = _heap(np.flatnonzero(rank == front), alone)
        while waiting and len(chosen) < count:
            row = heapq.heappop(waiting)[1]
            gain = float(np.maximum(reach[row] - covered, 0.0).mean())
            if waiting and gain < -waiting[0][0]:
                heapq.heappush(waiting, (-gain, row))
                continue
            if gain == 0.0 and layer > 1:
                covered[:], layer = 0.0, 0
                waiting = _heap(np.array([row, *(entry[1] for entry in waiting)]), alone)
                continue
            chosen.append(row)
            gains.append(gain)
            np.maximum(covered, reach[row], out=covered)
            layer += gain > 0.0
    return np.array(chosen), np.array(gains)


def _reach(scores: np.ndarray, among: np.ndarray, directions: int) -> np.ndarray:
    """(n, directions): length^m of each point's box along each direction; see above."""
    n, m = scores.shape
    lowest = among.min(axis=0)
    span = np.ptp(among, axis=0)
    span[span == 0] = 1.0
    heights = (scores - lowest) / span + MARGIN  # (n, m)
    reach = np.full((n, directions), np.inf)
    for height, direction in zip(heights.T, _directions(m, directions).T, strict=True):
        np.minimum(reach, height[:, None] / direction, out=reach)
    powered: np.ndarray = np.maximum(reach, 0.0) ** m
    return powered


def _heap(rows: np.ndarray, gains: np.ndarray) -> list[tuple[float, int]]:
    """(-gain, row) of some rows: the greatest gain first, the lower row among equals."""
    heap = [(-gain, row) for gain, row in zip(gains[rows].tolist(), rows.tolist(), strict=True)]
    heapq.heapify(heap)
    return heap


@cache
def _directions(objectives: int, count: int) -> np.ndarray:
    """(count, m) unit vectors, all numbers positive, spread over the sphere; always the same."""
    vectors = np.abs(np.random.default_rng(objectives).standard_normal((count, objectives)))
    vectors = np.maximum(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)
    vectors.flags.writeable = False
    return vectors
