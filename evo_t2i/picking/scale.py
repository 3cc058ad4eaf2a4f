"""Two scales for scores: z against generation 0, and u between the front's worst and best; and how
alike two columns order their rows."""

from collections.abc import Sequence

import numpy as np

from evo_t2i.points import usable

NO_SPREAD = 1e-6
"""A scale up to this many times the median's size, or this much for medians below 1, is none."""


def robust_scale(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median and scale (m,), (m,) of each column of ``scores`` (k, m); rows that are not ``usable``
    are left out.

    The scale estimates the standard deviation: 1.4826 MAD, else IQR / 1.349, else the standard
    deviation itself, the first that is more than 1e-6 max(1, abs(median)); 0 for a column without
    any such spread (or without any row).
    """
    finite = np.asarray(scores, dtype=np.float64)
    finite = finite[usable(finite)]
    if len(finite) == 0:
        return np.zeros(finite.shape[1]), np.zeros(finite.shape[1])
    centre = np.median(finite, axis=0)
    lower, upper = np.percentile(finite, [25, 75], axis=0)
    estimates = np.stack(
        [
            1.4826 * np.median(np.abs(finite - centre), axis=0),
            (upper - lower) / 1.349,
            finite.std(axis=0),
        ]
    )
    spread = estimates > NO_SPREAD * np.maximum(1.0, np.abs(centre))
    first = np.argmax(spread, axis=0)
    scale = np.where(spread.any(axis=0), np.take_along_axis(estimates, first[None], axis=0)[0], 0.0)
    return centre, scale


def standardise(scores: np.ndarray, centre: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """z of ``scores`` (n, m); 0 in columns whose scale is 0."""
    return np.where(scale > 0, (scores - centre) / np.where(scale > 0, scale, 1.0), 0.0)


def unit_scale(scores: np.ndarray, allowed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """u of ``scores`` (n, m), scaled to [0, 1] by the ``allowed`` rows (n,), and the spans (m,)
    before; 1 in columns without a span."""
    lowest = scores[allowed].min(axis=0)
    spans = scores[allowed].max(axis=0) - lowest
    unit = np.where(spans > 0, (scores - lowest) / np.where(spans > 0, spans, 1.0), 1.0)
    return unit, spans


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float | None:
    """Spearman's, of (n,) and (n,), equal values sharing their mean rank; None for fewer than three
    rows and where one side has nothing but equal values."""
    one, other = (_ranks(values) for values in (first, second))
    size = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / size if len(first) >= 3 and size > 0 else None


def rank_correlations(
    first: np.ndarray, second: np.ndarray, names: Sequence[str]
) -> dict[str, float | None]:
    """``rank_correlation`` of the columns of (n, m) and (n, m), by their names; rows that are not
    finite on either side are left out."""
    both = np.isfinite(first).all(axis=1) & np.isfinite(second).all(axis=1)
    pairs = zip(first[both].T, second[both].T, strict=True)
    found = [rank_correlation(one, other) for one, other in pairs]
    return dict(zip(names, found, strict=True))


def _ranks(values: np.ndarray) -> np.ndarray:
    """(n,) centred at 0."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: np.ndarray = (counts.cumsum() - (counts + 1) / 2)[which] - (len(values) - 1) / 2
    return ranks
