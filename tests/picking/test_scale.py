"""How alike two columns order their rows."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from evo_t2i.picking.scale import rank_correlation


@pytest.mark.parametrize("grid", [0.0, 0.5])
def test_it_is_spearmans_with_and_without_equal_values(grid):
    rng = np.random.default_rng(4)
    first = rng.standard_normal(60)
    second = first + rng.standard_normal(60)
    if grid:
        first, second = (np.round(values / grid) * grid for values in (first, second))
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)


def test_where_there_is_nothing_to_order_it_is_none():
    assert rank_correlation(np.array([1.0, 2.0]), np.array([1.0, 2.0])) is None
    assert rank_correlation(np.ones(9), np.arange(9.0)) is None
