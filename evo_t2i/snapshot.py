"""The front of a run that still goes on, for those who watch it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from evo_t2i.picking.methods import Pick, pick
from evo_t2i.picking.taste import Taste
from evo_t2i.points import Points


@dataclass(frozen=True)
class FoundImage:
    """One picture of the front as it is now, with its scores by name (higher is better)."""

    id: int
    generation: int
    """The generation that found it."""
    scores: dict[str, float]
    value: float
    """Its balanced value, see ``evo_t2i.picking.formulas``."""
    image: Image.Image


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The front as one generation left it.

    Nothing is computed before it is asked for, and nothing that is asked for changes the run: it
    comes to the same files, byte for byte. What is asked for takes the run's time and device, so
    ask for few pictures, in the thread that was called.
    """

    front: Points
    """What the search keeps so far, by ascending id; ``leading`` says which are non-dominated."""
    score_names: tuple[str, ...]
    generation0_scores: np.ndarray
    """(k, m); what a pick measures against."""
    draw: Callable[[np.ndarray], np.ndarray]
    """Pictures (n, h, w, 3) uint8 of latents (n, d)."""

    def rank(self, count: int = 1) -> Pick:
        """The balanced pick of ``count`` pictures that differ; rows index ``front``."""
        return pick(
            self.front.scores, self.generation0_scores, self.score_names, Taste(count=count)
        )

    def images(self, rows: Sequence[int]) -> np.ndarray:
        """Pictures (n, h, w, 3) uint8 of rows of ``front``; nothing is drawn for no rows."""
        return self.draw(self.front.latents[list(rows)])

    def best(self, count: int = 1) -> list[FoundImage]:
        """The best picture and others of the front's better half that differ from it, best first.

        At most ``count``; the order is that of ``evo-t2i pick --count``.
        """
        picked = self.rank(count)
        pixels = self.images(picked.chosen)
        return [
            FoundImage(
                id=int(self.front.ids[row]),
                generation=int(self.front.generations[row]),
                scores=dict(zip(self.score_names, self.front.scores[row].tolist(), strict=True)),
                value=float(picked.value[row]),
                image=Image.fromarray(picture),
            )
            for row, picture in zip(picked.chosen, pixels, strict=True)
        ]
