"""Picking: the formula by hand, and what every method must hold to."""

import dataclasses

import moocore
import numpy as np
import pytest
from pymoo.mcdm.pseudo_weights import PseudoWeights

from evo_t2i.errors import UsageError
from evo_t2i.picking.methods import METHODS, Z_CAP, pick, robust_scale
from evo_t2i.picking.table import pick_json, pick_table, shown_z
from evo_t2i.picking.taste import Taste

NAMES = ("text_image", "image_real", "region_word", "word_label")
RANKING = [name for name in METHODS if name != "extremes"]


def cloud(seed, count=30, scores=4):
    """A front with dominated rows in it, and a generation 0."""
    rng = np.random.default_rng(seed)
    return rng.normal(1.0, 1.0, (count, scores)), rng.normal(0.0, 1.0, (50, scores))


def test_balanced_is_the_capped_robust_mean_of_z():
    generation0 = np.array([[0.0, 10.0], [1.0, 20.0], [2.0, 30.0], [3.0, 40.0], [4.0, 90.0]])
    front = np.array([[5.0, 31.0], [100.0, 30.0], [3.0, 60.0]])
    scale = 1.4826 * np.array([1.0, 10.0])
    z = (front - np.array([2.0, 30.0])) / scale
    expected = np.minimum(z, 3.0)
    result = pick(front, generation0, ("a", "b"))
    np.testing.assert_allclose(result.z, z)
    np.testing.assert_allclose(result.value, expected.mean(axis=1))
    assert result.z[1, 0] > Z_CAP
    assert result.chosen == (1,)
    assert result.runner_up == 2
    assert result.margin == pytest.approx(expected[1].mean() - expected[2].mean())


def test_images_that_lose_nothing_against_generation_0_go_first():
    generation0 = np.array([[-1.0, -1.0], [0.0, 0.0], [1.0, 1.0]])
    front = np.array([[9.0, -0.1], [0.5, 0.4]])
    result = pick(front, generation0, ("a", "b"))
    assert result.value[0] > result.value[1]
    assert result.chosen == (1,)
    assert result.margin < 0
    assert "larger mean" in result.notes[0]
    alone = pick(front[:1], generation0, ("a", "b"))
    assert alone.chosen == (0,)
    assert alone.runner_up is None
    assert alone.margin is None
    assert "at least as good as generation 0" in alone.notes[0]


def test_pictures_at_the_cap_in_every_score_are_counted():
    generation0 = np.array([[-1.0, -1.0], [0.0, 0.0], [1.0, 1.0]])
    front = np.array([[9.0, 5.0], [5.0, 9.0], [4.0, 9.0]])
    assert pick(front[[0, 2]], generation0, ("a", "b")).notes == ()
    (note,) = pick(front, generation0, ("a", "b")).notes
    assert note.startswith("2 images reach the cap of +3 in every score")


def test_a_pick_far_below_generation_0_in_a_score_is_noted():
    generation0 = np.array([[-1.0, -1.0], [0.0, 0.0], [1.0, 1.0]])
    front = np.array([[9.0, -2.0], [0.5, 0.4]])
    bought = pick(front, generation0, ("a", "b"), Taste(method="weighted", weights={"a": 3}))
    assert bought.chosen == (0,)
    assert "below generation 0's median in b;" in bought.notes[0]
    left_out = pick(front, generation0, ("a", "b"), Taste(method="weighted", weights={"b": 0}))
    assert (left_out.chosen, left_out.notes) == ((0,), ())
    level = pick(front, generation0, ("a", "b"), Taste(method="asf", weights={"b": 3}))
    assert (level.chosen, level.notes) == ((1,), ())


def test_one_fooled_score_does_not_win():
    generation0 = np.random.default_rng(0).normal(size=(100, 4))
    front = np.array([[50.0, 0.1, 0.1, 0.1], [1.5, 1.5, 1.5, 1.5]])
    assert pick(front, generation0, NAMES).chosen == (1,)


