"""Named choices of models: those that come with the package, or those of the design notes."""

import dataclasses
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from evo_t2i.checkpoints.cache import models_folder
from evo_t2i.checkpoints.inventory import checkpoints_in
from evo_t2i.config import ScoreOptions, ScorerModels
from evo_t2i.errors import ModelError, UsageError

BUILTIN, PAPER = "builtin", "paper"
PRESETS: Mapping[str, Mapping[str, str]] = {
    BUILTIN: {},
    PAPER: {
        "generator": "lafite",
        "clip": "ViT-B-32-quickgelu:openai",
        "classifier": "vgg19_bn:imagenet",
        "embedder": "bert-base-uncased",
        "word_label_text": "caption",
        "precision": "bf16",
    },
}
"""Options by preset. ``paper``: LAFITE, scored by CLIP, VGG-19_bn and BERT through Flair; the whole
caption is compared with "photo of a …", which told labels apart best in the notes' study of
prompts; networks of this size search in bfloat16."""
_WHOLES = {"score_options": ScoreOptions, "scorer_models": ScorerModels}


def with_preset(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The preset's options with ``options`` over them, as ``evo_t2i.config.configure`` takes them.

    The preset's generator becomes the checkpoint that lies in its folder. Raises UsageError for an
    unknown preset and when there are several checkpoints, ModelError when there is none.
    """
    chosen: dict[str, Any] = dict(options_of(name))
    for whole, kind in _WHOLES.items():
        if whole in options:
            chosen = {key: value for key, value in chosen.items() if key not in _fields(kind)}
    if "generator" in chosen and "generator" not in options:
        chosen["generator"] = f"{chosen['generator']}:{_checkpoint(chosen['generator'])}"
    return chosen | dict(options)


def options_of(name: str) -> Mapping[str, str]:
    """The options of a preset; raises UsageError, with the nearest name, for an unknown one."""
    if name not in PRESETS:
        near = get_close_matches(name, PRESETS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(PRESETS)}."
        raise UsageError(f"There is no preset {name!r}; {hint}")
    return PRESETS[name]


def scorers(name: str, given: Mapping[str, str]) -> tuple[ScorerModels, ScoreOptions]:
    """What a preset scores with, ``given`` scorers over it. Raises UsageError as ``options_of``."""
    chosen = dict(options_of(name)) | dict(given)
    parts = [
        {key: value for key, value in chosen.items() if key in _fields(kind)}
        for kind in (ScorerModels, ScoreOptions)
    ]
    return ScorerModels(**parts[0]), ScoreOptions(**parts[1])  # type: ignore[arg-type]


def _checkpoint(family: str) -> Path:
    folder = models_folder() / family
    found = checkpoints_in(folder)
    if not found:
        raise ModelError(
            f"The preset needs a checkpoint: give --generator {family}:FILE, or put one into "
            f"{folder}."
        )
    if len(found) > 1:
        listed = ", ".join(path.name for path in found)
        raise UsageError(
            f"{folder} holds several checkpoints ({listed}); choose one with --generator "
            f"{family}:{found[0]}."
        )
    return found[0]


def _fields(kind: Any) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}
