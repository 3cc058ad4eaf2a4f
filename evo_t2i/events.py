"""What a run tells those who watch it, step by step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evo_t2i.config import RunConfig
from evo_t2i.points import Points
from evo_t2i.snapshot import Snapshot


@dataclass(frozen=True)
class Event:
    """What a run is doing now, for progress displays and whoever wants to see pictures."""

    stage: str
    """``models`` (loading), ``doubts`` (before a search whose caption asks for what the generator
    was not taught), ``scoring``, ``generation`` (one was committed), ``rescoring`` (the front,
    after a search in bf16) or ``writing``."""
    generation: int = 0
    evaluations: int = 0
    """Images scored so far, earlier sessions of a resumed run included."""
    front: int = 0
    """Images on the front after the newest committed generation."""
    hypervolume: float = 0.0
    """In units of generation 0's box, see ``evo_t2i.search.hypervolume.Box``."""
    snapshot: Snapshot | None = None
    """After a ``generation``: the front as it is now, which draws its pictures when asked."""
    doubts: tuple[str, ...] = ()
    """With the stage of that name: a sentence for each thing that will not be drawn as asked."""


Progress = Callable[[Event], None]


class Announcer:
    """Makes the events of one run and passes them to ``progress``, if anybody listens."""

    def __init__(self, config: RunConfig, progress: Progress | None) -> None:
        self._config = config
        self._progress = progress
        self._front = 0

    def loading(self) -> None:
        """The models are about to be loaded."""
        self._tell(Event("models"))

    def doubting(self, doubts: Sequence[str]) -> None:
        """The search is about to begin, and the generator has these ``doubts``, if any."""
        if doubts:
            self._tell(Event("doubts", doubts=tuple(doubts)))

    def scoring(self, generation: int) -> Callable[[int], None]:
        """What hears how many images of ``generation`` are scored."""
        before = self._config.evaluated(generation - 1)

        def scored(images: int) -> None:
            self._tell(Event("scoring", generation, before + images, self._front))

        return scored

    def committed(
        self,
        generation: int,
        front: Points,
        hypervolume: float,
        first_scores: np.ndarray,
        draw: Callable[[np.ndarray], np.ndarray],
    ) -> None:
        """``generation`` is safe; ``front`` is what it left, ``first_scores`` generation 0's."""
        self._front = front.led
        snapshot = Snapshot(front, self._config.scores, first_scores, draw)
        evaluations = self._config.evaluated(generation)
        event = Event("generation", generation, evaluations, self._front, hypervolume, snapshot)
        self._tell(event)

    def ending(self, stage: str, front: Points, last: int) -> None:
        """``rescoring`` or ``writing`` begins, after generation ``last``."""
        self._tell(Event(stage, last, self._config.evaluated(last), front.led))

    def _tell(self, event: Event) -> None:
        if self._progress is not None:
            self._progress(event)
