"""Bootstrap intervals of means, for the tables of the other scripts."""

import numpy as np


def interval(values: np.ndarray, resamples: int = 2000) -> tuple[float, float]:
    """95 % of the means of as many ``values``, drawn with replacement."""
    rows = np.random.default_rng(0).integers(len(values), size=(resamples, len(values)))
    low, high = np.quantile(values[rows].mean(axis=1), (0.025, 0.975))
    return float(low), float(high)


def with_interval(values: np.ndarray, form: str = ".3f", resamples: int = 2000) -> str:
    """The mean and its interval, as ``0.955 [0.941, 0.967]``."""
    low, high = interval(values, resamples)
    return f"{values.mean():{form}} [{low:{form}}, {high:{form}}]"
