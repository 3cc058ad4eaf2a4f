"""ImageReward's network (Xu et al., 2023) on transformers' BLIP.

BLIP's vision transformer sees the picture, its BERT reads the caption and attends to the patches,
and a head rates the state of the first token.
"""

from collections.abc import Mapping
from math import isqrt
from typing import Any

from torch import Tensor, nn
from transformers import BlipTextConfig, BlipTextModel, BlipVisionConfig, BlipVisionModel

from evo_t2i.models.rating_head import RatingHead

MEAN, STD = 0.16717362830052426, 1.0333394966054072
"""Of the head's output over the authors' pictures: published rewards are standardised."""
HEAD_WIDTH = 64
"""Channels of an attention head in BLIP's vision transformers of either size."""
_NAMES = (
    ("blip.visual_encoder.norm.", "vision.post_layernorm."),
    ("blip.visual_encoder.blocks.", "vision.encoder.layers."),
    ("blip.visual_encoder.cls_token", "vision.embeddings.class_embedding"),
    ("blip.visual_encoder.pos_embed", "vision.embeddings.position_embedding"),
    ("blip.visual_encoder.patch_embed.proj.", "vision.embeddings.patch_embedding."),
    (".norm1.", ".layer_norm1."),
    (".norm2.", ".layer_norm2."),
    (".attn.qkv.", ".self_attn.qkv."),
    (".attn.proj.", ".self_attn.projection."),
    ("blip.text_encoder.", "text."),
    ("mlp.layers.", "head.layers."),
)
"""The published names and those of ``ImageReward``."""
_UNUSED = ("blip.vision_proj.", "blip.text_proj.", "blip.itm_head.")
_POSITIONS = "blip.text_encoder.embeddings.position_ids"
"""0, 1, 2, …, which older versions of transformers saved."""


class ImageReward(nn.Module):
    """Images (n, 3, s, s), normalised, and a caption's token ids (1, t) → rewards (n,)."""

    def __init__(self, vision: BlipVisionConfig, text: BlipTextConfig) -> None:
        super().__init__()
        self.vision = BlipVisionModel(vision)
        self.text = BlipTextModel(text, add_pooling_layer=False)
        self.head = RatingHead(text.hidden_size)

    def forward(self, images: Tensor, tokens: Tensor) -> Tensor:
        patches = self.vision(pixel_values=images).last_hidden_state  # (n, 1 + r, width)
        states = self.text(
            input_ids=tokens.expand(len(images), -1), encoder_hidden_states=patches
        ).last_hidden_state  # (n, t, width)
        rewards: Tensor = (self.head(states[:, 0].float()) - MEAN) / STD
        return rewards


def build(tensors: Mapping[str, Tensor], text: Mapping[str, Any]) -> ImageReward:
    """The network that fits ``renamed`` tensors, with random weights.

    ``text`` is the published med_config.json; the sizes of the vision transformer follow from the
    tensors. Raises KeyError for what is missing.
    """
    positions = tensors["vision.embeddings.position_embedding"]  # (1, 1 + r, width)
    patch = tensors["vision.embeddings.patch_embedding.weight"].shape[-1]
    width = positions.shape[-1]
    blocks = [name for name in tensors if name.endswith("layer_norm1.weight")]
    vision = BlipVisionConfig(
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=len(blocks),
        num_attention_heads=width // HEAD_WIDTH,
        image_size=isqrt(positions.shape[1] - 1) * patch,
        patch_size=patch,
        hidden_act="gelu",
        layer_norm_eps=1e-6,
    )
    names = (
        "vocab_size",
        "hidden_size",
        "intermediate_size",
        "num_hidden_layers",
        "num_attention_heads",
        "max_position_embeddings",
        "hidden_act",
        "layer_norm_eps",
        "pad_token_id",
    )
    settings = {name: text[name] for name in names}
    return ImageReward(vision, BlipTextConfig(**settings, encoder_hidden_size=width)).eval()


def renamed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A published state dict under the names of ``ImageReward``, without what it does not use."""
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if name.startswith(_UNUSED) or name == _POSITIONS:
            continue
        for published, own in _NAMES:
            name = name.replace(published, own)
        found[name] = tensor
    return found
