"""Who of the population and its offspring survives.

All three choices sort by Pareto rank as NSGA-II does and differ in how they cut the front that does
not fit. With four scores nearly everything is on the first front, so this decides the search.

``reference`` (the default) picks, one by one, the point that adds most to the hypervolume as seen
along fixed reference directions; it works for any number of scores. ``mnn`` keeps points whose
nearest neighbours are far (Kukkonen and Deb, 2006). ``crowding`` is NSGA-II's crowding distance
(Deb et al., 2002), which suits two scores.

``reference`` can clear niches besides (Pétrowski, 1996): of points that look alike only so many
survive while others wait.

benchmarks/search_quality.py measures them, benchmarks/engine_scale.py how long they take.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import moocore
import numpy as np
from pymoo.operators.survival.rank_and_crowding.metrics import get_crowding_function
from pymoo.util.randomized_argsort import randomized_argsort

from evo_t2i.search.fronts import pareto_rank
from evo_t2i.search.protocol import check_choice

SURVIVALS = ("reference", "mnn", "crowding")
"""Ways to choose the next population, the default first."""
MARGIN = 0.3
"""How far below the worst scores the directions start, as a share of the scores' range."""
LARGEST = 4_000
"""Parents and offspring together, up to which every survival takes a second or little more."""


@dataclass(frozen=True, eq=False)
class Survivors:
    """Who survives, in the order of choice: ``rows`` of the points, their Pareto ``rank`` and their
    ``crowding`` value (larger is better), all (k,)."""

    rows: np.ndarray
    rank: np.ndarray
    crowding: np.ndarray


@dataclass(frozen=True, eq=False)
class Niches:
    """Where points (n, k) lie, and how many that are within ``radius`` of one another survive."""

    points: np.ndarray
    radius: float
    capacity: int


Choose = Callable[[np.ndarray, int, np.random.Generator, Niches | None], Survivors]


def survive(
    name: str,
    scores: np.ndarray,
    count: int,
    rng: np.random.Generator,
    niches: Niches | None = None,
    below: np.ndarray | None = None,
) -> Survivors:
    """Choose at most ``count`` of the (n, m) maximised ``scores`` by the survival called ``name``.

    Points that are ``below`` (n,) a floor get only places that no other can take, the least below
    first, each with a rank of its own (constraint domination; Deb et al., 2002, section VI); points
    that failed to score (rows that are not finite) only what is left then. Only ``reference`` knows
    niches. Raises UsageError, naming the choices, for another name.
    """
    check_choice("survival", name, SURVIVALS)
    scored = np.isfinite(scores).all(axis=1)
    depth = np.zeros(len(scores)) if below is None else below
    able = np.flatnonzero(scored & (depth <= 0))
    low = np.flatnonzero(scored & (depth > 0))
    low = low[np.argsort(depth[low], kind="stable")]
    others = np.concatenate([low, np.flatnonzero(~scored)])[: max(count - len(able), 0)]
    if niches is not None:
        niches = Niches(niches.points[able], niches.radius, niches.capacity)
    count = min(count, len(able))
    chosen = _CHOICES[name](scores[able], count, rng, niches) if count else _NOBODY
    order = np.minimum(np.arange(len(others)), len(low))  # those that failed are equals
    return Survivors(
        np.concatenate([able[chosen.rows], others]),
        np.concatenate([chosen.rank, len(scores) + order]),
        np.concatenate([chosen.crowding, np.zeros(len(others))]),
    )


def fitting_survival(name: str, points: int) -> str:
    """``name``, or ``crowding`` where that would take too long for so many points."""
    return name if points <= LARGEST else "crowding"


def _by_reference(
    scores: np.ndarray, count: int, _rng: np.random.Generator, niches: Niches | None
) -> Survivors:
    rank = moocore.pareto_rank(-scores)
    chosen, gain = choose_by_directions(scores, rank, count, niches)
    return Survivors(chosen, rank[chosen], gain)


