"""Latents → images → scores for one caption, in micro-batches."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evo_t2i import registry
from evo_t2i.errors import NonFiniteScoresError, PluginError, UsageError, first_line
from evo_t2i.evaluate.microbatches import MicroBatches
from evo_t2i.evaluate.scorer import Scorer, unread_ends
from evo_t2i.generators.base import Generator
from evo_t2i.looks import thumbnails
from evo_t2i.models.precision import computing_in
from evo_t2i.points import LARGEST_SCORE

Progress = Callable[[int], None]
"""Hears how many images are done after each micro-batch."""
Described = Mapping[str, np.ndarray]
"""What a search wants to know of pictures beside their scores: (n, k) float32 by name."""
Drawing = Callable[[Tensor, Any], Tensor]
"""Latents and a caption's condition → images (n, 3, h, w) in [0, 1]."""
LOOK = "look"
"""The thumbnail of a picture, see ``evo_t2i.looks``; other names are keys of image features."""


class Evaluator:
    """Draws and scores latents.

    ``precision`` is that of the networks in ``score_latents``, and with ``previews`` that scores
    the generator's cheaper pictures, where it has some. What depends on the caption alone, and
    everything that is rendered, is computed in fp32 and at full size. Images are rounded to 256
    levels before they are scored, so that what is scored is what a PNG holds.
    """

    def __init__(
        self,
        *,
        generator: Generator,
        caption: str,
        scorer: Scorer,
        batches: MicroBatches,
        device: torch.device,
        precision: str = "fp32",
        previews: bool = False,
    ) -> None:
        self.generator = generator
        self.scorer = scorer
        self.batches = batches
        self.device = device
        self.precision = precision
        self.preview: Drawing | None = getattr(generator, "preview", None) if previews else None
        self.unread = unread_ends({"generator": generator}, caption) | scorer.unread
        """The caption's end that the ``generator`` or an extractor does not read, by its name."""
        with torch.no_grad():
            self._condition = generator.condition(caption)

    @property
    def is_exact(self) -> bool:
        """Whether ``score_latents`` sees what ``render`` draws, in fp32."""
        return self.precision == "fp32" and self.preview is None

    def require_precision(self) -> None:
        """Score one latent; UsageError when the networks cannot do so in ``precision``."""
        latent = self.generator.sample(1, np.random.default_rng(0)).reshape(1, -1)
        try:
            finite = bool(np.isfinite(self.score_latents(latent)).all())
            said = "it gave scores that are not finite"
        except (RuntimeError, TypeError, PluginError, NonFiniteScoresError) as error:
            finite, said = False, first_line(error)
        if not finite:
            raise UsageError(
                f"`precision` {self.precision} does not work with these networks ({said}); "
                "use `precision` fp32."
            )

    def score_latents(self, latents: np.ndarray, progress: Progress | None = None) -> np.ndarray:
        """Scores (n, m) float64 of latents (n, d) float32; higher is better.

        A row with a non-finite score is nan throughout. Raises NonFiniteScoresError when that is
        more than half the rows, DeviceMemoryError when not even one image fits.
        """
        return self.score_and_describe(latents, (), progress)[0]

    def score_and_describe(
        self, latents: np.ndarray, wanted: Collection[str], progress: Progress | None = None
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """As ``score_latents``, with what is ``wanted`` of each picture, see ``Described``."""
        parts: dict[int, Described] = {}

        def scored(rows: slice) -> np.ndarray:
            scores, parts[rows.start] = self.raw_scores(latents[rows], wanted)
            return scores

        scores = self.batches.map(len(latents), scored, progress)
        return checked_scores(scores, self.scorer.names), joined(parts, wanted)

    def raw_scores(
        self, latents: np.ndarray, wanted: Collection[str] = ()
    ) -> tuple[np.ndarray, Described]:
        """As ``score_and_describe``, of one micro-batch and with all values as the scores gave
        them."""
        images = self._draw(latents, self.precision, self.preview)
        keys = [name for name in wanted if name != LOOK]
        scores, features = self.scorer.with_features(images / 255.0, keys, self.precision)
        described = {key: _rows(value) for key, value in features.items()}
        if LOOK in wanted:
            described[LOOK] = thumbnails(_pixels(images))
        return _array(scores), described

    def render(self, latents: np.ndarray) -> np.ndarray:
        """Images (n, h, w, 3) uint8 of latents (n, d), in fp32: the pixels that fp32 scores."""
        return self.batches.map(
            len(latents), lambda rows: _pixels(self._draw(latents[rows], "fp32"))
        )

    def render_and_score(
        self, latents: np.ndarray, progress: Progress | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """``render`` and the scores (n, m) of the very same pixels, both in fp32.

        Raises and reports as ``score_latents``.
        """
        images = np.empty((len(latents), *self.generator.image_size, 3), np.uint8)

        def scored(rows: slice) -> np.ndarray:
            drawn = self._draw(latents[rows], "fp32")
            images[rows] = _pixels(drawn)
            return _array(self.scorer(drawn / 255.0))

        scores = self.batches.map(len(latents), scored, progress)
        return images, checked_scores(scores, self.scorer.names)

    def glance(self, latents: np.ndarray) -> np.ndarray:
        """As ``render``, between two generations: the micro-batch stays what it was, so that the
        scores to come do not depend on who looks on."""
        with self.batches.unchanged():
            return self.render(latents)

    def differentiable(self, latents: Tensor) -> Tensor:
        """Scores (n, m) of latents (n, d) on the device, in fp32: differentiable in the latents
        wherever the networks are, and so without the rounding to 256 levels."""
        images = self.generator.generate(
            latents.view(len(latents), *self.generator.latent_shape), self._condition
        )
        return self.scorer(images.float().clamp(0.0, 1.0))

    def _draw(self, latents: np.ndarray, precision: str, drawing: Drawing | None = None) -> Tensor:
        """Latents (n, d) → images (n, 3, h, w): whole levels from 0 to 255, as floats.

        ``drawing`` is the generator's own where none is given.
        """
        draw = drawing or self.generator.generate
        batch = torch.from_numpy(np.ascontiguousarray(latents, dtype=np.float32)).to(self.device)
        shaped = batch.view(len(batch), *self.generator.latent_shape)
        with computing_in(precision, self.device):
            images = draw(shaped, self._condition).float()
        return to_levels(images)


def score_images(scorer: Scorer, images: Tensor, micro_batch: int) -> np.ndarray:
    """Scores (n, m) float64 of images (n, 3, h, w) in [0, 1], wherever they come from.

    They are rounded to 256 levels first, and scored ``micro_batch`` at once. Raises as
    ``Evaluator.score_latents``.
    """
    batches = MicroBatches(micro_batch, scorer.device)

    def scored(rows: slice) -> np.ndarray:
        return _array(scorer(to_levels(images[rows].to(scorer.device)) / 255.0))

    return checked_scores(batches.map(len(images), scored), scorer.names)


def to_levels(images: Tensor) -> Tensor:
    """[0, 1] → the integers 0 to 255, as floats."""
    return images.mul(255.0).round().clamp(0.0, 255.0)


def checked_scores(values: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """(n, m) with nan throughout each row with a score that is not finite, or beyond
    ``LARGEST_SCORE``.

    Raises NonFiniteScoresError, naming the worst score, when that is more than half the rows.
    """
    finite = np.abs(values) <= LARGEST_SCORE
    bad = ~finite.all(axis=1)
    if 2 * bad.sum() > len(values):
        worst = registry.describe("score", names[int(finite.sum(axis=0).argmin())])
        raise NonFiniteScoresError(
            f"{bad.sum()} of {len(values)} images have no finite score: {worst[0].lower()}"
            f"{worst[1:]} gave nan, infinity or more than {LARGEST_SCORE:g}; check the generator's "
            "weights and the scores' options, leave that score out, or run once with `device` cpu."
        )
    values[bad] = np.nan
    return values


def joined(parts: Mapping[int, Described], wanted: Collection[str]) -> dict[str, np.ndarray]:
    """The ``wanted`` descriptors of all pictures, from those of micro-batches by first row."""
    return {
        name: np.concatenate([parts[start][name] for start in sorted(parts)]) for name in wanted
    }


def _rows(feature: Tensor) -> np.ndarray:
    """(n, …) → (n, k) float32."""
    return feature.flatten(1).float().cpu().numpy()


def _array(scores: Tensor) -> np.ndarray:
    return scores.cpu().double().numpy()


def _pixels(levels: Tensor) -> np.ndarray:
    """(n, 3, h, w) whole levels → (n, h, w, 3) uint8."""
    return levels.byte().permute(0, 2, 3, 1).cpu().numpy()
