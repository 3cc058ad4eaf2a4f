"""From images in [0, 1] to a network's input, on the images' device."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import interpolate


def resize(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Images (n, 3, h, w) in [0, 1] → (n, 3, \\*size) in [0, 1]; unchanged where sizes agree.

    Bicubic with antialiasing, as the networks' training pipelines do; bicubic overshoots, so the
    result is clamped. Other aspect ratios are squeezed: no part of the picture goes unscored.
    """
    if images.shape[-2:] == size:
        return images
    return interpolate(images, size=size, mode="bicubic", antialias=True).clamp(0.0, 1.0)


def normalise(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Tensor:
    """(images - mean) / std, channel by channel."""
    shape = (1, 3, 1, 1)
    centre = torch.tensor(mean, dtype=images.dtype, device=images.device).view(shape)
    spread = torch.tensor(std, dtype=images.dtype, device=images.device).view(shape)
    return (images - centre) / spread
