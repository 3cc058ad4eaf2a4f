"""Which jobs are left, who has which, and what became of the others."""

from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from evo_t2i import errors
from evo_t2i.batch.jobs import Job
from evo_t2i.errors import EvoError

TRIES = 3
"""A job that failed so often has failed."""


@dataclass(frozen=True)
class Outcome:
    """How one try of a job ended; small and plain, as it travels between processes."""

    state: Literal["done", "failed", "unloadable", "full"]
    """``unloadable``: its models cannot be loaded. ``full``: no space is left."""
    error: str = ""
    """The exception's class."""
    reason: str = ""
    loads: int = 0
    """How often the worker has loaded models so far."""
    memory: int = 0
    """The worker's peak, in bytes."""


@dataclass(frozen=True)
class Failure:
    """A job that was given up."""

    job: Job
    tries: int
    error: str
    reason: str


@dataclass(frozen=True)
class BatchEvent:
    """How far a batch is, for progress displays."""

    captions: int
    """Of this part of the batch."""
    finished: int
    failed: int
    images: int
    """Scored since the batch was begun or gone on with now."""
    images_left: int
    workers: int
    note: str = ""
    """What happened just now, when a person should read it."""


Tell = Callable[[BatchEvent], None]


class Ledger:
    """The jobs of a part of a batch. ``models`` gives what decides the networks of a job.

    ``begun`` are the indices of jobs that an earlier session has begun. ``tell`` hears of every
    change.
    """

    def __init__(
        self,
        jobs: Iterable[Job],
        finished: int,
        models: Callable[[Job], str],
        begun: Collection[int] = (),
    ) -> None:
        self.tell: Tell | None = None
        self.failures: list[Failure] = []
        self.finished = finished
        self.loads = 0
        self.memory = 0
        self._models = models
        self._begun = set(begun)
        self._waiting: dict[str, deque[Job]] = {}
        self._tries: dict[int, int] = {}
        self._taken: dict[int, Job] = {}
        self._scored: dict[int, int] = {}
        self._images = 0
        self._images_left = 0
        self._workers = 0
        for job in jobs:
            self._waiting.setdefault(models(job), deque()).append(job)
            self._images_left += job.config.evaluations
        self._captions = finished + sum(map(len, self._waiting.values()))
        self._one_set_of_models = len(self._waiting) == 1

    @property
    def left(self) -> int:
        """Jobs that are neither finished nor given up."""
        return self._captions - self.finished - len(self.failures)

    def begun(self, workers: int) -> None:
        """So many workers take jobs from now on."""
        self._workers = workers
        self._say()

    def take(self, held: str | None = None) -> Job | None:
        """The next job, of the models that the worker holds if there is one left; None for none."""
        waiting = {key: jobs for key, jobs in self._waiting.items() if jobs}
        if not waiting:
            return None
        key = held if held in waiting else max(waiting, key=lambda key: len(waiting[key]))
        job = waiting[key].popleft()
        self._taken[job.index] = job
        return job

    def scored(self, job: Job, evaluations: int) -> None:
        """``job`` has come to so many images, those of earlier sessions included."""
        before = self._scored.get(job.index, 0)
        if evaluations > before:
            resumed = before == 0 and job.index in self._begun
            self._images += 0 if resumed else evaluations - before
            self._images_left -= evaluations - before
            self._scored[job.index] = evaluations
        self._say()

    def settle(self, job: Job, outcome: Outcome) -> None:
        """Take note of how a try ended; raises the error that ends the whole batch."""
        del self._taken[job.index]
        self.loads = max(self.loads, outcome.loads)
        self.memory = max(self.memory, outcome.memory)
        if outcome.state == "full":
            raise errors.DiskFullError(outcome.reason)
        if outcome.state == "done":
            self.scored(job, job.config.evaluations)
            self.finished += 1
            self._say()
        elif outcome.state == "unloadable":
            self._cannot_load(job, outcome)
        else:
            self._try_again(job, outcome)

    def _cannot_load(self, job: Job, outcome: Outcome) -> None:
        if self._one_set_of_models:
            raise error_of(outcome)
        waiting = self._waiting[self._models(job)]
        alike = [job, *waiting]
        waiting.clear()
        for each in alike:
            self._give_up(Failure(each, 1, outcome.error, outcome.reason))

    def _try_again(self, job: Job, outcome: Outcome) -> None:
        tries = self._tries[job.index] = self._tries.get(job.index, 0) + 1
        if tries < TRIES:
            self._waiting[self._models(job)].append(job)
            self._say(f"{job.id}: {outcome.reason} Trying again ({tries + 1} of {TRIES}).")
        else:
            self._give_up(Failure(job, tries, outcome.error, outcome.reason))

    def _give_up(self, failure: Failure) -> None:
        self._images_left -= failure.job.config.evaluations
        self._images_left += self._scored.get(failure.job.index, 0)
        self.failures.append(failure)
        self.failures.sort(key=lambda each: each.job.index)
        self._say(f"{failure.job.id} failed: {failure.reason}")

    def _say(self, note: str = "") -> None:
        if self.tell is not None:
            event = BatchEvent(
                captions=self._captions,
                finished=self.finished,
                failed=len(self.failures),
                images=self._images,
                images_left=self._images_left,
                workers=self._workers,
            )
            self.tell(replace(event, note=note))


def error_of(outcome: Outcome) -> EvoError:
    """The exception that ``outcome`` tells of, as one of the family of errors."""
    kind = getattr(errors, outcome.error, EvoError)
    known = isinstance(kind, type) and issubclass(kind, EvoError)
    error: EvoError = (kind if known else EvoError)(outcome.reason)
    return error
