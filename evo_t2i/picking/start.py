"""Whether a pick is better than what the search began with, beyond what scores can tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evo_t2i.picking.formulas import Z_CAP, weighted_sum
from evo_t2i.picking.methods import pick
from evo_t2i.picking.scale import robust_scale, standardise
from evo_t2i.picking.taste import Taste
from evo_t2i.points import usable

PLAIN, START = "plain.png", "start.png"
"""Files of a run: the first picture of generation 0, and its best by the balanced value."""
NOISE = 0.25
"""Two balanced values that are no farther apart tell nothing of the pictures: on the hard captions
of docs/benchmarks.md a survival that sees no smaller differences did better by the judges."""


@dataclass(frozen=True)
class Beginning:
    """Rows of generation 0."""

    plain: int
    """The first that has scores."""
    best: int
    """The best by the balanced value."""


def beginning(generation0_scores: np.ndarray, names: Sequence[str]) -> Beginning:
    """Of generation 0's (k, m) scores; UsageError when none of its pictures has any."""
    best = pick(generation0_scores, generation0_scores, names).chosen[0]
    return Beginning(int(np.flatnonzero(usable(generation0_scores))[0]), best)


@dataclass(frozen=True)
class Compared:
    """A pick beside generation 0's best by the same weights."""

    row: int
    """Of generation 0."""
    value: float
    """Its balanced value."""
    picked_value: float
    """The pick's balanced value."""

    @property
    def better(self) -> bool:
        """Whether the pick is better by more than ``NOISE``."""
        return self.picked_value - self.value > NOISE


def compared(
    picked_scores: np.ndarray,
    generation0_scores: np.ndarray,
    names: Sequence[str],
    shares: Mapping[str, float],
) -> Compared:
    """The pick's scores (m,) against generation 0's (k, m).

    ``shares`` are the weights of the pick, by the names of the scores; its method and floors do not
    matter, as both are measured by the balanced value.
    """
    weights = np.array([shares[name] for name in names])
    used = dict(shares) if weights.any() else {}
    row = pick(generation0_scores, generation0_scores, names, Taste(weights=used)).chosen[0]
    both = np.stack([generation0_scores[row], picked_scores])
    z = standardise(both, *robust_scale(generation0_scores))
    value, picked_value = weighted_sum(np.minimum(z, Z_CAP), weights).tolist()
    return Compared(row, value, picked_value)
