"""The engine of a Ray cluster: actors that hold the models and carry out whole captions.

Ray is an extra. Runs are not sent through it: the folder of the batch has to be on a disk that all
machines share. An actor that dies is started again and its caption gone on with, since a run can be
resumed. Without RAY_ADDRESS a cluster of this machine alone is begun, bound to localhost, without a
dashboard and without usage statistics.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from evo_t2i.batch.jobs import Job
from evo_t2i.batch.ledger import Ledger, Outcome
from evo_t2i.errors import EvoError, UsageError, first_line
from evo_t2i.evaluate.models import networks_of

RESTARTS, TASK_RETRIES = 3, 2
"""Of an actor that dies, and of the caption that it had then: three tries in all."""
IN_FLIGHT = 2
"""Captions an actor has, the one that waits included, so that it never waits itself."""
OBJECT_STORE_BYTES = 100 * 2**20
"""Nothing large goes through it; Ray would take a third of the memory."""
_POLL_SECONDS = 1.0
_ASKING = "asking"
_PRIVATE = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # an actor without a GPU sees what is there
}


_LOCALHOST = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""What makes Ray take 127.0.0.1 for this machine's address on Linux, too. Without it Ray puts the
machine's own address in the place of a 127.0.0.1 that it is given, and listens to all the world. It
is read as Ray is imported."""


class Dismissed(BaseException):
    """The batch wants no more."""


class Holder:
    """What an actor is: a worker, with a way to ask how far it is and to stop it."""

    def __init__(self, threads: int | None) -> None:
        import torch

        from evo_t2i.batch.worker import Worker

        if threads is not None:
            torch.set_num_threads(threads)
        self._worker = Worker()
        self._dismissed = threading.Event()
        self._evaluations = (-1, 0)

    def carry_out(self, job: Job, folder: Path) -> Outcome | None:
        """One try of a job; None when the batch wants no more."""

        def scored(evaluations: int) -> None:
            if self._dismissed.is_set():
                raise Dismissed
            self._evaluations = (job.index, evaluations)

        try:
            scored(0)
            return self._worker.carry_out(job, folder, scored)
        except Dismissed:
            return None

    def scored(self) -> tuple[int, int]:
        """The job that it has and to how many images it has come."""
        return self._evaluations

    def dismiss(self) -> None:
        """Stop at the next micro-batch."""
        self._dismissed.set()


def carry_out(
    ledger: Ledger, folder_of: Callable[[Job], Path], workers: int = 0, threads: int | None = None
) -> None:
    """Carry out all jobs of ``ledger`` by so many actors; 0 is one a GPU, or one where none is.

    Whatever ends this early stops the actors at their next micro-batch. Raises UsageError when Ray
    is not installed.
    """
    ray = ray_module()
    with interruptions(), cluster(ray, workers):
        gpus = int(ray.cluster_resources().get("GPU", 0))
        count = min(workers or gpus or 1, max(1, ledger.left))
        kind = remote(ray, _grouped(ray), gpu=gpus > 0)
        made = partial(kind.remote, None if gpus else threads)
        crew = _Crew(ray, ledger, folder_of, [made() for _ in range(count)], made)
        ledger.begun(count)
        try:
            crew.work()
        finally:
            crew.dismiss()


