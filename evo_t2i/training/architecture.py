"""Fresh LAFITE-type networks of any size, with each of the design notes' changes or without.

What is built is described by the constructor arguments that checkpoints of the family store, so a
trained network is saved and loaded as any of them.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from evo_t2i.checkpoints.stylegan2_pickle import StoredNetwork
from evo_t2i.models.stylegan2_discriminator import Discriminator, discriminator_config
from evo_t2i.models.stylegan2_generator import Generator, generator_config
from evo_t2i.training.lafite_settings import Architecture

_CLAMP = 256
_GENTLE = 0.3
"""Of the weights that modulate batch norms, at the start: 1 + scale stays positive."""


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
