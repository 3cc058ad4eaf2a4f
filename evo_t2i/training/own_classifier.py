"""Train a classifier on people's own labelled pictures."""

import json
import shutil
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from evo_t2i.checkpoints import builtin
from evo_t2i.checkpoints.cache import expanded
from evo_t2i.checkpoints.digests import sha256_of
from evo_t2i.checkpoints.model_folder import read_json
from evo_t2i.errors import UsageError, first_line
from evo_t2i.features.classifiers import build_architecture
from evo_t2i.features.preprocess import normalise, resize
from evo_t2i.features.scorer_files import BUILTIN
from evo_t2i.generators.stylegan2_ada import TRAINED
from evo_t2i.models import vgg
from evo_t2i.models.precision import computing_in
from evo_t2i.training.data import Pictures
from evo_t2i.training.frozen import load_frozen_classifier
from evo_t2i.training.lafite import Whole
from evo_t2i.training.own_fit import closer, fit_pictures
from evo_t2i.training.own_settings import ClassifierSettings
from evo_t2i.training.supervised import Progress, to_batch

SIDE = 64
VGG, _WIDTH = "vgg", 16
_PUBLISHED_SIDE = 224
_AT_ONCE = 128
_STARTS = {
    "vgg19_bn:imagenet": "torchvision:vgg19_bn",
    "efficientnet_lite0": "timm:tf_efficientnet_lite0",
}
"""Architectures of the named starts."""


@dataclass(frozen=True)
class _Student:
    """A network in training and what its folder says of it."""

    model: nn.Module
    config: dict[str, Any]

    def __call__(self, images: Tensor) -> Tensor:
        """(n, 3, s, s) in [0, 1] → (n, k)."""
        side = self.config["image_size"]
        inputs = normalise(resize(images, (side, side)), self.config["mean"], self.config["std"])
        logits: Tensor = self.model(inputs.contiguous(memory_format=torch.channels_last))
        return logits


def side_of(settings: ClassifierSettings, device: torch.device) -> int:
    """Pixels at which pictures are read: those asked for, or the network's own, or 64."""
    if settings.resolution:
        return settings.resolution
    if settings.start:
        return load_frozen_classifier(settings.start, device).image_size
    library, _, name = settings.architecture.rpartition(":")
    if library == "timm":
        import timm  # comes with open_clip

        known = timm.get_pretrained_cfg(name, allow_unregistered=True)
        return _PUBLISHED_SIDE if known is None else int(known.input_size[-1])
    return SIDE if settings.architecture == VGG else _PUBLISHED_SIDE


