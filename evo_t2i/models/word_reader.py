"""What a caption means, read from the states of a frozen sentence encoder word by word.

A mean over a sentence's words says which there are, and little of which belongs to which: "a red
cup to the left of a blue ball". A small transformer over the words' states keeps that.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

_RATE = 6.0
"""Of claims that a word is sure of: 1 - exp(-6) is nearly 1."""


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
        self.arguments: dict[str, Any] = {
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
        return self.read(states, mask)[0]

    def read(self, states: Any, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Meanings (n, outputs) and the words' own states (n, length, width)."""
        words = states if isinstance(states, Tensor) else states.last_hidden_state
        mean = (words * mask[..., None]).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        queries = self.queries.expand(len(words), -1, -1)
        x = torch.cat([queries, self.embed(words)], dim=1)
        shown = torch.cat([mask.new_ones(len(words), queries.shape[1]), mask], dim=1)
        x = self.transformer(x, src_key_padding_mask=shown == 0)
        read = x[:, : queries.shape[1]].flatten(1)
        meaning: Tensor = self.out(torch.cat([read, mean.to(read.dtype)], dim=1))
        return meaning, x[:, queries.shape[1] :]


class ClaimReader(WordReader):
    """States of words → meanings and claims (n, meaning + claims), claims in [0, 1].

    Each word says of each name whether it stands for it, and what is said of the thing: so the word
    "bus" keeps its colour to itself, where a few numbers for the whole caption exchange the colours
    of three things. Words make claims as if at random, at rates that add up: one is made unless no
    word made it. ``whole`` and ``traits`` are choices of the caption and of a thing, in the form of
    `Chosen`.
    """

    def __init__(
        self, *, names: int, whole: Sequence[Any], traits: Sequence[Any], **arguments: Any
    ):
        super().__init__(**arguments)
        width = self.arguments["width"]
        self.arguments |= {"names": names, "whole": whole, "traits": traits}
        self.names = names
        self.whole = Chosen([tuple(choice) for choice in whole])
        self.traits = Chosen([tuple(choice) for choice in traits])
        self.meaning = self.outputs
        self.claims = sum(self.whole.sizes) + names * sum(self.traits.sizes)
        self.outputs = self.meaning + self.claims
        self.of_whole = nn.Linear(self.meaning, sum(self.whole.sizes))
        self.stands_for = nn.Linear(width, names)
        self.said_of_it = nn.Linear(width, sum(self.traits.sizes))
        nn.init.constant_(self.stands_for.bias, -4.0)  # most words stand for nothing

    def forward(self, states: Any, mask: Tensor) -> Tensor:
        meaning, words = self.read(states, mask)
        names = self.stands_for(words).float().sigmoid() * mask[..., None]
        said = self.traits(self.said_of_it(words))
        found = -torch.expm1(-_RATE * names.transpose(1, 2) @ said)  # (n, names, traits)
        parts = [self.whole(self.of_whole(meaning))]
        for part, (_, options, _) in zip(
            found.split(self.traits.sizes, dim=2), self.traits.choices, strict=True
        ):
            parts.append((part.transpose(1, 2) if options == 1 else part).flatten(1))
        return torch.cat([meaning.float(), *parts], dim=1)


class Chosen(nn.Module):
    """Logits (..., all options) → how far each option is so, in [0, 1].

    ``choices`` are (number, options, nothing): so many choices of so many options, of which one
    means nothing and counts as 0; -1 where all mean something. With one option each is so or not,
    by itself.
    """

    def __init__(self, choices: Sequence[tuple[int, int, int]]):
        super().__init__()
        self.choices = tuple(choices)
        self.sizes = [number * options for number, options, _ in self.choices]

    def forward(self, logits: Tensor) -> Tensor:
        parts = []
        for part, (number, options, nothing) in zip(
            logits.float().split(self.sizes, dim=-1), self.choices, strict=True
        ):
            if options == 1:
                parts.append(part.sigmoid())
                continue
            chosen = part.unflatten(-1, (number, options)).softmax(-1)
            counted = torch.arange(options, device=chosen.device) != nothing
            parts.append((chosen * counted).flatten(-2))
        return torch.cat(parts, dim=-1)
