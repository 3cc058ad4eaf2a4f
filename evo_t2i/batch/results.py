"""What came of each job, read back from its run directory."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from evo_t2i.batch.jobs import Job
from evo_t2i.batch.place import Place
from evo_t2i.errors import EvoError, RunDataError, UsageError
from evo_t2i.picking.taste import Taste
from evo_t2i.present import missing
from evo_t2i.run import Run
from evo_t2i.runs.directory import Front, RunDirectory

NEW, BEGUN, FINISHED, FAILED, DAMAGED = "new", "begun", "finished", "failed", "damaged"


@dataclass(frozen=True, eq=False)
class Chosen:
    """A finished front with the pictures that were picked from it."""

    front: Front
    z: np.ndarray
    """(n, m): scores in robust standard deviations of generation 0."""
    value: np.ndarray
    """(n,): what the pick ordered by."""
    picked: tuple[int, ...]
    """Rows of the front, best first."""
    facts: dict[str, Any] = field(default_factory=dict)
    """The run's run.json."""


@dataclass(frozen=True, eq=False)
class JobResult:
    """A job and its state: NEW, BEGUN, FINISHED, FAILED or DAMAGED; ``chosen`` when finished."""

    job: Job
    state: str
    chosen: Chosen | None = None


def standing(job: Job, place: Place) -> str:
    """NEW, BEGUN or FINISHED, by the run's commit marker and by its figures.

    Raises UsageError when the run in the job's folder was begun with another configuration.
    """
    folder = place.run_of(job)
    if not (folder / "config.json").exists():
        return NEW
    try:
        run = RunDirectory.open(folder)
    except EvoError:
        return BEGUN  # going on with it tells what is wrong
    if run.config != job.config:
        differing = next(
            name for name in vars(job.config) if getattr(run.config, name) != vars(job.config)[name]
        )
        was, now = getattr(run.config, differing), getattr(job.config, differing)
        raise UsageError(
            f"{folder} was begun with `{differing}` {was!r}, and it is {now!r} now; put it back, "
            "choose another `out`, or give that caption another id."
        )
    return FINISHED if run.finished and not missing(run) else BEGUN


def read_results(
    jobs: Iterable[Job], place: Place, given_up: Collection[str], top_k: int | None
) -> Iterator[JobResult]:
    """The result of every job, in their order; ``given_up`` are the ids of failed ones.

    ``top_k`` picks so many pictures of each front, as `pick --count` does; None takes what lies in
    the run's own pick.
    """
    for job in jobs:
        folder = place.run_of(job)
        if not (folder / "config.json").exists():
            yield JobResult(job, FAILED if job.id in given_up else NEW)
            continue
        try:
            if RunDirectory.open(folder).finished:
                yield JobResult(job, FINISHED, _chosen(Run(folder), top_k))
            else:
                yield JobResult(job, FAILED if job.id in given_up else BEGUN)
        except RunDataError:
            yield JobResult(job, FAILED if job.id in given_up else DAMAGED)


def _chosen(run: Run, top_k: int | None) -> Chosen:
    front = run.arrays
    picked = run.picked() if top_k is None else run.rank(Taste(count=min(top_k, len(front))))
    return Chosen(front, picked.z, picked.value, tuple(picked.chosen), run.facts)
