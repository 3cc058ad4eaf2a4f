"""Below the floor nothing survives or is kept while there is anything else."""

import numpy as np
import pytest

from evo_t2i.config import RunConfig
from evo_t2i.errors import RunDataError, UsageError
from evo_t2i.points import Points
from evo_t2i.search.floor import Floor
from evo_t2i.search.nsga2 import Nsga2
from evo_t2i.search.survival import SURVIVALS, survive

FLOOR = Floor(np.array([1.0, 10.0]), np.array([0.5, 0.0]))


def points_of(scores: np.ndarray) -> Points:
    count = len(scores)
    return Points(
        latents=np.zeros((count, 3), np.float32),
        scores=np.asarray(scores, np.float64),
        ids=np.arange(count),
        parents=np.full((count, 2), -1),
        generations=np.zeros(count, np.int64),
    )


def test_the_floor_is_a_quantile_of_generation_0_without_what_failed() -> None:
    scores = np.stack([np.arange(101.0), np.arange(101.0)[::-1] / 10], axis=1)
    failed = np.array([[np.nan, 0.0], [np.inf, 0.0]])
    floor = Floor.of(np.concatenate([scores, failed]), 0.25, np.ones(2))
    assert floor.least.tolist() == [25.0, 2.5]
    nothing = Floor.of(failed, 0.25, np.ones(2))
    assert nothing.below(scores).tolist() == [0.0] * 101


def test_how_far_below_is_a_sum_in_units_of_z_without_scores_that_did_not_vary() -> None:
    scores = np.array([[1.0, 10.0], [0.5, 10.0], [5.0, 9.0], [-1.0, 0.0]])
    assert FLOOR.below(scores).tolist() == [0.0, 1.0, 0.0, 4.0]


def test_what_is_over_the_floor_is_kept_and_all_where_nothing_is() -> None:
    mixed = points_of(np.array([[0.0, 0.0], [2.0, 0.0], [0.9, 20.0], [1.0, 0.0]]))
    assert FLOOR.over(mixed).ids.tolist() == [1, 3]
    assert FLOOR.over(mixed[np.array([0, 2])]).ids.tolist() == [0, 2]


@pytest.mark.parametrize("survival", SURVIVALS)
def test_those_below_fill_only_places_that_are_left_the_least_below_first(survival: str) -> None:
    scores = np.array([[9.0, 0.0], [1.0, 1.0], [0.0, 9.0], [np.nan, 0.0], [2.0, 0.5], [5.0, 5.0]])
    below = np.array([3.0, 0.0, 1.0, 0.0, 0.0, 2.0])

    def chosen(count: int) -> tuple[list[int], list[int]]:
        found = survive(survival, scores, count, np.random.default_rng(0), below=below)
        return found.rows.tolist(), found.rank.tolist()

    assert sorted(chosen(2)[0]) == [1, 4]
    rows, rank = chosen(6)
    assert (sorted(rows[:2]), rows[2:]) == ([1, 4], [2, 5, 0, 3])
    assert rank[:2] == [0, 0]
    assert np.all(np.diff(rank[1:]) > 0)
    assert rank[2] >= len(scores)


def test_a_floor_comes_back_from_a_state_and_another_runs_is_refused() -> None:
    state = FLOOR.to_state()
    again = Floor.from_state(state, 2)
    assert (again.least.tolist(), again.scale.tolist()) == ([1.0, 10.0], [0.5, 0.0])
    for broken in (
        {"floor.least": np.zeros(3)},
        {"floor.scale": np.zeros((2, 1))},
        {"floor.least": np.array([0.0, np.nan])},
        {"floor.scale": np.array(["a", "b"])},
    ):
        with pytest.raises(RunDataError, match="start a new"):
            Floor.from_state(state | broken, 2)
    with pytest.raises(RunDataError, match="one number for each of 4 scores"):
        Floor.from_state(state, 4)


def searched(floor: float, generations: int = 12) -> Nsga2:
    """Two scores that a far point raises without end, one at the other's cost."""
    search = Nsga2(
        sample=lambda count, rng: rng.standard_normal((count, 8), dtype=np.float32),
        dimensions=8,
        objectives=2,
        config=RunConfig(caption="a test", seed=2, population=40, offspring=40),
        options=Nsga2.Options(floor=floor, keep="front"),
    )
    for _ in range(generations):
        latents = search.ask()
        gain, trade = latents[:, 0], latents[:, 1]
        search.tell(
            latents, np.stack([gain + 3 * trade, gain - 3 * trade], axis=1).astype(np.float64)
        )
    return search


def test_a_floor_keeps_the_front_and_the_population_above_it() -> None:
    free, floored = searched(0.0), searched(0.25)
    least = floored.state()["floor.least"]
    assert (free.archive.scores < least).any()
    assert (floored.archive.scores >= least).all()
    assert (floored.population.scores >= least).all()
    both = floored.archive.scores.min(axis=1).max()
    assert both > free.archive.scores.min(axis=1).max()


@pytest.mark.parametrize("floor", [-0.1, 1.0, float("nan")])
def test_a_floor_is_a_share(floor: float) -> None:
    with pytest.raises(UsageError, match=r"`floor` is .*; give 0 \(none\) to less than 1\."):
        Nsga2.Options(floor=floor)
