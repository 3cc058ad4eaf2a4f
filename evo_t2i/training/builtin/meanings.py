"""What a trained reader makes of many texts, read once and kept beside them."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from evo_t2i.models.word_reader import WordReader


def kept_meanings(folder: Path, reader: WordReader, read: Callable[[], Tensor]) -> Tensor:
    """(texts, outputs) float16 on the CPU: what is kept in ``folder`` of this reader, or ``read``.

    A reader is known by the digest of its weights.
    """
    tensors = {name: tensor.contiguous() for name, tensor in reader.state_dict().items()}
    digest = hashlib.sha256(safetensors.torch.save(tensors)).hexdigest()[:12]
    cache = folder / f"meanings-{digest}.npy"
    if not cache.exists():
        partial = cache.with_suffix(".partial.npy")
        np.save(partial, read().cpu().numpy().astype(np.float16))
        partial.rename(cache)
    return torch.from_numpy(np.load(cache))
