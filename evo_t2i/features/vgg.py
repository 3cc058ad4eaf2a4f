"""The classifier's logits."""

from collections.abc import Mapping

import torch
from torch import Tensor

from evo_t2i.config import BUILTIN_MODELS, ScorerModels
from evo_t2i.features.classifiers import load_classifier
from evo_t2i.features.preprocess import normalise, resize
from evo_t2i.models.loading import loading
from evo_t2i.models.precision import InPrecision


class VggFeatures:
    """The VGG-19 with batch normalisation that ``models.classifier`` names; else the built-in one.

    Raises ModelError when its weights are missing or damaged, UsageError for an unknown name.
    """

    provides = frozenset({"vgg.logits"})

    def __init__(self, *, device: torch.device, models: ScorerModels = BUILTIN_MODELS) -> None:
        with loading():
            chosen = load_classifier(models.classifier)
        self.digest = chosen.digest
        self.labels = chosen.labels
        model = chosen.model.to(device).to(memory_format=torch.channels_last)  # faster on a CPU
        self._model = model.eval().requires_grad_(False)
        self._in_precision = InPrecision(self._model)
        self._size = (chosen.image_size, chosen.image_size)
        self._mean, self._std = chosen.mean, chosen.std

    def text(self, caption: str) -> dict[str, Tensor]:  # noqa: ARG002
        """Nothing: the classifier does not read."""
        return {}

    def images(
        self,
        batch: Tensor,
        text: Mapping[str, Tensor],  # noqa: ARG002
    ) -> dict[str, Tensor]:
        """``vgg.logits`` (n, k), columns in the order of ``labels``."""
        inputs = normalise(resize(batch, self._size), self._mean, self._std)
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        model = self._in_precision.current(inputs.device)
        return {"vgg.logits": model(inputs).float()}
