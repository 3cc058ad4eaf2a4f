"""What several fronts compared hold: data that ``compare`` measures and ``report`` draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evo_t2i.config import RunConfig
from evo_t2i.runs.directory import Front


@dataclass(frozen=True)
class Entrant:
    """A front to be compared: ``rows`` of the ``front`` of the run in ``path``, of which ``picked``
    was picked by ``method``; ``ranking`` are rows of the whole front, best first by ``balanced``.
    """

    label: str
    path: Path
    config: RunConfig
    front: Front
    rows: np.ndarray
    picked: int
    method: str
    ranking: tuple[int, ...]

    def scores(self, names: Sequence[str]) -> np.ndarray:
        """(n, m) of its images, in the order of ``names``."""
        return columns_of(self.front, self.front.scores[self.rows], names)

    def picked_scores(self, names: Sequence[str]) -> np.ndarray:
        """(m,) of the picked image."""
        return columns_of(self.front, self.front.scores[[self.picked]], names)[0]


@dataclass(frozen=True)
class Comparison:
    """What was measured; k entrants, m common scores.

    Attributes:
        caption: the caption of all runs.
        names: the common scores.
        entrants: what was compared.
        reference, best: (m,) corners of the box that counts as hypervolume 1.
        hypervolume: (k,) in such boxes.
        coverage: (k, k) C(row, column); 1 on the diagonal.
        attained_by: (k,) how many entrants attain the pick of this one, itself included.
        notes: sentences about what a person should know.
    """

    caption: str
    names: tuple[str, ...]
    entrants: tuple[Entrant, ...]
    reference: np.ndarray
    best: np.ndarray
    hypervolume: np.ndarray
    coverage: np.ndarray
    attained_by: np.ndarray
    notes: tuple[str, ...]


def columns_of(front: Front, scores: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """The columns of ``scores`` (n, all of the front's scores) that ``names`` gives, so ordered."""
    return scores[:, [front.score_names.index(name) for name in names]]
