"""A pick beside what the search began with."""

import numpy as np
import pytest

from evo_t2i.errors import UsageError
from evo_t2i.picking.methods import pick
from evo_t2i.picking.start import NOISE, beginning, compared

NAMES = ("a", "b")
FIRST = np.random.default_rng(0).normal([2.0, -1.0], [0.5, 3.0], (101, 2))


def test_it_begins_with_the_first_and_the_best_picture_that_have_scores() -> None:
    scores = FIRST.copy()
    scores[0] = np.nan
    begun = beginning(scores, NAMES)
    assert begun.plain == 1
    assert begun.best == pick(scores, scores, NAMES).chosen[0]
    with pytest.raises(UsageError, match="nothing to pick"):
        beginning(np.full((3, 2), np.nan), NAMES)


def test_a_pick_is_better_only_beyond_what_scores_can_tell() -> None:
    best = beginning(FIRST, NAMES).best
    even = {"a": 0.5, "b": 0.5}
    same = compared(FIRST[best], FIRST, NAMES, even)
    assert same.row == best
    assert same.value == pytest.approx(same.picked_value)
    assert not same.better
    # lift both scores by what makes the value differ by a little less and a little more
    spread = 1.4826 * np.median(np.abs(FIRST - np.median(FIRST, axis=0)), axis=0)
    for share, better in ((0.9, False), (1.1, True)):
        lifted = FIRST[best] + share * NOISE * spread
        found = compared(lifted, FIRST, NAMES, even)
        capped = found.picked_value - found.value < 0.99 * share * NOISE
        assert not capped
        assert found.better is better


def test_both_are_measured_by_the_picks_weights() -> None:
    weights = {"a": 1.0, "b": 0.0}
    found = compared(np.array([9.0, -50.0]), FIRST, NAMES, weights)
    assert found.row == int(FIRST[:, 0].argmax())
    assert found.picked_value == 3.0  # the cap
    assert found.better == (3.0 - found.value > NOISE)
