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
        for name, module in modules.items():
            prefix = f"{name}/"
            module.load_state_dict(
                {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
            )
    except Exception as error:
        raise RunDataError(
            f"The checkpoint {path} does not fit this training ({error}); "
            "give another --out or the settings it was written with."
        ) from error
    if found != repr(identity):
        raise RunDataError(
            f"The checkpoint {path} belongs to {found}, not to {identity!r}; "
            "give the same options again, or another --out."
        )
    for name, optimizer in optimizers.items():
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            if key.startswith(f"optimizer/{name}/"):
                _, _, index, field = key.split("/")
                state.setdefault(int(index), {})[field] = value
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": state, "param_groups": groups})
    return step
