"""The plain engine: one job after the other, in this process."""

from collections.abc import Callable
from pathlib import Path

from evo_t2i.batch.jobs import Job
from evo_t2i.batch.ledger import Ledger
from evo_t2i.batch.worker import Worker


def carry_out(ledger: Ledger, folder_of: Callable[[Job], Path]) -> None:
    """Carry out all jobs of ``ledger``."""
    worker = Worker()
    ledger.begun(1)
    while (job := ledger.take()) is not None:
        taken = job

        def scored(evaluations: int, job: Job = taken) -> None:
            ledger.scored(job, evaluations)

        ledger.settle(job, worker.carry_out(job, folder_of(job), scored))
