"""Spaces of w as priors of their own: what the mapping network makes of Gaussian latents."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

SAMPLES = 10_000
"""Mapped latents from which the space is measured; as many as StyleGAN's own projector takes."""
_AT_ONCE = 1_000
_NO_SPREAD = 1e-6

Mapping = Callable[[Tensor], Tensor]
"""Standard Gaussian latents (n, d) → w (n, style)."""


@dataclass(frozen=True, eq=False)
class StyleSpace:
    """w as mean + axes · u, where u has mean 0 and covariance I over mapped latents.

    So searches whose steps suit a standard Gaussian suit u: an axis along which w varies little is
    one along which it is moved little. u is not Gaussian itself, but what the mapping network makes
    of Gaussian latents, and ``of_latents`` draws exactly that.

    With several ``blocks`` each resolution of the generator has a u of its own, at first all the
    same: crossover then gives a picture the coarse styles of one parent and the fine ones of
    another, as style mixing does in training (Karras et al., 2019, section 3.1).
    """

    mean: Tensor
    """(style,)"""
    axes: Tensor
    """(k, style): principal axes, each as long as w's standard deviation along it."""
    mapping: Mapping
    blocks: int = 1

    @classmethod
    def measured(
        cls, mapping: Mapping, latent_size: int, device: torch.device, blocks: int = 1
    ) -> Self:
        """From ``SAMPLES`` latents that are always the same ones."""
        drawn = np.random.default_rng(0).standard_normal((SAMPLES, latent_size), dtype=np.float32)
        parts = [mapping(part.to(device)) for part in torch.from_numpy(drawn).split(_AT_ONCE)]
        w = torch.cat(parts).double().cpu().numpy()
        mean = w.mean(axis=0)
        sizes, axes = np.linalg.eigh(np.cov(w, rowvar=False))  # ascending
        kept = sizes > _NO_SPREAD * sizes[-1]
        scaled = (axes[:, kept] * np.sqrt(sizes[kept])).T[::-1]

        def on_device(values: np.ndarray) -> Tensor:
            return torch.from_numpy(values.astype(np.float32)).to(device)

        return cls(on_device(mean), on_device(scaled.copy()), mapping, blocks)

    @property
    def size(self) -> int:
        """Numbers of a latent of this space."""
        return self.blocks * len(self.axes)

    def of_latents(self, latents: Tensor) -> Tensor:
        """u (n, size) of standard Gaussian latents (n, d)."""
        lengths = (self.axes**2).sum(dim=1)
        places: Tensor = (self.mapping(latents) - self.mean) @ self.axes.T / lengths
        return places.repeat(1, self.blocks)

    def to_w(self, places: Tensor) -> Tensor:
        """u (n, size) → w (n, blocks, style)."""
        return self.mean + places.unflatten(1, (self.blocks, -1)) @ self.axes
