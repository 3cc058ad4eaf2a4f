"""The best picture of each look, kept beside the front: an archive of quality and diversity.

As MAP-Elites (Mouret and Clune, 2015) keeps the best of each cell, this keeps the best of each
look, where looks are no fixed cells but balls around the elites themselves. A look is only kept
while its best is as good as generation 0's best, less what scores cannot tell: what it offers is a
choice and no worse picture.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from evo_t2i.errors import RunDataError
from evo_t2i.looks import NUMBERS, SAME, covers
from evo_t2i.picking.formulas import Z_CAP
from evo_t2i.picking.scale import standardise
from evo_t2i.points import Points, state_array, usable

MOST = 60
"""Looks that are kept at most, the best."""
NOISE = 0.25
"""How far below generation 0's best balanced value an elite may be: what scores cannot tell."""


@dataclass(frozen=True, eq=False)
class Elites:
    """Points of different looks, the best first, with their thumbnails."""

    points: Points
    looks: np.ndarray
    """(n, 768) float32, see ``evo_t2i.looks.thumbnails``."""
    floor: float
    """The least balanced value of an elite."""

    @classmethod
    def none(cls, dimensions: int, objectives: int) -> Self:
        """Before generation 0."""
        return cls(Points.empty(dimensions, objectives), np.empty((0, NUMBERS), np.float32), np.nan)

    def extended(
        self, points: Points, looks: np.ndarray, centre: np.ndarray, scale: np.ndarray
    ) -> "Elites":
        """With new ``points`` whose thumbnails are ``looks``; ``centre`` and ``scale`` (m,) are
        generation 0's, which has to come first.

        Points below the median of generation 0 in some score are never elites.
        """
        together = Points.joined([self.points, points])
        thumbnails = np.concatenate([self.looks, looks.astype(np.float32)])
        z = standardise(together.scores, centre, scale)
        value = np.minimum(z, Z_CAP).mean(axis=1)
        fit = usable(together.scores) & (z >= 0).all(axis=1)
        best = value[fit].max() if fit.any() else -np.inf
        floor = best - NOISE if np.isnan(self.floor) else self.floor
        able = np.flatnonzero(fit & (value >= floor))
        order = able[np.lexsort((together.ids[able], -value[able]))]
        kept = np.array(covers(thumbnails, order, SAME)[:MOST], dtype=np.int64)
        return replace(self, points=together[kept], looks=thumbnails[kept], floor=float(floor))

    def beside(self, front: Points) -> Points:
        """The ``front`` and the elites that are not on it, ids ascending."""
        others = self.points[~np.isin(self.points.ids, front.ids)]
        together = Points.joined([front, others])
        return together[np.argsort(together.ids, kind="stable")]

    def to_state(self) -> dict[str, np.ndarray]:
        """Arrays under ``elites.…``."""
        return {
            **self.points.to_state("elites"),
            "elites.looks": self.looks,
            "elites.floor": np.array(self.floor, np.float64),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, np.ndarray], like: "Elites") -> Self:
        """Read ``to_state`` back, of a run of the shape of ``like``; RunDataError if it is not."""
        points = Points.from_state(
            state, "elites", like.points.latents.shape[1], like.points.scores.shape[1]
        )
        looks = state_array(state, "elites.looks")
        if looks.shape != (len(points), NUMBERS):
            raise RunDataError(
                f"The saved state has thumbnails {looks.shape} for {len(points)} elites; it "
                "belongs to another run: start a new one."
            )
        return cls(points, looks.copy(), float(state_array(state, "elites.floor")))
