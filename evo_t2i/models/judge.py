"""The independent judge: a small residual network that reads off what a picture shows.

It shares neither architecture nor weights with anything that the search optimises.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with batch normalisation and a projected shortcut (He et al., 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class Judge(nn.Module):
    """Images (n, 3, 64, 64) in [0, 1] → logits for scene, time, kinds and each kind's colour."""

    def __init__(
        self,
        scenes: int,
        times: int,
        kinds: int,
        colours: int,
        widths: Sequence[int] = (24, 48, 96, 128),
    ):
        super().__init__()
        self.stem = nn.Conv2d(3, widths[0], 3, padding=1)
        blocks: list[nn.Module] = []
        before = widths[0]
        for width in widths:
            blocks += [ResidualBlock(before, width, 2), ResidualBlock(width, width, 1)]
            before = width
        self.blocks = nn.Sequential(*blocks)
        self.sizes = (scenes, times, kinds, kinds * colours)
        self.colours = colours
        self.head = nn.Linear(before * 2, sum(self.sizes))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Scene (n, s), time (n, t), presence (n, k) and colour (n, k, c) logits."""
        x = self.blocks(self.stem(images * 2 - 1))
        pooled = torch.cat([x.mean((2, 3)), x.amax((2, 3))], dim=1)
        scene, time, kinds, colours = self.head(pooled).float().split(self.sizes, dim=1)
        return scene, time, kinds, colours.unflatten(1, (-1, self.colours))
