"""Sentences by all-MiniLM-L6-v2 as it came: the mean of its last states."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from evo_t2i.models.minilm import load_encoder, tokenizer_of

_AT_ONCE = 64


class SentenceEncoder:
    """Texts → (n, 384) on the CPU, not of unit length. ``folder`` is the verified one."""

    def __init__(self, folder: Path) -> None:
        self._model = load_encoder(folder)
        self._tokenizer = tokenizer_of(folder)

    @torch.no_grad()
    def __call__(self, texts: Sequence[str]) -> Tensor:
        parts = [texts[start : start + _AT_ONCE] for start in range(0, len(texts), _AT_ONCE)]
        return torch.cat([self._pooled(part) for part in parts])

    def _pooled(self, texts: Sequence[str]) -> Tensor:
        given = self._tokenizer(list(texts), return_tensors="pt", padding=True, truncation=True)
        states: Tensor = self._model(**given).last_hidden_state  # (n, length, 384)
        mask = given.attention_mask[..., None]
        pooled: Tensor = (states * mask).sum(dim=1) / mask.sum(dim=1)
        return pooled
