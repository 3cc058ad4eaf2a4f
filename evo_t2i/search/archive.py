"""The external archive: every non-dominated point that a run has seen."""

import moocore
import numpy as np

from evo_t2i.points import Points


def extend(archive: Points, points: Points) -> Points:
    """The non-dominated points of both, ids ascending; scores are maximised.

    A point dominates another when no score is lower and one is higher. Of points with equal scores
    only the one with the smallest id stays, so that a caption on which all images score alike
    does not keep them all. Rows that are not finite are left out.
    """
    finite = np.flatnonzero(np.isfinite(points.scores).all(axis=1))
    front = finite[moocore.is_nondominated(points.scores[finite], maximise=True, keep_weakly=True)]
    together = Points.joined([archive, points[front]])
    together = together[np.argsort(together.ids, kind="stable")]
    keep = moocore.is_nondominated(together.scores, maximise=True, keep_weakly=False)
    return together[keep]
