"""The engine of one machine: a process for each worker, the models loaded once in each.

Each worker has a pipe of its own, so that one that is killed in the middle of a message harms no
other. A pipe that ends is how either side learns of the other's death: the batch gives the job to a
new worker, and a worker without a batch ends at once.
"""

import contextlib
import multiprocessing
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from evo_t2i.batch.devices import VISIBLE, Share
from evo_t2i.batch.jobs import Job
from evo_t2i.batch.ledger import Ledger, Outcome
from evo_t2i.errors import EvoError
from evo_t2i.evaluate.models import networks_of

MOST_BARREN_STARTS = 3
"""Workers that die in a row before they took a job; the next one would do the same."""
_TELL_SECONDS = 0.2
_JOIN_SECONDS = 10.0
_READY, _STOP = "ready", "stop"

Surroundings = Callable[[], AbstractContextManager[None]]
"""What a worker does its work within, such as a silence of libraries; importable by name."""


@dataclass
class _Hand:
    """A worker as the batch sees it."""

    share: Share
    process: SpawnProcess
    connection: Connection
    ready: bool = False
    """It has said so, and is given jobs from then on."""
    job: Job | None = None
    held: str | None = None


def carry_out(
    ledger: Ledger,
    folder_of: Callable[[Job], Path],
    shares: list[Share],
    surroundings: Surroundings = contextlib.nullcontext,
) -> None:
    """Carry out all jobs of ``ledger`` by a worker process for each of ``shares``.

    Whatever ends this early, such as a KeyboardInterrupt, stops the workers at their next
    micro-batch.
    """
    hands: list[_Hand] = []
    barren = 0
    try:
        hands += [_start(share, surroundings) for share in shares[: max(1, ledger.left)]]
        ledger.begun(len(hands))
        while ledger.left:
            for hand in hands:
                _give(hand, ledger, folder_of)
            for ready in wait([hand.connection for hand in hands]):
                hand = next(each for each in hands if each.connection is ready)
                try:
                    message = hand.connection.recv()
                except (EOFError, OSError):
                    barren = 0 if hand.ready else barren + 1
                    hands[hands.index(hand)] = _replaced(hand, ledger, surroundings, barren)
                    continue
                _hear(hand, message, ledger)
    finally:
        _dismiss(hands)


def _start(share: Share, surroundings: Surroundings) -> _Hand:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs, share, surroundings), daemon=True)
    # The worker never hears Ctrl-C or a polite kill: the batch does, and says what follows. The
    # tracker, which every spawned process needs, would let the signals through as it starts.
    resource_tracker.ensure_running()
    held_back = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, held_back)
    theirs.close()
    return _Hand(share, process, ours)


def _give(hand: _Hand, ledger: Ledger, folder_of: Callable[[Job], Path]) -> None:
    if hand.ready and hand.job is None and (job := ledger.take(hand.held)) is not None:
        hand.job, hand.held = job, networks_of(job.config)
        with contextlib.suppress(OSError):  # it died, which the pipe's end tells as well
            hand.connection.send((job, folder_of(job)))


def _hear(hand: _Hand, message: Any, ledger: Ledger) -> None:
    if message == _READY:
        hand.ready = True
    elif hand.job is not None and isinstance(message, int):
        ledger.scored(hand.job, message)
    elif hand.job is not None:
        job, hand.job = hand.job, None
        ledger.settle(job, message)


def _replaced(hand: _Hand, ledger: Ledger, surroundings: Surroundings, barren: int) -> _Hand:
    """A new worker for one that died; its job is to be tried again."""
    hand.connection.close()
    hand.process.join(_JOIN_SECONDS)
    said = _how_it_ended(hand.process.exitcode)
    if hand.job is not None:
        ledger.settle(hand.job, Outcome("failed", "WorkerDied", f"Its worker {said}."))
    elif barren >= MOST_BARREN_STARTS:
        raise EvoError(
            f"The workers end before they take a caption (the last one {said}); try the batch with "
            "`engine` loop, which says why."
        )
    return _start(hand.share, surroundings)


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = ", as when memory runs out" if -code == signal.SIGKILL else ""
        return f"was killed ({name}{hint})"
    return f"ended with code {code}"


def _dismiss(hands: list[_Hand]) -> None:
    for hand in hands:
        with contextlib.suppress(OSError):
            hand.connection.send(_STOP)
    for hand in hands:
        hand.process.join()
        hand.connection.close()


# In the worker


class _Dismissed(BaseException):
    """The batch wants no more; not an Exception, so that nobody takes it for a failure."""


def _serve(connection: Connection, share: Share, surroundings: Surroundings) -> None:
    os.dup2(2, 1)  # results alone belong on stdout
    if share.device is not None:
        os.environ[VISIBLE] = share.device
    jobs: queue.SimpleQueue[tuple[Job, Path] | None] = queue.SimpleQueue()
    dismissed = threading.Event()
    listener = threading.Thread(target=_listen, args=(connection, jobs, dismissed), daemon=True)
    listener.start()
    with surroundings():
        import torch

        from evo_t2i.batch.worker import Worker

        if share.threads is not None:
            torch.set_num_threads(share.threads)
        worker = Worker()
        connection.send(_READY)
        with contextlib.suppress(_Dismissed):
            while (given := jobs.get()) is not None:
                job, folder = given
                connection.send(worker.carry_out(job, folder, _Teller(connection, dismissed)))
    sys.stderr.flush()
    os._exit(0)  # without waiting for the listener, which waits for the batch


def _listen(
    connection: Connection,
    jobs: "queue.SimpleQueue[tuple[Job, Path] | None]",
    dismissed: threading.Event,
) -> None:
    try:
        while (message := connection.recv()) != _STOP:
            jobs.put(message)
    except (EOFError, OSError):
        os._exit(1)  # the batch is no more; what is committed is safe
    dismissed.set()
    jobs.put(None)


class _Teller:
    """Passes on how far a job is, a few times a second, and ends it when the batch does."""

    def __init__(self, connection: Connection, dismissed: threading.Event) -> None:
        self._connection = connection
        self._dismissed = dismissed
        self._next = 0.0

    def __call__(self, evaluations: int) -> None:
        if self._dismissed.is_set():
            raise _Dismissed
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _TELL_SECONDS
            self._connection.send(evaluations)
