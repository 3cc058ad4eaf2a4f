"""Trust regions in the initial noise, after TRS (arXiv 2603.14504)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evo_t2i.config import RunConfig, described, require
from evo_t2i.errors import RunDataError
from evo_t2i.points import Points, state_array
from evo_t2i.search.protocol import Sample
from evo_t2i.search.scalar import ScalarSearch, pairs_of

SHORTEST, LENGTH, LONGEST = 0.05, 0.8, 2.4
"""Sides of a box: the least, at the start, the most."""
CHANGE, IN_A_ROW = 1.5, 3
"""A box grows by this after so many generations that improved its centre, and shrinks likewise."""
FEWEST, MOST = 0.1, 0.9
"""Share of a latent's numbers that a child changes."""


class TrustRegions(ScalarSearch):
    """Boxes around the best points of generation 0, each of a size that follows its success.

    A child takes its box's centre and draws a share of its numbers, itself drawn between a tenth
    and nine tenths, uniformly from the box. A box that becomes too small starts anew, around the
    best child of the generation that is no centre. Adding uniform noise leaves the prior's shell
    slowly; the paper says nothing of bounds, and neither does this.
    """

    @dataclass(frozen=True, kw_only=True)
    class Options:
        """The paper's number of boxes."""

        boxes: int = described("Trust regions.", 15)

        def __post_init__(self) -> None:
            require(self.boxes >= 1, "boxes", self.boxes, "1 or more")

    def __init__(
        self,
        *,
        sample: Sample,
        dimensions: int,
        objectives: int,
        config: RunConfig,
        options: Options | None = None,
    ) -> None:
        super().__init__(
            sample=sample,
            dimensions=dimensions,
            objectives=objectives,
            config=config,
            options=options,
        )
        self._length = np.empty(0)
        self._streak = np.empty(0, np.int64)
        self._whose = np.empty(0, np.int64)

    def _offspring(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        count, boxes = self._config.offspring, len(self.population)
        # where there are fewer children than boxes, each generation another part has its turn
        rows = (np.arange(count) + (self.generation - 1) * count) % boxes
        centres = self.population.latents[rows]
        share = rng.uniform(FEWEST, MOST, (count, 1))
        changed = rng.random(centres.shape) < share
        offsets = rng.uniform(-0.5, 0.5, centres.shape) * self._length[rows][:, None]
        self._whose = rows
        return np.where(changed, centres + offsets, centres), pairs_of(rows)

    def _kept(self, points: Points, _rng: np.random.Generator) -> Points:
        if self.generation == 0:
            centres = self.best(points, self._options.boxes)
            self._length = np.full(len(centres), LENGTH)
            self._streak = np.zeros(len(centres), np.int64)
            return centres
        together = Points.joined([self.population, points])
        values = self.value(together)
        boxes = len(self.population)
        centre = np.arange(boxes)
        for box in np.unique(self._whose):
            mine = boxes + np.flatnonzero(self._whose == box)
            child = mine[np.argmax(values[mine])]
            better = values[child] > values[box]
            centre[box] = child if better else box
            self._count(int(box), success=bool(better))
        self._restart(centre, values, boxes)
        return together[centre]

    def _count(self, box: int, *, success: bool) -> None:
        streak = self._streak[box]
        streak = max(streak, 0) + 1 if success else min(streak, 0) - 1
        if abs(streak) == IN_A_ROW:
            self._length[box] *= CHANGE if success else 1 / CHANGE
            self._length[box] = min(self._length[box], LONGEST)
            streak = 0
        self._streak[box] = streak

    def _restart(self, centre: np.ndarray, values: np.ndarray, boxes: int) -> None:
        """Give boxes that became too small another centre, where there is one."""
        order = boxes + np.argsort(-values[boxes:], kind="stable")
        free = [row for row in order.tolist() if row not in set(centre.tolist())]
        for box in np.flatnonzero(self._length < SHORTEST):
            self._length[box], self._streak[box] = LENGTH, 0
            if free:
                centre[box] = free.pop(0)

    def state(self) -> dict[str, np.ndarray]:
        """As for every search, with the boxes."""
        return super().state() | {"length": self._length.copy(), "streak": self._streak.copy()}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue where ``state`` was taken; raises RunDataError when it does not fit this run."""
        length, streak = state_array(state, "length"), state_array(state, "streak")
        held = len(state_array(state, "population.ids"))
        if not length.shape == streak.shape == (held,):
            raise RunDataError(
                f"The saved state has {len(length)} boxes for {held} points; it belongs to another "
                "run: start a new one."
            )
        super().restore(state)
        self._length, self._streak = length.copy(), streak.copy()
