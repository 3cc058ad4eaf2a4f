"""Published state dicts of torch, read without running any code in them."""

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from zipfile import is_zipfile

import torch
from torch import Tensor, nn

from evo_t2i.checkpoints.catalogue import WebFile, name_for
from evo_t2i.checkpoints.inventory import web_folder
from evo_t2i.errors import ModelError

_UNREADABLE = (
    UnpicklingError,
    RuntimeError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    RecursionError,
    AttributeError,
)


def published_file(part: WebFile) -> Path:
    """Where a file that was published at an address is on this machine; ModelError if nowhere."""
    path = web_folder(part) / part.name
    if not path.is_file():
        raise ModelError(
            f"{part.name} is not on this machine; run `evo-t2i models pull {name_for(part.url)}`, "
            f"or put {part.url} into {path.parent}."
        )
    return path


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """The tensors in a file of ``torch.save``, also under the key ``state_dict``.

    They stay in the file until they are used, if it is not of torch's oldest form. Raises
    ModelError for a damaged file, and for one that holds anything but tensors.
    """
    try:
        mapped = is_zipfile(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
        tensors: dict[str, Tensor] = dict(loaded.get("state_dict", loaded))
        if not all(isinstance(tensor, Tensor) for tensor in tensors.values()):
            raise ValueError("not only tensors")
        return tensors
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror or error}).") from error
    except _UNREADABLE as error:
        raise ModelError(
            f"{path} cannot be read without running code in it, or is damaged; fetch it again."
        ) from error


def fill(model: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Copy ``tensors``, which came from ``path``, into a model; ModelError unless all fit."""
    wanted = {name: tensor.shape for name, tensor in model.state_dict().items()}
    found = {name: tensor.shape for name, tensor in tensors.items()}
    if wrong := sorted(n for n in wanted.keys() | found.keys() if wanted.get(n) != found.get(n)):
        name = wrong[0]
        raise ModelError(
            f"{path} does not hold these weights: {name[:80]!r} has the shape "
            f"{tuple(found[name]) if name in found else 'missing'}, expected "
            f"{tuple(wanted[name]) if name in wanted else 'none'}; fetch it again."
        )
    model.load_state_dict(dict(tensors))
