"""A small CLIP of one's own: open_clip's vision transformer beside a frozen all-MiniLM-L6-v2.

Only the vision tower, the text projection and the temperature are trained and stored; the
sentence encoder's tensors come from its own package (Reimers and Gurevych, 2019).
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from open_clip.model import CustomTextCLIP
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import AutoTokenizer

from evo_t2i.errors import ModelError

FROZEN_PREFIX = "text.transformer."
MAX_TOKENS = 77


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
    encoder = model.text.transformer
    stored = load_file(minilm / "model.safetensors")
    encoder.load_state_dict({name: stored[name] for name in encoder.state_dict()})
    encoder.requires_grad_(False)
    return model.eval()


def load(config: Mapping[str, Any], tensors: Mapping[str, Tensor], minilm: Path) -> CustomTextCLIP:
    """``build`` with the trained parts ``tensors``; raises ModelError unless they fit."""
    model = build(config, minilm)
    load_trained(model, tensors)
    return model


def load_tokenizer(minilm: Path) -> Callable[[Sequence[str]], Tensor]:
    """Texts → token ids (n, length) int64, padded to the longest, at most 77 tokens each."""
    tokenizer = AutoTokenizer.from_pretrained(
        str(minilm), local_files_only=True, trust_remote_code=False
    )

    def tokenize(texts: Sequence[str]) -> Tensor:
        encoded = tokenizer(
            list(texts), return_tensors="pt", padding=True, truncation=True, max_length=MAX_TOKENS
        )
        ids: Tensor = encoded.input_ids
        return ids

    return tokenize


def sentence_states(model: CustomTextCLIP, tokens: Tensor) -> Tensor:
    """Mean-pooled states (n, 384) of the frozen encoder, before the trained projection.

    ``model.text.proj`` of them is ``model.encode_text(tokens)``; training computes them once.
    """
    mask = (tokens != model.text.config.pad_token_id).long()
    with torch.no_grad():
        states = model.text.transformer(input_ids=tokens, attention_mask=mask)
        pooled: Tensor = model.text.pooler(states, mask)
    return pooled


def trained_tensors(model: nn.Module) -> dict[str, Tensor]:
    """The tensors that training changes, on the CPU: all but the sentence encoder's."""
    return {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in model.state_dict().items()
        if not name.startswith(FROZEN_PREFIX)
    }


def load_trained(model: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put ``trained_tensors`` back. Raises ModelError unless names and shapes fit exactly."""
    wanted = {name: tensor.shape for name, tensor in trained_tensors(model).items()}
    found = {name: tensor.shape for name, tensor in tensors.items()}
    if wanted != found:
        differing = sorted(
            name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
        )
        raise ModelError(
            f"The CLIP weights do not fit their configuration: {len(differing)} of "
            f"{len(wanted)} tensors are missing, unknown or of another shape, first "
            f"{differing[0]!r}; train the model anew with this version."
        )
    model.load_state_dict(dict(tensors), strict=False)
