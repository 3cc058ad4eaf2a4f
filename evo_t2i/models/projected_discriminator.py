"""A text-conditional discriminator on pixels and on the features of a frozen classifier.

Small trainable heads look at the image itself and at each block of the frozen network, so that
the first useful gradients arrive early (Sauer et al., "Projected GANs Converge Faster", 2021). The
caption enters as an inner product with every patch of every head (Miyato & Koyama, "cGANs with
Projection Discriminator", 2018), so a logit depends on its own image and caption only.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Head(nn.Module):
    """One feature level (n, c, r, r) → patch embeddings (n, width, 4, 4)."""

    def __init__(self, channels: int, resolution: int, width: int):
        super().__init__()
        stages: list[nn.Module] = []
        before = channels
        while resolution > 4:
            resolution //= 2
            after = min(width, 1024 // resolution)
            stages += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
            before = after
        stages += [nn.Conv2d(before, width, 3, padding=1), nn.LeakyReLU(0.2)]
        self.stages = nn.Sequential(*stages)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.stages(x)
        return out


class ProjectedDiscriminator(nn.Module):
    """Heads over several levels; ``levels`` lists (channels, resolution), the image first."""

    def __init__(self, levels: Sequence[tuple[int, int]], text_size: int, width: int = 64):
        super().__init__()
        self.heads = nn.ModuleList(Head(c, r, width) for c, r in levels)
        self.realness = nn.ModuleList(nn.Conv2d(width, 1, 1) for _ in levels)
        self.text = nn.ModuleList(nn.Linear(text_size, width) for _ in levels)
        for index, (channels, _) in enumerate(levels):
            self.register_buffer(f"shift_{index}", torch.zeros(1, channels, 1, 1))
            self.register_buffer(f"scale_{index}", torch.ones(1, channels, 1, 1))

    @torch.no_grad()
    def calibrate(self, features: Sequence[Tensor]) -> None:
        """Normalise each channel by its mean and deviation over real images, once."""
        for index, level in enumerate(features):
            getattr(self, f"shift_{index}").copy_(level.float().mean((0, 2, 3), keepdim=True))
            deviation = level.float().std((0, 2, 3), keepdim=True)
            getattr(self, f"scale_{index}").copy_(1 / deviation.clamp(min=1e-2))

    def normalise(self, index: int, level: Tensor) -> Tensor:
        """One level as its head sees it."""
        normalised: Tensor = level - getattr(self, f"shift_{index}")
        return normalised * getattr(self, f"scale_{index}")

    def embed(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Levels → patch embeddings per head; shared by every caption an image is held against."""
        return [
            head(self.normalise(index, level))
            for index, (head, level) in enumerate(zip(self.heads, features, strict=True))
        ]

    def logits(self, embeddings: Sequence[Tensor], text: Tensor) -> Tensor:
        """Patch embeddings and unit text features (n, t) → logits (n, heads, 16)."""
        text = F.normalize(text, dim=1) * math.sqrt(text.shape[1])
        rows = []
        for patches, realness, project in zip(embeddings, self.realness, self.text, strict=True):
            direction = project(text) / math.sqrt(patches.shape[1])  # (n, width)
            match = (patches * direction[:, :, None, None]).sum(1)
            rows.append((realness(patches)[:, 0] + match).flatten(1))
        return torch.stack(rows, dim=1).float()