def test_ties_go_to_the_larger_minimum_then_to_the_earlier_row():
    generation0 = np.array([[-1.0, -1.0], [0.0, 0.0], [1.0, 1.0]]) / 1.4826
    front = np.array([[2.0, 0.0], [1.5, 0.5], [0.5, 1.5]])
    result = pick(front, generation0, ("a", "b"))
    np.testing.assert_allclose(result.value, 1.0)
    assert result.chosen == (1,)
    assert result.runner_up == 2
    assert result.margin == pytest.approx(0, abs=1e-12)


def test_images_at_the_cap_in_every_score_are_told_apart():
    generation0 = np.array([[-1.0] * 3, [0.0] * 3, [1.0] * 3]) / 1.4826  # so z is the score
    front = np.array([[4.0, 9.0, 4.5], [5.0, 5.5, 8.0], [5.0, 7.0, 7.5], [30.0, 3.5, 3.5]])
    names = ("a", "b", "c")
    result = pick(front, generation0, names)
    np.testing.assert_allclose(result.z, front)
    np.testing.assert_allclose(result.value, 3.0)
    assert (result.chosen, result.runner_up) == ((2,), 1)
    assert result.margin == pytest.approx(0, abs=1e-12)
    # All tie at 3, so the better half is rows 2 and 1; of three the farthest comes second.
    assert pick(front, generation0, names, Taste(count=2)).chosen == (2, 1)
    assert pick(front[[0, 1, 2, 2, 2, 2]], generation0, names, Taste(count=2)).chosen == (2, 3)
    weighted = pick(front, generation0, names, Taste(weights={"b": 1.0, "a": 0.0, "c": 0.0}))
    assert weighted.chosen == (0,)
    for order in ([3, 2, 1, 0], [1, 3, 0, 2]):
        assert order[pick(front[order], generation0, names).chosen[0]] == 2
    twins = np.repeat(front[[0, 2]], 2, axis=0)
    assert pick(twins, generation0, names).chosen == (2,)


def test_distances_between_picks_know_no_cap():
    generation0 = np.array([[-1.0, -1.0], [0.0, 0.0], [1.0, 1.0]]) / 1.4826
    front = np.array([[9.0, 9.0], [8.9, 9.1], [8.8, 9.2], [7.0, 11.0], [4.0, 4.0], [3.5, 14.0]])
    assert pick(front, generation0, ("a", "b"), Taste(count=2)).chosen == (0, 2)
    assert pick(front, generation0, ("a", "b"), Taste(count=4)).chosen == (0, 1, 2, 3)
    with_worse = np.concatenate([front, np.zeros((2, 2))])
    assert pick(with_worse, generation0, ("a", "b"), Taste(count=2)).chosen == (0, 3)


@pytest.mark.parametrize("method", METHODS)
def test_order_of_the_rows_does_not_matter(method):
    for seed in range(40):
        front, generation0 = cloud(seed)
        order = np.random.default_rng(seed + 1000).permutation(len(front))
        first = pick(front, generation0, NAMES, Taste(method=method))
        second = pick(front[order], generation0[::-1], NAMES, Taste(method=method))
        assert first.chosen == tuple(order[list(second.chosen)])
        np.testing.assert_allclose(first.value[order], second.value)


@pytest.mark.parametrize("method", METHODS)
def test_units_of_a_score_do_not_matter(method):
    for seed in range(40):
        front, generation0 = cloud(seed)
        rng = np.random.default_rng(seed + 2000)
        factor, offset = 10.0 ** rng.uniform(-3, 3, 4), rng.normal(size=4) * 10
        first = pick(front, generation0, NAMES, Taste(method=method))
        second = pick(
            front * factor + offset, generation0 * factor + offset, NAMES, Taste(method=method)
        )
        assert first.chosen == second.chosen
        np.testing.assert_allclose(first.value, second.value, atol=1e-8)


