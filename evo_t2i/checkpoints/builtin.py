"""The built-in models' weights: one folder each and a manifest of digests.

``<weights>/<name>/`` holds model.safetensors, config.json and CARD.md;
``<weights>/digests.json`` maps each name to the SHA-256 of the first two.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evo_t2i.checkpoints.model_folder import read_json
from evo_t2i.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

FILES = ("config.json", "model.safetensors")


@dataclass(frozen=True)
class LoadedWeights:
    """A built-in model as stored: its configuration and its tensors on the CPU."""

    config: dict[str, Any]
    tensors: "dict[str, Tensor]"
    digest: str
    """SHA-256 of the two files' hexadecimal digests: another when either file is another."""
    tensors_digest: str
    """SHA-256 of model.safetensors alone."""


def weights_folder() -> Path:
    """The wheel's ``evo_t2i/_weights``, or ``weights/`` beside the package in a source checkout."""
    for folder in (_in_wheel(), _in_checkout()):
        if (folder / "digests.json").is_file():
            return folder
    in_use = _in_checkout() if (_package().parent / "pyproject.toml").is_file() else _in_wheel()
    raise ModelError(f"evo-t2i's built-in weights are not in {in_use}; {_remedy(in_use)}")


def load(name: str, folder: Path | None = None) -> LoadedWeights:
    """Read and verify one built-in model; ``folder`` stands in for ``weights_folder()``.

    Raises ModelError when anything is missing, damaged or not what the manifest names.
    """
    import safetensors.torch  # brings torch, which takes a second

    root = weights_folder() if folder is None else folder
    remedy = _remedy(root)
    manifest = _manifest(root, remedy)
    try:
        wanted = {file: manifest[name][file] for file in FILES}
        data = {file: (root / name / file).read_bytes() for file in FILES}
    except OSError as error:
        raise ModelError(
            f"The built-in model {name!r} cannot be read ({error.filename}: {error.strerror}); "
            f"{remedy}"
        ) from error
    except KeyError:
        raise ModelError(
            f"The built-in model {name!r} is not in {root / 'digests.json'}; {remedy}"
        ) from None
    except TypeError as error:
        raise ModelError(f"{root / 'digests.json'} is damaged ({error}); {remedy}") from error
    found = {file: hashlib.sha256(data[file]).hexdigest() for file in FILES}
    for file in FILES:
        if found[file] != wanted[file]:
            raise ModelError(
                f"The built-in model {name!r} is damaged: the digest of its {file} is "
                f"{found[file][:12]}…, expected {str(wanted[file])[:12]}…; {remedy}"
            )
    return LoadedWeights(
        config=json.loads(data["config.json"]),
        tensors=safetensors.torch.load(data["model.safetensors"]),
        digest=_joint_digest(found),
        tensors_digest=found["model.safetensors"],
    )


def save(
    folder: Path, name: str, tensors: "Mapping[str, Tensor]", config: Mapping[str, Any], card: str
) -> str:
    """Write ``<folder>/<name>/`` and its entry in ``<folder>/digests.json``; returns the digest.

    ``{digest}`` in the card's text becomes the SHA-256 of model.safetensors. Every file is
    replaced atomically and the manifest comes last, so an interrupted save is found out by
    ``load``.
    """
    import safetensors.torch

    target = folder / name
    target.mkdir(parents=True, exist_ok=True)
    data = {
        "config.json": _json(config),
        "model.safetensors": safetensors.torch.save(
            {key: value.contiguous() for key, value in tensors.items()}
        ),
    }
    digests = {file: hashlib.sha256(data[file]).hexdigest() for file in FILES}
    for file in FILES:
        _replace(target / file, data[file])
    text = card.replace("{digest}", digests["model.safetensors"])
    _replace(target / "CARD.md", text.encode())
    path = folder / "digests.json"
    manifest = json.loads(path.read_text("utf-8")) if path.exists() else {}
    manifest[name] = digests
    _replace(path, _json(dict(sorted(manifest.items()))))
    return _joint_digest(digests)


def _manifest(root: Path, remedy: str) -> dict[str, Any]:
    path = root / "digests.json"
    if not path.exists():
        raise ModelError(f"The built-in models' {path} is missing; {remedy}")
    return read_json(path, remedy)


def _package() -> Path:
    return Path(__file__).parents[1]


def _in_wheel() -> Path:
    return _package() / "_weights"


def _in_checkout() -> Path:
    return _package().parent / "weights"


def _remedy(folder: Path) -> str:
    if folder == _in_wheel():
        return "install the evo-t2i wheel again."
    if folder.resolve() == _in_checkout().resolve():
        return "restore it with `git checkout -- weights`."
    return "save it again with `evo-t2i train builtin`."


def _joint_digest(digests: Mapping[str, str]) -> str:
    return hashlib.sha256("".join(digests[file] for file in FILES).encode()).hexdigest()


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
