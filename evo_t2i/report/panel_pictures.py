"""Pictures of the front inside a panel, each at its scores."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from evo_t2i.picking.order import spread_out
from evo_t2i.report import style
from evo_t2i.runs.directory import Front

SIDE_INCHES = 0.36
MOST = 14
_CANDIDATES = 60


def place_pictures(
    axes: Axes, front: Front, points: np.ndarray, picked: Sequence[int] = ()
) -> None:
    """Put pictures of ``front`` on ``axes`` at their ``points`` (n, 2), without overlap.

    The picked ones come first, in gold frames; then others far from one another, until no place is
    left. The limits of the axes have to be set.
    """
    pixels = axes.figure.dpi
    size = np.array(axes.get_window_extent().size)
    inches = axes.transAxes.inverted().transform(axes.transData.transform(points)) * size / pixels
    side = SIDE_INCHES
    order = list(dict.fromkeys([*picked, *range(len(points))]))
    placed: list[np.ndarray] = []
    for row in [*picked, *spread_out(inches, np.array(order), _CANDIDATES)]:
        centre = np.clip(inches[row], 0.55 * side, size / pixels - 0.55 * side)
        free = all(np.abs(centre - other).max() > 1.12 * side for other in placed)
        if len(placed) == MOST or not free:
            continue
        placed.append(centre)
        picture = front.image(row)
        image = OffsetImage(picture, zoom=side * 72 / max(picture.shape[:2]), resample=True)
        chosen = row in picked
        box = AnnotationBbox(
            image,
            (float(points[row, 0]), float(points[row, 1])),
            xybox=tuple(centre * pixels / size),
            boxcoords="axes fraction",
            pad=0.08,
            bboxprops={
                "edgecolor": style.PICKED if chosen else style.FRONT,
                "facecolor": style.PICKED if chosen else "white",
                "linewidth": 1.6 if chosen else 0.7,
            },
            zorder=6 if chosen else 5,
        )
        axes.add_artist(box)
