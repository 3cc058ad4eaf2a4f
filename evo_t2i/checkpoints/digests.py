"""SHA-256 of files."""

import hashlib
from pathlib import Path


def sha256_of(path: Path, *more: str) -> str:
    """SHA-256 over a file's bytes and, where given, over further texts; raises OSError."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256("\n".join([found, *more]).encode()).hexdigest() if more else found
