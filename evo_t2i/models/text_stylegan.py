"""A small text-conditional StyleGAN2-type generator, after LAFITE.

A mapping network turns noise and an embedding of the caption into a style vector w (as in the
class-conditional StyleGAN2-ADA: Karras et al., "Training Generative Adversarial Networks with
Limited Data", 2020); every modulated convolution mixes w with its own projection of the caption's
text feature (Zhou et al., "Towards Language-Free Training for Text-to-Image Generation", 2022).
Before that w completes the text feature: what the caption leaves open is moved towards one of the
captions that would say it (cf. conditioning augmentation: Zhang et al., "StackGAN", 2017).
Noise inputs are fixed buffers, so an image is a function of (latent, text) alone.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, kw_only=True)
class TextStyleGanConfig:
    """Sizes of the generator; saved beside its weights."""

    latent_size: int = 32
    text_size: int = 256
    mapped_text_size: int = 64
    """What the mapping network sees of the text, beside the latent."""
    style_size: int = 256
    mapping_layers: int = 3
    resolution: int = 64
    channels: tuple[int, ...] = (256, 256, 128, 64, 32)
    """Channels at 4, 8, 16, … up to the resolution."""


class EqualLinear(nn.Module):
    """A fully connected layer whose weights are scaled at run time (equalised learning rate)."""

    def __init__(self, inputs: int, outputs: int, *, bias: float = 0.0, lr_multiplier: float = 1.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / lr_multiplier)
        self.bias = nn.Parameter(torch.full((outputs,), bias / lr_multiplier))
        self.weight_gain = lr_multiplier / math.sqrt(inputs)
        self.bias_gain = lr_multiplier

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.weight_gain, self.bias * self.bias_gain)


class Style(nn.Module):
    """style = A([leaky_relu(P h), w]): the text feature h enters every layer (LAFITE, eq. 1)."""

    def __init__(self, config: TextStyleGanConfig, channels: int):
        super().__init__()
        self.text = EqualLinear(config.text_size, config.text_size)
        self.affine = EqualLinear(config.text_size + config.style_size, channels, bias=1.0)

    def forward(self, w: Tensor, text: Tensor) -> Tensor:
        projected = F.leaky_relu(self.text(text), 0.2) * math.sqrt(2)
        return self.affine(torch.cat([projected, w], dim=1))


class ModulatedConv(nn.Module):
    """3x3 convolution whose input channels are scaled by a style.

    Scaling the activations instead of the weights gives the same result and keeps one
    convolution for the whole batch.
    """

    def __init__(
        self,
        config: TextStyleGanConfig,
        inputs: int,
        outputs: int,
    ):
        super().__init__()
        self.style = Style(config, inputs)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3))
        self.gain = 1 / math.sqrt(inputs * 9)

    def forward(self, x: Tensor, w: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        """(n, inputs, r, r) → (n, outputs, r, r) and each channel's scale (n, outputs, 1, 1).

        The caller multiplies by the scale, the demodulation, together with its own gain.
        """
        style = self.style(w, text)  # (n, inputs)
        weight = self.weight * self.gain
        y = F.conv2d(x * style[:, :, None, None].to(x.dtype), weight, padding=1)
        energy = weight.float().square().sum(dim=(2, 3))  # (outputs, inputs)
        scale = (style.float().square() @ energy.T + 1e-8).rsqrt()
        return y, scale[:, :, None, None]


class ToRgb(nn.Module):
    """1x1 convolution to colours, modulated without demodulation, as a product with (n, 3, c)."""

    def __init__(self, config: TextStyleGanConfig, inputs: int):
        super().__init__()
        self.style = Style(config, inputs)
        self.weight = nn.Parameter(torch.randn(3, inputs))
        self.gain = 1 / math.sqrt(inputs)

    def forward(self, x: Tensor, w: Tensor, text: Tensor) -> Tensor:
        weight = self.weight * self.gain * self.style(w, text)[:, None]  # (n, 3, inputs)
        pixels = x.permute(0, 2, 3, 1).flatten(1, 2)  # (n, r*r, inputs)
        rgb = pixels @ weight.transpose(1, 2).to(x.dtype)
        return rgb.unflatten(1, x.shape[2:]).permute(0, 3, 1, 2)


class SynthesisLayer(nn.Module):
    """Modulated convolution, optional 2x bilinear upsampling, frozen noise, bias, leaky ReLU."""

    def __init__(
        self,
        config: TextStyleGanConfig,
        inputs: int,
        outputs: int,
        resolution: int,
        *,
        upsample: bool,
    ):
        super().__init__()
        self.conv = ModulatedConv(config, inputs, outputs)
        self.upsample = upsample
        self.noise: Tensor
        self.register_buffer("noise", torch.randn(1, 1, resolution, resolution))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor, w: Tensor, text: Tensor) -> Tensor:
        y, scale = self.conv(x, w, text)
        if self.upsample:
            y = F.interpolate(y, scale_factor=2, mode="bilinear", align_corners=False)
        offset = self.noise * self.noise_strength + self.bias[:, None, None]  # (1, c, r, r)
        gain = math.sqrt(2)
        y = torch.addcmul((offset * gain).to(y.dtype), y, (scale * gain).to(y.dtype))
        return F.leaky_relu_(y, 0.2)


class TextStyleGan(nn.Module):
    """Latents (n, latent_size) and unit text features (n, text_size) → images (n, 3, r, r).

    The output is unbounded around [-1, 1]; ``to_unit`` maps it to [0, 1].
    """

    def __init__(self, config: TextStyleGanConfig):
        super().__init__()
        resolutions = [4 * 2**i for i in range(len(config.channels))]
        if resolutions[-1] != config.resolution:
            raise ValueError(
                f"channels for {resolutions} do not end at resolution {config.resolution}"
            )
        self.config = config
        self.embed = EqualLinear(config.text_size, config.mapped_text_size)
        widths = [config.latent_size + config.mapped_text_size]
        widths += [config.style_size] * config.mapping_layers
        self.mapping = nn.ModuleList(
            EqualLinear(a, b, lr_multiplier=0.1) for a, b in pairwise(widths)
        )
        first = config.channels[0]
        self.const = nn.Parameter(torch.randn(1, first, 4, 4))
        self.layers = nn.ModuleList([SynthesisLayer(config, first, first, 4, upsample=False)])
        self.to_rgb = nn.ModuleList(ToRgb(config, c) for c in config.channels)
        self.rgb_bias = nn.Parameter(torch.zeros(3))
        for before, after, resolution in zip(
            config.channels, config.channels[1:], resolutions[1:], strict=False
        ):
            self.layers.append(SynthesisLayer(config, before, after, resolution, upsample=True))
            self.layers.append(SynthesisLayer(config, after, after, resolution, upsample=False))
        self.complete = EqualLinear(config.style_size, config.text_size)
        nn.init.zeros_(self.complete.weight)

    def forward(self, latents: Tensor, text: Tensor) -> Tensor:
        text = _unit_variance(text)
        w = torch.cat([_unit_variance(latents), _unit_variance(self.embed(text))], dim=1)
        for layer in self.mapping:
            w = F.leaky_relu(layer(w), 0.2) * math.sqrt(2)
        text = _unit_variance(text + self.complete(w))
        x = self.const.expand(len(latents), -1, -1, -1).contiguous(
            memory_format=torch.channels_last
        )
        x = self.layers[0](x, w, text)
        rgb = self.to_rgb[0](x, w, text)
        for index, to_rgb in enumerate(self.to_rgb[1:]):
            x = self.layers[2 * index + 1](x, w, text)
            x = self.layers[2 * index + 2](x, w, text)
            rgb = F.interpolate(rgb, scale_factor=2, mode="bilinear", align_corners=False)
            rgb = rgb + to_rgb(x, w, text)
        return rgb.float() + self.rgb_bias[:, None, None]


def load(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> TextStyleGan:
    """The generator of a saved config, which may hold other entries, and its weights."""
    sizes = {field.name: config[field.name] for field in fields(TextStyleGanConfig)}
    model = TextStyleGan(TextStyleGanConfig(**sizes | {"channels": tuple(sizes["channels"])}))
    model.load_state_dict(tensors)
    return model


def _unit_variance(x: Tensor) -> Tensor:
    """Rows of (n, k) scaled to a mean square of 1."""
    return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


def to_unit(images: Tensor) -> Tensor:
    """Images around [-1, 1] → [0, 1], clamped."""
    return (images * 0.5 + 0.5).clamp(0, 1)
