"""What each worker of a machine computes on."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from evo_t2i.errors import UsageError

VISIBLE = "CUDA_VISIBLE_DEVICES"
THREADS = "OMP_NUM_THREADS"


@dataclass(frozen=True)
class Share:
    """One worker's part of the machine."""

    device: str | None
    """For CUDA_VISIBLE_DEVICES; None leaves it as it is."""
    threads: int | None
    """Of torch; None leaves them as they are."""


def shares(workers: int, environment: Mapping[str, str]) -> list[Share]:
    """A share for each of ``workers``; 0 is one a device, and one where there is no GPU.

    Under torchrun, which starts a process a device, all of them share the device of LOCAL_RANK.
    Workers without a GPU divide the cores, unless OMP_NUM_THREADS says how many threads each has.
    """
    if workers < 0:
        raise UsageError(f"`workers` is {workers}; give 1 or more, or 0 for one a device.")
    devices = _devices(environment)
    if devices and environment.get("LOCAL_RANK", "").isdecimal():
        devices = [devices[int(environment["LOCAL_RANK"]) % len(devices)]]
    count = workers or len(devices) or 1
    if devices:
        return [Share(devices[number % len(devices)], None) for number in range(count)]
    threads = max(1, len(os.sched_getaffinity(0)) // count)
    return [Share(None, None if THREADS in environment else threads)] * count


def _devices(environment: Mapping[str, str]) -> list[str]:
    if VISIBLE in environment:
        return [name.strip() for name in environment[VISIBLE].split(",") if name.strip()]
    import torch

    return [str(number) for number in range(torch.cuda.device_count())]
