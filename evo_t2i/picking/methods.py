"""Ways to pick from a Pareto front.

Let s be the front's scores (n, m), higher is better, and w the weights, made to sum to 1.

``balanced`` (the default)
    z = (s - median of generation 0) / (1.4826 MAD of generation 0); the value is the weighted mean
    of min(z, 3). Images with every z >= 0 go before all others. The cap keeps an image that fools
    one score from winning by that score alone. A MAD without spread (see ``robust_scale``) is
    replaced by IQR / 1.349, else by the standard deviation; when that has none either, the score
    is left out and ``notes`` says so.
``weighted``
    u = s scaled to [0, 1] by the front's minimum and maximum; the weighted mean of u.
``asf``
    maximin, the achievement scalarising function: -max_j m w_j (1 - u_j).
``topsis``
    d- / (d- + d+), the distances of w u from the worst and from the best corner
    (Hwang & Yoon 1981).
``rank``
    minus the weighted mean of the ranks that the image has in each score (0 is the best; equal
    scores share the better rank).
``extremes``
    the best image of each score, in the order of the scores; the value is that of ``weighted``.

Ties (differences below 1e-9) go to the larger smallest z, then to the larger weighted mean of z,
both without the cap (of u for the other methods), then to an image that fewer others dominate, then
to the earlier row; so a dominated image never wins.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evo_t2i.errors import UsageError

Z_CAP = 3.0
TIE_DECIMALS = 9
NO_SPREAD = 1e-6
"""A scale up to this many times the median's size, or this much for medians below 1, is none."""


@dataclass(frozen=True)
class Pick:
    """What was picked and why.

    Attributes:
        method: one of ``METHODS``.
        weights: a weight for each score, summing to 1; 0 for a score that was left out.
        floors: the smallest allowed raw scores, by name.
        chosen: rows of the front, best first.
        z: (n, m) scores of the whole front against generation 0, without the cap; 0 where a score
            does not vary in generation 0.
        value: (n,) the method's value, higher is better; comparable within one pick only.
        runner_up: the row that comes second, None when there is none.
        margin: value of the best minus value of the runner-up; negative when the runner-up has
            the larger value but is worse than generation 0's median in some score.
        notes: sentences about what a person should know.
    """

    method: str
    weights: dict[str, float]
    floors: dict[str, float]
    chosen: tuple[int, ...]
    z: np.ndarray
    value: np.ndarray
    runner_up: int | None
    margin: float | None
    notes: tuple[str, ...]


def pick(
    front_scores: np.ndarray,
    generation0_scores: np.ndarray,
    names: Sequence[str],
    *,
    method: str = "balanced",
    weights: Mapping[str, float] | None = None,
    floors: Mapping[str, float] | None = None,
    count: int = 1,
) -> Pick:
    """Pick ``count`` rows of ``front_scores`` (n, m) by ``method``; formulas above.

    ``generation0_scores`` (k, m) may hold nan rows. ``weights`` that are not named are 1.
    ``floors`` are in the scores' own units. With ``count`` > 1 the best one comes first, and the
    others are taken one by one from the better half (at least ``count`` images), each as far as
    possible in z from those taken: alternatives rather than near copies; they are returned best
    first. Raises UsageError for an unknown method, name or weight, and for floors that exclude
    every image.
    """
    scores = np.asarray(front_scores, dtype=np.float64)
    if method not in METHODS:
        raise UsageError(f"--method is {method}; give one of {', '.join(METHODS)}.")
    if count < 1:
        raise UsageError(f"--count is {count}; give 1 or more.")
    if method == "extremes" and (weights or count != 1):
        raise UsageError(
            "--method extremes gives the best image of each score; leave out --weight and --count."
        )
    finite: np.ndarray = np.all(np.isfinite(scores), axis=1)
    if not finite.any():
        raise UsageError("The front is empty, so there is nothing to pick; evolve more images.")
    shares = _shares(names, weights or {})
    allowed = _above_floors(scores, finite, names, floors or {})
    centre, scale = robust_scale(generation0_scores)
    z = standardise(scores, centre, scale)
    unit, spans = _unit(scores, allowed)
    varies = scale > 0 if method == "balanced" else spans > 0
    notes = _left_out(names, method, (shares > 0) & ~varies)
    shares = np.where(varies, shares, 0.0)
    if shares.sum() > 0:
        shares = shares / shares.sum()
    used = shares > 0

    columns = z if method == "balanced" else unit
    value = METHODS[method](columns, shares)
    smallest = columns[:, used].min(axis=1) if used.any() else np.zeros(len(scores))
    below = smallest < -0.5 * 10.0**-TIE_DECIMALS
    order = _order(
        scores,
        (below & (method == "balanced"), -value, -smallest, -_weighted_mean(columns, shares)),
        allowed,
    )
    if method == "extremes":
        best = [_best_of(scores[:, column], order) for column in range(scores.shape[1])]
        chosen = list(dict.fromkeys(best))
    else:
        chosen = _diverse(z[:, used], order, count)
        if len(chosen) < count:
            notes.append(f"Only {len(chosen)} images can be picked; {count} were asked for.")
    if method == "balanced" and below[order[0]]:
        notes.append("No image is at least as good as generation 0's median in every score.")
    runner_up = int(order[1]) if len(order) > 1 and method != "extremes" else None
    margin = None if runner_up is None else float(value[order[0]] - value[runner_up])
    if margin is not None and margin < -0.5 * 10.0**-TIE_DECIMALS:
        notes.append(
            "The runner-up has a larger mean but is worse than generation 0's median in a score."
        )
    return Pick(
        method=method,
        weights=dict(zip(names, shares.tolist(), strict=True)),
        floors={name: float(floor) for name, floor in (floors or {}).items()},
        chosen=tuple(chosen),
        z=z,
        value=value,
        runner_up=runner_up,
        margin=margin,
        notes=tuple(notes),
    )


