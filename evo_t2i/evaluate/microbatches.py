"""Work in pieces that fit the device's memory."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import torch

from evo_t2i.errors import DeviceMemoryError
from evo_t2i.models.device import out_of_memory

CPU_MICRO_BATCH = 25
AT_ONCE = 2
"""Micro-batches that a CPU computes at once where it may: each takes memory."""
MAX_MICRO_BATCH = 256
_BYTES_PER_PIXEL = 16_000


def choose_micro_batch(device: torch.device, image_size: tuple[int, int]) -> int:
    """Images that a pass takes at once: 25 on a CPU; on a GPU as many as its memory allows.

    The size of a batch decides the last bits of its scores, so the choice depends on the device
    and not on what else runs there; see ``fitting_micro_batch``.
    """
    if device.type != "cuda":
        return CPU_MICRO_BATCH
    return fitting_micro_batch(torch.cuda.get_device_properties(device).total_memory, image_size)


def fitting_micro_batch(memory: int, image_size: tuple[int, int]) -> int:
    """The largest power of two, up to 256, of images that take at most half of ``memory`` bytes."""
    height, width = image_size
    images = memory // 2 // (height * width * _BYTES_PER_PIXEL)
    return 1 << max(0, min(MAX_MICRO_BATCH, images).bit_length() - 1)


class MicroBatches:
    """Rows in pieces of ``size``, which is halved whenever the device runs out of memory.

    With ``threaded`` two pieces are computed at once on a CPU, each by a thread with half of
    torch's own: small networks keep two cores busier as two micro-batches than as one. What is
    computed has to bear that, see ``reentrant`` in ``Generator``.
    """

    def __init__(self, size: int, device: torch.device, *, threaded: bool = False) -> None:
        self.size = size
        """Rows of a piece, in force now."""
        self.device = device
        self._workers = AT_ONCE if threaded and device.type == "cpu" else 1

    def map(
        self,
        count: int,
        compute: Callable[[slice], np.ndarray],
        progress: Callable[[int], None] | None = None,
    ) -> np.ndarray:
        """``compute`` of the rows 0 to ``count``, piece by piece, joined; without gradients.

        ``progress`` hears how many rows are done after each piece. No rows are one empty piece.
        Raises DeviceMemoryError when not even one row fits.
        """
        parts: list[np.ndarray] = []
        done = 0
        while done < count or not parts:
            starts = range(done, max(count, done + 1), self.size)
            pieces = [slice(start, min(start + self.size, count)) for start in starts]
            with self._computing(compute, pieces) as results:
                for rows, part in zip(pieces, results, strict=False):
                    if part is None:
                        self._halve()
                        break
                    parts.append(part)
                    done = rows.stop
                    if progress is not None:
                        progress(done)
        return np.concatenate(parts)

    @contextmanager
    def _computing(
        self, compute: Callable[[slice], np.ndarray], pieces: Sequence[slice]
    ) -> Iterator[Iterator[np.ndarray | None]]:
        """``compute`` of each piece in their order, None of one for which memory ran out."""
        threads = torch.get_num_threads()
        workers = min(self._workers, threads, len(pieces))
        if workers == 1:
            yield (_unless_out_of_memory(compute, rows) for rows in pieces)
            return
        pool = ThreadPoolExecutor(workers, "micro-batch", _compute_with, (threads // workers,))
        try:
            yield pool.map(lambda rows: _unless_out_of_memory(compute, rows), pieces)
        finally:
            pool.shutdown(cancel_futures=True)
            torch.set_num_threads(threads)  # for threads that begin later

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """``size`` is afterwards what it was before, whatever runs out of memory within."""
        kept = self.size
        try:
            yield
        finally:
            self.size = kept

    def _halve(self) -> None:
        self._workers = 1
        if self.size == 1:
            raise DeviceMemoryError(
                f"Not even one image fits the memory of {self.device}; close other programs that "
                "use it, or pass `device` cpu."
            )
        self.size //= 2
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def _compute_with(threads: int) -> None:
    """Let torch use so many threads for what the calling thread computes."""
    torch.get_num_threads()  # a thread's first call would otherwise undo the next line
    torch.set_num_threads(threads)


def _unless_out_of_memory(compute: Callable[[slice], np.ndarray], rows: slice) -> np.ndarray | None:
    # returns from the except block, so the exception no longer holds the failed pass's tensors
    try:
        with torch.inference_mode():
            return compute(rows)
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
    return None
