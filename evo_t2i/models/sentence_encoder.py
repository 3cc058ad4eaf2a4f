"""all-MiniLM-L6-v2 as it came: the mean of its last states (Reimers and Gurevych, 2019)."""

from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import AutoConfig, AutoModel, AutoTokenizer

_AT_ONCE = 64


class SentenceEncoder:
    """Texts → (n, 384) on the CPU, not of unit length. ``folder`` is the verified one."""

    def __init__(self, folder: Path) -> None:
        config = AutoConfig.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False
        )
        self._model = AutoModel.from_config(config, add_pooling_layer=False).eval()
        stored = load_file(folder / "model.safetensors")
        self._model.load_state_dict({name: stored[name] for name in self._model.state_dict()})
        self._tokenizer = AutoTokenizer.from_pretrained(
            str(folder), local_files_only=True, trust_remote_code=False
        )

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
