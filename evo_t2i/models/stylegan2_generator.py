"""StyleGAN2's generator, and LAFITE's, in the form in which their checkpoints store them.

LAFITE (Zhou et al., "Towards Language-Free Training for Text-to-Image Generation", 2022) is
StyleGAN2-ADA with the caption's text feature in each layer's style. Noise is the stored one, so an
image is a function of latent, label and text.

What this package's own training adds to LAFITE is chosen by two arguments of its own, and left out
where a checkpoint does not name them: a transformed w (``transform_w``), and XMC-GAN's attention to
the caption's words (``attentive``).
"""

import dataclasses
import math
import re
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
    convolve_up,
    filter_kernel,
    upsample,
)
from evo_t2i.models.stylegan2_settings import Arguments, fill

TEXT_WIDTH = 512
"""What LAFITE's text layers end in, whatever the size of the text feature."""
_TEXT_RATE = 0.01
TRANSFORMS = ("none", "connected", "scaled")
"""What happens to w before a layer joins it with the text: nothing, a fully connected layer, or
w · scale(h) + bias(h)."""
ATTENTION_FROM = 16
"""Layers attend to words from this resolution up."""
_ATTENTION_SHARPNESS = 15.0
_STATISTICS_MOMENTUM = 0.05


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """What a generator is made of; field by field as its checkpoint says."""

    latent_size: int
    classes: int
    """Size of the one-hot label; 0 for an unconditional generator."""
    style_size: int
    resolution: int
    channel_base: int
    channel_max: int
    architecture: str
    activation: str
    noise: bool
    clamp: float | None
    """Largest absolute value of a convolution's output."""
    taps: list[Any] | None
    """Of the low-pass filter."""
    mapping_layers: int
    mapping_width: int
    mapping_activation: str
    mapping_rate: float
    label_width: int
    averaged: bool
    """Whether the mean of w is stored, without which there is no truncation."""
    text_size: int
    """Of the text feature; 0 without a text path."""
    joined_up_to: int
    """Above this resolution the text scales and shifts the style instead of joining it."""
    transform_w: str
    """One of ``TRANSFORMS``."""
    attentive: bool
    """Whether batch norms that attend to the caption's words stand in for the modulation of the 3x3
    convolutions."""


def generator_config(arguments: Mapping[str, Any], names: Collection[str]) -> GeneratorConfig:
    """The configuration behind a checkpoint's constructor arguments; ``names`` are its tensors'.

    Raises ModelError for a value that makes no sense and for an argument that is not known.
    """
    given = Arguments(arguments, "generator")
    mapping, synthesis = given.group("mapping_kwargs"), given.group("synthesis_kwargs")
    reads, joined_up_to = _text_path(names)
    style_size = given.whole("w_dim", None, 1, 2**16)
    config = GeneratorConfig(
        latent_size=given.whole("z_dim", None, 1, 2**16),
        classes=given.whole("c_dim", None, 0, 2**20),
        style_size=style_size,
        resolution=given.power("img_resolution", 4, 2048),
        channel_base=synthesis.whole("channel_base", 32768, 1, 2**24),
        channel_max=synthesis.whole("channel_max", 512, 1, 2**16),
        architecture=synthesis.choice("architecture", "skip", ARCHITECTURES),
        activation=synthesis.choice("activation", "lrelu", ACTIVATIONS),
        noise=synthesis.switch("use_noise", True),
        clamp=synthesis.maybe("conv_clamp", synthesis.number),
        taps=synthesis.taps("resample_filter"),
        mapping_layers=mapping.whole("num_layers", 8, 1, 64),
        mapping_width=mapping.maybe("layer_features", mapping.size) or style_size,
        mapping_activation=mapping.choice("activation", "lrelu", ACTIVATIONS),
        mapping_rate=mapping.number("lr_multiplier", 0.01),
        label_width=mapping.maybe("embed_features", mapping.size) or style_size,
        averaged=mapping.given("w_avg_beta"),
        text_size=synthesis.whole("f_dim", 512, 1, 2**16) if reads else 0,
        joined_up_to=joined_up_to,
        transform_w=synthesis.choice("transform_w", "none", TRANSFORMS),
        attentive=synthesis.switch("attentive", False),
    )
    given.whole("img_channels", None, 3, 3)
    given.drop("m_layer_features", "m_num_layers")
    synthesis.whole("kernel_size", 3, 3, 3)
    synthesis.drop("num_fp16_res", "fp16_channels_last", "change")
    for arguments_left in (given, mapping, synthesis):
        arguments_left.finish()
    return config


