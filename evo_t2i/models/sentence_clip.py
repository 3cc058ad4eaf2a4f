"""A small CLIP of one's own: open_clip's vision transformer beside a frozen all-MiniLM-L6-v2.

Only the vision tower, the text projection and the temperature are trained and stored; the
sentence encoder's tensors come from its own package (Reimers and Gurevych, 2019).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from open_clip.model import CustomTextCLIP
from torch import Tensor

from evo_t2i.models.minilm import load_tensors
from evo_t2i.models.trained_parts import load_trained

FROZEN = "text.transformer."
"""How the names of the tensors begin that are stored elsewhere."""


def build(config: Mapping[str, Any], minilm: Path) -> CustomTextCLIP:
    """An open_clip model with random trained parts and the sentence encoder in ``minilm``.

    ``config`` is an open_clip model configuration: ``embed_dim``, ``vision_cfg``, ``text_cfg``
    (pooler and projection; the encoder's folder is filled in here). Further keys, such as
    ``mean`` and ``std``, are the caller's. The model is in eval mode and its sentence encoder
    takes no gradient; reads local files only.
    """
    text_config = {
        "hf_pooler_type": "mean_pooler",
        "hf_proj_type": "mlp",
        **config["text_cfg"],
        "hf_model_name": str(minilm),
        "hf_model_pretrained": False,
    }
    model = CustomTextCLIP(
        embed_dim=config["embed_dim"],
        vision_cfg=dict(config["vision_cfg"]),
        text_cfg=text_config,
        quick_gelu=config.get("quick_gelu", False),
    )
    load_tensors(model.text.transformer, minilm)
    return model.eval()


def load(config: Mapping[str, Any], tensors: Mapping[str, Tensor], minilm: Path) -> CustomTextCLIP:
    """``build`` with the trained parts ``tensors``; raises ModelError unless they fit."""
    model = build(config, minilm)
    load_trained(model, tensors, FROZEN)
    return model


def sentence_states(model: CustomTextCLIP, tokens: Tensor) -> Tensor:
    """Mean-pooled states (n, 384) of the frozen encoder, before the trained projection.

    ``model.text.proj`` of them is ``model.encode_text(tokens)``; training computes them once.
    """
    mask = (tokens != model.text.config.pad_token_id).long()
    with torch.no_grad():
        states = model.text.transformer(input_ids=tokens, attention_mask=mask)
        pooled: Tensor = model.text.pooler(states, mask)
    return pooled
