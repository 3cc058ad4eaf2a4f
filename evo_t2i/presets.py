"""Named choices of models: those that come with the package, or those of the design notes."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evo_t2i.checkpoints.cache import models_folder
from evo_t2i.checkpoints.inventory import checkpoints_in
from evo_t2i.config import DEFAULT_SCORES, ScorerModels
from evo_t2i.errors import ModelError, UsageError, near_miss

BUILTIN, PAPER = "builtin", "paper"
PRESETS: Mapping[str, Mapping[str, Any]] = {
    BUILTIN: {},
    PAPER: {
        "generator": "lafite",
        "clip": "ViT-B-32-quickgelu:openai",
        "classifier": "vgg19_bn:imagenet",
        "embedder": "bert-base-uncased",
        "options": {"word_label": {"text": "caption"}},
        "precision": "bf16",
    },
}
"""Settings by preset. ``paper``: LAFITE, scored by CLIP, VGG-19_bn and BERT through Flair; the
whole caption is compared with "photo of a …", which told labels apart best in the notes' study of
prompts; networks of this size search in bfloat16."""


def with_preset(name: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The preset's settings with ``settings`` over them, for ``evo_t2i.config.configure``.

    The preset's generator becomes the checkpoint that lies in its folder. Raises UsageError for an
    unknown preset and when there are several checkpoints, ModelError when there is none.
    """
    chosen = dict(settings_of(name))
    if "scorer_models" in settings:
        chosen = {key: value for key, value in chosen.items() if key not in _MODELS}
    if "generator" in chosen and "generator" not in settings:
        chosen["generator"] = f"{chosen['generator']}:{_checkpoint(chosen['generator'])}"
    merged = {key: value for key, value in (chosen | dict(settings)).items() if key != "options"}
    scores = settings.get("scores", DEFAULT_SCORES)
    names = scores.split(",") if isinstance(scores, str) else scores
    if options := _over(_options_of(chosen, names), settings.get("options", {})):
        merged["options"] = options
    return merged


def settings_of(name: str) -> Mapping[str, Any]:
    """The settings of a preset; raises UsageError, with the nearest name, for an unknown one."""
    if name not in PRESETS:
        raise UsageError(f"There is no preset {name!r}; {near_miss(name, PRESETS)}")
    return PRESETS[name]


def scorers(
    name: str,
    scores: Sequence[str],
    models: Mapping[str, str],
    options: Mapping[str, Mapping[str, Any]],
) -> tuple[ScorerModels, dict[str, dict[str, Any]]]:
    """What a preset scores ``scores`` with: its networks with ``models`` over them, and its options
    with ``options`` over them. Raises UsageError as ``settings_of``."""
    settings = settings_of(name)
    chosen = {key: value for key, value in settings.items() if key in _MODELS} | dict(models)
    return ScorerModels(**chosen), _over(_options_of(settings, scores), options)


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


def _options_of(preset: Mapping[str, Any], scores: Sequence[str]) -> dict[str, Any]:
    """The preset's options of the scores that are in use."""
    used = {name.strip() for name in scores}
    return {name: given for name, given in preset.get("options", {}).items() if name in used}


def _over(
    below: Mapping[str, Mapping[str, Any]], above: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Options by plug-in and key; those of ``above`` win."""
    names = [*below, *(name for name in above if name not in below)]
    return {name: {**below.get(name, {}), **above.get(name, {})} for name in names}


_MODELS = {field.name for field in dataclasses.fields(ScorerModels)}
