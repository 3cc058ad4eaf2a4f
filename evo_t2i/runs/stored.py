"""A file of a run and its digest: written, and read back only as what was written."""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from evo_t2i.errors import RunDataError
from evo_t2i.runs.atomic import read_bytes, require_directory, write_bytes

Layout = Mapping[str, tuple[type[np.generic], tuple[int | None, ...]]]
"""Arrays by name with their type and shape; None is a size that all arrays of the file share in
that place when it is the first, and any size elsewhere."""


def sha256(data: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def store(run: Path, name: str, data: bytes) -> str:
    """Write the file ``name`` of the folder ``run``; returns its digest."""
    write_bytes(run / name, data)
    return sha256(data)


def stored(run: Path, name: str, digest: str) -> bytes:
    """A file of ``run``; RunDataError unless it is there and has this digest."""
    path = run / name
    if path.parent != run and os.path.lexists(path.parent):
        require_directory(path.parent)
    try:
        data = read_bytes(path)
    except FileNotFoundError as error:
        raise RunDataError(
            f"{path} is missing; write it again with `evo-t2i resume {run}`."
        ) from error
    if sha256(data) != digest:
        raise RunDataError(
            f"{path} is not what the run wrote (its sha256 differs); "
            f"write it again with `evo-t2i resume {run}`."
        )
    return data


def is_stored(run: Path, name: str, digest: str) -> bool:
    """Whether ``stored`` would return it."""
    try:
        stored(run, name, digest)
    except RunDataError:
        return False
    return True


def packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The bytes of a safetensors file; equal arrays give equal bytes."""
    data: bytes = save({key: np.array(array, order="C") for key, array in arrays.items()})
    return data


def unpacked(data: bytes, file: Path, layout: Layout) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file; RunDataError, naming ``file``, unless those of ``layout``
    are there as it says. Others may be there as well."""
    try:
        arrays: dict[str, np.ndarray] = load(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise RunDataError(
            f"{file} is not what a run writes ({type(error).__name__}); start a new run."
        ) from error
    rows = {len(arrays[name]) for name in layout if name in arrays and arrays[name].ndim}
    for name, (kind, shape) in layout.items():
        array = arrays.get(name)
        if array is None:
            raise RunDataError(
                f"{file} has no array {name!r}, so it is not what a run writes; start a new run."
            )
        fits = array.ndim == len(shape) and all(
            size is None or size == got for size, got in zip(shape, array.shape, strict=True)
        )
        if array.dtype != kind or not fits or len(rows) > 1:
            sizes = ", ".join("n" if size is None else str(size) for size in shape)
            raise RunDataError(
                f"{file} has {name!r} as {array.dtype}{list(array.shape)} where a run writes "
                f"{np.dtype(kind)}[{sizes}]; start a new run."
            )
    return arrays


def json_object(data: bytes, file: Path) -> dict[str, Any]:
    """The JSON object that a file holds; RunDataError, naming ``file``, for anything else."""
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RunDataError(f"{file} is not JSON text; it was damaged: start a new run.") from error
    if not isinstance(values, dict):
        raise RunDataError(f"{file} is not a JSON object; it was damaged: start a new run.")
    return values