@pytest.mark.parametrize("method", METHODS)
def test_a_dominated_image_never_wins(method):
    for seed in range(300):
        rng = np.random.default_rng(seed)
        count = int(rng.integers(1, 12))
        # Few distinct values and a far cloud: many ties, many scores at the cap.
        front = rng.integers(0, 4, (count, 3)).astype(float) + rng.choice([0, 8])
        generation0 = rng.integers(-2, 3, (9, 3)).astype(float)
        weights = {"a": float(rng.integers(0, 2))} | ({"b": 0.3} if METHODS[method].weights else {})
        weights = None if method == "extremes" else weights
        result = pick(front, generation0, ("a", "b", "c"), Taste(method=method, weights=weights))
        for chosen in result.chosen:
            better = (front >= front[chosen]).all(axis=1) & (front > front[chosen]).any(axis=1)
            assert not better.any()


def test_scale_falls_back_from_mad_to_iqr_to_deviation_to_nothing():
    half = np.array([0.0] * 9 + [1.0] * 8)
    rare = np.array([0.0] * 16 + [1.0])
    scores = np.stack([np.arange(17.0), half, rare, np.full(17, 0.1)], axis=1)
    centre, scale = robust_scale(scores)
    np.testing.assert_allclose(centre, [8.0, 0.0, 0.0, 0.1])
    np.testing.assert_allclose(scale, [1.4826 * 4.0, 1 / 1.349, rare.std(), 0.0])


@pytest.mark.parametrize(("median", "spread"), [(0.0, 1e-6), (0.3, 4e-7), (-1e5, 0.06)])
def test_a_spread_that_is_rounding_counts_as_none(median, spread):
    column = median + spread * np.array([-1.0, 0.0, 1.0]) / 1.4826
    other = np.array([-1.0, 0.0, 1.0])
    front = np.array([[median + 1000 * spread, 0.0], [median, 0.5]])
    result = pick(front, np.stack([column, other], axis=1), ("a", "b"))
    assert result.notes == ("a does not vary in generation 0 and was left out.",)
    assert (result.z[:, 0] == 0).all()
    assert result.chosen == (1,)
    wider = median + 3 * (column - median)
    counted = pick(front, np.stack([wider, other], axis=1), ("a", "b"))
    assert (counted.chosen, counted.notes) == ((0,), ())


def test_a_score_without_spread_is_left_out_and_named():
    front, generation0 = cloud(5)
    generation0[:, 2] = 0.25
    result = pick(front, generation0, NAMES)
    assert result.weights["region_word"] == 0
    assert result.weights["word_label"] == pytest.approx(1 / 3)
    assert result.notes == ("region_word does not vary in generation 0 and was left out.",)
    flat = pick(front, np.ones((5, 4)), NAMES)
    assert len(flat.notes) == 4
    assert (flat.value == 0).all()


def test_nan_rows_of_generation_0_do_not_count():
    front, generation0 = cloud(6)
    with_nan = np.concatenate([generation0, np.full((7, 4), np.nan)])
    np.testing.assert_array_equal(
        pick(front, with_nan, NAMES).value, pick(front, generation0, NAMES).value
    )


@pytest.mark.parametrize("method", RANKING)
def test_all_the_weight_on_one_score_picks_its_best_image(method):
    for seed in range(20):
        front, generation0 = cloud(seed)
        generation0 = generation0 * 10  # far from the cap
        for column, name in enumerate(NAMES):
            weights = {other: float(other == name) for other in NAMES}
            result = pick(front, generation0, NAMES, Taste(method=method, weights=weights))
            assert result.chosen == (int(np.argmax(front[:, column])),)


