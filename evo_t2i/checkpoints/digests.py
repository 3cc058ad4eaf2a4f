"""SHA-256 of files, and the digest by which git names them."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

_CHUNK = 2**20


def sha256_of(path: Path, *more: str) -> str:
    """SHA-256 over a file's bytes and, where given, over further texts; raises OSError."""
    found = digest_of(path)
    return hashlib.sha256("\n".join([found, *more]).encode()).hexdigest() if more else found


def digest_of(path: Path, *, git: bool = False, read: Callable[[int], None] | None = None) -> str:
    """SHA-256 of a file, or with ``git`` the SHA-1 of the blob that git makes of it.

    ``read`` is told how many bytes were read, again and again. Raises OSError.
    """
    with path.open("rb") as file:
        if git:
            size = path.stat().st_size
            digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
        else:
            digest = hashlib.sha256()
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            if read is not None:
                read(len(chunk))
    return digest.hexdigest()


def digest_of_files(folder: Path, names: Iterable[str], *more: str) -> str:
    """SHA-256 over the names and bytes of files in ``folder`` and over further texts.

    Raises OSError.
    """
    total = hashlib.sha256("\n".join(more).encode())
    for name in sorted(names):
        total.update(f"\n{name}\0{sha256_of(folder / name)}".encode())
    return total.hexdigest()
