"""Where evo-t2i keeps what it can always compute or download again, and people's own models."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """``$EVO_T2I_CACHE``, else ``evo-t2i`` under ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    if chosen := os.environ.get("EVO_T2I_CACHE"):
        return Path(chosen).expanduser()
    return _caches() / "evo-t2i"


def models_folder() -> Path:
    """``models`` in the cache folder: records of what was pulled, and files put there by hand."""
    return cache_folder() / "models"


def torch_hub_checkpoints() -> Path:
    """torch's own folder of downloaded weights, without importing torch."""
    home = os.environ.get("TORCH_HOME")
    return (Path(home).expanduser() if home else _caches() / "torch") / "hub" / "checkpoints"


def _caches() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(base) if base else Path.home() / ".cache"
