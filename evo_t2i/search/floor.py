"""A floor under every score, below which generation 0 seldom was.

On a Pareto front a picture may be the best by one score and hopeless by all others: with four
scores nearly the whole front can be such. Nobody picks them, and a search that breeds them has
fewer left for what somebody would. So a picture that is below the floor by any score counts only
while there is no other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from evo_t2i.errors import RunDataError
from evo_t2i.points import Points, state_array


@dataclass(frozen=True, eq=False)
class Floor:
    """The least that scores may be."""

    least: np.ndarray
    """(m,) float64, in the scores' own units."""
    scale: np.ndarray
    """(m,) float64: the scores' units, those of z."""

    @classmethod
    def of(cls, scores: np.ndarray, share: float, scale: np.ndarray) -> Self:
        """The quantile ``share`` of each of generation 0's (n, m) scores; rows that are not finite
        are left out."""
        finite = scores[np.isfinite(scores).all(axis=1)]
        least = np.quantile(finite, share, axis=0) if len(finite) else np.full(len(scale), -np.inf)
        return cls(least, scale)

    def below(self, scores: np.ndarray) -> np.ndarray:
        """(n,) how far (n, m) scores are below the floor, the sum over scores in units of z; 0 for
        those that are nowhere below, and where a score did not vary."""
        with np.errstate(invalid="ignore"):
            depth = np.maximum(self.least - scores, 0.0)
        units = np.where(self.scale > 0, self.scale, np.inf)
        return np.asarray((depth / units).sum(axis=1))

    def over(self, points: Points) -> Points:
        """Those of ``points`` that are nowhere below; all of them where there is no such one."""
        above = self.below(points.scores) <= 0
        return points[above] if above.any() else points

    def to_state(self) -> dict[str, np.ndarray]:
        """Arrays under ``floor.…``."""
        return {"floor.least": self.least, "floor.scale": self.scale}

    @classmethod
    def from_state(cls, state: Mapping[str, np.ndarray], objectives: int) -> Self:
        """Read ``to_state`` back; RunDataError when an array is missing or of another run."""
        least, scale = (state_array(state, f"floor.{name}", 1) for name in ("least", "scale"))
        numbers = least.dtype.kind == scale.dtype.kind == "f"
        if not numbers or not len(least) == len(scale) == objectives or np.isnan(least).any():
            raise RunDataError(
                f"The saved floor is not one number for each of {objectives} scores; it is damaged "
                "or belongs to another run: start a new one."
            )
        return cls(least.copy(), scale.copy())
