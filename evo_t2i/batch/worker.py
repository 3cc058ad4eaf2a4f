"""What carries out jobs one after the other and keeps the models between them."""

import dataclasses
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

from evo_t2i.batch.jobs import Job
from evo_t2i.batch.ledger import Outcome
from evo_t2i.errors import DiskFullError, EvoError, RunLockedError, first_line
from evo_t2i.evaluate.models import Models, load, networks_of
from evo_t2i.events import Event
from evo_t2i.sampler import resume, sample

LOCKED_SECONDS = 10.0
"""How long a run that another process works on is waited for: one that is being stopped."""
_POLL_SECONDS = 0.2

Scored = Callable[[int], None]
"""Hears to how many images a job has come; what it raises ends the try."""


class Worker:
    """Models are loaded when a job needs others than the last one did."""

    def __init__(self) -> None:
        self._models: Models | None = None
        self._loads = 0

    def carry_out(self, job: Job, folder: Path, scored: Scored) -> Outcome:
        """Begin the job's run in ``folder`` or go on with it; an Exception is an outcome, too."""
        try:
            models = self._loaded(job)
        except EvoError as error:
            return self._ended(error, "unloadable")
        except Exception as error:
            return self._ended(error)
        try:
            _evolve(job, folder, models, scored)
        except DiskFullError as error:
            return self._ended(error, "full")
        except Exception as error:
            return self._ended(error)
        return self._outcome(Outcome("done"))

    def _loaded(self, job: Job) -> Models:
        if self._models is None or self._models.networks != networks_of(job.config):
            self._models = None  # the old ones make room before the new ones come
            self._models = load(job.config)
            self._loads += 1
        return self._models

    def _ended(self, error: Exception, state: str = "failed") -> Outcome:
        name = type(error).__name__
        said = str(error) if isinstance(error, EvoError) else f"{name}: {first_line(error)}."
        return self._outcome(Outcome(state, name, said))  # type: ignore[arg-type]

    def _outcome(self, outcome: Outcome) -> Outcome:
        return dataclasses.replace(outcome, loads=self._loads, memory=_peak_memory())


def _evolve(job: Job, folder: Path, models: Models, scored: Scored) -> None:
    def progress(event: Event) -> None:
        scored(event.evaluations)

    deadline = time.monotonic() + LOCKED_SECONDS
    while True:
        try:
            if (folder / "config.json").exists():
                resume(folder, progress=progress, models=models)
            else:
                every = {
                    field.name: getattr(job.config, field.name)
                    for field in dataclasses.fields(job.config)
                }
                sample(out=folder, progress=progress, models=models, **every)
            return
        except RunLockedError:
            if time.monotonic() > deadline:
                raise
        time.sleep(_POLL_SECONDS)
        scored(0)


def _peak_memory() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
