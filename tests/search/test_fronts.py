"""Ranks of many points are moocore's, wherever a survival needs them."""

import moocore
import numpy as np
import pytest

from evo_t2i.search import fronts
from evo_t2i.search.fronts import pareto_rank
from evo_t2i.search.survival import survive


@pytest.fixture
def as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every number of points is sorted as many are."""
    monkeypatch.setattr(fronts, "FEW", 0)


def require_needed(scores: np.ndarray, count: int) -> None:
    rank, expected = pareto_rank(scores, count), moocore.pareto_rank(-scores)
    last = np.sort(expected)[count - 1]
    needed = expected <= last
    assert np.array_equal(rank[needed], expected[needed])
    assert (rank[~needed] > last).all()


@pytest.mark.usefixtures("as_many")
@pytest.mark.parametrize("objectives", [1, 2, 3, 4, 6, 10])
@pytest.mark.parametrize("levels", [3, 20, 1_000_000])
@pytest.mark.parametrize("cells", [fronts.CELLS, 3**10])
def test_needed_ranks_are_exact(
    objectives: int, levels: int, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fronts, "CELLS", cells)
    scores = np.random.default_rng(levels).integers(levels, size=(400, objectives)) / levels
    for count in (1, 7, 200, 400):
        require_needed(scores, count)


@pytest.mark.usefixtures("as_many")
def test_needed_ranks_are_exact_where_scores_go_together_or_against_one_another() -> None:
    rng = np.random.default_rng(0)
    together = rng.standard_normal((300, 1)) + 0.1 * rng.standard_normal((300, 4))
    directions = np.abs(rng.standard_normal((300, 4)))
    for scores in (together, directions / np.linalg.norm(directions, axis=1, keepdims=True)):
        require_needed(scores, 150)
        require_needed(np.repeat(scores, 2, axis=0), 150)
        require_needed(scores * [1e90, 1.0, 1e-90, -1.0], 150)


@pytest.mark.parametrize("sizes", ["few", "many"])
def test_a_score_that_all_share_decides_nothing(sizes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fronts, "FEW", {"few": 1_000, "many": 0}[sizes])
    varying = np.random.default_rng(0).random((500, 3))
    scores = np.insert(varying, 1, 0.25, axis=1)
    assert np.array_equal(pareto_rank(scores, 500), moocore.pareto_rank(-varying))
    assert pareto_rank(np.full((9, 4), 0.5), 3).tolist() == [0] * 9


def test_one_score_of_many_points_that_varies_is_no_more_work_than_a_sort() -> None:
    # every point is a front of its own: taken off one after the other they would take an hour
    scores = np.zeros((100_000, 4))
    scores[:, 2] = np.random.default_rng(0).permutation(100_000)
    chosen = survive("crowding", scores, 50_000, np.random.default_rng(1))
    assert np.array_equal(scores[chosen.rows, 2], np.arange(99_999, 49_999, -1))
    assert np.array_equal(chosen.rank, np.arange(50_000))


@pytest.mark.parametrize("survival", ["crowding", "mnn"])
def test_the_same_survive_however_they_are_sorted(
    survival: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = np.random.default_rng(0).standard_normal((600, 4))
    few = survive(survival, scores, 300, np.random.default_rng(1))
    monkeypatch.setattr(fronts, "FEW", 0)
    many = survive(survival, scores, 300, np.random.default_rng(1))
    for name in ("rows", "rank", "crowding"):
        assert np.array_equal(getattr(few, name), getattr(many, name))
