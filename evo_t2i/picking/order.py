"""The order of a front's images under a method: ties, dominance, and a choice that differs."""

from collections.abc import Sequence

import numpy as np

TIE_DECIMALS = 9


def best_first(scores: np.ndarray, keys: Sequence[np.ndarray], allowed: np.ndarray) -> np.ndarray:
    """The ``allowed`` rows (n,), best first: by ``keys`` (n,), smaller is better and the first key
    counts most, then by the number of rows that dominate them in ``scores`` (n, m), then by the
    row. Differences of a key below 1e-9 are none."""
    rows = np.flatnonzero(allowed)
    rounded = [np.round(key[rows].astype(np.float64), TIE_DECIMALS) for key in keys]
    return rows[np.lexsort((rows, dominators(scores[rows]), *reversed(rounded)))]


def dominators(scores: np.ndarray) -> np.ndarray:
    """(n,) how many rows of ``scores`` (n, m) dominate each one: nowhere lower, somewhere
    higher."""
    return np.array(
        [
            np.sum((scores >= row).all(axis=1) & (scores > row).any(axis=1), dtype=np.int64)
            for row in scores
        ],
        dtype=np.int64,
    )


def spread_out(points: np.ndarray, order: np.ndarray, count: int) -> list[int]:
    """At most ``count`` rows of ``order``, kept in that order: greedy max-min distance.

    The first row is taken, then one by one the row of ``points`` (n, d) that is farthest from those
    taken; distances that differ by less than 1e-9 are equal, and the better row goes first.
    """
    pool = points[order]
    taken = [0]
    distance = np.linalg.norm(pool - pool[0], axis=1)
    while len(taken) < min(count, len(pool)):
        distance[taken] = -1.0
        farthest = int(np.argmax(np.round(distance, TIE_DECIMALS)))
        taken.append(farthest)
        distance = np.minimum(distance, np.linalg.norm(pool - pool[farthest], axis=1))
    return [int(order[place]) for place in sorted(taken)]