def _text_path(names: Collection[str]) -> tuple[bool, int]:
    """Whether there is one, and up to which resolution it is joined."""
    joined = [re.search(r"\.b(\d{1,4})\..*\.pre_0\.", name) for name in names]
    resolutions = [int(match[1]) for match in joined if match]
    reads = bool(resolutions) or any(".scale_layer_0." in name for name in names)
    return reads, max(resolutions, default=0)


@dataclass(frozen=True)
class Conditions:
    """What the layers follow."""

    w: Tensor
    """(n, style) of one resolution; of the network (n, 1, style), or one for each."""
    latents: Tensor
    """(n, latent)."""
    text: Tensor | None
    """(n, text): the caption's feature."""
    words: Tensor | None
    """(n, t, text), zero where a caption has fewer words; for attentive layers."""


class StyledLayer(nn.Module):
    """A layer's style from w, and from the text where the generator reads one.

    Without text A(w). LAFITE has two forms for text h: joined, A([P(h), w]) with two layers P, and
    A(w) S(h) + B(h) with three layers each. The design notes transform w first.
    """

    def __init__(self, config: GeneratorConfig, resolution: int, channels: int) -> None:
        super().__init__()
        text, middle = config.text_size, (config.text_size + TEXT_WIDTH) // 2
        self._reads = text > 0
        self._transform = config.transform_w if self._reads else "none"
        if self._transform == "connected":
            self.transform = EqualLinear(config.style_size, config.style_size, "lrelu")
        elif self._transform == "scaled":
            self.w_scale = EqualLinear(text, config.style_size)
            self.w_bias = EqualLinear(text, config.style_size)
        self._joined = self._reads and resolution <= config.joined_up_to
        if self._joined:
            self.pre_0 = EqualLinear(text, middle, "lrelu", _TEXT_RATE)
            self.pre_1 = EqualLinear(middle, TEXT_WIDTH, "lrelu", _TEXT_RATE)
            self.affine_0 = EqualLinear(config.style_size + TEXT_WIDTH, channels)
            return
        self.affine = EqualLinear(config.style_size, channels)
        if self._reads:
            for part in ("scale", "bias"):
                first = EqualLinear(text, middle, "lrelu", _TEXT_RATE)
                second = EqualLinear(middle, TEXT_WIDTH, "lrelu", _TEXT_RATE)
                last = EqualLinear(TEXT_WIDTH, channels)
                for index, layer in enumerate((first, second, last)):
                    self.add_module(f"{part}_layer_{index}", layer)

    def style(self, conditions: Conditions) -> Tensor:
        """(n, channels)."""
        w, text = conditions.w, conditions.text
        if text is None:
            return self.affine(w)
        if self._transform == "connected":
            w = self.transform(w)
        elif self._transform == "scaled":
            w = w * self.w_scale(text) + self.w_bias(text)
        if self._joined:
            return self.affine_0(torch.cat([self.pre_1(self.pre_0(text)), w], dim=1))
        return self.affine(w) * self._read("scale", text) + self._read("bias", text)

    def _read(self, part: str, text: Tensor) -> Tensor:
        for index in range(3):
            text = self.get_submodule(f"{part}_layer_{index}")(text)
        return text


