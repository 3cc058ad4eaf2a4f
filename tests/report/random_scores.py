"""Scores of a front (n, 4) and of its generation 0 (k, 4) to order by."""

import numpy as np

NAMES = ("text_image", "image_real", "region_word", "word_label")


def random_scores(rng):
    return rng.normal(0.4, 1.0, (60, 4)), rng.normal(size=(40, 4))


def tied_scores(rng):
    """Few levels, so that values, sums and whole rows are equal."""
    return rng.integers(0, 4, (60, 4)) / 2.0, rng.integers(-2, 3, (40, 4)) / 2.0


def flat_scores(rng):
    """One score without spread on the front, another without any in generation 0."""
    front, generation0 = random_scores(rng)
    front[:, 1] = 0.5
    generation0[:, 3] = 0.25
    return front, generation0


def few_scores(rng):
    """Three pictures, two of them alike."""
    front, generation0 = random_scores(rng)
    return front[[0, 1, 1]], generation0


def trade_offs(rng):
    """Pictures on a sphere's positive part: every weighting has its own best one."""
    return 2.8 * np.sqrt(rng.dirichlet(np.ones(4), 100)), rng.standard_normal((100, 4))
