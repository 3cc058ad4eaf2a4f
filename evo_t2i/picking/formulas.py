"""What an image of a front is worth, one function a method; higher is better.

z (n, m) are the scores against generation 0, u (n, m) the same scores scaled to [0, 1] by the
front's minimum and maximum, w the weights, made to sum to 1. A score of weight 0 is left out.

``balanced`` (the default)
    z = (s - median of generation 0) / (1.4826 MAD of generation 0); the value is the weighted mean
    of min(z, 3). The cap keeps an image that fools one score from winning by that score alone.
``weighted``
    the weighted mean of u.
``asf``
    maximin, the achievement scalarising function: -max_j m w_j (1 - u_j).
``topsis``
    d- / (d- + d+), the distances of w u from the worst and from the best corner
    (Hwang & Yoon 1981).
``rank``
    minus the weighted mean of the ranks that the image has in each score (0 is the best; equal
    scores share the better rank).
``pseudo-weights``
    -sum_j |p_j - w_j|, where p = u / sum_j u_j are the image's pseudo-weights: the share that each
    score has in what the image is good at (Deb 2001, Multi-Objective Optimization using
    Evolutionary Algorithms). Dominated images come last, since no more of anything is wished here.
``knee``
    the distance of u from the hyperplane through the extremes, positive towards the best corner
    (Das 1999; Zhang, Tian & Jin 2015). The extremes are the best images of each
    score; where they do not span a plane that faces the best corner, it is sum_j u_j = 1.
``lexicographic``
    score after score in a given order, each keeps the images within a tolerance (in z) of the best
    that is left, the last one only the best. The value is the number of scores that the image
    passed, plus the share of the images that came as far which it beats in the next one.
``extremes``
    the value is that of ``weighted``; the best image of each score is taken whatever its value.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evo_t2i.picking.order import TIE_DECIMALS

Z_CAP = 3.0
_WORST_CONDITION = 1e6
"""Extremes whose matrix has a larger condition number, in the 1-norm, span no plane."""


@dataclass(frozen=True)
class Wish:
    """What a person asked for, checked.

    ``shares`` (m,) sum to 1, or are all 0 when no score varies; ``allowed`` (n,) are the images
    that reach the floors, ``order`` the columns, the most important one first; ``tolerance`` is in
    units of z. The last two are for ``lexicographic``.
    """

    shares: np.ndarray
    allowed: np.ndarray
    order: tuple[int, ...] = ()
    tolerance: float = 0.0


@dataclass(frozen=True)
class Method:
    """``value`` maps columns (n, m), which are z or u, and a wish to (n,)."""

    value: Callable[[np.ndarray, Wish], np.ndarray]
    uses_z: bool = False
    weights: bool = True
    """Whether weights other than 0 and 1 make a difference."""
    monotone: bool = True
    """Whether an image never has less value than one that it dominates."""


def balanced(z: np.ndarray, wish: Wish) -> np.ndarray:
    return weighted_sum(np.minimum(z, Z_CAP), wish.shares)


def weighted(unit: np.ndarray, wish: Wish) -> np.ndarray:
    return weighted_sum(unit, wish.shares)


def asf(unit: np.ndarray, wish: Wish) -> np.ndarray:
    used = wish.shares > 0
    if not used.any():
        return np.zeros(len(unit))
    shortfall = unit.shape[1] * wish.shares[used] * (1 - unit[:, used])
    return -shortfall.max(axis=1)


def topsis(unit: np.ndarray, wish: Wish) -> np.ndarray:
    to_worst = np.sqrt(weighted_sum(unit**2, wish.shares**2))
    to_best = np.sqrt(weighted_sum((1 - unit) ** 2, wish.shares**2))
    ratio = np.divide(to_best, to_worst, out=np.full(len(unit), np.inf), where=to_worst > 0)
    return 1 / (1 + ratio)


def mean_rank(unit: np.ndarray, wish: Wish) -> np.ndarray:
    ranks = np.empty_like(unit)
    for column in range(unit.shape[1]):
        ascending = np.sort(unit[:, column])
        ranks[:, column] = len(unit) - np.searchsorted(ascending, unit[:, column], side="right")
    return -weighted_sum(ranks, wish.shares)


def pseudo_weights(unit: np.ndarray, wish: Wish) -> np.ndarray:
    used = wish.shares > 0
    if not used.any():
        return np.zeros(len(unit))
    total = weighted_sum(unit, used.astype(np.float64))
    shares = np.divide(unit, total[:, None], out=np.zeros_like(unit), where=total[:, None] > 0)
    distance = weighted_sum(np.abs(shares - wish.shares), used.astype(np.float64))
    return -np.where(total > 0, distance, 2.0)  # the worst of everything has no pseudo-weights


def knee(unit: np.ndarray, wish: Wish) -> np.ndarray:
    used = wish.shares > 0
    if not used.any():
        return np.zeros(len(unit))
    candidates = unit[wish.allowed][:, used]
    total = candidates.sum(axis=1)
    extremes = np.stack(
        [
            # Equal bests are told apart by their sum, then by their scores: by nothing of the order
            # of the rows.
            candidates[np.lexsort((*candidates.T, np.round(total, TIE_DECIMALS), column))[-1]]
            for column in candidates.T
        ]
    )
    normal = np.zeros(unit.shape[1])
    normal[used] = 1.0
    if np.linalg.cond(extremes, 1) < _WORST_CONDITION:
        through = np.linalg.solve(extremes, np.ones(len(extremes)))
        if (through > 1 / _WORST_CONDITION).all():
            normal[used] = through
    return (weighted_sum(unit, normal) - 1) / np.linalg.norm(normal)


def lexicographic(z: np.ndarray, wish: Wish) -> np.ndarray:
    columns = [column for column in wish.order if wish.shares[column] > 0]
    value = np.where(np.isfinite(z).all(axis=1), 0.0, np.nan)
    left = np.isfinite(value)
    for passed, column in enumerate(columns):
        score = np.round(z[:, column], TIE_DECIMALS)
        ends = left
        if passed < len(columns) - 1:
            behind = np.round(score[left & wish.allowed].max() - score, TIE_DECIMALS)
            ends = left & (behind > wish.tolerance)
        equals = np.sort(score[ends & wish.allowed])
        beaten = np.searchsorted(equals, score[ends]) / max(len(equals), 1)
        value[ends] = passed + beaten
        left = left & ~ends
    return value


def weighted_sum(columns: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(n,) sum of ``columns`` (n, m) times ``weights`` (m,); columns of weight 0 are not looked at.

    Column by column, so that rounding is the same in every row and in any order of the rows.
    """
    total = np.zeros(len(columns))
    for column, weight in zip(columns.T, weights, strict=True):
        if weight > 0:
            total = total + weight * column
    return total


METHODS: dict[str, Method] = {
    "balanced": Method(balanced, uses_z=True),
    "weighted": Method(weighted),
    "asf": Method(asf),
    "topsis": Method(topsis),
    "rank": Method(mean_rank),
    "pseudo-weights": Method(pseudo_weights, monotone=False),
    "knee": Method(knee, weights=False),
    "lexicographic": Method(lexicographic, uses_z=True, weights=False),
    "extremes": Method(weighted, weights=False),
}
