"""The tensors of a model that its own training made, apart from those of a frozen part."""

from collections.abc import Mapping

from torch import Tensor, nn

from evo_t2i.errors import ModelError


def trained_tensors(model: nn.Module, frozen: str) -> dict[str, Tensor]:
    """All tensors on the CPU but those whose names begin with ``frozen``."""
    return {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in model.state_dict().items()
        if not name.startswith(frozen)
    }


def load_trained(model: nn.Module, tensors: Mapping[str, Tensor], frozen: str) -> None:
    """Put ``trained_tensors`` of a CLIP back.

    Raises ModelError unless names and shapes fit exactly.
    """
    wanted = {name: tensor.shape for name, tensor in trained_tensors(model, frozen).items()}
    found = {name: tensor.shape for name, tensor in tensors.items()}
    if wanted != found:
        differing = sorted(
            name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
        )
        raise ModelError(
            f"The CLIP weights do not fit their configuration: {len(differing)} of "
            f"{len(wanted)} tensors are missing, unknown or of another shape, first "
            f"{differing[0]!r}; train the model anew with this version."
        )
    model.load_state_dict(dict(tensors), strict=False)
