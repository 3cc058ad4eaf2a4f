"""Ctrl-C and a polite kill: both end a command, with everything committed intact."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stopped(BaseException):
    """SIGINT or SIGTERM arrived.

    Not an Exception, so that no library takes it for a failure of its own. ``message`` is what the
    person reads; a command that knows more than "Stopped." sets it.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.exit_code = 128 + number
        self.message = "Stopped."


def stop_on_signals() -> None:
    """From now on the first SIGINT or SIGTERM raises Stopped and the second ends the process.

    A signal that the caller had ignored (``nohup``, a background job) stays ignored.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _first)


@contextmanager
def held_back() -> Iterator[None]:
    """A first signal that arrives within this raises Stopped at its end; a second ends the process.

    For work that has to be whole, such as a step of a training.
    """
    _Held.on, _Held.number = True, None
    try:
        yield
    finally:
        _Held.on = False
        if _Held.number is not None:
            raise Stopped(_Held.number)


class _Held:
    """What the signal handler and ``held_back`` tell one another."""

    on = False
    number: int | None = None


def _first(number: int, _frame: FrameType | None) -> None:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _second)
    if _Held.on:
        _Held.number = number
        return
    raise Stopped(number)


def _second(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)
