"""Where evo-t2i keeps what it can always compute or download again, and people's own models."""

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

NOWHERE = Path(os.devnull) / "no-home-folder"
"""Holds nothing and cannot be written: for users without a home folder."""
_DIGEST = hashlib.sha256().digest_size


def cache_folder() -> Path:
    """``$EVO_T2I_CACHE``, else ``evo-t2i`` under ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    if chosen := os.environ.get("EVO_T2I_CACHE"):
        return expanded(chosen)
    return caches() / "evo-t2i"


def models_folder() -> Path:
    """``models`` in the cache folder: records of what was pulled, and files put there by hand."""
    return cache_folder() / "models"


def torch_hub_checkpoints() -> Path:
    """torch's own folder of downloaded weights, without importing torch."""
    home = os.environ.get("TORCH_HOME")
    return (expanded(home) if home else caches() / "torch") / "hub" / "checkpoints"


def caches() -> Path:
    """``$XDG_CACHE_HOME`` or ``~/.cache``; ``NOWHERE`` for a user who has neither."""
    base = os.environ.get("XDG_CACHE_HOME")
    home = Path(base) if base else expanded("~/.cache")
    return NOWHERE if home.parts[:1] == ("~",) else home


def expanded(path: str | Path) -> Path:
    """``path`` with ``~`` or ``~somebody`` as a folder; as it is where there is no such home."""
    return Path(os.path.expanduser(path))


def cached_tensor(folder: str, key: str) -> "Tensor | None":
    """What ``keep_tensor`` kept; None when there is nothing, or anything but those bytes."""
    import safetensors.torch  # brings torch, which takes a second

    path = _place(folder, key)
    try:
        stored = path.read_bytes() if path.is_file() else b""
    except OSError:
        return None
    digest, data = stored[:_DIGEST], stored[_DIGEST:]
    if digest != _sealed(key, data):
        return None
    return safetensors.torch.load(data)["tensor"]


def keep_tensor(folder: str, key: str, tensor: "Tensor") -> None:
    """Keep ``tensor`` under ``key`` in a folder of the cache, after the digest of both.

    A cache that cannot be written costs time later and is no reason to stop: nothing is kept then.
    """
    import safetensors.torch

    path = _place(folder, key)
    data = safetensors.torch.save({"tensor": tensor.contiguous()})
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
        try:
            with open(handle, "wb") as file:
                file.write(_sealed(key, data) + data)
            os.replace(name, path)
        finally:
            Path(name).unlink(missing_ok=True)


def _place(folder: str, key: str) -> Path:
    return cache_folder() / folder / hashlib.sha256(key.encode()).hexdigest()[:32]


def _sealed(key: str, data: bytes) -> bytes:
    return hashlib.sha256(key.encode() + data).digest()