def train_own_classifier(
    pictures: Pictures,
    settings: ClassifierSettings,
    out: Path,
    device: torch.device,
    *,
    progress: Progress | None = None,
    whole: Whole = nullcontext,
) -> dict[str, float]:
    """Train, write ``out/model``, and return ``top1`` on held-out pictures.

    ``pictures`` have their label for a caption. Goes on from ``out/checkpoint.safetensors``; see
    ``fit_pictures`` for what is written beside and for ``whole``. Raises UsageError for fewer than
    two labels, nothing to measure on and an unknown architecture or start.
    """
    names = [said[0] for said in pictures.captions]
    labels, targets = np.unique(names, return_inverse=True)
    held = pictures.held_out(settings.held_out)
    rows, kept = np.flatnonzero(~held), np.flatnonzero(held)
    if len(labels) < 2:
        raise UsageError(
            f"All pictures have one label, {labels[0]!r}; give pictures of two labels or more."
        )
    if not len(rows) or not len(kept):
        raise UsageError(
            f"{len(rows)} of {len(pictures)} pictures are left to train on and {len(kept)} to "
            "measure on; give more pictures, or another `held_out`."
        )
    unseen = sorted(set(labels[targets[kept]]) - set(labels[targets[rows]]))
    torch.manual_seed(settings.seed)
    student = _student(settings, [str(label) for label in labels], pictures.images.shape[1], device)
    answers = torch.from_numpy(targets).to(device)
    newest: dict[str, float] = {}

    def read(rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        chosen = rng.choice(rows, settings.batch, replace=len(rows) < settings.batch)
        own = answers[torch.from_numpy(chosen).to(device)]
        return to_batch(pictures.images[chosen], device), own

    def loss(batch: tuple[Tensor, Tensor], random: torch.Generator) -> Tensor:
        images, own = batch
        with computing_in(settings.precision, device):
            logits = student(closer(images, random))
        return cross_entropy(logits.float(), own, label_smoothing=settings.smoothing)

    def report() -> Mapping[str, float]:
        newest.clear()
        right = _right(student, pictures.images, kept, answers, device)
        newest.update(
            top1=round(right, 4), held_out=float(len(kept)), labels_only_held_out=float(len(unseen))
        )
        _save(out / TRAINED, student, settings, newest)
        return newest

    fit_pictures(
        student.model,
        read,
        loss,
        report,
        settings,
        (pictures.digest, student.config),
        out,
        device,
        progress=progress,
        whole=whole,
    )
    if not newest:
        report()
    return newest


def _student(
    settings: ClassifierSettings, labels: list[str], side: int, device: torch.device
) -> _Student:
    config: dict[str, Any] = {"labels": labels, "image_size": side}
    config |= {"mean": [0.5] * 3, "std": [0.5] * 3}
    model: nn.Module
    if settings.start:
        start = load_frozen_classifier(settings.start, device)
        config |= _architecture_of(settings.start)
        config |= {"mean": list(start.mean), "std": list(start.std)}
        model = start.model.requires_grad_(True)
        _exchange_last(model, start.last, len(labels))
    elif settings.architecture == VGG:
        config["channels"] = [
            each if isinstance(each, str) else each * _WIDTH // 64 for each in vgg.VGG19_CHANNELS
        ]
        model = vgg.build(config["channels"], len(labels), dropout=0.1)
    else:
        config["architecture"] = settings.architecture
        model = build_architecture(settings.architecture, len(labels))
    student = _Student(model.to(device).to(memory_format=torch.channels_last), config)
    try:
        with torch.no_grad():
            model.eval()
            student(torch.zeros(1, 3, side, side, device=device))
    except (RuntimeError, AssertionError, ValueError) as error:
        raise UsageError(
            f"{settings.start or settings.architecture} does not read pictures of {side} pixels "
            f"({first_line(error)}); leave `resolution` at 0, or choose another architecture."
        ) from error
    return student


def _architecture_of(start: str) -> dict[str, Any]:
    if start in _STARTS:
        return {"architecture": _STARTS[start]}
    if start == BUILTIN:
        config = builtin.load("vgg").config
    else:
        config = read_json(expanded(start) / "config.json")
    return {key: config[key] for key in ("architecture", "channels") if key in config}


def _exchange_last(model: nn.Module, last: nn.Linear, labels: int) -> None:
    """A fresh last layer in the place of ``last``."""
    path = next(name for name, module in model.named_modules() if module is last)
    parent, _, name = path.rpartition(".")
    fresh = nn.Linear(last.in_features, labels).to(last.weight.device)
    setattr(model.get_submodule(parent), name, fresh)


@torch.no_grad()
def _right(
    student: _Student, images: np.ndarray, kept: np.ndarray, answers: Tensor, device: torch.device
) -> float:
    """Share of the pictures ``kept`` whose likeliest label is their own."""
    hits = 0
    for start in range(0, len(kept), _AT_ONCE):
        rows = kept[start : start + _AT_ONCE]
        told = student(to_batch(images[rows], device)).argmax(dim=1)
        hits += int((told == answers[torch.from_numpy(rows).to(device)]).sum())
    return hits / len(kept)


def _save(
    folder: Path, student: _Student, settings: ClassifierSettings, found: Mapping[str, float]
) -> None:
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    tensors = {
        name: value.detach().cpu().contiguous().clone()
        for name, value in student.model.state_dict().items()
    }
    path = fresh / "model.safetensors"
    save_file(tensors, path)
    text = json.dumps(student.config, indent=2, ensure_ascii=False) + "\n"
    (fresh / "config.json").write_text(text, encoding="utf-8")
    if settings.start and settings.start not in (*_STARTS, BUILTIN):
        settings = replace(settings, start="folder")  # where it lay is nobody else's business
    measured = ", ".join(f"{name} {value:g}" for name, value in found.items())
    (fresh / "CARD.md").write_text(
        "# A classifier trained on own pictures\n\n"
        f"- labels: {len(student.config['labels'])}\n"
        f"- settings: `{settings!r}`\n"
        f"- measured on held-out pictures: {measured}\n"
        f"- sha256 of model.safetensors: {sha256_of(path)}\n\n"
        "Use it with `--classifier FOLDER`. What may be done with it depends on the pictures that "
        "it was trained on, and on the model that it came from.\n",
        encoding="utf-8",
    )
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
