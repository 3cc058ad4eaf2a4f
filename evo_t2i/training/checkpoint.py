"""Training state as safetensors: modules, optimisers and the step, without pickles."""

import contextlib
import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from evo_t2i.errors import DiskFullError, EvoError, RunDataError, first_line

_MOST_TOLD = 4
"""Settings that are named when a checkpoint is another training's."""


def save(
    path: Path,
    step: int,
    identity: object,
    modules: Mapping[str, nn.Module],
    optimizers: Mapping[str, Optimizer],
) -> None:
    """Write atomically; the file at ``path`` is always whole.

    Raises DiskFullError when no space is left, EvoError when it cannot be written otherwise.
    ``identity`` says by its repr what the training depends on: settings, data, teachers.
    """
    tensors: dict[str, Tensor] = {}
    for name, module in modules.items():
        for key, value in module.state_dict().items():
            tensors[f"{name}/{key}"] = value.contiguous().clone()
    for name, optimizer in optimizers.items():
        for index, state in optimizer.state_dict()["state"].items():
            for key, value in state.items():
                tensors[f"optimizer/{name}/{index}/{key}"] = (
                    torch.as_tensor(value).contiguous().clone()
                )
    partial = path.with_suffix(".partial")
    try:
        save_file(tensors, partial, metadata={"step": json.dumps(step), "identity": repr(identity)})
        os.replace(partial, path)
    except (OSError, SafetensorError) as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        said = first_line(error)
        full = getattr(error, "errno", None) == errno.ENOSPC or "os error 28" in said
        raise (DiskFullError if full else EvoError)(
            f"The checkpoint {path} cannot be written ({said}); an earlier one still stands: make "
            "room, then give the same command again."
        ) from error


def restore(
    path: Path,
    identity: object,
    modules: Mapping[str, nn.Module],
    optimizers: Mapping[str, Optimizer],
) -> int:
    """Load what ``save`` wrote and return its step.

    Raises RunDataError when the checkpoint has another identity or does not fit the modules.
    """
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            step, found = int(json.loads(file.metadata()["step"])), file.metadata()["identity"]
        if found != repr(identity):
            own, asked = _differences(found, repr(identity))
            raise RunDataError(
                f"The checkpoint {path} is another training's: it has {own} where {asked} is asked "
                "for; give the same options again, or another --out."
            )
        for name, module in modules.items():
            prefix = f"{name}/"
            module.load_state_dict(
                {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
            )
    except RunDataError:
        raise
    except Exception as error:
        raise RunDataError(
            f"The checkpoint {path} does not fit this training ({first_line(error)}); "
            "give another --out or the settings it was written with."
        ) from error
    try:
        for name, optimizer in optimizers.items():
            _load_optimizer(name, optimizer, tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise RunDataError(
            f"The checkpoint {path} has no state of the optimiser as a training writes it "
            f"({first_line(error)}); give another --out."
        ) from error
    return step


def _load_optimizer(name: str, optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Raises ValueError for a state of no parameter, or of another shape than its own."""
    parameters = [one for group in optimizer.param_groups for one in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith(f"optimizer/{name}/"):
            _, _, index, field = key.split("/")
            if not 0 <= int(index) < len(parameters):
                raise ValueError(f"there is no parameter {index}")
            if value.ndim and value.shape != parameters[int(index)].shape:
                raise ValueError(f"{key} has the shape {list(value.shape)}")
            state.setdefault(int(index), {})[field] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _differences(found: str, wanted: str) -> tuple[str, str]:
    """What two descriptions do not have in common, such as ``seed=0`` and ``seed=1``."""
    parts = [text.strip("()").split(", ") for text in (found, wanted)]
    only = [[part for part in one if part not in other] for one, other in (parts, reversed(parts))]
    told = [", ".join(each[:_MOST_TOLD]) + ", …" * (len(each) > _MOST_TOLD) for each in only]
    return told[0] or "less", told[1] or "less"
