"""Uniform numbers from a hash: uniform, independent, and the very numbers that a page computes."""

import numpy as np
import pytest

from evo_t2i.picking.uniform import uniform


def test_they_are_uniform_and_in_range():
    numbers = uniform(0, 0, 200_000)
    assert numbers.dtype == np.float64
    assert numbers.min() >= 0
    assert numbers.max() < 1
    expected = 200_000 / 256
    counts = np.bincount((numbers * 256).astype(int), minlength=256)
    assert np.sum((counts - expected) ** 2 / expected) < 350  # 255 degrees of freedom


@pytest.mark.parametrize(("one", "other"), [((0, 0), (1, 0)), ((0, 0), (0, 1)), ((5, 2), (2, 5))])
def test_seeds_and_streams_have_nothing_in_common(one, other):
    pair = [uniform(*place, 50_000) for place in (one, other)]
    assert abs(np.corrcoef(*pair)[0, 1]) < 0.02
    assert not np.isin(pair[0][:1000], pair[1]).any()


def test_neighbours_are_independent():
    numbers = uniform(3, 1, 100_001)
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 0.012
    cells = np.histogram2d(numbers[:-1], numbers[1:], bins=16, range=[[0, 1], [0, 1]])[0]
    expected = 100_000 / 256
    assert np.sum((cells - expected) ** 2 / expected) < 350


def test_a_longer_list_begins_with_the_shorter_and_they_are_exactly_these():
    np.testing.assert_array_equal(uniform(7, 3, 10), uniform(7, 3, 100)[:10])
    assert len(uniform(7, 3, 0)) == 0

    def word(seed, stream, place):
        """The same hash in whole numbers."""
        x, y, z = (number * 1664525 + 1013904223 & 0xFFFFFFFF for number in (seed, stream, place))
        for _ in range(2):
            x = x + y * z & 0xFFFFFFFF
            y = y + z * x & 0xFFFFFFFF
            z = z + x * y & 0xFFFFFFFF
            x, y, z = (value ^ value >> 16 for value in (x, y, z))
        return ((x >> 5) * 2**26 + (y >> 6)) / 2**53

    assert uniform(7, 3, 50).tolist() == [word(7, 3, place) for place in range(50)]
