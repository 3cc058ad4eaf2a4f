"""What a generator is: a prior over latents and a deterministic map from latent to image."""

from typing import Any, Protocol

import numpy as np
from torch import Tensor


class Generator(Protocol):
    """Latents (n, \\*latent_shape) and a caption's condition → images (n, 3, h, w) in [0, 1].

    The same latent gives the same image in any batch and at any position in it; noise inputs
    are frozen. Registered as a factory with the keyword-only arguments ``device: torch.device``
    and ``argument: str | None`` (what follows the colon in ``--generator name:argument``).

    A generator may also have ``preview(latents: Tensor, condition: Any) -> Tensor``, a cheaper
    picture of each latent, of any size, by which a search can go while the front is drawn by
    ``generate``; ``feature_extractor(name: str) -> FeatureExtractor | None``, for
    scores by a network that belongs to it, such as its discriminator;
    ``unread(caption: str) -> str``, the end of the caption that its text encoder does not read, see
    ``evo_t2i.caption.unread``; ``doubts(caption: str) -> list[str]``, a sentence for each thing
    that it will not draw as asked, see ``evo_t2i.caption_check``; and ``reentrant = True`` where
    two threads may draw at once, because a call keeps nothing of its own in the generator.
    """

    latent_shape: tuple[int, ...]
    """Shape of one latent, without the batch."""
    image_size: tuple[int, int]
    """(height, width) in pixels."""
    digest: str
    """SHA-256 of the weights; part of a run's record."""

    def condition(self, caption: str) -> Any:
        """What ``generate`` needs to know of the caption; computed once per run."""
        ...

    def sample(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """``count`` latents (count, \\*latent_shape) float32 from the standard Gaussian prior."""
        ...

    def generate(self, latents: Tensor, condition: Any) -> Tensor:
        """Images (n, 3, h, w) in [0, 1] on the latents' device."""
        ...


def to_unit(images: Tensor) -> Tensor:
    """Images around [-1, 1] → [0, 1], clamped."""
    return (images * 0.5 + 0.5).clamp(0, 1)
