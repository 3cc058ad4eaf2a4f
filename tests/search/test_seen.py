"""What survival sees: z, penalty, cap and grid; distances to generation 0; elites; steps."""

from functools import partial

import numpy as np
import pytest

from evo_t2i.config import RunConfig
from evo_t2i.errors import UsageError
from evo_t2i.looks import NUMBERS, SAME
from evo_t2i.points import Points
from evo_t2i.search.elites import NOISE, Elites
from evo_t2i.search.nsga2 import Nsga2
from evo_t2i.search.seen import COMPONENTS, USUAL, Usual, seen
from evo_t2i.search.steps import Steps, adapted
from evo_t2i.testing import check_search

CENTRE, SCALE = np.array([1.0, 10.0]), np.array([0.5, 2.0])


def points_of(scores: np.ndarray, first_id: int = 0) -> Points:
    ids = np.arange(first_id, first_id + len(scores))
    return Points(
        latents=np.repeat(ids[:, None], 3, axis=1).astype(np.float32),
        scores=np.asarray(scores, np.float64),
        ids=ids,
        parents=np.full((len(ids), 2), -1),
        generations=np.zeros(len(ids), np.int64),
    )


def test_scores_are_seen_as_z_penalised_then_capped_then_rounded_down() -> None:
    scores = np.array([[1.0, 10.0], [2.2, 9.0], [4.0, 12.1], [np.nan, 1.0]])
    assert seen(scores, CENTRE, SCALE)[:3].tolist() == [
        pytest.approx([0, 0]),
        pytest.approx([2.4, -0.5]),
        pytest.approx([6, 1.05]),
    ]
    capped = seen(scores, CENTRE, SCALE, cap=3.0, grid=0.25)
    assert capped[:3].tolist() == [
        pytest.approx([0, 0]),
        pytest.approx([2.25, -0.5]),
        pytest.approx([3, 1]),
    ]
    assert np.isnan(capped[3]).all()
    penalised = seen(scores, CENTRE, SCALE, cap=3.0, grid=0.25, penalty=np.array([0, 1, 2, 0]))
    assert penalised[1].tolist() == pytest.approx([1.25, -1.5])
    assert penalised[2].tolist() == pytest.approx([3, -1])


def test_differences_below_the_grid_are_none_and_the_order_stays() -> None:
    scores = np.random.default_rng(0).normal(CENTRE, SCALE, (300, 2))
    z, rounded = seen(scores, CENTRE, SCALE), seen(scores, CENTRE, SCALE, grid=0.25)
    assert ((z - rounded >= -1e-6) & (z - rounded < 0.25 + 1e-6)).all()
    order = np.argsort(z[:, 0])
    assert (np.diff(rounded[order, 0]) >= 0).all()
    assert len(np.unique(rounded[:, 0])) < 40


def test_a_score_that_never_varied_is_not_seen() -> None:
    scores = np.array([[1.0, 5.0], [2.0, 7.0]])
    assert seen(scores, CENTRE, np.array([0.5, 0.0]))[:, 1].tolist() == [0, 0]


def test_what_is_like_generation_0_costs_nothing_and_what_is_not_its_excess() -> None:
    rng = np.random.default_rng(0)
    axes = rng.standard_normal((8, 40))
    first = rng.standard_normal((200, 8)) @ axes + 3
    usual = Usual.of(first)
    assert usual.axes.shape == (8, 40)
    distance = usual.distance(first)
    assert (distance <= usual.limit).mean() == pytest.approx(USUAL, abs=0.01)
    # the distance is Mahalanobis's in the space that generation 0 spans
    offsets = (first - first.mean(axis=0)) @ np.linalg.pinv(axes)
    inverse = np.linalg.inv(np.cov(offsets, rowvar=False))
    expected = np.sqrt(np.einsum("ni,ij,nj->n", offsets, inverse, offsets))
    assert distance == pytest.approx(expected, rel=1e-3)
    assert (usual.excess(first) == np.maximum(distance - usual.limit, 0)).all()
    far = first.mean(axis=0) + 10 * (first[0] - first.mean(axis=0))
    assert usual.excess(far[None])[0] == pytest.approx(10 * distance[0] - usual.limit, rel=1e-3)
    assert usual.excess(np.full((1, 40), np.nan))[0] == 0


def test_few_or_equal_pictures_have_few_axes() -> None:
    rng = np.random.default_rng(0)
    assert len(Usual.of(rng.standard_normal((100, 64))).axes) == COMPONENTS
    assert len(Usual.of(rng.standard_normal((5, 64))).axes) == 4
    same = Usual.of(np.ones((5, 64)))
    assert len(same.axes) == 0
    assert same.excess(np.zeros((2, 64))).tolist() == [0, 0]


def test_distances_do_not_depend_on_the_batch() -> None:
    rng = np.random.default_rng(0)
    usual = Usual.of(rng.standard_normal((60, 48)).astype(np.float32))
    batch = rng.standard_normal((33, 48)).astype(np.float32)
    whole = usual.distance(batch)
    assert [usual.distance(row[None])[0] for row in batch] == whole.tolist()


