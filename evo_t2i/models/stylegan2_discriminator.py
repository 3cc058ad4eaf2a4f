"""StyleGAN2's discriminator, and LAFITE's, in the form in which their checkpoints store them.

Every image is judged alone: the standard deviation over a minibatch, which the network was trained
to see, is that of a group of one.

What this package's own training adds to LAFITE is chosen by arguments of its own, and left out
where a checkpoint does not name them: a head for pictures beside the one for text (``image_head``),
a projection to a guiding network's width (``guide_dim``), what it says of regions (``regions``),
and how it weighs a second text (``mixing``).
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evo_t2i.models.stylegan2 import (
    ACTIVATIONS,
    ARCHITECTURES,
    EqualLinear,
    MappingNetwork,
    channels_at,
    convolve_down,
    downsample,
    filter_kernel,
)
from evo_t2i.models.stylegan2_settings import DEFAULT_TAPS, Arguments, fill

_LONE_DEVIATION = math.sqrt(1e-8)
"""Standard deviation over a group of one, by the formula sqrt(variance + 1e-8)."""


@dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig:
    """What a discriminator is made of; field by field as its checkpoint says."""

    classes: int
    resolution: int
    channel_base: int
    channel_max: int
    architecture: str
    activation: str
    last_activation: str
    clamp: float | None
    taps: list[Any] | None
    deviation_channels: int
    """Channels that hold the minibatch standard deviation."""
    label_size: int
    """Of the mapped label; 0 for an unconditional discriminator."""
    mapping_layers: int
    mapping_width: int
    mapping_activation: str
    mapping_rate: float
    label_width: int
    text_size: int
    """Of the feature that is compared with the text's; 0 when there is none."""
    text_normalised: bool
    image_head: bool
    """Whether pictures are compared with one another by a head of their own."""
    mixing: float
    """α: share of the second text's product in the logits."""
    guide_size: int
    """Of the guiding network's feature, to which the image head is projected where its size is
    another; 0 without a guide."""
    regions: bool


def discriminator_config(
    arguments: Mapping[str, Any], names: Collection[str]
) -> DiscriminatorConfig:
    """The configuration behind a checkpoint's constructor arguments; ``names`` are its tensors'.

    Raises ModelError for a value that makes no sense and for an argument that is not known.
    """
    given = Arguments(arguments, "discriminator")
    block, last = given.group("block_kwargs"), given.group("epilogue_kwargs")
    mapping = given.group("mapping_kwargs")
    base = given.whole("channel_base", 32768, 1, 2**24)
    most = given.whole("channel_max", 512, 1, 2**16)
    classes = given.whole("c_dim", None, 0, 2**20)
    label_size = given.maybe("cmap_dim", given.size) or channels_at(4, base, most)
    reads = "b4.fts.weight" in names
    text_size = last.whole("f_dim", 512, 1, 2**16)
    config = DiscriminatorConfig(
        classes=classes,
        resolution=given.power("img_resolution", 8, 2048),
        channel_base=base,
        channel_max=most,
        architecture=given.choice("architecture", "resnet", ARCHITECTURES),
        activation=block.choice("activation", "lrelu", ACTIVATIONS),
        last_activation=last.choice("activation", "lrelu", ACTIVATIONS),
        clamp=given.maybe("conv_clamp", given.number),
        taps=block.taps("resample_filter"),
        deviation_channels=last.whole("mbstd_num_channels", 1, 0, 64),
        label_size=label_size if classes else 0,
        mapping_layers=mapping.whole("num_layers", 8, 1, 64),
        mapping_width=mapping.maybe("layer_features", mapping.size) or label_size,
        mapping_activation=mapping.choice("activation", "lrelu", ACTIVATIONS),
        mapping_rate=mapping.number("lr_multiplier", 0.01),
        label_width=mapping.maybe("embed_features", mapping.size) or label_size,
        text_size=text_size if reads else 0,
        text_normalised=given.switch("use_norm", False),
        image_head=given.switch("image_head", False),
        mixing=given.maybe("mixing", given.number) or 0.0,
        guide_size=given.maybe("guide_dim", given.size) or 0,
        regions=given.switch("regions", False),
    )
    given.whole("img_channels", None, 3, 3)
    given.drop("num_fp16_res", "use_fts")
    block.drop("fp16_channels_last", "freeze_layers")
    last.drop("mbstd_group_size")
    for arguments_left in (given, block, mapping, last):
        arguments_left.finish()
    return config


