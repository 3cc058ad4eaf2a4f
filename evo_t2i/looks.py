"""Looks: which pictures a person tells apart at a glance, by their thumbnails.

Two pictures have the same look when their thumbnails of 16 x 16 pixels differ by at most 15 of 255
levels, root mean square over pixels and channels.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image

SIDE = 16
"""Pixels of a thumbnail's side."""
NUMBERS = SIDE * SIDE * 3
"""Of one thumbnail."""
SAME = 15 / 255
"""The largest distance of two thumbnails of one look."""


def thumbnails(images: Iterable[np.ndarray]) -> np.ndarray:
    """Images (h, w, 3) uint8 → (n, 768) float32 whose Euclidean distances are the root mean square
    of what the thumbnails differ by, in [0, 1]."""
    small = [
        np.asarray(Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.BOX)).reshape(-1)
        for image in images
    ]
    levels = np.stack(small) if small else np.empty((0, NUMBERS), np.uint8)
    scaled: np.ndarray = levels.astype(np.float32) / np.float32(255 * NUMBERS**0.5)
    return scaled


def covers(points: np.ndarray, order: Sequence[int] | np.ndarray, radius: float) -> list[int]:
    """The rows of ``order`` that are farther than ``radius`` from every row taken before them.

    ``points`` is (n, k), distances are Euclidean.
    """
    return list(_groups(points, order, radius))


def grouped(
    points: np.ndarray, order: Sequence[int] | np.ndarray, radius: float = SAME
) -> np.ndarray:
    """(n,) the number of each row's group, from 1; 0 for a row that is not in ``order``.

    Greedy: the first row of ``order`` that has no group is the cover of the next one, and all that
    lie within ``radius`` of it and have none yet join it. So a group's first member in ``order`` is
    its cover, and groups are numbered as their covers come.
    """
    labels = np.zeros(len(points), np.int64)
    for number, members in enumerate(_groups(points, order, radius).values(), start=1):
        labels[members] = number
    return labels


def _groups(
    points: np.ndarray, order: Sequence[int] | np.ndarray, radius: float
) -> dict[int, np.ndarray]:
    """Members, the cover among them, by the row of the cover."""
    waiting = np.asarray(order, dtype=np.int64)
    found: dict[int, np.ndarray] = {}
    while len(waiting):
        cover = int(waiting[0])
        near = np.linalg.norm(points[waiting] - points[cover], axis=1) <= radius
        near[0] = True
        found[cover] = waiting[near]
        waiting = waiting[~near]
    return found
