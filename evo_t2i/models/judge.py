"""The independent judge: a small residual network that reads off what a picture shows.

It shares neither architecture nor weights with anything that the search optimises.
"""

import math
from collections.abc import Mapping, Sequence

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
    """Images (n, 3, 64, 64) in [0, 1] → logits of what they show, a head for each entry of `heads`.

    heads: name → shape of the logits of one picture.
    """

    def __init__(
        self, heads: Mapping[str, tuple[int, ...]], widths: Sequence[int] = (32, 64, 128, 192)
    ):
        super().__init__()
        self.stem = nn.Conv2d(3, widths[0], 3, padding=1)
        blocks: list[nn.Module] = []
        before = widths[0]
        for width in widths:
            blocks += [ResidualBlock(before, width, 2), ResidualBlock(width, width, 1)]
            before = width
        self.blocks = nn.Sequential(*blocks)
        self.heads = dict(heads)
        self.mix = nn.Linear(before * (2 + 16), before * 2)
        self.head = nn.Linear(before * 2, sum(math.prod(shape) for shape in heads.values()))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Each head's logits (n, *shape)."""
        x = self.blocks(self.stem(images * 2 - 1))
        pooled = torch.cat([x.mean((2, 3)), x.amax((2, 3)), x.flatten(1)], dim=1)
        logits = self.head(F.gelu(self.mix(pooled))).float()
        sizes = [math.prod(shape) for shape in self.heads.values()]
        parts = logits.split(sizes, dim=1)
        return {
            name: part.unflatten(1, shape)
            for (name, shape), part in zip(self.heads.items(), parts, strict=True)
        }
