"""Where the models run."""

import torch

from evo_t2i.errors import UsageError, first_line

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


def choose_device(name: str) -> torch.device:
    """``auto`` takes a CUDA GPU, else Apple's MPS, else the CPU; other names are torch's own.

    Raises UsageError for a device that torch does not know, cannot use here, or cannot compute on.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.ones(1, device=device).item()
    except Exception as error:  # each kind of device has its own way to say that it is not there
        raise UsageError(
            f"`device` is {name!r}, which cannot be used here ({first_line(error)}); use auto or "
            "cpu."
        ) from error
    return device


def out_of_memory(error: BaseException) -> bool:
    """Whether an exception of torch says that the device has no memory left."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    message = str(error).lower()
    return isinstance(error, RuntimeError) and any(form in message for form in _OUT_OF_MEMORY)
