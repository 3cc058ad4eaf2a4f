"""From images in [0, 1] to a network's input, on the images' device."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from evo_t2i.errors import ModelError


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


def channel_values(mean: Any, std: Any, where: object) -> tuple[tuple[float, ...], ...]:
    """The mean and the spread that a model's configuration gives for the three channels.

    Raises ModelError, which names ``where`` they stand, unless these are three finite numbers each,
    the spreads above 0.
    """
    for name, values, least in (("mean", mean, -math.inf), ("std", std, 0.0)):
        fits = isinstance(values, list | tuple) and len(values) == 3
        if not fits or not all(_number(value) and least < value < math.inf for value in values):
            raise ModelError(
                f"{where} gives {str(values)[:60]} as the {name} of the three channels; fetch it "
                "again."
            )
    return tuple(map(float, mean)), tuple(map(float, std))


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