def robust_scale(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median and scale (m,), (m,) of each column of ``scores`` (k, m); rows with nan are left out.

    The scale estimates the standard deviation: 1.4826 MAD, else IQR / 1.349, else the standard
    deviation itself, the first that is more than 1e-6 max(1, abs(median)); 0 for a column without
    any such spread (or without any row).
    """
    finite = np.asarray(scores, dtype=np.float64)
    finite = finite[np.isfinite(finite).all(axis=1)]
    if len(finite) == 0:
        return np.zeros(finite.shape[1]), np.zeros(finite.shape[1])
    centre = np.median(finite, axis=0)
    lower, upper = np.percentile(finite, [25, 75], axis=0)
    estimates = np.stack(
        [
            1.4826 * np.median(np.abs(finite - centre), axis=0),
            (upper - lower) / 1.349,
            finite.std(axis=0),
        ]
    )
    spread = estimates > NO_SPREAD * np.maximum(1.0, np.abs(centre))
    first = np.argmax(spread, axis=0)
    scale = np.where(spread.any(axis=0), np.take_along_axis(estimates, first[None], axis=0)[0], 0.0)
    return centre, scale


def standardise(scores: np.ndarray, centre: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """z of ``scores`` (n, m); 0 in columns whose scale is 0."""
    return np.where(scale > 0, (scores - centre) / np.where(scale > 0, scale, 1.0), 0.0)


def _balanced(z: np.ndarray, shares: np.ndarray) -> np.ndarray:
    return _weighted_mean(np.minimum(z, Z_CAP), shares)


def _weighted_mean(columns: np.ndarray, shares: np.ndarray) -> np.ndarray:
    # Column by column, so that rounding is the same in every row and in any order of the rows.
    total = np.zeros(len(columns))
    for column, share in zip(columns.T, shares, strict=True):
        if share > 0:
            total = total + share * column
    return total


def _maximin(unit: np.ndarray, shares: np.ndarray) -> np.ndarray:
    used = shares > 0
    if not used.any():
        return np.zeros(len(unit))
    shortfall = unit.shape[1] * shares[used] * (1 - unit[:, used])
    return -shortfall.max(axis=1)


def _topsis(unit: np.ndarray, shares: np.ndarray) -> np.ndarray:
    to_worst = np.sqrt(_weighted_mean(unit**2, shares**2))
    to_best = np.sqrt(_weighted_mean((1 - unit) ** 2, shares**2))
    ratio = np.divide(to_best, to_worst, out=np.full(len(unit), np.inf), where=to_worst > 0)
    return 1 / (1 + ratio)


def _mean_rank(unit: np.ndarray, shares: np.ndarray) -> np.ndarray:
    ranks = np.empty_like(unit)
    for column in range(unit.shape[1]):
        ascending = np.sort(unit[:, column])
        ranks[:, column] = len(unit) - np.searchsorted(ascending, unit[:, column], side="right")
    return -_weighted_mean(ranks, shares)


METHODS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "balanced": _balanced,
    "weighted": _weighted_mean,
    "asf": _maximin,
    "topsis": _topsis,
    "rank": _mean_rank,
    "extremes": _weighted_mean,
}


def _shares(names: Sequence[str], weights: Mapping[str, float]) -> np.ndarray:
    """Weights in the order of ``names``, summing to 1."""
    _require_known(names, weights, "--weight")
    for name, weight in weights.items():
        if not (np.isfinite(weight) and weight >= 0):
            raise UsageError(f"--weight {name}={weight} is no weight; give 0 or more.")
    shares = np.array([weights.get(name, 1.0) for name in names], dtype=np.float64)
    if shares.sum() == 0:
        raise UsageError("Every --weight is 0; give at least one score a weight above 0.")
    return shares / shares.sum()


def _above_floors(
    scores: np.ndarray, finite: np.ndarray, names: Sequence[str], floors: Mapping[str, float]
) -> np.ndarray:
    """Which finite rows reach every floor; UsageError that names the floor when none does."""
    _require_known(names, floors, "--min")
    for name, floor in floors.items():
        if not np.isfinite(floor):
            raise UsageError(f"--min {name}={floor} is no score; give a finite number.")
    allowed = finite
    for column, name in enumerate(names):
        if name not in floors:
            continue
        values, reached = scores[:, column], scores[:, column] >= floors[name]
        if not (finite & reached).any():
            raise UsageError(
                f"No image reaches --min {name}={floors[name]:g}; the best has "
                f"{values[finite].max():.6f}: lower that floor."
            )
        if not (allowed & reached).any():
            raise UsageError(
                f"No image that reaches the other floors reaches --min {name}={floors[name]:g} as "
                f"well; the best of them has {values[allowed].max():.6f}: lower one floor."
            )
        allowed = allowed & reached
    return allowed


def _require_known(names: Sequence[str], given: Mapping[str, float], option: str) -> None:
    unknown = [name for name in given if name not in names]
    if unknown:
        raise UsageError(
            f"{option} names the score {unknown[0]}, which this run does not have; "
            f"give one of {', '.join(names)}."
        )


def _unit(scores: np.ndarray, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores (n, m) scaled to [0, 1] by the allowed rows, and the spans (m,) before."""
    lowest = scores[allowed].min(axis=0)
    spans = scores[allowed].max(axis=0) - lowest
    unit = np.where(spans > 0, (scores - lowest) / np.where(spans > 0, spans, 1.0), 1.0)
    return unit, spans


def _left_out(names: Sequence[str], method: str, flat: np.ndarray) -> list[str]:
    where = "in generation 0" if method == "balanced" else "on the front"
    return [
        f"{name} does not vary {where} and was left out."
        for name, left_out in zip(names, flat, strict=True)
        if left_out
    ]


def _order(scores: np.ndarray, keys: Sequence[np.ndarray], allowed: np.ndarray) -> np.ndarray:
    """The allowed rows, best first: by ``keys`` (n,), smaller is better and the first key counts
    most, then by the number of rows that dominate them, then by the row."""
    rows = np.flatnonzero(allowed)
    rounded = [np.round(key[rows].astype(np.float64), TIE_DECIMALS) for key in keys]
    candidates = scores[rows]
    dominators = np.array(
        [
            np.sum((candidates >= row).all(axis=1) & (candidates > row).any(axis=1))
            for row in candidates
        ]
    )
    return rows[np.lexsort((rows, dominators, *reversed(rounded)))]


def _best_of(column: np.ndarray, order: np.ndarray) -> int:
    return int(order[np.argmax(column[order])])


def _diverse(z: np.ndarray, order: np.ndarray, count: int) -> list[int]:
    """Greedy max-min distance in z, from the better half of ``order``; the best row is kept."""
    pool = order[: max(count, (len(order) + 1) // 2)]
    taken = [0]
    distance = np.linalg.norm(z[pool] - z[pool[0]], axis=1)
    while len(taken) < min(count, len(pool)):
        distance[taken] = -1.0
        farthest = int(np.argmax(np.round(distance, TIE_DECIMALS)))
        taken.append(farthest)
        distance = np.minimum(distance, np.linalg.norm(z[pool] - z[pool[farthest]], axis=1))
    return [int(pool[place]) for place in sorted(taken)]
