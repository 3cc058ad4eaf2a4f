"""The built-in CLIP: a vision transformer beside a text side.

The frozen sentence encoder under both is not stored with it.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from evo_t2i.errors import ModelError
from evo_t2i.models.text_side import TextSide
from evo_t2i.models.trained_parts import load_trained
from evo_t2i.models.vision_transformer import VisionTransformer
from evo_t2i.models.word_reader import Chosen, ClaimReader

FROZEN = "text.side.encoder."
"""How the names of the tensors begin that are stored elsewhere."""


class Things(nn.Module):
    """Patches' final states (n, r, width) → which things there are and what each is like.

    A patch says of each kind whether the middle of one is there, and what it is like that is there.
    Their products, summed over patches, keep together what belongs together (a tensor product:
    Smolensky, 1990). What is ``worn`` lies in the middle of who wears it, so it is described apart.
    """

    described: Tensor
    most = 3
    """Things of a kind that are counted."""

    def __init__(self, width: int, kinds: int, worn: Sequence[int], traits: Sequence[Any]):
        super().__init__()
        self.chosen = Chosen([tuple(trait) for trait in traits])
        self.traits = sum(self.chosen.sizes)
        self.here = nn.Linear(width, kinds)
        self.like = nn.Linear(width, 2 * self.traits)
        described = torch.zeros(kinds, dtype=torch.long)
        described[list(worn)] = 1
        self.register_buffer("described", described, persistent=False)
        nn.init.constant_(self.here.bias, -4.0)  # nearly all patches are no middle
        self.outputs = kinds * (self.most + self.traits)

    def read(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n, r, kinds) of a middle being there; (n, r, 2, traits) of others and of worn."""
        return self.here(patches).float(), self.like(patches).float().unflatten(-1, (2, -1))

    def forward(self, patches: Tensor) -> Tensor:
        """(n, outputs): of each kind whether there are 1, 2, 3, and then each trait, in [0, 1]."""
        here, like = self.read(patches)
        there = here.sigmoid()
        pairs = torch.einsum("nrk,nrgt->nkgt", there, self.chosen(like))
        own = pairs[:, torch.arange(len(self.described)), self.described]  # (n, kinds, traits)
        numbers = torch.arange(1, self.most + 1, device=patches.device)
        counted = torch.exp(-4 * (there.sum(1)[..., None] - numbers).square())
        return torch.cat([counted, own.clamp(max=1)], dim=2).flatten(1)


class ImageTower(VisionTransformer):
    """CLIP's image tower; to the class token's embedding it adds a direction for each of `Things`.

    A class token that looks at all patches at once comes to know which words a picture shows, and
    not what belongs to what (a "bag of words": Yuksekgonul et al., 2023).
    """

    def __init__(self, *, things: Mapping[str, Any], **sizes: Any):
        super().__init__(**sizes)
        width, output_dim = self.proj.shape
        self.things = Things(width, **things)
        self.thing_proj = nn.Linear(self.things.outputs, output_dim, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        return self.embedded(self.states(images))

    def embedded(self, states: Tensor) -> Tensor:
        """(n, 1 + r, width) → (n, output_dim)."""
        result: Tensor = states[:, 0] @ self.proj + self.thing_proj(self.things(states[:, 1:]))
        return result

    def regions(self, states: Tensor) -> Tensor:
        """(n, 1 + r, width) → (n, r, output_dim): what ``embedded`` would be if of all things only
        that of one patch were there."""
        alone = self.things(states[:, 1:].flatten(0, 1)[:, None])  # each patch as a picture of one
        whole: Tensor = states[:, :1] @ self.proj
        return whole + self.thing_proj(alone).unflatten(0, (len(states), -1))


class ClaimProjection(nn.Module):
    """Meanings and claims (n, meaning + claims) → (n, embed_dim): a direction for each claim.

    And something besides for what is no claim, such as a colour by itself.
    """

    def __init__(self, meaning: int, claims: int, embed_dim: int):
        super().__init__()
        self.sizes = [meaning, claims]
        self.directions = nn.Linear(claims, embed_dim, bias=False)
        self.besides = nn.Sequential(
            nn.Linear(meaning, meaning), nn.GELU(), nn.Linear(meaning, embed_dim)
        )

    def forward(self, read: Tensor) -> Tensor:
        meaning, claims = read.split(self.sizes, dim=1)
        result: Tensor = self.directions(claims)
        return result + self.besides(meaning)


class TextTower(nn.Module):
    """Token ids → (n, embed_dim), a projection of what `ClaimReader` reads."""

    def __init__(self, side: TextSide, embed_dim: int):
        super().__init__()
        reader = side.reader
        if not isinstance(reader, ClaimReader):
            raise ModelError(
                "The built-in CLIP's reader is of an earlier version; take the weights of this one."
            )
        self.side = side
        self.proj = ClaimProjection(reader.meaning, reader.claims, embed_dim)

    def forward(self, tokens: Tensor) -> Tensor:
        projected: Tensor = self.proj(self.side(tokens))
        return projected


class BuiltinClip(nn.Module):
    """Has what open_clip's models have: visual, encode_image, encode_text and logit_scale."""

    def __init__(self, config: Mapping[str, Any], side: TextSide):
        super().__init__()
        vision = config["vision_cfg"]
        self.visual = ImageTower(
            things=config["things"],
            image_size=vision["image_size"],
            patch_size=vision["patch_size"],
            width=vision["width"],
            layers=vision["layers"],
            heads=vision["width"] // vision["head_width"],
            mlp_ratio=vision.get("mlp_ratio", 4.0),
            output_dim=config["embed_dim"],
        )
        self.text = TextTower(side, config["embed_dim"])
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def encode_image(self, images: Tensor) -> Tensor:
        """(n, 3, h, w), normalised → (n, embed_dim)."""
        features: Tensor = self.visual(images)
        return features

    def encode_text(self, tokens: Tensor) -> Tensor:
        """(n, length) → (n, embed_dim)."""
        features: Tensor = self.text(tokens)
        return features


def build(config: Mapping[str, Any], side: TextSide) -> BuiltinClip:
    """A model with random trained parts, in eval mode.

    ``config`` has open_clip's ``embed_dim`` and ``vision_cfg``, and the arguments of
    `Things` as ``things``; further keys are the caller's.
    """
    return BuiltinClip(config, side).eval()


def load(config: Mapping[str, Any], tensors: Mapping[str, Tensor], side: TextSide) -> BuiltinClip:
    """``build`` with the trained parts ``tensors``; raises ModelError unless they fit."""
    model = build(config, side)
    load_trained(model, tensors, FROZEN)
    return model