class ConvLayer(nn.Module):
    """Convolution with an equalised learning rate, optional 2x downsampling, bias, activation."""

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int,
        *,
        activation: str = "linear",
        clamp: float | None = None,
        taps: Any = DEFAULT_TAPS,
        bias: bool = True,
        down: bool = False,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, size, size))
        self.bias = nn.Parameter(torch.empty(outputs)) if bias else None
        self.resample_filter: Tensor
        self.register_buffer("resample_filter", filter_kernel(taps))
        self._gain = 1 / math.sqrt(inputs * size**2)
        self._activation, self._activation_gain = ACTIVATIONS[activation]
        self._clamp = clamp
        self._down = down

    def forward(self, x: Tensor, gain: float = 1.0) -> Tensor:
        weight = self.weight * self._gain
        if self._down:
            y = convolve_down(x, weight, self.resample_filter)
        else:
            y = F.conv2d(x, weight, padding=weight.shape[-1] // 2)
        if self.bias is not None:
            y = y + self.bias[:, None, None]
        y = self._activation(y) * (self._activation_gain * gain)
        if self._clamp is None:
            return y
        return y.clamp(-self._clamp * gain, self._clamp * gain)


class DiscriminatorBlock(nn.Module):
    """The layers of one resolution; halves it."""

    def __init__(self, config: DiscriminatorConfig, resolution: int) -> None:
        super().__init__()
        inputs, outputs = (
            channels_at(r, config.channel_base, config.channel_max)
            for r in (resolution, resolution // 2)
        )
        kind: dict[str, Any] = {"activation": config.activation, "clamp": config.clamp}
        self.resample_filter: Tensor
        self.register_buffer("resample_filter", filter_kernel(config.taps))
        self._sees = resolution == config.resolution or config.architecture == "skip"
        self._passes_on = config.architecture == "skip"
        if self._sees:
            self.fromrgb = ConvLayer(3, inputs, 1, **kind)
        self.conv0 = ConvLayer(inputs, inputs, 3, **kind)
        self.conv1 = ConvLayer(inputs, outputs, 3, down=True, taps=config.taps, **kind)
        self._residual = config.architecture == "resnet"
        if self._residual:
            self.skip = ConvLayer(inputs, outputs, 1, bias=False, down=True, taps=config.taps)

    def forward(self, x: Tensor | None, images: Tensor) -> tuple[Tensor, Tensor]:
        if self._sees:
            seen = self.fromrgb(images)
            x = seen if x is None else x + seen
        assert x is not None
        if self._passes_on:
            images = downsample(images, self.resample_filter)
        if self._residual:
            half = math.sqrt(0.5)
            return self.skip(x, half) + self.conv1(self.conv0(x), half), images
        return self.conv1(self.conv0(x)), images


@dataclass(frozen=True)
class Judged:
    """What a discriminator says of pictures; features that it was not made with are empty."""

    logits: Tensor
    """(n,) high for real, whatever the caption."""
    text: Tensor
    """(n, text_size) compared with a caption's feature."""
    image: Tensor
    """(n, text_size) compared with other pictures; ``text`` itself without a head of its own."""
    guided: Tensor
    """(n, guide_size) compared with the guiding network's feature."""
    regions: Tensor
    """(n, k, text_size) compared with a caption's words."""


def regions_side(resolution: int) -> int:
    """Rows and columns of a discriminator's regions."""
    return min(16, resolution // 2)


class DiscriminatorEpilogue(nn.Module):
    """From 4x4 to logits, and to the features that are compared with text, pictures and guide."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        width = channels_at(4, config.channel_base, config.channel_max)
        activation = config.last_activation
        if config.architecture == "skip":
            self.fromrgb = ConvLayer(3, width, 1, activation=activation)
        self._deviations = config.deviation_channels
        self.conv = ConvLayer(
            width + self._deviations, width, 3, activation=activation, clamp=config.clamp
        )
        self.fc = EqualLinear(width * 16, width, activation)
        self.out = EqualLinear(width, config.label_size or 1)
        if config.text_size:
            self.fts = EqualLinear(width, config.text_size)
        if config.image_head:
            self.picture = EqualLinear(width, config.text_size)
        if config.guide_size not in (0, config.text_size):
            self.guide = EqualLinear(config.text_size, config.guide_size)
        self._config = config

    def forward(self, x: Tensor, images: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits (n, 1 or label), and the features of ``Judged``: text, image, guided."""
        config = self._config
        if config.architecture == "skip":
            x = x + self.fromrgb(images)
        lone = x.new_full((len(x), self._deviations, 4, 4), _LONE_DEVIATION)
        y = self.fc(self.conv(torch.cat([x, lone], dim=1)).flatten(1))
        none = y.new_zeros(len(y), 0)
        if not config.text_size:
            return self.out(y), none, none, none
        text = self._feature(self.fts(y))
        image = self._feature(self.picture(y)) if config.image_head else text
        guided = self.guide(image) if hasattr(self, "guide") else image
        return self.out(y), text, image, guided if config.guide_size else none

    def _feature(self, x: Tensor) -> Tensor:
        return F.normalize(x, dim=1) if self._config.text_normalised else x


class Discriminator(nn.Module):
    """Images (n, 3, r, r) in [-1, 1] → logits (n,), high for real, and features (n, text_size).

    With a text h the logits are those plus the features' product with h (LAFITE), for each image by
    itself. ``label`` (n, classes) is None for an unconditional discriminator.
    """

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        self._resolutions = [2**i for i in range(config.resolution.bit_length() - 1, 2, -1)]
        for resolution in self._resolutions:
            self.add_module(f"b{resolution}", DiscriminatorBlock(config, resolution))
        if config.classes:
            self.mapping = MappingNetwork(
                0,
                config.classes,
                config.label_size,
                layers=config.mapping_layers,
                label_width=config.label_width,
                width=config.mapping_width,
                activation=config.mapping_activation,
                rate=config.mapping_rate,
                average=False,
            )
        self.b4 = DiscriminatorEpilogue(config)
        if config.regions:
            side = regions_side(config.resolution)
            channels = channels_at(side, config.channel_base, config.channel_max)
            self.regions = ConvLayer(channels, config.text_size, 1)

    def forward(self, images: Tensor, label: Tensor | None) -> tuple[Tensor, Tensor]:
        judged = self.judge(images, label)
        return judged.logits, judged.text

    def judge(self, images: Tensor, label: Tensor | None = None) -> Judged:
        """All that it says of images (n, 3, r, r) in [-1, 1]."""
        x = None
        regions = images.new_zeros(len(images), 0, 0)
        for resolution in self._resolutions:
            x, images = self.get_submodule(f"b{resolution}")(x, images)
            if self.config.regions and x.shape[-1] == regions_side(self.config.resolution):
                regions = self.regions(x).flatten(2).transpose(1, 2)
        logits, text, image, guided = self.b4(x, images)
        if label is None:
            return Judged(logits[:, 0], text, image, guided, regions)
        mapped = self.mapping(None, label)  # (n, label_size)
        logits = (logits * mapped).sum(dim=1) / math.sqrt(mapped.shape[1])
        return Judged(logits, text, image, guided, regions)

    def logits(self, judged: Judged, text: Tensor, second: Tensor | None = None) -> Tensor:
        """(n,) D(x, h, h'): how real, and how well with text h and a second one h', (n, text_size).

        f(x) + (1 - α) ⟨f_txt(x), h⟩ + α ⟨f_txt(x), h'⟩; LAFITE's f(x) + ⟨f_txt(x), h⟩ with α = 0
        or without h'.
        """
        share = 0.0 if second is None else self.config.mixing
        mixed = text if second is None else torch.lerp(text, second, share)
        return judged.logits + (judged.text * mixed).sum(dim=1)


def load_discriminator(
    arguments: Mapping[str, Any], tensors: Mapping[str, Tensor]
) -> Discriminator:
    """The discriminator of a checkpoint's constructor arguments and state dict.

    Raises ModelError when the arguments are not understood or the tensors do not fit them.
    """
    with torch.device("meta"):
        model = Discriminator(discriminator_config(arguments, tensors))
    fill(model, tensors, "discriminator")
    return model
