"""Where the models run."""

import torch

from evo_t2i.errors import UsageError


def choose_device(name: str) -> torch.device:
    """``auto`` takes a CUDA GPU, else Apple's MPS, else the CPU; other names are torch's own.

    Raises UsageError for a device that torch does not know or cannot use here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(
            f"--device {name} cannot be used here ({str(error).splitlines()[0]}); use auto or cpu."
        ) from error
    return device
