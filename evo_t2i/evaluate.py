"""Latents → images → features → scores, in micro-batches.

The scores' needs are unioned and each network that provides some of them runs once per
micro-batch, so sharing is a matter of structure and there is no cache.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evo_t2i import registry
from evo_t2i.config import BUILTIN_MODELS, ScoreOptions, ScorerModels
from evo_t2i.errors import DeviceMemoryError, NonFiniteScoresError, PluginError, UsageError
from evo_t2i.features.base import FeatureExtractor
from evo_t2i.features.words import LABEL_THRESHOLD
from evo_t2i.generators.base import Generator
from evo_t2i.models.device import out_of_memory
from evo_t2i.models.precision import computing_in
from evo_t2i.plugin_results import image_features, score_column, text_features
from evo_t2i.scores.base import Score

CPU_MICRO_BATCH = 25
MAX_MICRO_BATCH = 256
_BYTES_PER_PIXEL = 16_000

FindExtractor = Callable[[str], FeatureExtractor | None]


def no_extractor(name: str) -> None:  # noqa: ARG001
    """For those that bring no feature extractor of their own."""
    return


def choose_micro_batch(device: torch.device, image_size: tuple[int, int]) -> int:
    """Images that a pass takes at once: 25 on a CPU; on a GPU as many as its memory allows.

    The size of a batch decides the last bits of its scores, so the choice depends on the device
    and not on what else runs there; see ``fitting_micro_batch``.
    """
    if device.type != "cuda":
        return CPU_MICRO_BATCH
    return fitting_micro_batch(torch.cuda.get_device_properties(device).total_memory, image_size)


def fitting_micro_batch(memory: int, image_size: tuple[int, int]) -> int:
    """The largest power of two, up to 256, of images that take at most half of ``memory`` bytes."""
    height, width = image_size
    images = memory // 2 // (height * width * _BYTES_PER_PIXEL)
    return 1 << max(0, min(MAX_MICRO_BATCH, images).bit_length() - 1)


class ImageScorer:
    """Scores images, wherever they come from, for one caption.

    ``score_names`` gives the columns' order; ``own_extractor`` finds extractors that are installed
    under no name, such as the generator's own. Call ``prepare`` before anything else.

    Raises UsageError for an unknown score or a feature that nothing provides, ModelError for
    weights that are missing or damaged.
    """

    def __init__(
        self,
        *,
        score_names: Sequence[str],
        options: ScoreOptions,
        device: torch.device,
        micro_batch: int,
        models: ScorerModels = BUILTIN_MODELS,
        own_extractor: FindExtractor = no_extractor,
    ) -> None:
        self.scores: list[Score] = [
            registry.make("score", name, options=options) for name in score_names
        ]
        self.extractors = _build_extractors(self.scores, device, models, own_extractor)
        self.device = device
        self.micro_batch = micro_batch
        """Images at once, in force now: halved whenever the device runs out of memory."""
        self.coverage: float | None = None
        """Best similarity of a word of the caption to a label; None when no score asks for it."""
        self._text: dict[str, Tensor] = {}

    @torch.inference_mode()
    def prepare(self, caption: str) -> None:
        """Compute everything that depends on the caption alone."""
        self._text = {}
        for name, extractor in self.extractors.items():
            self._text.update(text_features(name, extractor, caption))
        coverage = self._text.get("words.coverage")
        self.coverage = None if coverage is None else float(coverage)

    @property
    def label_matched(self) -> bool | None:
        """Whether ``coverage`` reaches LABEL_THRESHOLD; None when no score asks for words."""
        return None if self.coverage is None else self.coverage >= LABEL_THRESHOLD

    def score_images(self, images: Tensor) -> np.ndarray:
        """Scores (n, m) float64 of images (n, 3, h, w) in [0, 1]; higher is better.

        A row with a non-finite score is nan throughout.

        Raises NonFiniteScoresError when that is more than half the rows, DeviceMemoryError when
        not even one image fits.
        """
        scores = self._in_micro_batches(
            len(images), lambda rows: self._score(images[rows].to(self.device)), None
        )
        return _checked(scores, self.scores)

    def _score(self, images: Tensor, precision: str = "fp32") -> np.ndarray:
        rounded = _to_levels(images) / 255.0
        features = dict(self._text)
        with computing_in(precision, self.device):
            for name, extractor in self.extractors.items():
                features.update(image_features(name, extractor, rounded))
        features = {key: _widened(value) for key, value in features.items()}
        columns = [score_column(score, features, len(images)) for score in self.scores]
        return torch.stack(columns, dim=1).cpu().double().numpy()  # (n, m)

    def _in_micro_batches(
        self,
        count: int,
        compute: Callable[[slice], np.ndarray],
        progress: Callable[[int], None] | None,
    ) -> np.ndarray:
        parts: list[np.ndarray] = []
        done = 0
        while done < count or not parts:
            rows = slice(done, min(done + self.micro_batch, count))
            part = _unless_out_of_memory(compute, rows)
            if part is None:
                self._halve()
                continue
            parts.append(part)
            done = rows.stop
            if progress is not None:
                progress(done)
        return np.concatenate(parts)

    def _halve(self) -> None:
        if self.micro_batch == 1:
            raise DeviceMemoryError(
                f"Not even one image fits the memory of {self.device}; close other programs that "
                "use it, or pass --device cpu."
            )
        self.micro_batch //= 2
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


class Evaluator(ImageScorer):
    """Generates and scores images for one caption.

    ``micro_batch`` 0 chooses by the device. ``precision`` is that of the networks in
    ``score_latents``; what depends on the caption alone, and everything that is rendered, is
    computed in fp32. Else as ``ImageScorer``.
    """

    def __init__(
        self,
        *,
        generator: Generator,
        score_names: Sequence[str],
        options: ScoreOptions,
        device: torch.device,
        micro_batch: int = 0,
        precision: str = "fp32",
        models: ScorerModels = BUILTIN_MODELS,
    ) -> None:
        super().__init__(
            score_names=score_names,
            options=options,
            device=device,
            micro_batch=micro_batch or choose_micro_batch(device, generator.image_size),
            models=models,
            own_extractor=getattr(generator, "feature_extractor", no_extractor),
        )
        self.generator = generator
        self.precision = precision
        self._condition: Any = None

    @torch.inference_mode()
    def prepare(self, caption: str) -> None:
        """Compute everything that depends on the caption alone."""
        self._condition = self.generator.condition(caption)
        super().prepare(caption)

    def require_precision(self) -> None:
        """Score one latent; UsageError when the networks cannot do so in ``precision``."""
        if self.precision == "fp32":
            return
        latent = self.generator.sample(1, np.random.default_rng(0)).reshape(1, -1)
        try:
            finite = bool(np.isfinite(self.score_latents(latent)).all())
            said = "it gave scores that are not finite"
        except (RuntimeError, TypeError, PluginError, NonFiniteScoresError) as error:
            finite, said = False, str(error).strip().splitlines()[0].rstrip(".")
        if not finite:
            raise UsageError(
                f"--precision {self.precision} does not work with these networks ({said}); "
                "use --precision fp32."
            )

    def score_latents(
        self, latents: np.ndarray, progress: Callable[[int], None] | None = None
    ) -> np.ndarray:
        """Scores (n, m) float64 of latents (n, d) float32; else as ``score_images``.

        ``progress`` hears how many images are done after each micro-batch.
        """

        def scored(rows: slice) -> np.ndarray:
            return self._score(self._generate(latents[rows], self.precision), self.precision)

        return _checked(self._in_micro_batches(len(latents), scored, progress), self.scores)

    def render(self, latents: np.ndarray) -> np.ndarray:
        """Images (n, h, w, 3) uint8 of latents (n, d), in fp32: the pixels that fp32 scores."""
        return self._in_micro_batches(
            len(latents), lambda rows: _pixels(self._generate(latents[rows], "fp32")), None
        )

    def render_and_score(
        self, latents: np.ndarray, progress: Callable[[int], None] | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """``render`` and the scores (n, m) of the very same pixels, both in fp32.

        Raises and reports as ``score_latents``.
        """
        images = np.empty((len(latents), *self.generator.image_size, 3), np.uint8)

        def scored(rows: slice) -> np.ndarray:
            drawn = self._generate(latents[rows], "fp32")
            images[rows] = _pixels(drawn)
            return self._score(drawn)

        scores = self._in_micro_batches(len(latents), scored, progress)
        return images, _checked(scores, self.scores)

    def preview(self, latents: np.ndarray) -> np.ndarray:
        """As ``render``, between two generations: ``micro_batch`` stays what it was, so that the
        scores to come do not depend on who looks on."""
        kept = self.micro_batch
        try:
            return self.render(latents)
        finally:
            self.micro_batch = kept

    def _generate(self, latents: np.ndarray, precision: str) -> Tensor:
        batch = torch.from_numpy(np.ascontiguousarray(latents, dtype=np.float32)).to(self.device)
        shaped = batch.view(len(batch), *self.generator.latent_shape)
        with computing_in(precision, self.device):
            return self.generator.generate(shaped, self._condition).float()


def _build_extractors(
    scores: Sequence[Score],
    device: torch.device,
    models: ScorerModels,
    own_extractor: FindExtractor,
) -> dict[str, FeatureExtractor]:
    needs = frozenset[str]().union(*(score.needs for score in scores))
    extractors: dict[str, FeatureExtractor] = {}
    for name in sorted({key.partition(".")[0] for key in needs}):
        own = own_extractor(name)
        if own is not None:
            extractors[name] = own
        elif name in registry.names("feature"):
            extractors[name] = registry.make("feature", name, device=device, models=models)
    provided = frozenset[str]().union(*(extractor.provides for extractor in extractors.values()))
    for score in scores:
        if missing := score.needs - provided:
            raise UsageError(
                f"The score {score.name!r} needs the feature {min(missing)!r}, which neither the "
                "generator nor an installed extractor provides; leave that score out or install "
                "its plug-in."
            )
    return extractors


def _to_levels(images: Tensor) -> Tensor:
    """[0, 1] → the integers 0 to 255, as floats."""
    return images.mul(255.0).round().clamp(0.0, 255.0)


def _widened(feature: Tensor) -> Tensor:
    """In float32 where autocast left bfloat16."""
    return feature.float() if feature.dtype == torch.bfloat16 else feature


def _pixels(images: Tensor) -> np.ndarray:
    """(n, 3, h, w) in [0, 1] → (n, h, w, 3) uint8."""
    return _to_levels(images).byte().permute(0, 2, 3, 1).cpu().numpy()


def _unless_out_of_memory(compute: Callable[[slice], np.ndarray], rows: slice) -> np.ndarray | None:
    # returns from the except block, so the exception no longer holds the failed pass's tensors
    try:
        with torch.inference_mode():
            return compute(rows)
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
    return None


def _checked(values: np.ndarray, scores: Sequence[Score]) -> np.ndarray:
    finite = np.isfinite(values)
    bad = ~finite.all(axis=1)
    if 2 * bad.sum() > len(values):
        worst = scores[int(finite.sum(axis=0).argmin())].name
        whose = registry.describe("score", worst)
        raise NonFiniteScoresError(
            f"{bad.sum()} of {len(values)} images have no finite score: {whose[0].lower()}"
            f"{whose[1:]} gave nan or infinity; check the generator's weights and the score "
            "options, leave that score out, or run once with --device cpu."
        )
    values[bad] = np.nan
    return values
