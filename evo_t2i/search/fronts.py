"""Non-dominated sorting: the fronts that a survival needs, and no more of them.

moocore takes the fronts of four scores off one after the other until none is left. A survival needs
as many as fill the next population, about half of the points, and each front costs a sort of all
that is left. So many points are sorted once here, and each front is looked for among the few that
can belong to it: those with nothing in the cells of a coarse grid that are better in every score.
"""

import moocore
import numpy as np

FEW = 20_000
"""Points up to which moocore's own sorting is as fast."""
CELLS = 200_000
"""Of the grid, at most."""


def pareto_rank(scores: np.ndarray, count: int) -> np.ndarray:
    """(n,) Pareto ranks of (n, m) finite maximised ``scores``: 0 for the non-dominated, then those
    that only they dominate, and so on; equal points have equal ranks.

    Exact for every front that at least one of the best ``count`` points is on. Points beyond may
    all have the rank that follows.
    """
    losses = -scores[:, (scores != scores[:1]).any(axis=0)]  # equal scores decide nothing
    n, m = losses.shape
    side = int(CELLS ** (1 / max(m, 1)))
    if n <= FEW or m < 3 or side < 3:  # two scores need no fronts; too many leave a side no cells
        return np.asarray(moocore.pareto_rank(losses), np.int64)
    order = np.argsort(losses[:, 0])  # moocore sorts by this first
    losses = losses[order]
    own, better = _cells(losses, side)
    rank = np.full(n, -1)
    left, front = np.arange(n), 0
    while n - len(left) < count:
        held = np.zeros((side,) * m, bool)  # cells with a point that is left
        held.reshape(-1)[own[left]] = True
        for axis in range(m):  # and all cells that are no better than such a one in any score
            np.logical_or.accumulate(held, axis=axis, out=held)
        able = left[~held.reshape(-1)[better[left]]]
        rank[able[moocore.is_nondominated(losses[able], keep_weakly=True)]] = front
        left, front = left[rank[left] < 0], front + 1
    rank[left] = front
    ranks = np.empty(n, np.int64)
    ranks[order] = rank
    return ranks


def _cells(losses: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """(n,) and (n,) indices into a flat grid of ``side`` cells a score: each point's own cell, and
    the one that is a step better in every score. No point has a score's best cell, so there is
    always such a step.

    The edges are quantiles of the (n, m) minimised ``losses``.
    """
    n, m = losses.shape
    sample = losses[:: max(1, n // 4_096)]
    edges = np.quantile(sample, np.linspace(0, 1, side)[1:-1], axis=0)  # (side - 2, m)
    better = np.zeros(n, np.int64)
    for column, edge in zip(losses.T, edges.T, strict=True):
        better = side * better + np.searchsorted(edge, column, side="right")
    return better + sum(side**axis for axis in range(m)), better