def test_weights_are_made_to_sum_to_one():
    front, generation0 = cloud(1)
    result = pick(front, generation0, NAMES, Taste(weights={"text_image": 3.0, "word_label": 0.0}))
    assert result.weights == {
        "text_image": pytest.approx(0.6),
        "image_real": pytest.approx(0.2),
        "region_word": pytest.approx(0.2),
        "word_label": 0.0,
    }


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("weighted", [0.5, 0.5, 0.55]),
        ("asf", [-1.0, -1.0, -0.6]),
        ("topsis", [0.5, 0.5, np.hypot(0.4, 0.7) / (np.hypot(0.4, 0.7) + np.hypot(0.6, 0.3))]),
        ("rank", [-1.0, -1.0, -1.0]),
    ],
)
def test_the_other_methods_by_hand(method, expected):
    front = np.array([[0.0, 7.0], [10.0, 5.0], [4.0, 6.4]])
    result = pick(front, front, ("a", "b"), Taste(method=method))
    np.testing.assert_allclose(result.value, expected)
    assert result.chosen == (2,)


def test_pseudo_weights_are_shares_of_what_the_image_is_good_at():
    front = np.array([[0.0, 8.0], [2.0, 6.0], [5.0, 3.0], [8.0, 0.0]])
    result = pick(front, front, ("a", "b"), Taste("pseudo-weights", {"a": 3.0, "b": 1.0}))
    shares = np.array([[0, 1], [0.25, 0.75], [0.625, 0.375], [1, 0]])
    np.testing.assert_allclose(result.value, -np.abs(shares - [0.75, 0.25]).sum(axis=1))
    assert (result.chosen, result.runner_up) == ((2,), 3)


@pytest.mark.parametrize("seed", range(20))
def test_pseudo_weights_agree_with_pymoo(seed):
    rng = np.random.default_rng(seed)
    front = rng.random((40, 4))
    front = front[moocore.is_nondominated(front, maximise=True)]
    weights = rng.dirichlet(np.ones(4))
    result = pick(
        front,
        front,
        NAMES,
        Taste(method="pseudo-weights", weights=dict(zip(NAMES, weights, strict=True))),
    )
    assert result.chosen[0] == PseudoWeights(weights).do(-front)  # pymoo minimises


def test_a_dominated_image_with_the_wished_pseudo_weights_comes_last():
    front = np.array([[4.0, 0.0], [0.0, 4.0], [3.0, 1.0], [3.6, 2.0]])
    result = pick(front, front, ("a", "b"), Taste("pseudo-weights", {"a": 3.0, "b": 1.0}))
    assert result.value[2] == 0
    assert result.ranking == (3, 0, 1, 2)
    two = pick(front[[2, 3]], front, ("a", "b"), Taste(method="pseudo-weights"))
    assert two.chosen == (1,)


def test_the_knee_is_farthest_from_the_line_through_the_extremes():
    front = np.array([[0.0, 10.0], [10.0, 0.0], [4.0, 8.0], [6.0, 7.0], [8.0, 3.0]])
    result = pick(front, front, ("a", "b"), Taste(method="knee"))
    np.testing.assert_allclose(result.value, np.array([0, 0, 0.2, 0.3, 0.1]) / np.sqrt(2))
    assert (result.chosen, result.runner_up) == ((3,), 2)
    # The extremes of three scores here do not lie at the corners, so the plane leans.
    leaning = np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.5], [0.5, 0.0, 1.0], [0.6, 0.6, 0.6]])
    result = pick(leaning, leaning, ("a", "b", "c"), Taste(method="knee"))
    np.testing.assert_allclose(result.value, [0, 0, 0, 0.3 / np.sqrt(3)], atol=1e-12)


def test_a_knee_without_a_plane_is_measured_from_the_corners():
    front = np.array([[1.0, 1.0, 0.0], [0.0, 0.5, 1.0], [0.4, 0.4, 0.8]])  # two scores, one extreme
    result = pick(front, front, ("a", "b", "c"), Taste(method="knee"))
    unit = (front - front.min(axis=0)) / np.ptp(front, axis=0)
    np.testing.assert_allclose(result.value, (unit.sum(axis=1) - 1) / np.sqrt(3))


