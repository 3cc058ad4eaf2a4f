"""Adaptive discriminator augmentation (Karras et al., 2020) that leaves captions true.

With few pictures a discriminator learns them by heart. It sees all pictures, real and drawn, moved,
scaled and partly covered, each with the probability p; p rises while it is too sure of real ones.
StyleGAN2-ADA also changes colours, flips and turns: a caption that names a colour or a side would
be false then, so these are left out.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evo_t2i.errors import UsageError, near_miss
from evo_t2i.training.lafite_settings import AUGMENTATIONS

TARGET = 0.6
"""Of the mean sign of D's sureness of real pictures."""
_SPEED_IMAGES = 100_000
"""Pictures over which p may rise from 0 to 1; StyleGAN2-ADA's is 500,000, for longer trainings."""
_EVERY_IMAGES = 256
"""Pictures from one adjustment of p to the next."""
_SHIFT, _SCALE, _COVERED = 0.125, 0.2, 0.5
"""Largest shift, as a share of the side; deviation of log2 of the scale; side of the cover."""


class Augmentation(nn.Module):
    """p, and the signs seen since it was adjusted, which belong to a training's checkpoint."""

    p: Tensor
    signs: Tensor
    seen: Tensor

    def __init__(self, mode: str = "ada") -> None:
        super().__init__()
        if mode not in AUGMENTATIONS:
            raise UsageError(f"`augment` is {mode!r}; {near_miss(mode, AUGMENTATIONS)}")
        self._adapts = mode == "ada"
        for name in ("p", "signs", "seen"):
            self.register_buffer(name, torch.zeros((), dtype=torch.float64))

    @torch.no_grad()
    def watch(self, mean_sign: Tensor, count: int) -> None:
        """Take note of how often D is right about ``count`` real pictures, from -1 (never) to 1.

        Adjusts p when it is time.
        """
        if not self._adapts:
            return
        self.signs += mean_sign.to(self.signs) * count
        self.seen += count
        if float(self.seen) >= _EVERY_IMAGES:
            direction = (self.signs / self.seen - TARGET).sign()
            self.p.copy_((self.p + direction * self.seen / _SPEED_IMAGES).clamp(0, 1))
            self.signs.zero_()
            self.seen.zero_()

    def forward(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Images (n, 3, r, r); all randomness is the generator's, which is on the CPU."""
        p = float(self.p)
        return augmented(images, p, generator) if p > 0 else images


def augmented(images: Tensor, p: float, generator: torch.Generator) -> Tensor:
    """Each picture scaled, shifted and half covered, each with probability p, by itself.

    What comes in at the borders mirrors the picture; the cover is grey (0).
    """
    n, device = len(images), images.device

    def chosen() -> Tensor:
        return (torch.rand(n, generator=generator) < p).float()

    scale = 2 ** (torch.randn(n, generator=generator) * _SCALE * chosen())
    shift = (torch.rand(n, 2, generator=generator) * 2 - 1) * 2 * _SHIFT * chosen()[:, None]
    placed = torch.zeros(n, 2, 3)
    placed[:, 0, 0] = placed[:, 1, 1] = 1 / scale
    placed[:, :, 2] = shift
    size = [n, images.shape[1], *images.shape[2:]]
    grid = F.affine_grid(placed.to(device), size, align_corners=False)
    moved = F.grid_sample(images.float(), grid, padding_mode="reflection", align_corners=False)
    centre = torch.rand(n, 2, generator=generator)
    covers = chosen()
    axis = (torch.arange(images.shape[-1]) + 0.5) / images.shape[-1]
    inside = (axis[None, None] - centre[:, :, None]).abs() < _COVERED / 2  # (n, 2, r)
    cover = inside[:, 0, :, None] & inside[:, 1, None, :] & (covers > 0)[:, None, None]
    return moved * ~cover[:, None].to(device)
