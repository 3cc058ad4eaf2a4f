"""Drafting more pictures than are finished: the best previews of a generation are drawn whole."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import moocore
import numpy as np

from evo_t2i.config import RunConfig
from evo_t2i.errors import UsageError
from evo_t2i.evaluate.evaluator import Evaluator, Progress
from evo_t2i.evaluate.models import Models
from evo_t2i.picking.scale import rank_correlations
from evo_t2i.points import Points


@dataclass(frozen=True)
class Screen:
    """Scores as its evaluator does, but only the drafts whose previews promise most."""

    whole: Evaluator
    previewing: Evaluator
    finished: int
    """Of each generation."""
    drafts: int
    """Each generation."""

    @classmethod
    def of(cls, config: RunConfig, models: Models, whole: Evaluator) -> "Screen | None":
        """None where nothing is screened; UsageError for a generator without previews."""
        if config.screen == 1:
            return None
        previewing = models.for_caption(config.caption, config.micro_batch, previews=True)
        if previewing.preview is None:
            raise UsageError(
                f"`screen` is {config.screen}, but the generator {config.generator} offers no "
                "previews; give diffusers a `preview_steps`, or leave `screen` out."
            )
        previewing.batches = whole.batches
        return cls(whole, previewing, config.offspring, config.drafts)

    def promising(self, latents: np.ndarray) -> np.ndarray:
        """Rows (finished,), ascending, of the latents that are worth finishing.

        The least dominated of all previews; of those that are dominated alike, the best mean rank.
        """
        scores = self.previewing.score_latents(latents)
        able = np.where(np.isfinite(scores), scores, -np.finfo(float).max)
        depth = moocore.pareto_rank(-able)
        mean_rank = -able.argsort(axis=0).argsort(axis=0).mean(axis=1)
        return np.sort(np.lexsort((mean_rank, depth))[: self.finished])

    def score_and_describe(
        self,
        latents: np.ndarray,
        wanted: Collection[str],
        progress: Progress | None = None,
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """As ``Evaluator.score_and_describe``, of the ``promising`` latents; the others count as
        failed."""
        rows = self.promising(latents)
        scores, described = self.whole.score_and_describe(latents[rows], wanted, progress)

        def of_all(values: np.ndarray, filling: float) -> np.ndarray:
            everyone = np.full((len(latents), *values.shape[1:]), filling, values.dtype)
            everyone[rows] = values
            return everyone

        found = {name: of_all(values, 0.0) for name, values in described.items()}
        return of_all(scores, np.nan), found

    def facts(self, front: Points, generations: int) -> dict[str, Any]:
        """How many drafts there were, and how previews order the front, against its scores."""
        drafted = self.previewing.score_latents(front.latents)
        names = self.previewing.scorer.names
        return {
            "drafts": generations * self.drafts,
            "rank_correlation": rank_correlations(drafted, front.scores, names),
        }
