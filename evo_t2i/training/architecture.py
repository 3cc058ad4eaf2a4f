"""Fresh LAFITE-type networks of any size, with each of the design notes' changes or without.

What is built is described by the constructor arguments that checkpoints of the family store, so a
trained network is saved and loaded as any of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from evo_t2i.checkpoints.stylegan2_pickle import StoredNetwork
from evo_t2i.config import require
from evo_t2i.errors import UsageError, near_miss
from evo_t2i.models.stylegan2_discriminator import Discriminator, discriminator_config
from evo_t2i.models.stylegan2_generator import TRANSFORMS, Generator, generator_config
from evo_t2i.training.terms import PRESETS

NOTES_MIXING = 0.2
"""α of the mixed logits. The notes give no value; this is the ratio of their other weights for h'
and h."""
_CLAMP = 256
_GENTLE = 0.3
"""Of the weights that modulate batch norms, at the start: 1 + scale stays positive."""


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Sizes and switches; raises UsageError for what cannot be built."""

    resolution: int = 64
    """Power of two from 16 to 256."""
    latent_size: int = 64
    style_size: int = 256
    mapping_layers: int = 2
    channel_base: int = 4096
    """Channels at a resolution are this over it, at most ``channel_max``. LAFITE's are 32768 and
    512 at 256 px."""
    channel_max: int = 256
    transform_w: str = "none"
    """One of ``TRANSFORMS``: the notes' "different generator layer", by either reading."""
    attentive: bool = False
    """XMC-GAN's attentional self-modulation."""
    separate_heads: bool = False
    """A head of the discriminator for pictures beside that for text."""
    mixing: float = 0.0
    """α of f(x) + (1 - α) ⟨f_txt, h⟩ + α ⟨f_txt, h'⟩; 0 is LAFITE's."""

    def __post_init__(self) -> None:
        r = self.resolution
        require(
            16 <= r <= 256 and r & (r - 1) == 0, "resolution", r, "a power of two from 16 to 256"
        )
        for name in ("latent_size", "style_size", "channel_base", "channel_max", "mapping_layers"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "1 or more")
        require(self.channel_base >= r, "channel_base", self.channel_base, f"{r} or more")
        require(0 <= self.mixing < 1, "mixing", self.mixing, "a number from 0 to below 1")
        if self.transform_w not in TRANSFORMS:
            raise UsageError(
                f"`transform_w` is {self.transform_w!r}; {near_miss(self.transform_w, TRANSFORMS)}"
            )

    @classmethod
    def of_preset(cls, preset: str, **given: Any) -> "Architecture":
        """The switches that belong to a preset of terms, but for what is ``given``."""
        if preset not in PRESETS:
            raise UsageError(f"`preset` is {preset!r}; {near_miss(preset, PRESETS)}")
        switches: dict[str, dict[str, Any]] = {
            "lafite": {},
            "notes": {"separate_heads": True, "mixing": NOTES_MIXING, "transform_w": "scaled"},
            "xmc": {"attentive": True},
        }
        return cls(**(switches[preset] | given))


def fresh_generator(architecture: Architecture, text_size: int, seed: int) -> Generator:
    """A generator in training mode with the random weights of ``seed``."""
    arguments = generator_arguments(architecture, text_size)
    names = [f"synthesis.b{architecture.resolution}.torgb.pre_0.weight"]  # joined at all sizes
    model = Generator(generator_config(arguments, names))
    start(model, torch.Generator().manual_seed(seed))
    return model


def fresh_discriminator(
    architecture: Architecture, text_size: int, seed: int, *, guide_size: int = 0, regions: bool
) -> Discriminator:
    """A discriminator in training mode with the random weights of ``seed``.

    ``guide_size`` is the guiding network's, 0 without one; ``regions`` for region-word terms.
    """
    arguments = discriminator_arguments(architecture, text_size, guide_size, regions)
    model = Discriminator(discriminator_config(arguments, ["b4.fts.weight"]))
    start(model, torch.Generator().manual_seed(seed))
    return model


def generator_arguments(architecture: Architecture, text_size: int) -> dict[str, Any]:
    """What a checkpoint stores of such a generator; LAFITE's own where no switch is on."""
    synthesis: dict[str, Any] = {
        "channel_base": architecture.channel_base,
        "channel_max": architecture.channel_max,
        "conv_clamp": _CLAMP,
        "f_dim": text_size,
    }
    if architecture.transform_w != "none":
        synthesis["transform_w"] = architecture.transform_w
    if architecture.attentive:
        synthesis["attentive"] = True
    return {
        "z_dim": architecture.latent_size,
        "c_dim": 0,
        "w_dim": architecture.style_size,
        "img_resolution": architecture.resolution,
        "img_channels": 3,
        "mapping_kwargs": {"num_layers": architecture.mapping_layers},
        "synthesis_kwargs": synthesis,
    }


def discriminator_arguments(
    architecture: Architecture, text_size: int, guide_size: int, regions: bool
) -> dict[str, Any]:
    """What a checkpoint stores of such a discriminator; LAFITE's own where no switch is on.

    Without minibatch statistics: a logit depends on its own picture and caption alone.
    """
    arguments: dict[str, Any] = {
        "c_dim": 0,
        "img_resolution": architecture.resolution,
        "img_channels": 3,
        "channel_base": architecture.channel_base,
        "channel_max": architecture.channel_max,
        "conv_clamp": _CLAMP,
        "use_norm": True,
        "block_kwargs": {},
        "mapping_kwargs": {},
        "epilogue_kwargs": {"mbstd_num_channels": 0, "f_dim": text_size},
    }
    if architecture.separate_heads:
        arguments["image_head"] = True
    if architecture.mixing:
        arguments["mixing"] = architecture.mixing
    if guide_size:
        arguments["guide_dim"] = guide_size
    if regions:
        arguments["regions"] = True
    return arguments


def stored(model: nn.Module, arguments: Mapping[str, Any]) -> StoredNetwork:
    """A network as checkpoints hold it: arguments and tensors on the CPU."""
    tensors = {
        name: value.detach().float().cpu().contiguous().clone()
        for name, value in model.state_dict().items()
    }
    return StoredNetwork(type(model).__name__, dict(arguments), tensors)


@torch.no_grad()
def start(model: nn.Module, generator: torch.Generator) -> None:
    """Give a network the weights that StyleGAN2-ADA's start from.

    Gaussian weights (over the layer's rate, which multiplies them back), biases 0 but 1 for styles
    and scales, no noise, w's mean 0.
    """
    for path, module in model.named_modules():
        own = [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]
        for name, tensor in own:
            if name == "resample_filter":
                continue
            if name in ("weight", "const", "noise_const"):
                values = torch.randn(tensor.shape, generator=generator)
                rate = getattr(module, "_rate", 1.0) if name == "weight" else 1.0
                gentle = _GENTLE if path.endswith((".common", ".attended")) else 1.0
                tensor.copy_(values * (gentle / rate))
            else:
                tensor.fill_(float(_starts_at_one(path, name)))


def _starts_at_one(path: str, name: str) -> bool:
    scales = path.endswith((".affine", ".affine_0", ".w_scale"))
    return name == "running_var" or (name == "bias" and scales)


def gaussian(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> Tensor:
    """Numbers that depend on the generator (on the CPU) alone, whatever the device."""
    return torch.randn(shape, generator=generator).to(device)
