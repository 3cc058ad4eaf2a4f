"""One writer for a run directory."""

import fcntl
import os
from pathlib import Path

from evo_t2i.errors import RunLockedError
from evo_t2i.runs.atomic import naming_errors


def acquire(path: Path) -> int:
    """Lock the permanent file ``path`` for this process and return its descriptor.

    The lock ends with ``os.close`` or with the process, however it dies; the file itself stays and
    means nothing. Raises RunLockedError at once when another open holds it.
    """
    with naming_errors(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise RunLockedError(
            f"Another process works on {path.parent}; wait until it ends, or choose another run."
        ) from error
    except OSError:
        os.close(descriptor)
        with naming_errors(path):
            raise
    return descriptor
