"""What a survival sees of scores: their differences that mean something, and no others.

Scores are read as z against generation 0 (``evo_t2i.picking.scale``), then, in this order and each
only where it is asked for: lowered by a penalty for pictures unlike any of generation 0, cut off at
a cap, so that one score that is fooled cannot carry a picture, and rounded down to a grid, so that
differences that a score cannot tell are none. The archive keeps the scores as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from evo_t2i.picking.scale import standardise
from evo_t2i.points import state_array

COMPONENTS = 16
"""Principal components of generation 0's descriptors in which distances are measured."""
USUAL = 0.95
"""The share of generation 0 that is not penalised."""
_NO_SPREAD = 1e-6


def seen(
    scores: np.ndarray,
    centre: np.ndarray,
    scale: np.ndarray,
    *,
    cap: float = 0.0,
    grid: float = 0.0,
    penalty: np.ndarray | None = None,
) -> np.ndarray:
    """(n, m) scores as z less ``penalty`` (n,), at most ``cap``, rounded down to a multiple of
    ``grid``; a ``cap`` or ``grid`` of 0 is none. Rows that are not finite stay so.

    ``centre`` and ``scale`` (m,) are generation 0's; a score that did not vary there is 0.
    """
    z = standardise(scores, centre, scale)
    z[~np.isfinite(scores).all(axis=1)] = np.nan
    if penalty is not None:
        z = z - penalty[:, None]
    if cap > 0:
        z = np.minimum(z, cap)
    if grid > 0:
        z = np.floor(z / grid + 1e-9) * grid
    return z


@dataclass(frozen=True, eq=False)
class Usual:
    """What generation 0's descriptors were like: their mean and the axes along which they vary."""

    mean: np.ndarray
    """(d,) float32."""
    axes: np.ndarray
    """(k, d) float32: principal axes of unit length, the widest first; at most COMPONENTS."""
    spread: np.ndarray
    """(k,) float32: generation 0's standard deviation along each."""
    limit: float
    """The distance that ``USUAL`` of generation 0 keep."""

    @classmethod
    def of(cls, descriptors: np.ndarray) -> Self:
        """Of generation 0's (n, d); rows that are not finite are left out. Without two different
        rows there is no axis and nothing is far."""
        rows = descriptors[np.isfinite(descriptors).all(axis=1)].astype(np.float64)
        mean = rows.mean(axis=0) if len(rows) else np.zeros(descriptors.shape[1])
        _, sizes, axes = np.linalg.svd(rows - mean, full_matrices=False)
        spread = sizes / np.sqrt(max(len(rows) - 1, 1))
        kept = spread[:COMPONENTS] > _NO_SPREAD * max(spread.max(initial=0.0), _NO_SPREAD)
        usual = cls(
            mean.astype(np.float32),
            axes[:COMPONENTS][kept].astype(np.float32),
            spread[:COMPONENTS][kept].astype(np.float32),
            0.0,
        )
        limit = float(np.quantile(usual.distance(rows), USUAL)) if len(rows) else 0.0
        return cls(usual.mean, usual.axes, usual.spread, limit)

    def components(self, descriptors: np.ndarray) -> np.ndarray:
        """(n, d) → (n, k) float32: places along the axes, in the descriptors' own units."""
        offsets = descriptors.astype(np.float32) - self.mean
        return (
            np.stack([(offsets * axis).sum(axis=1) for axis in self.axes], axis=1, dtype=np.float32)
            if len(self.axes)
            else np.zeros((len(descriptors), 0), np.float32)
        )

    def distance(self, descriptors: np.ndarray) -> np.ndarray:
        """(n,) from the mean, in generation 0's standard deviations (Mahalanobis, 1936)."""
        scaled = self.components(descriptors).astype(np.float64) / self.spread
        return np.sqrt((scaled**2).sum(axis=1))

    def excess(self, descriptors: np.ndarray) -> np.ndarray:
        """(n,) how much farther than ``limit``: the penalty, in units of z; 0 for usual ones and
        for rows that are not finite."""
        return np.nan_to_num(np.maximum(self.distance(descriptors) - self.limit, 0.0))

    def to_state(self) -> dict[str, np.ndarray]:
        """Arrays under ``usual.…``."""
        return {
            "usual.mean": self.mean,
            "usual.axes": self.axes,
            "usual.spread": self.spread,
            "usual.limit": np.array(self.limit, np.float64),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, np.ndarray]) -> Self:
        """Read ``to_state`` back; RunDataError when an array is missing."""
        mean, axes, spread = (
            state_array(state, f"usual.{name}").copy() for name in ("mean", "axes", "spread")
        )
        return cls(mean, axes, spread, float(state_array(state, "usual.limit")))
