"""One training in several processes, one for each GPU, through Hugging Face accelerate."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from evo_t2i.errors import UsageError


class Processes:
    """This process alone: what it is asked to share is its own already."""

    rank = 0
    count = 1

    @property
    def main(self) -> bool:
        """Whether this is the one that reports and saves."""
        return self.rank == 0

    def mean(self, tensors: Sequence[Tensor]) -> None:
        """Replace each by its mean over all processes."""

    @contextmanager
    def main_first(self) -> Iterator[None]:
        """The others begin when the main one is done, and find what it wrote."""
        yield

    def wait(self) -> None:
        """For all to come here."""


class AcceleratedProcesses(Processes):
    """Those that ``accelerate launch`` or ``torchrun`` started, joined by accelerate.

    Raises UsageError without accelerate.
    """

    def __init__(self, *, cpu: bool = False) -> None:
        try:
            from accelerate import Accelerator
        except ImportError as error:
            raise UsageError(
                "Several processes need accelerate; run `pip install 'evo-t2i[accelerate]'`."
            ) from error
        self._accelerator: Any = Accelerator(cpu=cpu)
        self.rank = self._accelerator.process_index
        self.count = self._accelerator.num_processes
        self.device: torch.device = self._accelerator.device

    def mean(self, tensors: Sequence[Tensor]) -> None:
        """In one exchange for all."""
        if self.count == 1 or not tensors:
            return
        flat = torch.cat([tensor.detach().flatten().to(self.device) for tensor in tensors])
        shared = self._accelerator.reduce(flat, reduction="mean")
        with torch.no_grad():
            for tensor, part in zip(
                tensors, shared.split([tensor.numel() for tensor in tensors]), strict=True
            ):
                tensor.copy_(part.view_as(tensor))

    @contextmanager
    def main_first(self) -> Iterator[None]:
        with self._accelerator.main_process_first():
            yield

    def wait(self) -> None:
        self._accelerator.wait_for_everyone()


ALONE = Processes()
