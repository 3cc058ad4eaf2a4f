"""What a person wants of a pick, checked as far as it can be without the scores."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evo_t2i.errors import UsageError, near_miss
from evo_t2i.picking.formulas import METHODS

TOLERANCE = 0.5
"""Of ``lexicographic``, in units of z, unless another one is given."""
LARGEST_WEIGHT = 1e100


@dataclass(frozen=True)
class Taste:
    """How to pick. Raises UsageError for an unknown method, for a number that is none, and for what
    the method has no use for; names of scores are checked where the scores are known."""

    method: str = "balanced"
    """One of ``METHODS``."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """By the scores' names, 0 or more; a score that is not named weighs 1."""
    floors: Mapping[str, float] = field(default_factory=dict)
    """The least that a score may be, in its own units."""
    count: int = 1
    """How many; with several the best one comes first, and the others differ from it."""
    order: Sequence[str] | None = None
    """For ``lexicographic``: scores, the most important first; the others follow as they stand."""
    tolerance: float | None = None
    """For ``lexicographic``: what may be given up of a score for the next one, in units of z;
    0.5 unless given."""

    def __post_init__(self) -> None:
        for name in ("weights", "floors"):
            object.__setattr__(self, name, dict(getattr(self, name) or {}))
        if self.order is not None:
            object.__setattr__(self, "order", tuple(self.order))
        self._require_numbers()
        self._require_fitting()

    def _require_numbers(self) -> None:
        for name, weight in self.weights.items():
            if not 0 <= weight <= LARGEST_WEIGHT:
                raise UsageError(
                    f"`weights` {name}={weight} is no weight; give 0 or more, up to "
                    f"{LARGEST_WEIGHT:g}."
                )
        for name, floor in self.floors.items():
            if not math.isfinite(floor):
                raise UsageError(f"`floors` {name}={floor} is no score; give a finite number.")
        if type(self.count) is not int or self.count < 1:
            raise UsageError(f"`count` is {self.count}; give 1 or more.")
        if self.tolerance is not None and not 0 <= self.tolerance < math.inf:
            raise UsageError(
                f"`tolerance` is {self.tolerance}; give 0 or more, in standard deviations of "
                "generation 0."
            )

    def _require_fitting(self) -> None:
        if self.method not in METHODS:
            raise UsageError(f"`method` is {self.method}; {near_miss(self.method, METHODS)}")
        if self.method == "extremes" and (self.weights or self.count != 1):
            raise UsageError(
                "`method` extremes gives the best image of each score; leave out `weights` and "
                "`count`."
            )
        if self.method != "lexicographic" and (self.order or self.tolerance is not None):
            raise UsageError(
                "`order` and `tolerance` are for `method` lexicographic, and the method is "
                f"{self.method}; leave them out or change the method."
            )
        if self.order is not None and len(set(self.order)) < len(self.order):
            raise UsageError(f"`order` is {','.join(self.order)}; give each score once.")


BALANCED = Taste()
