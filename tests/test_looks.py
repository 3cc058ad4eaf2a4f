"""Looks: thumbnails and greedy groups against their definition."""

import numpy as np
import pytest

from evo_t2i.looks import NUMBERS, SAME, covers, grouped, thumbnails


def flat(*levels: int) -> list[np.ndarray]:
    return [np.full((64, 64, 3), level, np.uint8) for level in levels]


def test_distances_of_thumbnails_are_root_mean_squares() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(2, 64, 48, 3), dtype=np.uint8)
    first, second = thumbnails(images)
    small = images.reshape(2, 16, 4, 16, 3, 3).mean(axis=(2, 4))
    expected = np.sqrt(((small[0] - small[1]) ** 2).mean()) / 255
    assert np.linalg.norm(first - second) == pytest.approx(expected, abs=0.002)
    assert thumbnails(np.empty((0, 64, 64, 3), np.uint8)).shape == (0, NUMBERS)


def test_pictures_within_fifteen_levels_have_one_look() -> None:
    points = thumbnails(flat(100, 115, 116, 90, 200))
    assert grouped(points, [0, 1, 2, 3, 4]).tolist() == [1, 1, 2, 1, 3]
    # another order has other covers, and rows outside the order no group
    assert grouped(points, [2, 1, 0, 4]).tolist() == [2, 1, 1, 0, 3]
    assert covers(points, [4, 2, 1, 0], SAME) == [4, 2, 0]


def test_groups_are_balls_around_covers_that_are_farther_apart() -> None:
    rng = np.random.default_rng(1)
    points = rng.random((200, 3))
    order = rng.permutation(200)
    labels = grouped(points, order, 0.3)
    chosen = covers(points, order, 0.3)
    assert labels.min() == 1
    assert labels.max() == len(chosen)
    assert [labels[row] for row in chosen] == list(range(1, len(chosen) + 1))
    apart = np.linalg.norm(points[chosen][:, None] - points[chosen], axis=2)
    assert (apart + np.eye(len(chosen)) > 0.3).all()
    for row in range(200):
        # the first cover that is near enough
        near = np.linalg.norm(points[chosen] - points[row], axis=1) <= 0.3
        assert labels[row] == 1 + int(np.argmax(near))
