"""Which part of a batch this process has, among several that know nothing of one another."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evo_t2i.batch.jobs import Job
from evo_t2i.errors import UsageError

AUTO = "auto"


@dataclass(frozen=True)
class Shard:
    """One of ``count`` parts; ``number`` from 1."""

    number: int = 1
    count: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def of(self, jobs: Sequence[Job]) -> list[Job]:
        """The jobs of this part: every ``count``-th, so that all parts are alike."""
        return list(jobs[self.number - 1 :: self.count])


WHOLE = Shard()


def read_shard(text: str, environment: Mapping[str, str]) -> Shard:
    """``2/8`` → the second of eight; ``auto`` asks torchrun, Slurm or Cloud Run.

    torchrun says RANK of WORLD_SIZE; Slurm SLURM_PROCID of SLURM_NTASKS within a task of an array;
    Cloud Run CLOUD_RUN_TASK_INDEX of CLOUD_RUN_TASK_COUNT. Raises UsageError.
    """
    if text == AUTO:
        return _from_environment(environment)
    match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise UsageError(f"`shard` is {text!r}; give i/n, for example 1/4, or auto.")
    return Shard(int(match[1]), int(match[2]))


def _from_environment(environment: Mapping[str, str]) -> Shard:
    def numbers(*names: str) -> tuple[int, ...] | None:
        texts = [environment.get(name, "") for name in names]
        return tuple(map(int, texts)) if all(text.isdecimal() for text in texts) else None

    if found := numbers("RANK", "WORLD_SIZE"):
        return _checked(found[0], found[1], "RANK and WORLD_SIZE")
    if found := numbers("CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT"):
        return _checked(found[0], found[1], "CLOUD_RUN_TASK_INDEX and CLOUD_RUN_TASK_COUNT")
    array = numbers("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_COUNT")
    task = numbers("SLURM_PROCID", "SLURM_NTASKS")
    if array is None and task is None:
        raise UsageError(
            "`shard` is auto, and neither torchrun nor Slurm nor Cloud Run says which part this "
            "process has; give i/n, for example 1/4."
        )
    step = numbers("SLURM_ARRAY_TASK_STEP") or (1,)
    place, count = (0, 1) if array is None else ((array[0] - array[1]) // step[0], array[2])
    rank, ranks = task or (0, 1)
    return _checked(place * ranks + rank, count * ranks, "SLURM_…")


def _checked(index: int, count: int, source: str) -> Shard:
    if not 0 <= index < count:
        raise UsageError(
            f"{source} say that this is part {index} of {count}; correct them, or give i/n."
        )
    return Shard(index + 1, count)
