"""The inverse of the generator, for training only: which latent would have drawn this picture?"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class LatentEncoder(nn.Module):
    """Images (n, 3, 64, 64) in [-1, 1] and unit text (n, t) → mean and log variance (n, latent).

    It is told which view (n,) of its scene a picture has, as that is slow to be seen.
    """

    def __init__(self, text_size: int, latent_size: int, views: int, resolution: int = 64):
        super().__init__()
        widths = (3, 32, 64, 128, 192)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        self.convolutions = nn.Sequential(*layers)
        side = resolution // 2 ** (len(widths) - 1)
        self.hidden = nn.Linear(widths[-1] * side * side + text_size, 384)
        self.out = nn.Linear(384, 2 * latent_size)
        self.view = nn.Embedding(views, 384)

    def forward(self, images: Tensor, text: Tensor, view: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.convolutions(images).flatten(1)
        told = unit_variance(text).to(seen.dtype)
        hidden = self.hidden(torch.cat([seen, told], dim=1)) + self.view(view)
        hidden = F.leaky_relu(hidden, 0.2)
        mean, log_variance = self.out(hidden).float().chunk(2, dim=1)
        return mean, log_variance.clamp(-8, 2)


class LatentReader(nn.Module):
    """Latents (n, latent) and text (n, t) → logits (n, size) for several facts of the picture."""

    def __init__(self, text_size: int, latent_size: int, sizes: Sequence[int]):
        super().__init__()
        self.sizes = list(sizes)
        self.hidden = nn.Linear(latent_size + text_size, 256)
        self.out = nn.Linear(256, sum(sizes))

    def forward(self, latents: Tensor, text: Tensor) -> tuple[Tensor, ...]:
        told = torch.cat([latents, unit_variance(text)], dim=1)
        hidden = F.leaky_relu(self.hidden(told), 0.2)
        return self.out(hidden).float().split(self.sizes, dim=1)


def unit_variance(text: Tensor) -> Tensor:
    """Text features (n, t) with a mean square of 1, as layers expect their inputs."""
    return F.normalize(text, dim=1) * text.shape[1] ** 0.5
