"""Files that are there in full or not at all, and reads that never leave the run directory."""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from evo_t2i.errors import DiskFullError, EvoError, RunDataError

PART_SUFFIX = ".part"


def write_bytes(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data`` so that a crash leaves the old file or the new one.

    Temporary file beside it, fsync, rename, fsync of the directory. Raises DiskFullError when no
    space is left and EvoError for any other failure; the old file then still stands.
    """
    part = path.with_name(f".{path.name}{PART_SUFFIX}")
    with naming_errors(path):
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
            try:
                write_all(descriptor, data)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.replace(part, path)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(part)
            raise
        sync_directory(path.parent)


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte of ``data``; ``os.write`` alone may stop early."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_directory(path: Path) -> None:
    """Make the names in ``path`` (creations, renames, removals) survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_bytes(path: Path) -> bytes:
    """The content of a regular file.

    Raises FileNotFoundError when there is none, and RunDataError for a symbolic link, a device or
    anything else that is not a plain file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise RunDataError(
                f"{path} is a symbolic link, where a run keeps plain files; "
                "put the file itself there or start a new run."
            ) from error
        if isinstance(error, FileNotFoundError):
            raise
        raise RunDataError(
            f"{path} cannot be read ({error.strerror}); check its permissions and the disk."
        ) from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise RunDataError(
                f"{path} is not a plain file; a run directory holds nothing else, "
                "so remove it or start a new run."
            )
        return file.read()


def make_directory(path: Path) -> None:
    """Create the directory unless it is there; RunDataError when the name is something else."""
    with naming_errors(path):
        with contextlib.suppress(FileExistsError):
            os.mkdir(path)
            sync_directory(path.parent)
        require_directory(path)


def require_directory(path: Path) -> None:
    """Raise RunDataError unless ``path`` is a directory itself rather than a link to one."""
    if not stat.S_ISDIR(os.lstat(path).st_mode):
        raise RunDataError(
            f"{path} is not a plain directory (a symbolic link or a file is in its place); "
            "remove it or start a new run."
        )


def remove_parts(directory: Path) -> None:
    """Delete the temporary files that an interrupted ``write_bytes`` left in ``directory``."""
    with naming_errors(directory):
        for name in sorted(os.listdir(directory)):
            if name.startswith(".") and name.endswith(PART_SUFFIX):
                os.unlink(directory / name)


@contextlib.contextmanager
def naming_errors(path: Path) -> Iterator[None]:
    """Turn an OSError of a write into one sentence that names the file and the next step."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(
                f"No space is left to write {path}; free some, then continue with "
                "`evo-t2i resume RUN` (everything committed so far is kept)."
            ) from error
        raise EvoError(
            f"{path} cannot be written ({error.strerror}); check its permissions and the disk, "
            "then try again."
        ) from error