def test_lexicographic_gives_up_the_tolerance_for_the_next_score():
    generation0 = np.array([[-1.0] * 3, [0.0] * 3, [1.0] * 3]) / 1.4826  # so z is the score
    front = np.array([[3.0, 0, 0], [2.6, 1.0, 0], [2.6, 0.9, 5.0], [2.0, 9.0, 9.0], [2.9, 0, 4]])
    names = ("a", "b", "c")

    def chosen(**options):
        return pick(front, generation0, names, Taste(method="lexicographic", **options)).chosen[0]

    assert chosen(tolerance=0) == 0
    assert chosen() == chosen(tolerance=0.5) == 2
    assert chosen(tolerance=0.05) == 0
    assert chosen(tolerance=0.45, order=("a", "c")) == 2
    assert chosen(tolerance=0.2, order=("a", "c")) == 4
    assert chosen(tolerance=2, order=("b",)) == 3
    assert chosen(tolerance=9, weights={"c": 0}) == 3
    result = pick(front, generation0, names, Taste(method="lexicographic"))
    np.testing.assert_allclose(result.value, [1, 2, 2.5, 0, 1])
    assert result.ranking == (2, 1, 4, 0, 3)
    assert (result.order, result.tolerance) == (names, 0.5)
    floored = pick(front, generation0, names, Taste(method="lexicographic", floors={"b": 0.95}))
    assert floored.ranking == (1, 3)


def test_extremes_gives_the_best_of_each_score_once():
    front = np.array([[0.0, 7.0, 1.0], [10.0, 5.0, 2.0], [4.0, 6.0, 1.0]])
    result = pick(front, front, ("a", "b", "c"), Taste(method="extremes"))
    assert result.chosen == (1, 0)
    assert result.runner_up is None


def test_floors_are_raw_scores():
    front, generation0 = cloud(4)
    free = pick(front, generation0, NAMES)
    floor = float(np.sort(front[:, 1])[-3])
    result = pick(front, generation0, NAMES, Taste(floors={"image_real": floor}))
    assert front[result.chosen[0], 1] >= floor > front[free.chosen[0], 1]


def test_a_floor_out_of_reach_is_named_with_the_best_value():
    front = np.array([[0.1, 0.9], [0.8, 0.2]])
    with pytest.raises(UsageError, match=r"`floors` b=0\.95; the best has 0\.900000: lower that"):
        pick(front, front, ("a", "b"), Taste(floors={"a": 0.0, "b": 0.95}))
    with pytest.raises(
        UsageError, match=r"other floors reaches `floors` b=0\.5 as well; .* has 0\.200000"
    ):
        pick(front, front, ("a", "b"), Taste(floors={"b": 0.5, "a": 0.5}))


def test_several_picks_keep_the_best_and_spread_out():
    generation0 = np.random.default_rng(1).normal(size=(200, 2))
    near = np.array([[1.0, 1.0], [1.01, 0.98], [1.02, 0.96], [0.9, 1.07]])
    far = np.array([[1.9, 0.05], [0.05, 1.88]])
    front = np.concatenate([near, far, np.zeros((6, 2))])
    single = pick(front, generation0, ("a", "b"))
    triple = pick(front, generation0, ("a", "b"), Taste(count=3))
    assert triple.chosen[0] == single.chosen[0]
    assert set(triple.chosen[1:]) == {4, 5}
    values = triple.value[list(triple.chosen)]
    assert (np.diff(values) <= 0).all()
    everything = pick(front, generation0, ("a", "b"), Taste(count=99))
    assert sorted(everything.chosen) == list(range(len(front)))
    assert everything.notes == ("Only 12 images can be picked; 99 were asked for.",)


