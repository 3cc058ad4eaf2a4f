"""BERT's encoder (Devlin et al., 2019), with the names of transformers' ``BertModel``.

transformers' own takes seconds to import and gives the same numbers.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention


class Bert(nn.Module):
    """Token ids and mask (n, length) → states (n, length, width).

    ``config`` is transformers' config.json of a BERT with absolute positions and GELU.
    """

    def __init__(self, config: Mapping[str, Any]):
        super().__init__()
        width, epsilon = config["hidden_size"], config["layer_norm_eps"]
        self.embeddings = nn.ModuleDict(
            {
                "word_embeddings": _embedding(config["vocab_size"], width),
                "position_embeddings": _embedding(config["max_position_embeddings"], width),
                "token_type_embeddings": _embedding(config["type_vocab_size"], width),
                "LayerNorm": nn.LayerNorm(width, epsilon),
            }
        )
        layers = (
            Layer(width, config["num_attention_heads"], config["intermediate_size"], epsilon)
            for _ in range(config["num_hidden_layers"])
        )
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList(layers)})

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """``mask`` is 1 for words and 0 for padding."""
        places = torch.arange(tokens.shape[1], device=tokens.device)[None]
        parts = self.embeddings
        x = parts["word_embeddings"](tokens)
        x = x + parts["token_type_embeddings"](torch.zeros_like(tokens))
        x = parts["LayerNorm"](x + parts["position_embeddings"](places))
        seen = None
        if not mask.all():  # (n, 1, length, length): what each word sees
            seen = (mask != 0)[:, None, None].expand(-1, -1, tokens.shape[1], -1)
        layers: Any = self.encoder["layer"]
        for layer in layers:
            x = layer(x, seen)
        states: Tensor = x
        return states


class Layer(nn.Module):
    """Attention and a feed-forward network, each added to its input and then normalised."""

    def __init__(self, width: int, heads: int, inner: int, epsilon: float):
        super().__init__()
        self.heads = heads
        own = {name: nn.Linear(width, width) for name in ("query", "key", "value")}
        self.attention = nn.ModuleDict(
            {"self": nn.ModuleDict(own), "output": _output(width, width, epsilon)}
        )
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, inner)})
        self.output = _output(inner, width, epsilon)

    def forward(self, x: Tensor, seen: Tensor | None) -> Tensor:
        own: Any = self.attention["self"]
        query, key, value = [  # each (n, heads, length, width / heads)
            own[name](x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for name in ("query", "key", "value")
        ]
        mixed = scaled_dot_product_attention(query, key, value, seen).transpose(1, 2).flatten(2)
        x = _added(self.attention["output"], mixed, x)
        return _added(self.output, gelu(self.intermediate["dense"](x)), x)


def _embedding(count: int, width: int) -> nn.Embedding:
    # not initialised: for tensors without memory torch would import its compiler to do so
    return nn.Embedding.from_pretrained(torch.empty(count, width), freeze=False)


def _output(inputs: int, width: int, epsilon: float) -> nn.ModuleDict:
    return nn.ModuleDict(
        {"dense": nn.Linear(inputs, width), "LayerNorm": nn.LayerNorm(width, epsilon)}
    )


def _added(output: Any, x: Tensor, before: Tensor) -> Tensor:
    total: Tensor = output["LayerNorm"](output["dense"](x) + before)
    return total
