"""What a caption means, read from the states of a frozen sentence encoder word by word.

A mean over a sentence's words says which there are, and little of which belongs to which: "a red
cup to the left of a blue ball". A small transformer over the words' states keeps that.
"""

from typing import Any

import torch
from torch import Tensor, nn


class WordReader(nn.Module):
    """States of words (n, length, inputs) → meanings (n, outputs), normalised by layer.

    Takes the place of a pooler in open_clip's text tower.
    """

    def __init__(
        self,
        inputs: int = 384,
        width: int = 256,
        layers: int = 2,
        heads: int = 8,
        queries: int = 4,
        outputs: int = 512,
    ):
        super().__init__()
        self.outputs = outputs
        self.arguments = {
            "inputs": inputs,
            "width": width,
            "layers": layers,
            "heads": heads,
            "queries": queries,
            "outputs": outputs,
        }
        self.embed = nn.Sequential(nn.LayerNorm(inputs), nn.Linear(inputs, width))
        self.queries = nn.Parameter(torch.randn(1, queries, width) * 0.5)
        layer = nn.TransformerEncoderLayer(
            width, heads, 3 * width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.transformer = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.out = nn.Sequential(
            nn.Linear(queries * width + inputs, outputs), nn.LayerNorm(outputs)
        )

    def forward(self, states: Any, mask: Tensor) -> Tensor:
        """``states`` as an encoder's output or its tensor; ``mask`` (n, length), 1 for words."""
        words = states if isinstance(states, Tensor) else states.last_hidden_state
        mean = (words * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        queries = self.queries.expand(len(words), -1, -1)
        x = torch.cat([queries, self.embed(words)], dim=1)
        shown = torch.cat([mask.new_ones(len(words), queries.shape[1]), mask], dim=1)
        x = self.transformer(x, src_key_padding_mask=shown == 0)
        read = x[:, : queries.shape[1]].flatten(1)
        meaning: Tensor = self.out(torch.cat([read, mean.to(read.dtype)], dim=1))
        return meaning
