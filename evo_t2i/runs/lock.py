"""One writer for a run directory."""

import errno
import fcntl
import os
import time
from pathlib import Path

from evo_t2i.errors import RunLockedError
from evo_t2i.runs.atomic import naming_errors

_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)
_PATIENCE_SECONDS = 0.1
_PAUSE_SECONDS = 0.02


def acquire(path: Path) -> tuple[int, bool]:
    """Lock the permanent file ``path`` for this process: its descriptor, and whether it is locked.

    The lock ends with ``os.close`` or with the process, however it dies; the file itself stays and
    means nothing. It is False on a filesystem that knows no locks: no file of our own takes their
    place, as one that outlives its process would keep people out of their run. Raises
    RunLockedError when another open holds it.
    """
    with naming_errors(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
    try:
        return descriptor, _locked(descriptor)
    except BlockingIOError as error:
        os.close(descriptor)
        raise RunLockedError(
            f"Another process works on {path.parent}; wait until it ends, or choose another run."
        ) from error
    except OSError:
        os.close(descriptor)
        with naming_errors(path):
            raise


def _locked(descriptor: int) -> bool:
    patience = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > patience:
                raise
            time.sleep(_PAUSE_SECONDS)  # a reader that looks (``is_held``) has it for a moment
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            return False


def is_held(path: Path) -> bool:
    """Whether a writer holds the lock; False where nobody can know."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False
