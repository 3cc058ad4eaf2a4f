"""The built-in CLIP: a vision transformer beside a text side.

The frozen sentence encoder under both is not stored with it.
"""

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from evo_t2i.models.text_side import TextSide
from evo_t2i.models.trained_parts import load_trained
from evo_t2i.models.vision_transformer import VisionTransformer

FROZEN = "text.side.encoder."
"""How the names of the tensors begin that are stored elsewhere."""


class TextTower(nn.Module):
    """Token ids → (n, embed_dim): a projection of their meaning."""

    def __init__(self, side: TextSide, embed_dim: int):
        super().__init__()
        self.side = side
        width = side.reader.outputs
        self.proj = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, embed_dim))

    def forward(self, tokens: Tensor) -> Tensor:
        projected: Tensor = self.proj(self.side(tokens))
        return projected


class BuiltinClip(nn.Module):
    """Has what open_clip's models have: visual, encode_image, encode_text and logit_scale."""

    def __init__(self, config: Mapping[str, Any], side: TextSide):
        super().__init__()
        vision = config["vision_cfg"]
        self.visual = VisionTransformer(
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

    ``config`` has open_clip's ``embed_dim`` and ``vision_cfg``; further keys are the caller's.
    """
    return BuiltinClip(config, side).eval()


def load(config: Mapping[str, Any], tensors: Mapping[str, Tensor], side: TextSide) -> BuiltinClip:
    """``build`` with the trained parts ``tensors``; raises ModelError unless they fit."""
    model = build(config, side)
    load_trained(model, tensors, FROZEN)
    return model
