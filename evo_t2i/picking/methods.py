"""Picking from a Pareto front: by a method, with weights and floors, and why.

The formulas are in ``evo_t2i.picking.formulas``. Ties (differences below 1e-9) go to the larger
smallest z, then to the larger weighted mean of z, both without the cap (of u for the methods that
use u), then to an image that fewer others dominate, then to the earlier row; so a dominated image
never wins.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evo_t2i.errors import UsageError, near_miss
from evo_t2i.picking.formulas import METHODS, Z_CAP, Wish, weighted_sum
from evo_t2i.picking.order import TIE_DECIMALS, best_first, dominators, spread_out
from evo_t2i.picking.scale import NO_SPREAD, robust_scale, standardise, unit_scale
from evo_t2i.picking.taste import BALANCED, TOLERANCE, Taste
from evo_t2i.points import usable

__all__ = [
    "METHODS",
    "NO_SPREAD",
    "TIE_DECIMALS",
    "TOLERANCE",
    "Z_CAP",
    "Pick",
    "pick",
    "robust_scale",
    "standardise",
]

WORSE = -1.0
"""A pick whose z is below this in some score is worth a note."""


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
            the larger value but is worse than generation 0's median in some score, or dominated.
        notes: sentences about what a person should know.
        ranking: all rows that reach the floors, best first.
        order, tolerance: of ``lexicographic``, the scores' names and units of z; empty and None
            for the other methods.
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
    ranking: tuple[int, ...]
    order: tuple[str, ...] = ()
    tolerance: float | None = None


def pick(
    front_scores: np.ndarray,
    generation0_scores: np.ndarray,
    names: Sequence[str],
    taste: Taste = BALANCED,
) -> Pick:
    """Pick rows of ``front_scores`` (n, m) by ``taste``; formulas in ``formulas``.

    ``generation0_scores`` (k, m) may hold nan rows. With a count above 1 the best one comes first,
    and the others are taken one by one from the better half (at least that many images), each as
    far as possible in z from those taken: alternatives rather than near copies; they are returned
    best first. Raises UsageError for a score's name that is not in ``names``, for weights that the
    method would not honour, and for floors that exclude every image.
    """
    method, count = taste.method, taste.count
    scores = np.array(front_scores, dtype=np.float64)
    finite = usable(scores)
    scores[~finite] = np.nan
    if not finite.any():
        raise UsageError("The front is empty, so there is nothing to pick; evolve more images.")
    shares = _shares(names, taste.weights)
    _require_alike(method, names, shares)
    sequence = _sequence(names, taste.order or ())
    allowed = _above_floors(scores, finite, names, taste.floors)
    centre, scale = robust_scale(generation0_scores)
    z = standardise(scores, centre, scale)
    unit, spans = unit_scale(scores, allowed)
    uses_z = METHODS[method].uses_z
    varies = scale > 0 if uses_z else spans > 0
    notes = _left_out(
        names, "in generation 0" if uses_z else "on the front", (shares > 0) & ~varies
    )
    shares = np.where(varies, shares, 0.0)
    if shares.sum() > 0:
        shares = shares / shares.sum()
    used = shares > 0
    allowance = TOLERANCE if taste.tolerance is None else taste.tolerance

    columns = z if uses_z else unit
    wish = Wish(shares, allowed, tuple(names.index(name) for name in sequence), allowance)
    value = METHODS[method].value(columns, wish)
    smallest = columns[:, used].min(axis=1) if used.any() else np.zeros(len(scores))
    last = _comes_last(method, scores[:, used], smallest, allowed)
    mean = weighted_sum(columns, shares)
    ranking = best_first(scores, (last, -value, -smallest, -mean), allowed)
    if method == "extremes":
        best = [int(ranking[np.argmax(column[ranking])]) for column in scores.T]
        chosen = list(dict.fromkeys(best))
    else:
        better_half = ranking[: max(count, (len(ranking) + 1) // 2)]
        chosen = spread_out(z[:, used], better_half, count)
        if len(chosen) < count:
            notes.append(f"Only {len(chosen)} images can be picked; {count} were asked for.")
    if method == "balanced" and last[ranking[0]]:
        notes.append("No image is at least as good as generation 0's median in every score.")
    capped = int((value[ranking] >= Z_CAP - 0.5 * 10.0**-TIE_DECIMALS).sum())
    if method == "balanced" and capped > 1:
        notes.append(
            f"{capped} images reach the cap of +{Z_CAP:g} in every score, so weights do not tell "
            "them apart; look at them, or leave out a score that may be fooled by --weight NAME=0."
        )
    if method not in ("balanced", "extremes"):
        worse = [
            name for name, low in zip(names, used & (z[ranking[0]] < WORSE), strict=True) if low
        ]
        if worse:
            notes.append(
                f"The best by {method} is more than one standard deviation below generation 0's "
                f"median in {' and '.join(worse)}; --method balanced puts such images last."
            )
    runner_up = int(ranking[1]) if len(ranking) > 1 and method != "extremes" else None
    margin = None if runner_up is None else float(value[ranking[0]] - value[runner_up])
    if margin is not None and margin < -0.5 * 10.0**-TIE_DECIMALS:
        notes.append(
            "The runner-up has a larger mean but is worse than generation 0's median in a score."
            if method == "balanced"
            else "The runner-up has a larger value but is dominated."
        )
    lexicographic = method == "lexicographic"
    return Pick(
        method=method,
        weights=dict(zip(names, shares.tolist(), strict=True)),
        floors={name: float(floor) for name, floor in taste.floors.items()},
        chosen=tuple(chosen),
        z=z,
        value=value,
        runner_up=runner_up,
        margin=margin,
        notes=tuple(notes),
        ranking=tuple(ranking.tolist()),
        order=sequence if lexicographic else (),
        tolerance=allowance if lexicographic else None,
    )


def _require_alike(method: str, names: Sequence[str], shares: np.ndarray) -> None:
    """Raise UsageError for weights that a method without any would not honour."""
    if not METHODS[method].weights and np.ptp(shares[shares > 0]) > 0:
        raise UsageError(
            f"`method` {method} weighs all scores alike; give `weights` only as 0, to leave a "
            f"score out: one of {', '.join(names)}."
        )


def _sequence(names: Sequence[str], order: Sequence[str]) -> tuple[str, ...]:
    """All ``names``: first those of ``order``, then the others."""
    _require_known(names, order, "order")
    return (*order, *(name for name in names if name not in order))


def _comes_last(
    method: str, used_scores: np.ndarray, smallest: np.ndarray, allowed: np.ndarray
) -> np.ndarray:
    """(n,) which images come after all others, whatever their value."""
    if method == "balanced":
        below: np.ndarray = smallest < -0.5 * 10.0**-TIE_DECIMALS
        return below
    last: np.ndarray = np.zeros(len(allowed), dtype=bool)
    if not METHODS[method].monotone:
        last[allowed] = dominators(used_scores[allowed]) > 0
    return last


def _shares(names: Sequence[str], weights: Mapping[str, float]) -> np.ndarray:
    """Weights in the order of ``names``, summing to 1."""
    _require_known(names, weights, "weights")
    shares = np.array([weights.get(name, 1.0) for name in names], dtype=np.float64)
    if shares.sum() == 0:
        raise UsageError("Every `weights` is 0; give at least one score a weight above 0.")
    return shares / shares.sum()


def _above_floors(
    scores: np.ndarray, finite: np.ndarray, names: Sequence[str], floors: Mapping[str, float]
) -> np.ndarray:
    """Which finite rows reach every floor; UsageError that names the floor when none does."""
    _require_known(names, floors, "floors")
    allowed = finite
    for column, name in enumerate(names):
        if name not in floors:
            continue
        values, reached = scores[:, column], scores[:, column] >= floors[name]
        if not (finite & reached).any():
            raise UsageError(
                f"No image reaches `floors` {name}={floors[name]:g}; the best has "
                f"{values[finite].max():.6f}: lower that floor."
            )
        if not (allowed & reached).any():
            raise UsageError(
                f"No image that reaches the other floors reaches `floors` {name}={floors[name]:g} "
                f"as well; the best of them has {values[allowed].max():.6f}: lower one floor."
            )
        allowed = allowed & reached
    return allowed


def _require_known(names: Sequence[str], given: Iterable[str], argument: str) -> None:
    unknown = [name for name in given if name not in names]
    if unknown:
        raise UsageError(
            f"`{argument}` names the score {unknown[0]}, which this run does not have; "
            f"{near_miss(unknown[0], names)}"
        )


def _left_out(names: Sequence[str], where: str, flat: np.ndarray) -> list[str]:
    return [
        f"{name} does not vary {where} and was left out."
        for name, left_out in zip(names, flat, strict=True)
        if left_out
    ]
