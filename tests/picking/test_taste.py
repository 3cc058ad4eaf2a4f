"""A taste by itself, and scores so large that nothing can be computed with them."""

import dataclasses
import warnings

import numpy as np
import pytest

from evo_t2i.errors import UsageError
from evo_t2i.picking.methods import METHODS, pick
from evo_t2i.picking.taste import Taste

NAMES = ("a", "b")


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"method": "topsy"}, "`method` is topsy; did you mean 'topsis'?"),
        ({"count": 0}, "`count` is 0; give 1 or more."),
        ({"count": 1.5}, "`count` is 1.5; give 1 or more."),
        ({"count": True}, "`count` is True; give 1 or more."),
        ({"weights": {"a": -1}}, "`weights` a=-1 is no weight; give 0 or more, up to 1e+100."),
        ({"weights": {"a": float("inf")}}, "`weights` a=inf is no weight"),
        ({"weights": {"a": 1e308, "b": 1e308}}, "`weights` a=1e+308 is no weight"),
        ({"floors": {"a": float("-inf")}}, "`floors` a=-inf is no score; give a finite number."),
        ({"tolerance": 1.0}, "`order` and `tolerance` are for `method` lexicographic"),
        ({"method": "lexicographic", "tolerance": float("inf")}, "`tolerance` is inf; give 0"),
        ({"method": "lexicographic", "order": ["a", "a"]}, "`order` is a,a; give each score once."),
        ({"method": "extremes", "weights": {"a": 1}}, "leave out `weights` and `count`."),
    ],
)
def test_what_no_scores_are_needed_for_is_refused_at_once(wish, message):
    with pytest.raises(UsageError) as caught:
        Taste(**wish)
    assert message in str(caught.value)


def test_a_taste_keeps_its_own_copies():
    weights, order = {"a": 2.0}, ["b"]
    taste = Taste("lexicographic", weights, order=order)
    weights["a"], order[0] = 3.0, "c"
    assert (taste.weights, taste.order) == ({"a": 2.0}, ("b",))
    assert dataclasses.replace(taste, order=None).order is None
    assert Taste(weights=None, floors=None) == Taste()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [1.7e308, 1e101])
def test_scores_near_the_largest_float_are_none(method, size):
    rng = np.random.default_rng(0)
    front, generation0 = rng.normal(size=(12, 2)), rng.normal(size=(40, 2))
    expected = pick(front, generation0, NAMES, Taste(method))
    large = np.array([[size, 0.0], [0.0, -size], [-size, size]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = pick(
            np.concatenate([front, large]), np.concatenate([large, generation0]), NAMES,
            Taste(method),
        )  # fmt: skip
        assert found.chosen == expected.chosen
        assert found.ranking == expected.ranking
        with pytest.raises(UsageError, match="nothing to pick"):
            pick(large, generation0, NAMES, Taste(method))


@pytest.mark.parametrize("method", METHODS)
def test_the_largest_scores_there_are_leave_finite_values(method):
    rng = np.random.default_rng(1)
    front = rng.normal(size=(12, 2)) * 1e99
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for generation0 in (rng.normal(size=(40, 2)), front):
            found = pick(front, generation0, NAMES, Taste(method))
            assert np.isfinite(found.value).all()
            assert np.isfinite(found.z).all()
