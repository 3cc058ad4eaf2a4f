"""The archive and the hypervolume against brute force, analytic volumes and a supremum."""

import numpy as np
import pytest

from evo_t2i.points import Points
from evo_t2i.search.archive import extend
from evo_t2i.search.hypervolume import (
    Box,
    hypervolume,
    reference_point,
)


def points(scores: np.ndarray, first_id: int = 0) -> Points:
    ids = np.arange(first_id, first_id + len(scores))
    return Points(
        latents=np.repeat(ids[:, None], 2, axis=1).astype(np.float32),
        scores=np.asarray(scores, np.float64),
        ids=ids,
        parents=np.full((len(ids), 2), -1),
        generations=np.zeros(len(ids), np.int64),
    )


def non_dominated_ids(scores: np.ndarray) -> list[int]:
    """By comparing every pair; of equal rows the first."""
    kept = []
    for i, mine in enumerate(scores):
        dominated = any((other >= mine).all() and (other > mine).any() for other in scores)
        repeated = any((scores[k] == mine).all() for k in range(i))
        if not dominated and not repeated:
            kept.append(i)
    return kept


@pytest.mark.parametrize("objectives", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("levels", [4, 10_000])
def test_archive_in_pieces_is_the_brute_force_front_of_all(objectives: int, levels: int) -> None:
    rng = np.random.default_rng([objectives, levels])
    scores = rng.integers(levels, size=(240, objectives)) / levels
    archive = Points.empty(2, objectives)
    for start in range(0, 240, 60):
        archive = extend(archive, points(scores[start : start + 60], start))
    assert archive.ids.tolist() == non_dominated_ids(scores)
    assert np.array_equal(archive.scores, scores[archive.ids])
    assert np.array_equal(archive.latents[:, 0], archive.ids)


def test_of_equal_points_the_archive_keeps_the_smallest_id_in_whatever_order_they_come() -> None:
    backwards = points(np.array([[1.0, 2.0], [1.0, 2.0], [2.0, 1.0]]))[np.array([2, 1, 0])]
    assert extend(Points.empty(2, 2), backwards).ids.tolist() == [0, 2]
    assert extend(points(np.array([[1.0, 2.0]]), 1), backwards).ids.tolist() == [0, 2]


def test_archive_leaves_out_rows_that_are_not_finite() -> None:
    scores = np.array([[np.nan, 9.0], [1.0, 2.0], [np.inf, 3.0], [2.0, 1.0], [5.0, np.nan]])
    assert extend(Points.empty(2, 2), points(scores)).ids.tolist() == [1, 3]
    nothing = extend(Points.empty(2, 2), points(scores[[0, 2]]))
    assert len(nothing) == 0
    assert nothing.scores.shape == (0, 2)


def test_hypervolume_of_staircases_in_the_plane() -> None:
    scores = np.array([[1.0, 4.0], [2.0, 3.0], [4.0, 1.0], [2.0, 2.0]])
    assert hypervolume(scores, np.zeros(2)) == pytest.approx(4 + 3 + 2)
    assert hypervolume(scores, np.array([1.0, 1.0])) == pytest.approx(2.0)
    assert hypervolume(scores, np.array([9.0, 9.0])) == 0.0


def test_hypervolume_of_a_line_converges_to_its_triangle() -> None:
    first = np.linspace(0, 1, 501)
    volume = hypervolume(np.stack([first, 1 - first], axis=1), np.zeros(2))
    assert volume == pytest.approx(0.5 - 0.5 / 500)  # 500 missing half squares of side 1/500


def test_hypervolume_of_a_sphere_stays_below_and_nears_its_supremum() -> None:
    # DTLZ2's front: the unit sphere's positive part, minimised; with reference r the whole front
    # would dominate r^4 - pi^2 / 32.
    directions = np.abs(np.random.default_rng(0).standard_normal((600, 4)))
    front = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    supremum = 1.5**4 - np.pi**2 / 32
    volume = hypervolume(-front, np.full(4, -1.5))
    assert 0.9 * supremum < volume < supremum
    assert volume > hypervolume(-front[:300], np.full(4, -1.5))


@pytest.mark.parametrize("objectives", [1, 3])
def test_hypervolume_agrees_with_sampling(objectives: int) -> None:
    rng = np.random.default_rng(objectives)
    scores, samples = rng.random((20, objectives)), rng.random((40_000, objectives))
    inside = (samples[:, None] <= scores).all(axis=2).any(axis=1).mean()
    assert hypervolume(scores, np.zeros(objectives)) == pytest.approx(inside, abs=0.015)


def test_failed_rows_change_neither_reference_nor_hypervolume() -> None:
    scores = np.array([[1.0, 4.0], [3.0, 2.0]])
    failed = np.vstack([scores, [np.nan, 100.0], [-np.inf, 0.0]])
    assert reference_point(failed).tolist() == pytest.approx([0.8, 1.8])
    reference = reference_point(scores)
    assert hypervolume(failed, reference) == hypervolume(scores, reference)
    assert hypervolume(failed[2:], reference_point(failed[2:])) == 0.0


def test_the_volume_in_a_box_ignores_units() -> None:
    scores = np.random.default_rng(3).random((60, 3))
    box = Box.around(scores)
    volume = box.volume(scores)
    assert 0 < volume < 1
    assert box.volume(np.array(box.best)[None]) == pytest.approx(1)
    units = np.array([1000.0, 0.001, 1.0])
    other = scores * units + 5
    assert Box.around(other).volume(other) == pytest.approx(volume)


def test_a_score_that_never_varies_leaves_the_box_open() -> None:
    scores = np.stack([np.linspace(0, 1, 9), np.full(9, 0.4)], axis=1)
    box = Box.around(scores)
    assert (np.array(box.best) > np.array(box.reference)).all()
    assert box.volume(scores) == pytest.approx(1)
