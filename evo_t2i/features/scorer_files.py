"""Files of the scorers that people choose themselves: CLIP, a classifier, a sentence encoder.

Weights are read from safetensors; torchvision's own file, which is a pickle, only by torch's reader
that runs no code and only when its digest is the published one.
"""

import json
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from evo_t2i.checkpoints.cache import torch_hub_checkpoints
from evo_t2i.checkpoints.catalogue import VGG19_BN
from evo_t2i.checkpoints.digests import sha256_of
from evo_t2i.checkpoints.hub import downloaded_file, downloaded_repository
from evo_t2i.errors import ModelError, UsageError

BUILTIN = "builtin"
LOCAL = "local-dir:"
IMAGENET = "vgg19_bn:imagenet"


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; raises ModelError when the file is missing or holds something else."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read ({error.strerror}); give another folder."
        ) from None
    except ValueError as error:
        raise ModelError(f"{path} is damaged ({error}); fetch it again.") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path} is damaged (not an object); fetch it again.")
    return value


def require_file(path: Path) -> Path:
    """``path``, or a ModelError that says what is there instead."""
    if path.is_file():
        return path
    pickles = [each.name for each in path.parent.glob("*.bin")] if path.parent.is_dir() else []
    there = f"; {pickles[0]} can run code and is not read" if pickles else ""
    raise ModelError(f"{path.parent} lacks {path.name}{there}; save the model as safetensors.")


def clip_weights(architecture: str, training: str) -> Path:
    """Where an open_clip model's published safetensors are on this machine.

    Raises UsageError for a name that open_clip does not know and for an activation that the
    weights were not trained with; ModelError when the file is not here.
    """
    import open_clip

    if architecture not in open_clip.list_models():
        near = get_close_matches(architecture, open_clip.list_models(), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        raise UsageError(f"--clip: open_clip has no model {architecture!r}{hint}")
    known = open_clip.get_pretrained_cfg(architecture, training)
    if not known:
        tags = open_clip.list_pretrained_tags_by_model(architecture)
        raise UsageError(
            f"--clip: open_clip has no weights {training!r} for {architecture}; choose from "
            f"{', '.join(tags) or 'none'}."
        )
    config = open_clip.get_model_config(architecture) or {}
    if bool(known.get("quick_gelu")) != bool(config.get("quick_gelu")):
        raise UsageError(
            f"--clip: the weights {training!r} were trained with QuickGELU; give "
            f"{architecture}-quickgelu:{training}."
        )
    repository, _, name = str(known.get("hf_hub", "")).rpartition("/")
    if not repository:
        raise ModelError(
            f"{architecture}:{training} is not published as safetensors; save it with "
            f"open_clip and give --clip {LOCAL}FOLDER."
        )
    stem = name.rpartition(".")[0] if name else "open_clip_model"
    stem = "open_clip_model" if stem == "open_clip_pytorch_model" else stem
    return downloaded_file(repository, f"{stem}.safetensors")


def imagenet_weights() -> Path:
    """torchvision's VGG-19_bn file in torch's own folder, with the published digest."""
    path = torch_hub_checkpoints() / VGG19_BN.name
    pull = f"`evo-t2i models pull {IMAGENET}`"
    if not path.is_file():
        raise ModelError(
            f"ImageNet's VGG-19_bn is not on this machine; run {pull}, or put {VGG19_BN.url} into "
            f"{path.parent}."
        )
    if not (found := sha256_of(path)).startswith(VGG19_BN.sha256):
        raise ModelError(
            f"{path} has the digest {found[:8]}…, expected {VGG19_BN.sha256}…; run {pull}."
        )
    return path


def encoder_folder(name: str) -> Path:
    """A sentence encoder's folder with config.json and model.safetensors, by path or repository."""
    folder = Path(name).expanduser()
    if not folder.is_dir():
        folder = downloaded_repository(name)
    read_json(folder / "config.json")
    require_file(folder / "model.safetensors")
    return folder
