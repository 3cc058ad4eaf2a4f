"""In which precision networks compute: float32, or bfloat16 where that is enough."""

import copy
from typing import Any

import torch
from torch import nn

from evo_t2i.errors import UsageError


def computing_in(precision: str, device: torch.device) -> torch.autocast:
    """A context in which networks on ``device`` compute in ``precision``, ``fp32`` or ``bf16``.

    bf16 is torch's autocast: matrix products and convolutions take bfloat16, whatever the network;
    weights stay float32, and sums over many values (norms, softmax) accumulate in float32.
    """
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def fast_precision(device: torch.device) -> str:
    """What a search may compute in without anybody's asking: bf16 on a processor with instructions
    for it, fp32 elsewhere. On GPUs nothing was tried, so nothing is presumed."""
    if device.type != "cpu":
        return "fp32"
    has = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16" if has else "fp32"


def check_precision(precision: str, device: torch.device) -> None:
    """Raise UsageError for a GPU that has bfloat16 by emulation alone, or not at all."""
    if precision == "bf16" and device.type == "cuda":
        with torch.cuda.device(device):
            supported = torch.cuda.is_bf16_supported(including_emulation=False)
        if not supported:
            name = torch.cuda.get_device_name(device)
            raise UsageError(f"The {name} has no bfloat16; use --precision fp32 or --device cpu.")


class InPrecision:
    """A network, and its twin with bfloat16 matrices for use within ``computing_in("bf16", …)``.

    Autocast alone casts every weight again at each pass, which on a CPU takes longer than ViT-B/32
    itself. The twin is made when first asked for, and shares all other tensors.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._twin: nn.Module | None = None

    def current(self, device: torch.device) -> Any:
        """The one for the precision that is in force on ``device``."""
        if not torch.is_autocast_enabled(device.type):
            return self._network
        if self._twin is None:
            self._twin = _with_bf16_matrices(self._network)
        return self._twin


def _with_bf16_matrices(network: nn.Module) -> nn.Module:
    shared: dict[int, Any] = {id(each): each for each in network.parameters()}
    shared |= {id(each): each for each in network.buffers()}
    twin = copy.deepcopy(network, shared)
    for module in twin.modules():
        names: tuple[str, ...] = ()
        if isinstance(module, nn.Linear | nn.Conv2d):
            names = ("weight", "bias")
        elif isinstance(module, nn.MultiheadAttention):
            names = ("in_proj_weight", "in_proj_bias")
        for name in names:
            tensor = getattr(module, name)
            if tensor is not None and tensor.dtype == torch.float32:  # autocast leaves float64
                module.register_parameter(name, nn.Parameter(tensor.bfloat16(), False))
    return twin
