"""Sentences by all-MiniLM-L6-v2 as it came: the mean of its last states."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from evo_t2i.models.minilm import PADDING, load_encoder, load_tokenizer

_AT_ONCE = 64
_MAX_TOKENS = 512


class SentenceEncoder:
    """Texts → (n, 384) on the CPU, not of unit length. ``folder`` is the verified one."""

    def __init__(self, folder: Path) -> None:
        self._model = load_encoder(folder)
        self.tokenize = load_tokenizer(folder, _MAX_TOKENS)
        """Texts → ids (n, length), as it reads them."""

    @torch.no_grad()
    def __call__(self, texts: Sequence[str]) -> Tensor:
        parts = [texts[start : start + _AT_ONCE] for start in range(0, len(texts), _AT_ONCE)]
        return torch.cat([self._pooled(part) for part in parts])

    def _pooled(self, texts: Sequence[str]) -> Tensor:
        tokens = self.tokenize(texts)
        mask = (tokens != PADDING).long()
        states = self._model(tokens, mask)  # (n, length, 384)
        pooled: Tensor = (states * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return pooled
