"""Classifiers by name: the built-in one, ImageNet's, or one that was trained here."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from evo_t2i.checkpoints import builtin
from evo_t2i.checkpoints.cache import expanded
from evo_t2i.checkpoints.digests import sha256_of
from evo_t2i.checkpoints.model_folder import read_json, refused, require_file
from evo_t2i.errors import ModelError, UsageError, near_miss
from evo_t2i.features.labels import LABEL_FILE, own_labels
from evo_t2i.features.preprocess import channel_values
from evo_t2i.features.scorer_files import (
    BUILTIN,
    EFFICIENTNET,
    IMAGENET,
    efficientnet_weights,
    imagenet_weights,
)

_KEYS = ("labels", "image_size", "mean", "std")
_LARGEST = 4096
"""Pixels of a side that a classifier may ask for."""


@dataclass(frozen=True)
class Classifier:
    """A network on the CPU and what it takes and gives."""

    model: nn.Module
    """Normalised images (n, 3, s, s) → logits (n, k)."""
    labels: tuple[str, ...]
    image_size: int
    """s, in pixels."""
    mean: tuple[float, ...]
    std: tuple[float, ...]
    digest: str


def load_classifier(spec: str) -> Classifier:
    """``builtin``, ``vgg19_bn:imagenet``, ``efficientnet_lite0``, or a folder with config.json and
    model.safetensors.

    A folder's weights are those of ``models.vgg``, whose ``channels`` its config lists, or of the
    network that ``build_architecture`` gives for its ``architecture``.

    Raises UsageError for another name, ModelError when files are missing, damaged or unfit.
    """
    if spec == IMAGENET:
        return _imagenet()
    if spec == EFFICIENTNET:
        return _efficientnet()
    if spec == BUILTIN:
        weights = builtin.load("vgg")
        return _trained(weights.config, weights.tensors, weights.digest)
    folder = _folder(spec)
    config, path = _config(folder), require_file(folder / "model.safetensors")
    with refused(f"The classifier in {folder}", "train or copy it again."):
        digest = sha256_of(path, (folder / "config.json").read_text("utf-8"))
        return _trained(config, load_file(path), digest)


def classifier_labels(spec: str) -> tuple[str, ...]:
    """The labels of ``load_classifier(spec)``, without reading its weights; also of clip:FILE."""
    if labels := own_labels(spec):
        return labels
    if spec in (IMAGENET, EFFICIENTNET):
        from torchvision.models import VGG19_BN_Weights

        return tuple(VGG19_BN_Weights.IMAGENET1K_V1.meta["categories"])
    if spec == BUILTIN:
        return tuple(builtin.load("vgg").config["labels"])
    return tuple(_config(_folder(spec))["labels"])


def _trained(config: Mapping[str, Any], tensors: dict[str, Tensor], digest: str) -> Classifier:
    labels = len(config["labels"])
    with torch.device("meta"):  # takes no memory, whatever sizes the configuration claims
        model: nn.Module
        if architecture := config.get("architecture"):
            model = build_architecture(str(architecture), labels)
        else:
            from evo_t2i.models import vgg

            model = vgg.build(config["channels"], labels)
    if architecture and any(
        name not in tensors for name, _ in model.named_buffers()
    ):  # constants that no file holds
        model = build_architecture(str(architecture), labels)
    model.load_state_dict(tensors, assign=True)
    model.float()  # whatever the file stores
    return Classifier(
        model=model,
        labels=tuple(config["labels"]),
        image_size=int(config["image_size"]),
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        digest=digest,
    )


def build_architecture(name: str, labels: int) -> nn.Module:
    """An untrained network of ``torchvision:NAME`` or ``timm:NAME``.

    ``vgg19_bn`` alone is torchvision's. Nothing is downloaded. Raises UsageError for a name that
    the library does not know.
    """
    library, _, wanted = name.rpartition(":")
    model: nn.Module
    if library in ("", "torchvision"):
        import torchvision

        known = torchvision.models.list_models(module=torchvision.models)
        if wanted in known:
            model = torchvision.models.get_model(wanted, weights=None, num_classes=labels)
            return model
    elif library == "timm":
        import timm  # comes with open_clip

        known = timm.list_models()
        if wanted in known:
            model = timm.create_model(wanted, pretrained=False, num_classes=labels)
            return model
    else:
        known = []
    near = near_miss(wanted, known, cutoff=0.0) if known else "give torchvision:NAME or timm:NAME."
    raise UsageError(f"`architecture` is {name[:80]!r}; {near}")


def _imagenet() -> Classifier:
    """torchvision's weights (Simonyan and Zisserman, 2015) with ImageNet's 1,000 labels."""
    from torchvision.models import vgg19_bn

    path = imagenet_weights()
    with torch.device("meta"):
        model = vgg19_bn()
    tensors = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(tensors, assign=True)
    return Classifier(
        model=model,
        labels=classifier_labels(IMAGENET),
        image_size=224,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        digest=sha256_of(path),
    )


def _efficientnet() -> Classifier:
    """EfficientNet-Lite0 (Tan and Le, 2019; without squeeze-and-excitation) on ImageNet's labels.

    timm's network with the tensors of the package, which are its own one to one in their order.
    """
    import timm  # comes with open_clip

    path = efficientnet_weights()
    with refused(f"The weights of {EFFICIENTNET} in {path}", "install that package again."):
        tensors = torch.load(path, map_location="cpu", weights_only=True)
        model = timm.create_model("tf_efficientnet_lite0", pretrained=False)
        names = list(model.state_dict())
        model.load_state_dict(dict(zip(names, tensors.values(), strict=True)))
    return Classifier(
        model=model,
        labels=classifier_labels(EFFICIENTNET),
        image_size=224,
        mean=(127 / 255,) * 3,
        std=(128 / 255,) * 3,
        digest=sha256_of(path),
    )


def _folder(spec: str) -> Path:
    if spec.startswith(LABEL_FILE):
        raise UsageError(
            f"`classifier` {spec} is a list of labels for CLIP and no network of its own; give "
            f"{BUILTIN}, {IMAGENET}, {EFFICIENTNET} or a folder here."
        )
    folder = expanded(spec)
    if not folder.is_dir():
        raise UsageError(
            f"`classifier` {spec} is not a folder; give {BUILTIN}, {IMAGENET}, {EFFICIENTNET}, "
            "clip:FILE with labels, or the folder of a classifier that `evo-t2i train classifier` "
            "made."
        )
    return folder


def _config(folder: Path) -> dict[str, Any]:
    config = read_json(folder / "config.json")
    wanted = _KEYS if config.get("architecture") else ("channels", *_KEYS)
    if missing := [key for key in wanted if key not in config]:
        raise ModelError(
            f"{folder / 'config.json'} lacks {missing[0]!r}; give the folder of a classifier that "
            "`evo-t2i train classifier` made."
        )
    labels, side, path = config["labels"], config["image_size"], folder / "config.json"
    if not isinstance(labels, list) or not labels or not all(isinstance(x, str) for x in labels):
        raise ModelError(f"{path} gives no list of labels; fetch it again.")
    if type(side) is not int or not 1 <= side <= _LARGEST:
        raise ModelError(
            f"{path} says that its image_size is {str(side)[:40]}, expected 1 to {_LARGEST}; fetch "
            "it again."
        )
    channel_values(config["mean"], config["std"], path)
    return config
