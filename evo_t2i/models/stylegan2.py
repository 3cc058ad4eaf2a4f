"""What StyleGAN2's generator and discriminator are built of.

Karras et al., "Analyzing and Improving the Image Quality of StyleGAN" (2020), and "Training
Generative Adversarial Networks with Limited Data" (2020). Tensors have the names that published
checkpoints give them, so that these load as they are. Everything is computed in float32.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Activation = Callable[[Tensor], Tensor]

ACTIVATIONS: dict[str, tuple[Activation, float]] = {
    "linear": (lambda x: x, 1.0),
    "relu": (F.relu, math.sqrt(2)),
    "lrelu": (lambda x: F.leaky_relu(x, 0.2), math.sqrt(2)),
    "tanh": (torch.tanh, 1.0),
    "sigmoid": (torch.sigmoid, 1.0),
    "elu": (F.elu, 1.0),
    "selu": (F.selu, 1.0),
    "softplus": (F.softplus, 1.0),
    "swish": (F.silu, math.sqrt(2)),
}
"""Functions by name, each with the gain that keeps the activations' size."""
ARCHITECTURES = ("orig", "skip", "resnet")


class EqualLinear(nn.Module):
    """Fully connected layer; ``rate`` multiplies the weights' learning rate, and so the weights."""

    def __init__(
        self, inputs: int, outputs: int, activation: str = "linear", rate: float = 1.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.bias = nn.Parameter(torch.empty(outputs))
        self._rate = rate
        self._gain = rate / math.sqrt(inputs)
        self._activation, self._activation_gain = ACTIVATIONS[activation]

    def forward(self, x: Tensor) -> Tensor:
        y = F.linear(x, self.weight * self._gain, self.bias * self._rate)
        return self._activation(y) * self._activation_gain


class MappingNetwork(nn.Module):
    """Latent and label → style w: both normalised by their second moments, then layers ``fc…``.

    ``latent`` or ``classes`` may be 0. ``average`` says whether the mean of w is stored, towards
    which truncation draws.
    """

    def __init__(
        self,
        latent: int,
        classes: int,
        style: int,
        *,
        layers: int,
        label_width: int,
        width: int,
        activation: str,
        rate: float,
        average: bool,
    ) -> None:
        super().__init__()
        if classes:
            self.embed = EqualLinear(classes, label_width)
        widths = [latent + (label_width if classes else 0), *[width] * (layers - 1), style]
        for index, (before, after) in enumerate(pairwise(widths)):
            self.add_module(f"fc{index}", EqualLinear(before, after, activation, rate))
        self.w_avg: Tensor | None
        self.register_buffer("w_avg", torch.empty(style) if average else None)
        self._layers = layers

    def forward(
        self, latents: Tensor | None, label: Tensor | None, truncation: float = 1.0
    ) -> Tensor:
        """(n, latent) and (n, classes) one-hot → w (n, style), drawn to the mean below 1."""
        parts = [] if latents is None else [unit_moment(latents)]
        if label is not None:
            parts.append(unit_moment(self.embed(label)))
        w = torch.cat(parts, dim=1)
        for index in range(self._layers):
            w = self.get_submodule(f"fc{index}")(w)
        if truncation == 1.0 or self.w_avg is None:
            return w
        return self.w_avg.lerp(w, truncation)


def unit_moment(x: Tensor) -> Tensor:
    """Rows of (n, k) scaled to a mean square of 1."""
    return x * (x.square().mean(dim=1, keepdim=True) + 1e-8).rsqrt()


def filter_kernel(taps: Any) -> Tensor:
    """The normalised 2D kernel of a low-pass filter given by its taps, such as [1, 3, 3, 1].

    A row of eight or more taps stays a row: its outer product with itself is the kernel.
    """
    kernel = torch.tensor([1.0] if taps is None else taps, dtype=torch.float32)
    if kernel.ndim == 1 and len(kernel) < 8:
        kernel = kernel.outer(kernel)
    return kernel / kernel.sum()


def filtered(x: Tensor, kernel: Tensor, before: int, after: int, gain: float = 1.0) -> Tensor:
    """Each channel of x, padded with zeros (cropped where negative), convolved with the kernel."""
    square = kernel.outer(kernel) if kernel.ndim == 1 else kernel
    channels = x.shape[1]
    weight = (square.flip(0, 1) * gain).expand(channels, 1, -1, -1)
    return F.conv2d(F.pad(x, [before, after, before, after]), weight, groups=channels)


def upsample(x: Tensor, kernel: Tensor) -> Tensor:
    """(n, c, r, r) → (n, c, 2r, 2r): zeros between the pixels, then the filter."""
    square = kernel.outer(kernel) if kernel.ndim == 1 else kernel
    channels, taps = x.shape[1], len(kernel)
    weight = (square * 4).expand(channels, 1, -1, -1)
    full = F.conv_transpose2d(x, weight, stride=2, groups=channels)
    start = taps - 1 - (taps + 1) // 2
    end = full.shape[-1] - start - 2 * x.shape[-1]
    return F.pad(full, [-start, -end, -start, -end])


def downsample(x: Tensor, kernel: Tensor) -> Tensor:
    """(n, c, r, r) → (n, c, r/2, r/2): the filter, then every second pixel."""
    taps = len(kernel)
    return filtered(x, kernel, (taps - 1) // 2, (taps - 2) // 2)[:, :, ::2, ::2]


def convolve_up(x: Tensor, weight: Tensor, kernel: Tensor) -> Tensor:
    """(n, c, r, r) → (n, o, 2r, 2r): zeros between the pixels, convolution, filter."""
    size, taps = weight.shape[-1], len(kernel)
    y = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
    before = size // 2 + (taps + 1) // 2 - (size - 1)
    after = size // 2 + (taps - 2) // 2 - (size - 2)
    return filtered(y, kernel, before, after, gain=4.0)


def convolve_down(x: Tensor, weight: Tensor, kernel: Tensor) -> Tensor:
    """(n, c, r, r) → (n, o, r/2, r/2): the filter, then a convolution at every second pixel."""
    size, taps = weight.shape[-1], len(kernel)
    y = filtered(x, kernel, size // 2 + (taps - 1) // 2, size // 2 + (taps - 2) // 2)
    return F.conv2d(y, weight, stride=2)


def channels_at(resolution: int, base: int, most: int) -> int:
    """Channels of the layers at a resolution."""
    return min(base // resolution, most)
