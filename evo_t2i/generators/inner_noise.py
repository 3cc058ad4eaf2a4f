"""Noise that a scheduler draws between its steps, made a function of the latent."""

from collections.abc import Callable, Sequence
from functools import lru_cache, wraps
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

_KEY = 20_487


@lru_cache(maxsize=64)
def shuffle(size: int, draw: int) -> tuple[np.ndarray, np.ndarray]:
    """The fixed order (size,) int64 and signs (size,) float32 of a call's ``draw``-th noise."""
    rng = np.random.default_rng([_KEY, draw])
    order = rng.permutation(size)
    return order, rng.choice(np.array([-1.0, 1.0], np.float32), size)


def inner_noise(latents: Tensor, draw: int) -> Tensor:
    """Noise of the latents' shape (n, \\*latent_shape): their own numbers, reordered and signed.

    An orthogonal map of each latent by itself. So the noise is standard Gaussian where the latent
    is, does not depend on the batch, moves no further than the latent moves, and no number of it
    is correlated with the number of the latent in the same place.
    """
    flat = latents.flatten(1)  # (n, d)
    order, signs = shuffle(flat.shape[1], draw)
    chosen = flat[:, torch.from_numpy(order).to(latents.device)]
    return (chosen * torch.from_numpy(signs).to(latents.device)).view_as(latents)


class InnerNoise(TorchFunctionMode):
    """While active, torch.randn and torch.randn_like give ``inner_noise``, one draw after another.

    ``begin`` is called before each batch. The shape asked for may be another view of the latents'
    (a packed one), as long as each image has as many numbers.
    """

    def __init__(self) -> None:
        super().__init__()
        self._latents = torch.empty(0)
        self._draws = 0

    def begin(self, latents: Tensor) -> None:
        """Draw from these latents (n, \\*latent_shape) from now on."""
        self._latents, self._draws = latents, 0

    def during(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """``step`` with its noise drawn from here; it keeps its signature."""

        @wraps(step)
        def stepped(*args: Any, **kwargs: Any) -> Any:
            with self:
                return step(*args, **kwargs)

        return stepped

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func is torch.randn:
            return self._draw(args[0], kwargs.get("dtype"), kwargs.get("device"))
        if func is torch.randn_like:
            return self._draw(args[0].shape, args[0].dtype, args[0].device)
        return func(*args, **kwargs)

    def _draw(self, shape: Sequence[int], dtype: torch.dtype | None, device: Any) -> Tensor:
        noise = inner_noise(self._latents, self._draws).reshape(tuple(shape))
        self._draws += 1
        return noise.to(device=device or noise.device, dtype=dtype or noise.dtype)
