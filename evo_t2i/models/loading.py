"""One model is loaded at a time in a process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LOCK = threading.RLock()


@contextmanager
def loading() -> Iterator[None]:
    """Hold while networks are built and filled; whoever holds it may ask for it again.

    Libraries change torch's classes for the time in which they build a network (tensors without
    memory, no initialisation), and a network that another thread builds meanwhile would be
    changed with them.
    """
    with _LOCK:
        yield