class _Crew:
    """Actors with the captions that they have."""

    def __init__(
        self,
        ray: Any,
        ledger: Ledger,
        folder_of: Callable[[Job], Path],
        actors: list[Any],
        made: Callable[[], Any],
    ) -> None:
        self._ray = ray
        self._ledger = ledger
        self._folder_of = folder_of
        self._actors = actors
        self._made = made
        self._held: list[str | None] = [None] * len(actors)
        self._tasks: dict[Any, tuple[int, Job]] = {}

    def work(self) -> None:
        while self._ledger.left:
            self._fill()
            ready, _ = self._ray.wait(list(self._tasks), num_returns=1, timeout=_POLL_SECONDS)
            for task in ready:
                self._settle(task)
            if not ready:
                self._ask()

    def dismiss(self) -> None:
        """Stop all, wait for the micro-batches that they are at, and let them go."""
        with contextlib.suppress(Exception):
            self._ray.get([actor.dismiss.remote() for actor in self._actors], timeout=10)
        if self._tasks:
            self._ray.wait(list(self._tasks), num_returns=len(self._tasks), timeout=None)
        for actor in self._actors:
            self._ray.kill(actor)

    def _fill(self) -> None:
        # first one for everybody, then one to wait, so that the last ones are shared out
        for most in range(1, IN_FLIGHT + 1):
            for number, actor in enumerate(self._actors):
                has = sum(owner == number for owner, _ in self._tasks.values())
                if has < most and (job := self._ledger.take(self._held[number])) is not None:
                    self._held[number] = networks_of(job.config)
                    task = actor.carry_out.remote(job, self._folder_of(job))
                    self._tasks[task] = (number, job)

    def _settle(self, task: Any) -> None:
        number, job = self._tasks.pop(task)
        try:
            outcome = self._ray.get(task)
        except self._ray.exceptions.RayActorError as error:
            said = f"Its actor died, {TASK_RETRIES + 1} times ({first_line(error)})."
            outcome = Outcome("failed", "ActorDied", said)
            self._renew(number)
        except self._ray.exceptions.RayError as error:
            outcome = Outcome("failed", type(error).__name__, f"Ray: {first_line(error)}.")
        if outcome is not None:
            self._ledger.settle(job, outcome)

    def _renew(self, number: int) -> None:
        """Another actor, as this one may have used up its restarts."""
        with contextlib.suppress(Exception):
            self._ray.kill(self._actors[number])
        self._actors[number], self._held[number] = self._made(), None

    def _ask(self) -> None:
        """How far the actors are; one that is being started again does not say."""
        jobs = {job.index: job for _, job in self._tasks.values()}
        questions = [actor.scored.remote() for actor in self._actors]
        ready, _ = self._ray.wait(questions, num_returns=len(questions), timeout=_POLL_SECONDS)
        for question in ready:
            with contextlib.suppress(self._ray.exceptions.RayError):
                index, evaluations = self._ray.get(question)
                if index in jobs:
                    self._ledger.scored(jobs[index], evaluations)


def ray_module() -> Any:
    """Ray, without its usage statistics; UsageError with the command that installs it."""
    os.environ.update(_PRIVATE)
    if not os.environ.get("RAY_ADDRESS"):
        os.environ.update(_LOCALHOST)
    try:
        import ray
    except ImportError as error:
        raise UsageError(
            'The engine ray needs Ray, which is not installed; run pip install "evo-t2i[ray]".'
        ) from error
    return ray


@contextlib.contextmanager
def interruptions() -> Iterator[None]:
    """Within this what a signal's handler raises in Ray's compiled code comes out as itself."""
    try:
        yield
    except SystemError as error:
        cause = error.__cause__
        if cause is None or isinstance(cause, Exception):
            raise
        raise cause from None


@contextlib.contextmanager
def cluster(ray: Any, workers: int) -> Iterator[None]:
    """Within this Ray is there; a cluster that was begun here ends here."""
    if ray.is_initialized():
        yield
        return
    own = {
        "num_cpus": max(1, workers, len(os.sched_getaffinity(0))),
        "include_dashboard": False,
        "object_store_memory": OBJECT_STORE_BYTES,
        "_node_ip_address": "127.0.0.1",
    }
    address = os.environ.get("RAY_ADDRESS")
    try:
        ray.init(log_to_driver=False, configure_logging=False, **({} if address else own))
    except Exception as error:
        raise EvoError(
            f"No Ray cluster can be {'reached' if address else 'begun'} ({first_line(error)}); try "
            "again, or another `engine`."
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def remote(ray: Any, actor: type[Any], *, gpu: bool) -> Any:
    """What makes actors of a class: each has a GPU or a CPU, and is started again when it dies."""
    return ray.remote(
        max_restarts=RESTARTS,
        max_task_retries=TASK_RETRIES,
        concurrency_groups={_ASKING: 1},
        **({"num_gpus": 1} if gpu else {"num_cpus": 1}),
    )(actor)


def _grouped(ray: Any) -> type[Holder]:
    """Holder whose questions are answered while it carries out a job."""

    class Actor(Holder):
        @ray.method(concurrency_group=_ASKING)
        def scored(self) -> tuple[int, int]:
            return super().scored()

        @ray.method(concurrency_group=_ASKING)
        def dismiss(self) -> None:
            super().dismiss()

    return Actor
