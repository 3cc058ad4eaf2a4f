"""The built-in generator: a small text-conditional StyleGAN2 trained on the package's own world."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from evo_t2i.caption import unread
from evo_t2i.checkpoints import builtin
from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.errors import ModelError, UsageError
from evo_t2i.models import text_stylegan
from evo_t2i.models.loading import loading
from evo_t2i.models.text_stylegan import to_unit


class BuiltinGenerator:
    """64x64 pictures of the world in ``evo_t2i.world`` from 32 Gaussian numbers and a caption.

    The text encoder is loaded once, with the generator. Raises ModelError when the weights are
    missing or damaged, or were trained with another text encoder than the installed one; UsageError
    for an argument, since it takes none.
    """

    def __init__(self, *, device: torch.device, argument: str | None = None) -> None:
        if argument is not None:
            raise UsageError(
                f"The built-in generator takes no argument, got {argument!r}; "
                "use --generator builtin."
            )
        weights = builtin.load("generator")
        self._device = device
        with loading():
            self._encode, self._tokenize = _text_encoder(weights.config["text_encoder"])
            model = text_stylegan.load(weights.config, weights.tensors)
            config = model.config
            self._model = model.to(device).to(memory_format=torch.channels_last).eval()
        self._model.requires_grad_(False)
        self.latent_shape = (config.latent_size,)
        self.image_size = (config.resolution, config.resolution)
        self.digest = weights.digest

    def condition(self, caption: str) -> Tensor:
        """The caption's unit CLIP text feature (1, d)."""
        feature = self._encode(self._tokenize([caption]))
        return normalize(feature.float(), dim=1).to(self._device)

    def unread(self, caption: str) -> str:
        """The caption's end beyond the text encoder's limit."""
        return unread(caption, self._tokenize)

    def sample(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Standard Gaussian latents (count, 32) float32."""
        return rng.standard_normal((count, math.prod(self.latent_shape)), dtype=np.float32)

    def generate(self, latents: Tensor, condition: Tensor) -> Tensor:
        """Latents (n, 32) → images (n, 3, 64, 64) in [0, 1]."""
        return to_unit(self._model(latents, condition.expand(len(latents), -1)))


def _text_encoder(
    wanted: str,
) -> tuple[Callable[[Tensor], Tensor], Callable[[Sequence[str]], Tensor]]:
    """The built-in CLIP's ``encode_text`` and its tokenizer; ModelError unless it is ``wanted``."""
    from evo_t2i.models import clip  # imports open_clip, which takes seconds

    weights = builtin.load("clip")
    if weights.tensors_digest != wanted:
        raise ModelError(
            f"The generator was trained with the text encoder {wanted[:12]}…, but "
            f"{weights.tensors_digest[:12]}… is installed; train the generator again."
        )
    folder = minilm_folder()
    model = clip.load(weights.config, weights.tensors, folder)
    model.visual = None  # the captions' half is enough
    return model.encode_text, clip.load_tokenizer(folder)
