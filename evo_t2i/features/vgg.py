"""Logits of the classifier, whatever it is; its default is a VGG-19, whence the name."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from evo_t2i.config import BUILTIN_MODELS, ScorerModels
from evo_t2i.features.classifiers import Classifier, load_classifier
from evo_t2i.features.labels import labels_digest, own_labels
from evo_t2i.features.preprocess import normalise, resize
from evo_t2i.features.zero_shot import zero_shot_logits
from evo_t2i.models.loading import loading
from evo_t2i.models.precision import InPrecision


class VggFeatures:
    """The classifier that ``models.classifier`` names; else the built-in VGG-19 with batch norm.

    ``clip:FILE`` has no network of its own: its logits are those of the file's labels by the CLIP
    whose features the scores share, so ``needs`` names what comes from there. Raises ModelError
    when weights are missing or damaged, UsageError for an unknown name and a file without labels.
    """

    provides = frozenset({"vgg.logits"})
    reentrant = True

    def __init__(self, *, device: torch.device, models: ScorerModels = BUILTIN_MODELS) -> None:
        self.needs: frozenset[str] = frozenset()
        self._logits: Callable[[Tensor, Mapping[str, Tensor]], Tensor]
        if labels := own_labels(models.classifier):
            self.labels, self.digest, self._logits = labels, labels_digest(labels), _by_clip
            self.needs = frozenset({"clip.image", "clip.labels", "clip.logit_scale"})
            return
        with loading():
            chosen = load_classifier(models.classifier)
        self.labels, self.digest = chosen.labels, chosen.digest
        model = chosen.model.to(device).to(memory_format=torch.channels_last)  # faster on a CPU
        self._model = model.eval().requires_grad_(False)
        self._logits = _Network(self._model, chosen)

    def text(self, caption: str) -> dict[str, Tensor]:  # noqa: ARG002
        """Nothing: the classifier does not read."""
        return {}

    def images(self, batch: Tensor, text: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``vgg.logits`` (n, k), columns in the order of ``labels``."""
        return {"vgg.logits": self._logits(batch, text)}


class _Network:
    def __init__(self, model: nn.Module, chosen: Classifier) -> None:
        self._in_precision = InPrecision(model)
        self._size = (chosen.image_size, chosen.image_size)
        self._mean, self._std = chosen.mean, chosen.std

    def __call__(self, batch: Tensor, _features: Mapping[str, Tensor]) -> Tensor:
        inputs = normalise(resize(batch, self._size), self._mean, self._std)
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        logits: Tensor = self._in_precision.current(inputs.device)(inputs)
        return logits.float()


def _by_clip(_batch: Tensor, features: Mapping[str, Tensor]) -> Tensor:
    return zero_shot_logits(
        features["clip.image"], features["clip.labels"], features["clip.logit_scale"]
    )