def _by_crowding(
    scores: np.ndarray, count: int, rng: np.random.Generator, measure: str
) -> Survivors:
    """Fronts whole while they fit; of the one that does not the most distant, equals by chance."""
    crowding_of = get_crowding_function(measure)
    rank = pareto_rank(scores, count)
    sizes = np.bincount(rank)
    ends = np.cumsum(sizes)
    starts = ends - sizes
    last = int(np.searchsorted(ends, count))
    order = np.argsort(rank, kind="stable")[: ends[last]]
    over = len(order) - count
    crowding = np.full(len(order), np.inf)  # also that of one or two points
    for front in np.flatnonzero(sizes[: last + 1] > 2):
        span = slice(starts[front], ends[front])
        crowding[span] = crowding_of.do(-scores[order[span]], n_remove=over if front == last else 0)
    if over:
        best_first = randomized_argsort(
            crowding[starts[last] :], order="descending", method="numpy", random_state=rng
        )
        kept = np.concatenate([np.arange(starts[last]), starts[last] + best_first[:-over]])
        order, crowding = order[kept], crowding[kept]
    return Survivors(order, rank[order], crowding)


_CHOICES: dict[str, Choose] = {
    "reference": _by_reference,
    "mnn": lambda scores, count, rng, _niches: _by_crowding(scores, count, rng, "mnn"),
    "crowding": lambda scores, count, rng, _niches: _by_crowding(scores, count, rng, "cd"),
}
_NOBODY = Survivors(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))


def choose_by_directions(
    scores: np.ndarray, rank: np.ndarray, count: int, niches: Niches | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Choose ``count`` of n points, front after front; within a front the greatest gain first.

    ``scores`` is (n, m), finite, maximised; ``rank`` is (n,), 0 for the non-dominated. Scores are
    scaled by the range of the fronts in question. From a point a little below them, the boxes that
    a set of points dominates reach a length along each direction; the mean of length^m over all
    directions is the set's hypervolume up to a constant (Shang, Ishibuchi and Ni, 2020). A point's
    gain is what it adds to that. Gains only fall as the set grows, so a heap of outdated gains
    finds the best point after a few recalculations. When nobody adds anything (few distinct
    points), the rest is chosen as if the set were empty again, and equal points in their order.

    With ``niches`` a point waits while as many as their capacity, within their radius of it, are
    chosen; those who wait take the places that are left after the last front, in the order in which
    they came.

    Returns the chosen rows (count,) and their gains (count,), both in order of choice. Takes
    about 10 ms for 100 of 200 four-score points and 0.4 s for 1,000 of 2,000.
    """
    count = min(count, len(scores))
    last = rank.max() if niches else np.sort(rank)[count - 1]
    directions = 1 if scores.shape[1] == 1 else min(max(500, 4 * count), 2_000)
    reach = _reach(scores, scores[rank <= last], directions)
    alone = reach.mean(axis=1)  # a point's gain when nothing is chosen
    chosen: list[int] = []
    gains: list[float] = []
    crowded = _Crowded(niches)
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
            if crowded.refuses(row):
                continue
            chosen.append(row)
            gains.append(gain)
            np.maximum(covered, reach[row], out=covered)
            layer += gain > 0.0
    left = crowded.refused[: count - len(chosen)]
    return np.array(chosen + left), np.array(gains + [0.0] * len(left))


class _Crowded:
    """Keeps count of the chosen in each niche; nobody is refused without niches."""

    def __init__(self, niches: Niches | None) -> None:
        self.refused: list[int] = []
        self._niches = niches
        self._near = np.zeros(0 if niches is None else len(niches.points), np.int64)

    def refuses(self, row: int) -> bool:
        """Whether ``row`` has to wait; counts it as chosen where it has not."""
        if self._niches is None:
            return False
        if self._near[row] >= self._niches.capacity:
            self.refused.append(row)
            return True
        points = self._niches.points
        self._near += np.linalg.norm(points - points[row], axis=1) <= self._niches.radius
        return False


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
