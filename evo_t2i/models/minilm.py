"""all-MiniLM-L6-v2 as it came (Reimers and Gurevych, 2019): its encoder and its tokenizer."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoTokenizer

MAX_TOKENS = 77


def load_encoder(folder: Path) -> nn.Module:
    """Ids and mask (n, length) → states (n, length, 384); in eval mode, without gradients.

    ``folder`` is the verified one; nothing else is read.
    """
    config = AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    encoder: nn.Module = AutoModel.from_config(config, add_pooling_layer=False)
    load_tensors(encoder, folder)
    return encoder.eval()


def load_tensors(encoder: nn.Module, folder: Path) -> None:
    """Give ``encoder`` the tensors in ``folder``, and no gradients."""
    stored = load_file(folder / "model.safetensors")
    encoder.load_state_dict({name: stored[name] for name in encoder.state_dict()})
    encoder.requires_grad_(False)


def tokenizer_of(folder: Path) -> Any:
    """The transformers tokenizer in ``folder``."""
    return AutoTokenizer.from_pretrained(
        str(folder), local_files_only=True, trust_remote_code=False
    )


def load_tokenizer(folder: Path) -> Callable[[Sequence[str]], Tensor]:
    """Texts → token ids (n, length) int64, padded to the longest, at most 77 tokens each."""
    tokenizer = tokenizer_of(folder)

    def tokenize(texts: Sequence[str]) -> Tensor:
        encoded = tokenizer(
            list(texts), return_tensors="pt", padding=True, truncation=True, max_length=MAX_TOKENS
        )
        ids: Tensor = encoded.input_ids
        return ids

    return tokenize