class SynthesisLayer(StyledLayer):
    """Modulated convolution, optional 2x upsampling, stored noise, bias, activation, clamp."""

    def __init__(
        self, config: GeneratorConfig, inputs: int, outputs: int, resolution: int, *, up: bool
    ) -> None:
        super().__init__(config, resolution, inputs)
        self.weight = nn.Parameter(torch.empty(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.empty(outputs))
        self.resample_filter: Tensor
        self.register_buffer("resample_filter", filter_kernel(config.taps if up else [1, 3, 3, 1]))
        self.noise_const: Tensor
        if config.noise:
            self.register_buffer("noise_const", torch.empty(resolution, resolution))
            self.noise_strength = nn.Parameter(torch.empty(()))
        self._config = config
        self._up = up

    def forward(self, x: Tensor, conditions: Conditions, gain: float = 1.0) -> Tensor:
        """(n, inputs, r, r) → (n, outputs, r, r), or (n, outputs, 2r, 2r).

        Modulation scales the input channels, demodulation the output channels: the same map as
        scaling the weights, with one convolution for the whole batch.
        """
        config, weight = self._config, self.weight
        style = self.style(conditions)  # (n, inputs)
        energy = weight.square().sum(dim=(2, 3))  # (outputs, inputs)
        scale = (style.square() @ energy.T + 1e-8).rsqrt()  # (n, outputs)
        x = x * style[:, :, None, None]
        if self._up:
            y = convolve_up(x, weight, self.resample_filter)
        else:
            y = F.conv2d(x, weight, padding=1)
        offset = self.bias[:, None, None]
        if config.noise:
            offset = offset + self.noise_const * self.noise_strength
        function, function_gain = ACTIVATIONS[config.activation]
        y = function(torch.addcmul(offset, y, scale[:, :, None, None])) * (function_gain * gain)
        return clamped(y, config.clamp, gain)


class AttentiveLayer(nn.Module):
    """Convolution, optional 2x upsampling, noise, batch norm led by text and latent, activation.

    XMC-GAN's attentional self-modulation (Zhang et al., 2021, equation 7). Each place of the map
    asks the words by a 1x1 convolution R: a = Σ_t softmax_t(15 cos(R x, word_t)) word_t. With
    c = [a, W·text, latent] the map becomes BN(x) · (1 + scale(c)) + shift(c), 1x1 convolutions.
    Below ``ATTENTION_FROM`` c is [W·text, latent]: a plain conditional batch norm. In eval mode the
    statistics are the stored ones, so a picture does not depend on its neighbours.
    """

    def __init__(
        self, config: GeneratorConfig, inputs: int, outputs: int, resolution: int, *, up: bool
    ) -> None:
        super().__init__()
        text = config.text_size
        self.weight = nn.Parameter(torch.empty(outputs, inputs, 3, 3))
        self.resample_filter: Tensor
        self.register_buffer("resample_filter", filter_kernel(config.taps if up else [1, 3, 3, 1]))
        self.noise_const: Tensor
        if config.noise:
            self.register_buffer("noise_const", torch.empty(resolution, resolution))
            self.noise_strength = nn.Parameter(torch.empty(()))
        self.running_mean: Tensor
        self.running_var: Tensor
        self.register_buffer("running_mean", torch.empty(outputs))
        self.register_buffer("running_var", torch.empty(outputs))
        self.sentence = EqualLinear(text, TEXT_WIDTH // 4)
        self.common = EqualLinear(TEXT_WIDTH // 4 + config.latent_size, 2 * outputs)
        self._attends = resolution >= ATTENTION_FROM
        if self._attends:
            self.region = EqualLinear(outputs, text)
            self.attended = EqualLinear(text, 2 * outputs)
        self._gain = 1 / math.sqrt(inputs * 9)
        self._config = config
        self._up = up

    def forward(self, x: Tensor, conditions: Conditions, gain: float = 1.0) -> Tensor:
        """(n, inputs, r, r) → (n, outputs, r, r), or (n, outputs, 2r, 2r)."""
        config, weight = self._config, self.weight * self._gain
        if self._up:
            y = convolve_up(x, weight, self.resample_filter)
        else:
            y = F.conv2d(x, weight, padding=1)
        if config.noise:
            y = y + self.noise_const * self.noise_strength
        y = F.batch_norm(
            y.float(),
            self.running_mean,
            self.running_var,
            training=self.training,
            momentum=_STATISTICS_MOMENTUM,
        )
        assert conditions.text is not None
        told = torch.cat([self.sentence(conditions.text), conditions.latents], dim=1)
        modulation = self.common(told)[:, :, None, None]  # (n, 2 outputs, 1, 1)
        if self._attends:
            modulation = modulation + self._attended(y, conditions)
        scale, shift = modulation.chunk(2, dim=1)
        function, function_gain = ACTIVATIONS[config.activation]
        y = function(y * (1 + scale) + shift) * (function_gain * gain)
        return clamped(y, config.clamp, gain)

    def _attended(self, y: Tensor, conditions: Conditions) -> Tensor:
        """(n, outputs, r, r) → (n, 2 outputs, r, r): what each place makes of its words."""
        words = conditions.words
        assert words is not None
        regions = F.normalize(self.region(y.flatten(2).transpose(1, 2)), dim=-1)  # (n, r*r, text)
        cosines = regions @ F.normalize(words, dim=-1).transpose(1, 2)  # (n, r*r, t)
        absent = (words == 0).all(dim=-1)[:, None]
        weights = (_ATTENTION_SHARPNESS * cosines).masked_fill(absent, -torch.inf).softmax(dim=-1)
        heard = self.attended(weights @ words)  # (n, r*r, 2 outputs)
        return heard.transpose(1, 2).unflatten(2, y.shape[2:])


class ToRgb(StyledLayer):
    """1x1 convolution to colours, modulated without demodulation."""

    def __init__(self, config: GeneratorConfig, inputs: int, resolution: int) -> None:
        super().__init__(config, resolution, inputs)
        self.weight = nn.Parameter(torch.empty(3, inputs, 1, 1))
        self.bias = nn.Parameter(torch.empty(3))
        self._gain = 1 / math.sqrt(inputs)
        self._clamp = config.clamp

    def forward(self, x: Tensor, conditions: Conditions) -> Tensor:
        style = self.style(conditions) * self._gain  # (n, inputs)
        weight = self.weight[:, :, 0, 0] * style[:, None]  # (n, 3, inputs)
        rgb = torch.baddbmm(self.bias[:, None], weight, x.flatten(2))  # (n, 3, r*r)
        return clamped(rgb, self._clamp).unflatten(2, x.shape[2:])


class Shortcut(nn.Module):
    """1x1 convolution and 2x upsampling around a block of the ``resnet`` architecture."""

    def __init__(self, inputs: int, outputs: int, taps: list[Any] | None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs, 1, 1))
        self.resample_filter: Tensor
        self.register_buffer("resample_filter", filter_kernel(taps))
        self._gain = 1 / math.sqrt(inputs)

    def forward(self, x: Tensor) -> Tensor:
        return upsample(F.conv2d(x, self.weight * self._gain), self.resample_filter)


class SynthesisBlock(nn.Module):
    """The layers of one resolution: ``conv0`` upsamples, ``conv1`` does not, ``torgb`` shows."""

    def __init__(self, config: GeneratorConfig, resolution: int) -> None:
        super().__init__()
        outputs = channels_at(resolution, config.channel_base, config.channel_max)
        self.resample_filter: Tensor
        self.register_buffer("resample_filter", filter_kernel(config.taps))
        self._first = resolution == 4
        self._residual = not self._first and config.architecture == "resnet"
        layer = AttentiveLayer if config.attentive else SynthesisLayer
        if self._first:
            self.const = nn.Parameter(torch.empty(outputs, 4, 4))
        else:
            inputs = channels_at(resolution // 2, config.channel_base, config.channel_max)
            self.conv0 = layer(config, inputs, outputs, resolution, up=True)
        self.conv1 = layer(config, outputs, outputs, resolution, up=False)
        self._shows = config.architecture == "skip" or resolution == config.resolution
        if self._shows:
            self.torgb = ToRgb(config, outputs, resolution)
        if self._residual:
            self.skip = Shortcut(inputs, outputs, config.taps)

    def forward(
        self, x: Tensor | None, rgb: Tensor | None, conditions: Conditions
    ) -> tuple[Tensor, Tensor | None]:
        if x is None:
            y = self.const.expand(len(conditions.w), -1, -1, -1)
            y = self.conv1(y, conditions)
        elif self._residual:
            half = math.sqrt(0.5)
            y = self.conv1(self.conv0(x, conditions), conditions, gain=half)
            y = y + self.skip(x) * half
        else:
            y = self.conv1(self.conv0(x, conditions), conditions)
        if rgb is not None:
            rgb = upsample(rgb, self.resample_filter)
        if self._shows:
            shown = self.torgb(y, conditions)
            rgb = shown if rgb is None else rgb + shown
        return y, rgb


def resolutions_of(config: GeneratorConfig) -> list[int]:
    """Of the blocks, in pixels: 4, 8, … up to the pictures'."""
    return [2**i for i in range(2, config.resolution.bit_length())]


class SynthesisNetwork(nn.Module):
    """Conditions → images, through the blocks ``b4``, ``b8``, … up to the resolution."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self._resolutions = resolutions_of(config)
        for resolution in self._resolutions:
            self.add_module(f"b{resolution}", SynthesisBlock(config, resolution))

    def forward(self, conditions: Conditions) -> Tensor:
        x = rgb = None
        blocks = conditions.w.expand(-1, len(self._resolutions), -1).unbind(1)
        for resolution, w in zip(self._resolutions, blocks, strict=True):
            led = dataclasses.replace(conditions, w=w)
            x, rgb = self.get_submodule(f"b{resolution}")(x, rgb, led)
        assert rgb is not None
        return rgb


class Generator(nn.Module):
    """Latents (n, latent), labels (n, classes), text (n, text) → images (n, 3, r, r).

    The output is unbounded around [-1, 1]. ``label`` is None for an unconditional generator,
    ``text`` for one without a text path. An attentive generator's text is (n, 1 + t, text): the
    caption's feature, then its words', zero where a caption has fewer.
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        self.mapping = MappingNetwork(
            config.latent_size,
            config.classes,
            config.style_size,
            layers=config.mapping_layers,
            label_width=config.label_width,
            width=config.mapping_width,
            activation=config.mapping_activation,
            rate=config.mapping_rate,
            average=config.averaged,
        )
        self.synthesis = SynthesisNetwork(config)

    def forward(
        self, latents: Tensor, label: Tensor | None, text: Tensor | None, truncation: float = 1.0
    ) -> Tensor:
        return self.draw(latents, self.mapping(latents, label, truncation), text)

    def draw(self, latents: Tensor, w: Tensor, text: Tensor | None) -> Tensor:
        """Images of w, which ``mapping`` makes of latents: (n, style), or (n, blocks, style) with
        one for each resolution from 4 pixels up."""
        words = None
        if text is not None and text.ndim == 3:
            text, words = text[:, 0], text[:, 1:]
        return self.synthesis(Conditions(w if w.ndim == 3 else w[:, None], latents, text, words))


def clamped(x: Tensor, clamp: float | None, gain: float = 1.0) -> Tensor:
    """x within ±clamp·gain; untouched without a clamp."""
    return x if clamp is None else x.clamp(-clamp * gain, clamp * gain)


def load_generator(arguments: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Generator:
    """The generator of a checkpoint's constructor arguments and state dict.

    Raises ModelError when the arguments are not understood or the tensors do not fit them.
    """
    with torch.device("meta"):
        model = Generator(generator_config(arguments, tensors))
    fill(model, tensors, "generator")
    return model
