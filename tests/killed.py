"""A process that dies by SIGKILL before one of its file operations."""

import os
import signal
from collections.abc import Callable

WATCHED = ("open", "write", "fsync", "replace", "unlink", "ftruncate", "mkdir")


def killed_after(operations: int, work: Callable[[], object]) -> bool:
    """Run ``work`` in a child that dies before its next operation; False when it needed no more."""
    child = os.fork()
    if child == 0:
        left = [operations]
        for name in WATCHED:
            setattr(os, name, _counted(getattr(os, name), left))
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def _counted(operation, left: list[int]):
    def counted(*arguments, **options):
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return operation(*arguments, **options)

    return counted
