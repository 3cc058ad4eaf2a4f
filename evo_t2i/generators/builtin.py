"""The built-in generator: decides, places and paints the scenes of the package's own world."""

import math

import numpy as np
import torch
from torch import Tensor

from evo_t2i.caption import unread
from evo_t2i.caption_check import doubts
from evo_t2i.checkpoints import builtin
from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.errors import ModelError, UsageError
from evo_t2i.generators.base import to_unit
from evo_t2i.models import layout_generator
from evo_t2i.models.loading import loading
from evo_t2i.models.precision import InPrecision
from evo_t2i.vocabulary import WorldVocabulary


class BuiltinGenerator:
    """128x128 pictures of the world in ``evo_t2i.world`` from Gaussian numbers and a caption.

    Raises ModelError when the weights are missing or damaged, or were trained with another text
    side than the installed one; UsageError for an argument, since it takes none.
    """

    reentrant = True

    def __init__(self, *, device: torch.device, argument: str | None = None) -> None:
        from evo_t2i.models import minilm, text_side  # torch is not needed before

        if argument is not None:
            raise UsageError(
                f"The built-in generator takes no argument, got {argument!r}; "
                "use --generator builtin."
            )
        weights, text = builtin.load("generator"), builtin.load("text")
        if text.tensors_digest != weights.config["text"]:
            raise ModelError(
                f"The generator was trained with the text side {weights.config['text'][:12]}…, but "
                f"{text.tensors_digest[:12]}… is installed; train the generator again."
            )
        self._device = device
        with loading():
            self._side = text_side.load(text.config, text.tensors, minilm_folder())
            self._tokenize = minilm.load_tokenizer(minilm_folder())
            model = layout_generator.load(weights.config, weights.tensors)
            self._model = model.to(device).to(memory_format=torch.channels_last).eval()
        if device.type != "mps":  # has no float64
            self._model.decider.double()
        self._model.requires_grad_(False)
        self._in_precision = InPrecision(self._model)
        self.latent_shape = (model.config.latent_size,)
        self.image_size = (128, 128)
        self.digest = weights.digest
        self._vocabulary = WorldVocabulary()

    def condition(self, caption: str) -> Tensor:
        """What the caption means, (1, d)."""
        with torch.inference_mode():
            meaning = self._side(self._tokenize([caption]))
        return meaning.clone().to(self._device)

    def unread(self, caption: str) -> str:
        """The caption's end beyond the text encoder's limit."""
        return unread(caption, self._tokenize)

    def doubts(self, caption: str) -> list[str]:
        """What of the caption the models were not taught, and captions that they were."""
        return doubts(caption, self._vocabulary)

    def sample(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Standard Gaussian latents (count, d) float32."""
        return rng.standard_normal((count, math.prod(self.latent_shape)), dtype=np.float32)

    def generate(self, latents: Tensor, condition: Tensor) -> Tensor:
        """Latents (n, d) → images (n, 3, 128, 128) in [0, 1]."""
        _, images = self._in_precision.current(latents.device)(
            latents, condition.expand(len(latents), -1)
        )
        assert images is not None
        return to_unit(images)

    def preview(self, latents: Tensor, condition: Tensor) -> Tensor:
        """The same pictures before their last, finest layers: (n, 3, 64, 64) in [0, 1]."""
        small, _ = self._in_precision.current(latents.device)(
            latents, condition.expand(len(latents), -1), half=True
        )
        return to_unit(small)
