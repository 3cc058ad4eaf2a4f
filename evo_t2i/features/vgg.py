"""The classifier's logits."""

import torch
from torch import Tensor

from evo_t2i.checkpoints import builtin
from evo_t2i.features.preprocess import normalise, resize


class VggFeatures:
    """The built-in VGG-19 with batch normalisation.

    Raises ModelError when its weights are missing or damaged.
    """

    provides = frozenset({"vgg.logits"})

    def __init__(self, *, device: torch.device) -> None:
        from evo_t2i.models import vgg  # imports torchvision, which takes a second

        weights = builtin.load("vgg")
        config = weights.config
        model = vgg.build(config["channels"], len(config["labels"]))
        model.load_state_dict(weights.tensors)
        self.digest = weights.digest
        self.labels: tuple[str, ...] = tuple(config["labels"])
        model.to(device).to(memory_format=torch.channels_last)  # a fifth faster on a CPU
        self._model = model.eval().requires_grad_(False)
        self._size = (int(config["image_size"]), int(config["image_size"]))
        self._mean, self._std = config["mean"], config["std"]

    def text(self, caption: str) -> dict[str, Tensor]:  # noqa: ARG002
        """Nothing: the classifier does not read."""
        return {}

    def images(self, batch: Tensor) -> dict[str, Tensor]:
        """``vgg.logits`` (n, k), columns in the order of ``labels``."""
        inputs = normalise(resize(batch, self._size), self._mean, self._std)
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        return {"vgg.logits": self._model(inputs).float()}
