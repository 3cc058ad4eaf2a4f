"""When a run ends: by generations, evaluations, minutes, or when it gets nowhere."""

import time
from collections.abc import Sequence

from evo_t2i.config import RunConfig

STALLED = 1.01
"""Growth of the hypervolume below which a run gets nowhere."""


class Budget:
    """What ``config`` allows. The minutes are this session's, from now on.

    ``made`` is the number of generations of a run that was complete and is only made again: it
    comes to these, whatever ended it.
    """

    def __init__(self, config: RunConfig, made: int | None = None) -> None:
        self._config = config
        self._made = made
        self._begun = time.monotonic()

    def used_up(self, hypervolumes: Sequence[float]) -> bool:
        """Whether the run ends with the generations whose ``hypervolumes`` these are."""
        done = len(hypervolumes)
        if self._made is not None:
            return done >= self._made
        if done == 0:
            return False
        minutes = self._config.max_minutes
        late = minutes > 0 and time.monotonic() - self._begun >= 60 * minutes
        return done > self._config.last_generation or self._stalled(hypervolumes) or late

    def reason(self, hypervolumes: Sequence[float]) -> str:
        """Which of ``evo_t2i.config.BUDGETS`` ended a run with these hypervolumes."""
        last = len(hypervolumes) - 1
        if last >= self._config.generations:
            return "generations"
        if last >= self._config.last_generation:
            return "max_evaluations"
        return "stall" if self._stalled(hypervolumes) else "max_minutes"

    def _stalled(self, hypervolumes: Sequence[float]) -> bool:
        over = self._config.stall
        if over == 0 or len(hypervolumes) <= over:
            return False
        return hypervolumes[-1] <= STALLED * hypervolumes[-1 - over]
