"""The built-in text side: the frozen sentence encoder and the trained reader of its words."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from evo_t2i.caption import of_like_length
from evo_t2i.models.minilm import PADDING, load_encoder, load_tokenizer
from evo_t2i.models.word_reader import ClaimReader, WordReader


class TextSide(nn.Module):
    """Token ids (n, length), padded with 0 → what the captions mean, (n, outputs of the reader).

    ``reader`` is trained, ``encoder`` all-MiniLM-L6-v2 (Reimers and Gurevych, 2019) as it came.
    """

    def __init__(self, encoder: nn.Module, reader: WordReader):
        super().__init__()
        self.encoder = encoder
        self.reader = reader

    def forward(self, tokens: Tensor) -> Tensor:
        mask = (tokens != PADDING).long()
        states = self.encoder(tokens, mask)
        meaning: Tensor = self.reader(states, mask)
        return meaning


def build(reader: Mapping[str, Any], minilm: Path) -> TextSide:
    """A text side with a random reader of these arguments and the sentence encoder in ``minilm``.

    In eval mode; the sentence encoder takes no gradient. Reads local files only.
    """
    kind = ClaimReader if "names" in reader else WordReader
    return TextSide(load_encoder(minilm), kind(**reader)).eval()


def load(config: Mapping[str, Any], tensors: Mapping[str, Tensor], minilm: Path) -> TextSide:
    """``build`` with the trained reader."""
    side = build(config["reader"], minilm)
    side.reader.load_state_dict(dict(tensors))
    return side


@torch.inference_mode()
def meanings(side: TextSide, texts: Sequence[str], minilm: Path) -> Tensor:
    """(texts, outputs) float32 of many texts, by length and in bfloat16, where ``side`` is."""
    device = side.reader.queries.device
    tokenize = load_tokenizer(minilm)
    result = torch.zeros(len(texts), side.reader.outputs)
    for rows in of_like_length(texts, 256):
        with torch.autocast(device.type, torch.bfloat16):
            result[rows] = side(tokenize([texts[i] for i in rows]).to(device)).float().cpu()
    return result
