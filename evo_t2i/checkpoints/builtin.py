"""The built-in models' weights: one folder each and a manifest of digests.

``<weights>/<name>/`` holds model.safetensors, config.json and CARD.md;
``<weights>/digests.json`` maps each name to the SHA-256 of its model.safetensors.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from safetensors import SafetensorError
from torch import Tensor

import evo_t2i
from evo_t2i.errors import ModelError

_REINSTALL = "reinstall it with `pip install --force-reinstall evo-t2i`."


@dataclass(frozen=True)
class LoadedWeights:
    """A built-in model as stored: its configuration, its tensors on the CPU, the file's SHA-256."""

    config: dict[str, Any]
    tensors: dict[str, Tensor]
    digest: str


def weights_folder() -> Path:
    """The wheel's ``evo_t2i/_weights``, or ``weights/`` beside the package in a source checkout."""
    package = Path(evo_t2i.__file__).parent
    for folder in (package / "_weights", package.parent / "weights"):
        if (folder / "digests.json").is_file():
            return folder
    raise ModelError(f"evo-t2i's built-in weights are not installed beside {package}; {_REINSTALL}")


def load(name: str, folder: Path | None = None) -> LoadedWeights:
    """Read and verify one built-in model; ``folder`` stands in for ``weights_folder()``.

    Raises ModelError when anything is missing, damaged or not what the manifest names.
    """
    root = weights_folder() if folder is None else folder
    try:
        wanted = json.loads((root / "digests.json").read_text("utf-8"))[name]
        config = json.loads((root / name / "config.json").read_text("utf-8"))
        data = (root / name / "model.safetensors").read_bytes()
    except OSError as error:
        raise ModelError(
            f"The built-in model {name!r} cannot be read ({error.filename}: {error.strerror}); "
            f"{_REINSTALL}"
        ) from error
    except KeyError:
        raise ModelError(
            f"The built-in model {name!r} is not in {root / 'digests.json'}; {_REINSTALL}"
        ) from None
    except (ValueError, TypeError) as error:
        raise ModelError(
            f"The built-in model {name!r} has a damaged configuration ({error}); {_REINSTALL}"
        ) from error
    found = hashlib.sha256(data).hexdigest()
    if found != wanted:
        raise ModelError(
            f"The built-in model {name!r} is damaged: its digest is {found[:12]}…, expected "
            f"{str(wanted)[:12]}…; {_REINSTALL}"
        )
    try:
        tensors = safetensors.torch.load(data)
    except SafetensorError as error:
        raise ModelError(
            f"The built-in model {name!r} is no safetensors file ({error}); {_REINSTALL}"
        ) from error
    return LoadedWeights(config, tensors, found)


def save(
    folder: Path, name: str, tensors: Mapping[str, Tensor], config: Mapping[str, Any], card: str
) -> str:
    """Write ``<folder>/<name>/`` and its line in ``<folder>/digests.json``; returns the digest.

    Every file is replaced atomically and the manifest comes last, so an interrupted save is
    found out by ``load``.
    """
    target = folder / name
    target.mkdir(parents=True, exist_ok=True)
    data = safetensors.torch.save({key: value.contiguous() for key, value in tensors.items()})
    digest = hashlib.sha256(data).hexdigest()
    _replace(target / "model.safetensors", data)
    _replace(target / "config.json", _json(config))
    _replace(target / "CARD.md", card.encode())
    manifest = folder / "digests.json"
    digests = json.loads(manifest.read_text("utf-8")) if manifest.exists() else {}
    digests[name] = digest
    _replace(manifest, _json(dict(sorted(digests.items()))))
    return digest


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
