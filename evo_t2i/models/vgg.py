"""The built-in classifier: a narrow VGG-19 with batch norm (Simonyan and Zisserman, 2015)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

VGG19_CHANNELS: tuple[int | str, ...] = (
    64, 64, "M", 128, 128, "M", 256, 256, 256, 256, "M", 512, 512, 512, 512, "M",
    512, 512, 512, 512, "M",
)  # fmt: skip


class Vgg(nn.Module):
    """VGG's layers, by torchvision's names, under a small head; images (n, 3, h, w) normalised →
    logits (n, k).

    ``channels`` lists convolutions by their width and ``"M"`` for each halving of the grid.
    """

    def __init__(self, channels: Sequence[int | str], labels: int, dropout: float = 0.0) -> None:
        super().__init__()
        width = int([item for item in channels if item != "M"][-1])
        self.features = _layers(channels)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(width, width),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(width, labels),
        )
        for module in self.modules():
            # for tensors without memory torch would import its compiler to initialise them
            if isinstance(module, nn.Conv2d) and not module.weight.is_meta:
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def features_at(self, images: Tensor) -> list[Tensor]:
        """Feature maps after each block, before its pooling: (n, c_i, h / 2^i, w / 2^i)."""
        maps = []
        for layer in self.features:
            if isinstance(layer, nn.MaxPool2d):
                maps.append(images)
            images = layer(images)
        return maps

    def forward(self, images: Tensor) -> Tensor:
        pooled = self.avgpool(self.features(images))  # (n, c, 1, 1)
        logits: Tensor = self.classifier(torch.flatten(pooled, 1))
        return logits


def _layers(channels: Sequence[int | str]) -> nn.Sequential:
    layers: list[nn.Module] = []
    before = 3
    for item in channels:
        if isinstance(item, str):
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(before, item, 3, padding=1), nn.BatchNorm2d(item), nn.ReLU(True)]
        before = item
    return nn.Sequential(*layers)


def build(width: int | Sequence[int | str], labels: int, *, dropout: float = 0.0) -> Vgg:
    """A randomly initialised classifier in eval mode.

    ``width`` is the first block's channel count (64 is the published VGG-19; every other block
    keeps its ratio to it) or the whole list of channels.
    """
    if isinstance(width, int):
        channels: Sequence[int | str] = [
            item if isinstance(item, str) else item * width // 64 for item in VGG19_CHANNELS
        ]
    else:
        channels = width
    return Vgg(channels, labels, dropout).eval()
