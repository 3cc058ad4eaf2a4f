"""What every method must hold to, on fronts that hypothesis makes: many ties, dominance, caps."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from evo_t2i.picking.methods import METHODS, TIE_DECIMALS, pick
from evo_t2i.picking.taste import Taste

NAMES = ("a", "b", "c")
LEVELS = st.integers(0, 9).map(float)
POWERS = st.integers(-4, 4).map(lambda power: 2.0**power)


@st.composite
def cases(draw):
    """A front (n, 3) with ties and dominated rows, a generation 0, and options for a method."""
    front = draw(arrays.arrays(np.float64, (draw(st.integers(1, 12)), 3), elements=LEVELS))
    generation0 = draw(arrays.arrays(np.float64, (draw(st.integers(1, 9)), 3), elements=LEVELS))
    return front, generation0


def options_of(method):
    """Options that ``method`` honours."""
    weights = st.fixed_dictionaries(
        {"a": st.sampled_from([0.0, 0.5, 1.0, 3.0]), "b": st.sampled_from([0.0, 1.0])}
    )
    if method == "extremes":
        return st.just({})
    if METHODS[method].weights:
        return st.fixed_dictionaries({"weights": weights})
    alike = st.fixed_dictionaries({"a": st.sampled_from([0.0, 1.0])})
    if method == "lexicographic":
        order = st.permutations(NAMES)
        tolerance = st.sampled_from([0.0, 0.5, 2.0])
        return st.fixed_dictionaries({"weights": alike, "order": order, "tolerance": tolerance})
    return st.fixed_dictionaries({"weights": alike})


def dominated(front, row):
    return bool(((front >= front[row]).all(axis=1) & (front > front[row]).any(axis=1)).any())


@pytest.mark.parametrize("method", METHODS)
@given(case=cases(), data=st.data())
def test_a_dominated_image_never_wins(method, case, data):
    front, generation0 = case
    options = data.draw(options_of(method))
    result = pick(front, generation0, NAMES, Taste(method=method, **options))
    winners = result.chosen if method == "extremes" else result.chosen[:1]
    assert not any(dominated(front, row) for row in winners)


@pytest.mark.parametrize("method", METHODS)
@given(case=cases(), data=st.data())
def test_the_order_of_the_rows_decides_only_between_ties(method, case, data):
    front, generation0 = case
    options = data.draw(options_of(method))
    order = np.array(data.draw(st.permutations(range(len(front)))))
    first = pick(front, generation0, NAMES, Taste(method=method, **options))
    second = pick(front[order], generation0, NAMES, Taste(method=method, **options))
    np.testing.assert_allclose(second.value, first.value[order], atol=1e-12)
    np.testing.assert_allclose(
        second.value[list(second.ranking)], first.value[list(first.ranking)], atol=1e-8
    )
    if first.margin is not None:
        assert second.margin == pytest.approx(first.margin, abs=1e-8)
        assume(abs(first.margin) > 10.0**-TIE_DECIMALS)
        assert order[second.chosen[0]] == first.chosen[0]


@pytest.mark.parametrize("method", METHODS)
@given(case=cases(), data=st.data())
def test_units_do_not_matter(method, case, data):
    front, generation0 = case
    options = data.draw(options_of(method))
    factor = np.array([data.draw(POWERS) for _ in NAMES])  # exact in binary, as are the offsets
    offset = np.array([data.draw(LEVELS) for _ in NAMES])
    first = pick(front, generation0, NAMES, Taste(method=method, **options))
    second = pick(
        front * factor + offset,
        generation0 * factor + offset,
        NAMES,
        Taste(method=method, **options),
    )
    assert second.ranking == first.ranking
    assert second.chosen == first.chosen
    np.testing.assert_allclose(second.value, first.value, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
@given(case=cases(), data=st.data())
def test_copies_of_an_image_change_nothing_but_the_runner_up(method, case, data):
    front, generation0 = case
    options = data.draw(options_of(method))
    first = pick(front, generation0, NAMES, Taste(method=method, **options))
    twice = pick(
        np.concatenate([front, front]), generation0, NAMES, Taste(method=method, **options)
    )
    assert twice.chosen == first.chosen
    if method != "extremes":
        assert twice.margin == pytest.approx(0, abs=1e-8)