def flat_looks(*levels: float) -> np.ndarray:
    """Thumbnails of even pictures, levels in units of SAME."""
    return np.repeat(np.array(levels)[:, None] * SAME, NUMBERS, axis=1) / NUMBERS**0.5


def test_elites_are_the_best_of_each_look_and_no_worse_than_generation_0s_best() -> None:
    scale = np.ones(2)
    first = points_of([[1.0, 1.0], [0.5, 0.5], [-1.0, 3.0], [0.9, 0.9]])
    looks = flat_looks(0, 2, 4, 6)
    elites = Elites.none(3, 2).extended(first, looks, np.zeros(2), scale)
    assert elites.floor == pytest.approx(1 - NOISE)
    assert elites.points.ids.tolist() == [0, 3]  # the others are too poor, or below a median
    more = points_of([[0.8, 0.8], [2.0, 0.2], [0.7, 0.7], [0.95, 0.95]], 4)
    elites = elites.extended(more, flat_looks(2, 0.5, 8, 6.5), np.zeros(2), scale)
    # 5 is better than 0 and looks alike, 7 than 3; 4 is a look of its own; 6 is below the floor
    assert elites.points.ids.tolist() == [5, 7, 4]
    beside = elites.beside(points_of([[2.0, 0.2]], 5))
    assert beside.ids.tolist() == [4, 5, 7]
    again = Elites.from_state(elites.to_state(), Elites.none(3, 2))
    assert again.points.ids.tolist() == [5, 7, 4]
    assert again.floor == elites.floor


def test_steps_grow_after_three_successes_and_shrink_after_three_failures() -> None:
    factor, streak = np.ones(3), np.zeros(3, np.int64)
    parent = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
    good = np.array([1, 1, 1, 0, 0, 0, 1, 1, 0], bool)
    factor, streak = adapted(factor, streak, parent, good)
    assert factor.tolist() == pytest.approx([1.5, 1 / 1.5, 1])
    assert streak.tolist() == [0, 0, -1]
    factor, streak = adapted(factor, streak, np.array([2, 2]), np.array([False, False]))
    assert factor[2] == pytest.approx(1 / 1.5)


def test_children_have_their_first_parents_step() -> None:
    parents, children = points_of(np.zeros((2, 2))), points_of(np.zeros((3, 2)), 2)
    children = Points(**children.arrays() | {"parents": np.array([[1, 0], [1, 0], [0, 1]])})
    steps = Steps(np.array([1.0, 2.0]), np.array([0, 2]))
    together = Points.joined([parents, children])
    after = steps.after(parents, children, together[np.array([4, 2, 1])])
    # one child of parent 1 survived, its third success in a row; the other did not
    assert after.factor.tolist() == [1.0, 2.0, 3.0]
    assert after.streak.tolist() == [0, 0, -1]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"step": 0.0}, "`step` is 0.0; give a number above 0"),
        ({"cap": -1.0}, "`cap` is -1.0"),
        ({"operators": "sbx-pm", "adaptive": True}, "leave out `step` and `adaptive`"),
        ({"fine_step": 0.3}, "haar-pcn, or leave out `fine_step`"),
        ({"niche": "look", "survival": "mnn"}, "reference, which alone knows niches"),
        ({"niche": "colour"}, "choose from none, look, embedding"),
        ({"keep": "all"}, "choose from looks, front"),
    ],
)
def test_options_that_nothing_honours_are_refused(options: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Nsga2.Options(**options)


@pytest.mark.parametrize(
    "options", [{"niche": "look"}, {"niche": "embedding", "guard": True, "cap": 3.0}]
)
def test_a_search_that_wants_descriptors_keeps_the_contract(options: dict) -> None:
    check_search(partial(Nsga2, options=Nsga2.Options(**options)), floored=True)


def test_descriptors_that_are_missing_are_an_error() -> None:
    search = Nsga2(
        sample=lambda count, rng: rng.standard_normal((count, 8), dtype=np.float32),
        dimensions=8,
        objectives=2,
        config=RunConfig(caption="a test", seed=1, population=6),
        options=Nsga2.Options(niche="look"),
    )
    with pytest.raises(ValueError, match="this search wants 'look' of 6 pictures"):
        search.tell(search.ask(), np.zeros((6, 2)))


def test_a_survival_that_does_not_scale_gives_way_and_says_so() -> None:
    def search(population: int, **options) -> Nsga2:
        return Nsga2(
            sample=lambda count, rng: rng.standard_normal((count, 4), dtype=np.float32),
            dimensions=4,
            objectives=2,
            config=RunConfig(caption="a test", seed=1, population=population, offspring=population),
            options=Nsga2.Options(**options),
        )

    assert search(2_000).notes == ()
    assert search(3_000, survival="crowding", keep="front").notes == ()
    large = search(3_000, niche="look")
    assert large.wants == frozenset()  # nor an archive of looks
    without, instead = large.notes
    assert without.startswith("With 6,000 points a generation no other looks are kept")
    assert instead.startswith("Survival is crowding instead of reference, without niches: with 6,")
    large.tell(large.ask(), np.random.default_rng(0).random((3_000, 2)))
    assert len(large.population) == 3_000
