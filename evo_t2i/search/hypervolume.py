"""Hypervolume: the volume between a reference point and the front, the measure of progress."""

import moocore
import numpy as np


def reference_point(scores: np.ndarray) -> np.ndarray:
    """(n, m) scores of generation 0 → (m,): each score's minimum less 10 % of its range.

    Rows that are not finite are left out; without any finite row the point is the origin.
    """
    finite = _finite_rows(scores)
    if len(finite) == 0:
        return np.zeros(scores.shape[1])
    lowest = finite.min(axis=0)
    return lowest - 0.1 * (finite.max(axis=0) - lowest)


def hypervolume(scores: np.ndarray, reference: np.ndarray) -> float:
    """Volume dominated by (n, m) maximised scores above the (m,) reference point; at least 0.

    Exact (moocore). Rows that are not finite are left out, as are points below the reference.
    """
    finite = _finite_rows(scores)
    finite = finite[(finite > reference).all(axis=1)]
    if len(finite) == 0:
        return 0.0
    return float(moocore.hypervolume(finite, ref=reference, maximise=True))


def _finite_rows(scores: np.ndarray) -> np.ndarray:
    rows: np.ndarray = np.asarray(scores, np.float64)
    return rows[np.isfinite(rows).all(axis=1)]
