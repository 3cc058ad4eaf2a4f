"""Hypervolume: the volume between a reference point and the front, the measure of progress."""

import moocore
import numpy as np

from evo_t2i.points import usable


def reference_point(scores: np.ndarray) -> np.ndarray:
    """(n, m) scores of generation 0 → (m,): each score's minimum less 10 % of its range (less 1
    where it does not vary).

    Rows that are not finite are left out; without any finite row the point is the origin.
    """
    finite = _finite_rows(scores)
    if len(finite) == 0:
        return np.zeros(scores.shape[1])
    lowest = finite.min(axis=0)
    span = finite.max(axis=0) - lowest
    return lowest - np.where(span > 0, 0.1 * span, 1.0)


def hypervolume(scores: np.ndarray, reference: np.ndarray) -> float:
    """Volume dominated by (n, m) maximised scores above the (m,) reference point; at least 0.

    Exact (moocore). Rows that are not finite are left out, as are points below the reference.
    """
    finite = _finite_rows(scores)
    finite = finite[(finite > reference).all(axis=1)]
    if len(finite) == 0:
        return 0.0
    return float(moocore.hypervolume(finite, ref=reference, maximise=True))


def best_point(scores: np.ndarray) -> np.ndarray:
    """(n, m) scores of generation 0 → (m,): each score's maximum, over finite rows.

    Without any finite row one unit above the reference point.
    """
    reference = reference_point(scores)
    finite = _finite_rows(scores)
    best: np.ndarray = finite.max(axis=0) if len(finite) else reference + 1.0
    return best


def relative_hypervolume(scores: np.ndarray, reference: np.ndarray, best: np.ndarray) -> float:
    """Hypervolume in units of the box between generation 0's reference and best points.

    It does not depend on the units of a score: a front that reaches generation 0's best in
    every score at once has 1, and more is beyond what generation 0 showed.
    """
    unit = (np.asarray(scores, np.float64) - reference) / (best - reference)
    return hypervolume(unit, np.zeros(len(reference)))


def _finite_rows(scores: np.ndarray) -> np.ndarray:
    rows: np.ndarray = np.asarray(scores, np.float64)
    return rows[usable(rows)]
