"""Files that are there in full or not at all, and reads that never leave the run directory."""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

from evo_t2i.errors import DiskFullError, EvoError, RunDataError, UsageError

PART_SUFFIX = ".part"
_NAME_BYTES = 100
"""So much of a file's name is in its temporary one, which no filesystem then finds too long."""
_NO_DIRECTORY_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS)
_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def write_bytes(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data`` so that a crash leaves the old file or the new one.

    Temporary file of a name of its own beside it, fsync, rename, fsync of the directory. Raises
    UsageError when something else than a plain file is in the place, DiskFullError when no space
    is left and EvoError for any other failure; what was there then still stands.
    """
    with naming_errors(path):
        require_replaceable(path)
        part = path.parent / part_name(path.name)
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
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


def sync_directory(path: Path) -> bool:
    """Make the names in ``path`` (creations, renames, removals) survive a power cut.

    Returns False where the filesystem cannot do that for a directory.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_DIRECTORY_SYNC:
            raise
        return False
    finally:
        os.close(descriptor)
    return True


def read_bytes(path: Path) -> bytes:
    """The content of a regular file.

    Raises FileNotFoundError when there is none, and RunDataError for a symbolic link, a device or
    anything else that is not a plain file.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except ValueError as error:
        raise RunDataError(
            f"{str(path)!r} is no name that a file can have; put the run's own record back, or "
            "start a new run."
        ) from error
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
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise RunDataError(
                f"{path} is not a plain file; a run directory holds nothing else, "
                "so remove it or start a new run."
            )
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


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
    """Delete the temporary files that an interrupted ``write_bytes`` left in ``directory``.

    For the one who holds the lock of the run: another writer's would go as well.
    """
    with naming_errors(directory):
        for name in sorted(os.listdir(directory)):
            if is_part(name):
                os.unlink(directory / name)


def is_part(name: str) -> bool:
    """Whether this is the name of a temporary file of ``write_bytes``."""
    return name.startswith(".") and name.endswith(PART_SUFFIX)


@contextlib.contextmanager
def naming_errors(path: Path) -> Iterator[None]:
    """Turn an OSError of a write into one sentence that names the file and the next step."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(
                f"No space is left to write {path}; free some, then try again."
            ) from error
        if error.errno == errno.ENAMETOOLONG:
            raise UsageError(
                f"{path} is a longer name than the filesystem allows; give a shorter one."
            ) from error
        raise EvoError(
            f"{path} cannot be written ({error.strerror}); check its permissions and the disk, "
            "then try again."
        ) from error


def require_replaceable(path: Path) -> None:
    """Raise UsageError unless ``path`` is a plain file or nothing yet."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode):
        kind = next((text for is_kind, text in _KINDS if is_kind(mode)), "something else")
        raise UsageError(
            f"{path} is {kind}, and only a plain file is written over; remove it or give another "
            "name."
        )


def part_name(name: str) -> str:
    """A name of its own for the temporary file beside ``name``; ``remove_parts`` knows it."""
    begin = os.fsencode(name)[:_NAME_BYTES].decode(errors="ignore")
    return f".{begin}.{secrets.token_hex(4)}{PART_SUFFIX}"
