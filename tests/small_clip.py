"""A CLIP model of open_clip's own making, small and random, on disk."""

import json

import open_clip
import torch
from foreign_checkpoints import TEXT_SIZE, numbers
from safetensors.torch import save_file

ARCHITECTURE = "evo-t2i-small-quickgelu"
CONFIG = {
    "embed_dim": TEXT_SIZE,
    "quick_gelu": True,
    "vision_cfg": {
        "image_size": 32,
        "layers": 1,
        "width": 32,
        "head_width": 16,
        "patch_size": 16,
    },
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 32,
        "heads": 2,
        "layers": 2,
    },
}


def install(folder):
    """Teach open_clip the architecture and write a folder in its form; returns that folder."""
    known = folder / f"{ARCHITECTURE}.json"
    known.write_text(json.dumps(CONFIG))
    open_clip.add_model_config(known)
    home = folder / "clip"
    home.mkdir()
    (home / "open_clip_config.json").write_text(json.dumps({"model_cfg": CONFIG}))
    save_file(make().state_dict(), home / "open_clip_model.safetensors")
    return home


def make():
    """open_clip's own model with random weights, the same each time."""
    model = open_clip.create_model(ARCHITECTURE).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            scale = 1.0 if "ln_" in name and "weight" in name else 0.2
            parameter.copy_(numbers(name, tuple(parameter.shape)) * scale)
            parameter.copy_(parameter.half().float())  # as published weights, exact in float16
    return model
