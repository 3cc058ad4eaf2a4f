"""Work in pieces that fit the device's memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

from evo_t2i.errors import DeviceMemoryError
from evo_t2i.models.device import out_of_memory

CPU_MICRO_BATCH = 25
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
    """Rows in pieces of ``size``, which is halved whenever the device runs out of memory."""

    def __init__(self, size: int, device: torch.device) -> None:
        self.size = size
        """Rows at once, in force now."""
        self.device = device

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
            rows = slice(done, min(done + self.size, count))
            part = _unless_out_of_memory(compute, rows)
            if part is None:
                self._halve()
                continue
            parts.append(part)
            done = rows.stop
            if progress is not None:
                progress(done)
        return np.concatenate(parts)

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """``size`` is afterwards what it was before, whatever runs out of memory within."""
        kept = self.size
        try:
            yield
        finally:
            self.size = kept

    def _halve(self) -> None:
        if self.size == 1:
            raise DeviceMemoryError(
                f"Not even one image fits the memory of {self.device}; close other programs that "
                "use it, or pass `device` cpu."
            )
        self.size //= 2
        if self.device.type == "cuda":
            torch.cuda.empty_cache()


def _unless_out_of_memory(compute: Callable[[slice], np.ndarray], rows: slice) -> np.ndarray | None:
    # returns from the except block, so the exception no longer holds the failed pass's tensors
    try:
        with torch.inference_mode():
            return compute(rows)
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
    return None
