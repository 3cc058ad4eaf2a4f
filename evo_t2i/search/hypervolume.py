"""Hypervolume: the volume between a reference point and the front, the measure of progress."""

import sys
from dataclasses import dataclass
from typing import Self

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

    Exact (moocore), and at most the largest float. Rows that are not finite are left out, as are
    points below the reference.
    """
    finite = _finite_rows(scores)
    finite = finite[(finite > reference).all(axis=1)]
    if len(finite) == 0:
        return 0.0
    volume = float(moocore.hypervolume(finite, ref=reference, maximise=True))
    return min(volume, sys.float_info.max)


@dataclass(frozen=True)
class Box:
    """The unit in which a run's progress is counted: from just below generation 0's worst to its
    best in every score.

    So the measure does not depend on the scores' units: a front that reaches generation 0's best in
    every score at once has 1, and more is beyond what generation 0 showed.
    """

    reference: tuple[float, ...]
    """(m,) ``reference_point`` of generation 0."""
    best: tuple[float, ...]
    """(m,) each score's maximum over generation 0's finite rows; without any, one unit above the
    reference."""

    @classmethod
    def around(cls, scores: np.ndarray) -> Self:
        """The box of generation 0's (n, m) scores."""
        reference = reference_point(scores)
        finite = _finite_rows(scores)
        best = finite.max(axis=0) if len(finite) else reference + 1.0
        return cls(tuple(reference.tolist()), tuple(best.tolist()))

    def volume(self, scores: np.ndarray) -> float:
        """Hypervolume of (n, m) scores in units of this box; at least 0."""
        reference = np.array(self.reference)
        unit = (np.asarray(scores, np.float64) - reference) / (np.array(self.best) - reference)
        return hypervolume(unit, np.zeros(len(reference)))


def _finite_rows(scores: np.ndarray) -> np.ndarray:
    rows: np.ndarray = np.asarray(scores, np.float64)
    return rows[usable(rows)]
