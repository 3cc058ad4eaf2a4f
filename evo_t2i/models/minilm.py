"""all-MiniLM-L6-v2 as it came (Reimers and Gurevych, 2019): its encoder and its tokenizer."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from evo_t2i.models.bert import Bert

MAX_TOKENS = 77
PADDING = 0
"""The id that fills short texts up."""


def load_encoder(folder: Path) -> Bert:
    """Ids and mask (n, length) → states (n, length, 384); in eval mode, without gradients.

    ``folder`` is the verified one; nothing else is read.
    """
    with torch.device("meta"):
        encoder = Bert(json.loads((folder / "config.json").read_text("utf-8")))
    load_tensors(encoder, folder)
    return encoder.eval()


def load_tensors(encoder: nn.Module, folder: Path) -> None:
    """Give ``encoder`` the tensors in ``folder``, and no gradients."""
    stored = _stored(folder)
    wanted = {name: stored[name] for name in encoder.state_dict()}
    encoder.load_state_dict(wanted, assign=True)
    encoder.requires_grad_(False)


@cache
def _stored(folder: Path) -> dict[str, Tensor]:
    """The tensors, read once: nobody changes them, so that all encoders share their memory."""
    return load_file(folder / "model.safetensors")


def load_tokenizer(folder: Path, max_tokens: int = MAX_TOKENS) -> Callable[[Sequence[str]], Tensor]:
    """Texts → token ids (n, length) int64, padded to the longest, at most ``max_tokens`` each."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(max_tokens)
    tokenizer.enable_padding(pad_id=PADDING)

    def tokenize(texts: Sequence[str]) -> Tensor:
        return torch.tensor([text.ids for text in tokenizer.encode_batch(list(texts))])

    return tokenize
