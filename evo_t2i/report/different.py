"""Which pictures of a front look unlike one another: its best ones are near copies."""

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image

from evo_t2i.picking.order import spread_out


def most_different(images: Iterable[np.ndarray], order: Sequence[int], count: int) -> list[int]:
    """At most ``count`` rows of ``order``, kept in that order: greedy max-min distance between
    thumbnails of 8 x 8 pixels, from the first of ``order`` on. ``images`` (h, w, 3) uint8, one
    a row, are looked at one by one."""
    if len(order) <= count:
        return list(order)
    colours = np.stack([_colours(image) for image in images])
    return spread_out(colours, np.array(order), count)


def _colours(image: np.ndarray) -> np.ndarray:
    """(192,) the colours of a thumbnail of 8 x 8 pixels, in [0, 1]."""
    small = Image.fromarray(image).resize((8, 8), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float64).reshape(-1) / 255