def test_bad_requests_are_one_sentence():
    front, generation0 = cloud(0)
    for options, message in [
        ({"method": "best"}, "`method` is best; choose from balanced, weighted"),
        ({"count": 0}, "`count` is 0; give 1 or more"),
        ({"weights": {"beauty": 1.0}}, "`weights` names the score beauty.*text_image"),
        ({"weights": {"text_image": -1.0}}, "is no weight"),
        ({"weights": {"text_image": float("nan")}}, "is no weight"),
        ({"weights": dict.fromkeys(NAMES, 0.0)}, "Every `weights` is 0"),
        ({"floors": {"beauty": 1.0}}, "`floors` names the score beauty"),
        ({"floors": {"text_image": float("nan")}}, "is no score"),
        ({"method": "extremes", "count": 2}, "leave out `weights` and `count`"),
        (
            {"method": "knee", "weights": {"text_image": 2.0}},
            "`method` knee weighs all scores alike",
        ),
        ({"order": ["text_image"]}, "`order` and `tolerance` are for `method` lexicographic"),
        ({"method": "asf", "tolerance": 0.0}, "and the method is asf"),
        ({"method": "lexicographic", "order": ["beauty"]}, "`order` names the score beauty"),
        ({"method": "lexicographic", "order": ["text_image"] * 2}, "give each score once"),
        ({"method": "lexicographic", "tolerance": -1.0}, "`tolerance` is -1.0; give 0 or more"),
        ({"method": "lexicographic", "tolerance": float("nan")}, "`tolerance` is nan"),
    ]:
        with pytest.raises(UsageError, match=message):
            pick(front, generation0, NAMES, Taste(**options))
    with pytest.raises(UsageError, match="front is empty"):
        pick(front[:0], generation0, NAMES)


@pytest.mark.parametrize("method", METHODS)
def test_fronts_of_one_image_and_of_equal_images(method):
    one = np.array([[0.5, 0.5]])
    assert pick(one, one, ("a", "b"), Taste(method=method)).chosen == (0,)
    assert pick(np.repeat(one, 4, axis=0), one, ("a", "b"), Taste(method=method)).chosen == (0,)


def test_a_huge_z_is_shown_as_such():
    assert [shown_z(z) for z in (0.04, -3.0, 99.0, 2322.0, -1e9)] == [
        "+0.0", "-3.0", "+99.0", "over +99", "under -99",
    ]  # fmt: skip


def test_the_table_shows_what_the_formula_used():
    front, generation0 = cloud(2)
    files = [f"front/{row:04d}.png" for row in range(len(front))]
    result = pick(front, generation0, NAMES, Taste(floors={"text_image": 0.0}))
    table = pick_table(result, front, NAMES, files)
    assert table.header == ("place", "file", "value", *NAMES)
    assert [row[0] for row in table.rows] == ["1", "runner-up"]
    best = result.chosen[0]
    assert table.rows[0][1] == files[best]
    assert table.rows[0][3] == f"{front[best, 0]:.4f} ({result.z[best, 0]:+.1f})"
    assert ("floors", "text_image ≥ 0") in table.summary
    assert all(len(row) == len(table.header) for row in table.rows)
    capped = ("note", "In the value, each z counts up to +3.")
    far = front + 100
    assert capped in pick_table(pick(far, generation0, NAMES), far, NAMES, files).summary
    level = pick_table(pick(far, generation0, NAMES), far, NAMES, files).summary
    assert any(label == "runner-up" and "equal in value" in text for label, text in level)
    near = np.minimum(front, 1.0)
    assert capped not in pick_table(pick(near, generation0, NAMES), near, NAMES, files).summary
    ordered = pick(front, generation0, NAMES, Taste(method="lexicographic", order=("word_label",)))
    summary = pick_table(ordered, front, NAMES, files).summary
    assert ("order", "word_label, then text_image, then image_real, then region_word") in summary
    assert ("tolerance", "0.5 standard deviations of generation 0") in summary
    digests = ["ab" * 32] * len(front)
    values = pick_json(result, front, NAMES, files, digests)
    assert values["chosen"][0]["scores"]["text_image"] == front[best, 0]
    assert values["margin"] == result.margin
    assert set(values) >= {field.name for field in dataclasses.fields(result)} - {
        "z",
        "value",
        "ranking",
    }
