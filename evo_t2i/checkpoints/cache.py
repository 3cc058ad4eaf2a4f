"""Where evo-t2i keeps what it can always compute or download again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """``$EVO_T2I_CACHE``, else ``evo-t2i`` under ``$XDG_CACHE_HOME`` or ``~/.cache``."""
    if chosen := os.environ.get("EVO_T2I_CACHE"):
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "evo-t2i"
