"""Published CLIP models (Radford et al., 2021) of their full size, from files on this machine.

Architectures and names are open_clip's. Nothing here downloads, and no file can run code.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import normalize

from evo_t2i.checkpoints.cache import expanded
from evo_t2i.checkpoints.digests import digest_of_files, sha256_of
from evo_t2i.checkpoints.model_folder import (
    files_read,
    read_json,
    refused,
    require_data,
    require_file,
)
from evo_t2i.errors import ModelError

CONFIG = "open_clip_config.json"
WEIGHTS = "open_clip_model.safetensors"
_WEIGHTS = (
    WEIGHTS,
    "open_clip_pytorch_model.safetensors",
    "model.safetensors",
    "open_clip_pytorch_model.bin",
)
"""Names of the weights in a folder that also holds open_clip_config.json, the preferred first."""
_ARCHIVE_SETTINGS = ("input_resolution", "context_length", "vocab_size", "attn_mask")
"""What OpenAI's archive holds beside the weights."""
_UNREADABLE = (
    SafetensorError,
    UnpicklingError,
    RuntimeError,
    ValueError,
    AttributeError,
    KeyError,
    EOFError,
)
_TOKENIZER_SETTINGS = frozenset({"clean", "strip_sep_token", "language"})
"""What a configuration may tell a tokenizer."""
_SIZES = {
    "vision_cfg": {"image_size": 4096, "patch_size": 4096, "width": 16_384, "layers": 256},
    "text_cfg": {"context_length": 65_536, "vocab_size": 2**22, "width": 16_384, "layers": 256},
}
"""The settings of a tower that are whole numbers, and the largest that make sense."""


@dataclass(frozen=True)
class PublishedClip:
    """An open_clip model on the CPU, in float32 and eval mode, and its tokenizer."""

    model: Any
    tokenize: Callable[[Sequence[str]], Tensor]
    """Texts → token ids (n, 77)."""
    digest: str
    """SHA-256 over every file that it was read from, its vocabulary included."""

    @torch.inference_mode()
    def text_features(self, texts: Sequence[str]) -> Tensor:
        """Texts → unit features (n, d)."""
        return normalize(self.model.encode_text(self.tokenize(texts)).float(), dim=1)

    def text_digest(self) -> str:
        """SHA-256 of the text tower's tensors, rounded to float16.

        Published files hold the same weights in float16 and in float32: the digest is the same.
        """
        digest = hashlib.sha256()
        for name, tensor in sorted(self.model.state_dict().items()):
            if not name.startswith("visual.") and name != "logit_scale":
                digest.update(f"{name}{tuple(tensor.shape)}".encode())
                digest.update(tensor.half().contiguous().numpy().tobytes())
        return digest.hexdigest()


def configuration(architecture: str) -> dict[str, Any]:
    """open_clip's configuration of an architecture; ``embed_dim`` is a text feature's size.

    Raises ModelError for an unknown one, and for one whose text tower is not CLIP's own.
    """
    import open_clip

    known = architecture in open_clip.list_models()  # other names would be looked for elsewhere
    config: dict[str, Any] = open_clip.get_model_config(architecture) if known else {}
    if not known or {"custom_text", "multimodal_cfg"} & config.keys():
        raise ModelError(
            f"{architecture!r} is not an open_clip model with CLIP's own text tower; give one such "
            "as ViT-B-32-quickgelu."
        )
    return config


def find(architecture: str, training: str) -> Path:
    """Where open_clip's caches keep an ``architecture`` with the weights of a ``training``.

    Such as ``ViT-B-32-quickgelu`` and ``openai``. Raises ModelError, with the command that fetches
    them, when they are in none.
    """
    import open_clip
    from huggingface_hub import try_to_load_from_cache

    known = open_clip.get_pretrained_cfg(architecture, training)
    if not known:
        raise ModelError(
            f"open_clip knows no {training!r} weights for {architecture!r}; name an encoder such "
            "as ViT-B-32-quickgelu, or a file."
        )
    if repository := known.get("hf_hub", "").rstrip("/"):
        for name in ("open_clip_model.safetensors", "open_clip_pytorch_model.bin"):
            found = try_to_load_from_cache(repository, name)
            if isinstance(found, str):
                return Path(found)
    if url := known.get("url"):
        path = expanded("~/.cache/clip") / url.rpartition("/")[2]
        if path.is_file():
            return path
    raise ModelError(
        f"The text encoder {architecture} ({training}) is not on this machine; name its file or "
        "folder, or fetch it once with "
        f"`python -c \"import open_clip; open_clip.create_model('{architecture}', '{training}')\"`."
    )


def load(architecture: str, path: Path) -> PublishedClip:
    """The CLIP of an ``architecture`` from its weights, or from a folder in open_clip's form.

    A folder holds open_clip_config.json and the weights. The weights are safetensors, a state dict
    of torch, or OpenAI's own archive. The activation is the architecture's: OpenAI's weights need
    QuickGELU, so ``ViT-B-32-quickgelu``.

    Raises ModelError when something is missing or damaged, when it is of another architecture, and
    for files that could run code.
    """
    import open_clip

    config = configuration(architecture)
    if name := config["text_cfg"].get("hf_tokenizer_name"):
        raise ModelError(
            f"{architecture} reads text with the tokenizer {name}, which does not come with it; "
            "save both with open_clip into one folder and give --clip local-dir:FOLDER."
        )
    weights = _weights_in(path, architecture, config) if path.is_dir() else path
    model = _filled(config, _tensors(weights, architecture), architecture, weights)
    return PublishedClip(model, open_clip.get_tokenizer(architecture), _digest(weights, config))


def load_folder(folder: Path) -> PublishedClip:
    """The CLIP that a folder describes: open_clip_config.json and open_clip_model.safetensors.

    Both towers have to be open_clip's own. A tokenizer other than CLIP's lies in the folder too.
    Raises ModelError when something is missing or damaged, and when a tower or the tokenizer would
    come from elsewhere or bring code.
    """
    path = folder / CONFIG
    described = read_json(path)
    require_data(folder)
    weights = require_file(folder / WEIGHTS)
    config = require_own(described.get("model_cfg"), path)
    with refused(f"The CLIP in {folder}", "save it again with open_clip."):
        tokenize = _tokenizer_of(folder, dict(config["text_cfg"]))
        model = _filled(config, _tensors(weights, ""), f"The CLIP of {path}", weights)
        vocabulary = vocabulary_digest()
        digest = digest_of_files(folder, files_read(folder, [weights.name]), vocabulary)
    return PublishedClip(model, tokenize, digest)


def require_own(config: Any, path: Path) -> dict[str, Any]:
    """``config``; ModelError unless both towers are open_clip's own, and of possible sizes."""
    if not isinstance(config, dict) or not all(
        isinstance(config.get(name), dict) for name in _SIZES
    ):
        raise ModelError(f"{path} describes no CLIP (no model_cfg); save it again with open_clip.")
    vision, text = config["vision_cfg"], config["text_cfg"]
    elsewhere = vision.get("timm_model_name") or text.get("hf_model_name")
    if elsewhere or config.get("custom_text") or config.get("multimodal_cfg"):
        raise ModelError(
            f"{path} takes a tower from another library ({str(elsewhere or 'custom_text')[:60]}), "
            "which could bring its own code; choose an open_clip ViT such as ViT-B-32."
        )
    for tower, sizes in _SIZES.items():
        for name, largest in sizes.items():
            value = config[tower].get(name, 1)
            for number in value if isinstance(value, list) else [value]:
                if type(number) is not int or not 1 <= number <= largest:
                    raise ModelError(
                        f"{path} says that its {tower}.{name} is {str(value)[:40]}, expected 1 to "
                        f"{largest}; fetch it again."
                    )
    return config


def _tokenizer_of(folder: Path, text: dict[str, Any]) -> Callable[[Sequence[str]], Tensor]:
    from open_clip.tokenizer import HFTokenizer, SimpleTokenizer

    settings = text.get("tokenizer_kwargs") or {}
    if unknown := settings.keys() - _TOKENIZER_SETTINGS:
        raise ModelError(
            f"{folder / CONFIG} gives its tokenizer {min(unknown)[:60]!r}, which is not understood "
            f"here; give any of {', '.join(sorted(_TOKENIZER_SETTINGS))}."
        )
    length = text.get("context_length", 77)
    name = text.get("hf_tokenizer_name")
    if name and not (folder / "tokenizer_config.json").is_file():
        raise ModelError(
            f"{folder} reads text with the tokenizer {str(name)[:60]!r} and does not hold it; save "
            "it there with its save_pretrained."
        )
    tokenize: Callable[[Sequence[str]], Tensor] = (
        HFTokenizer(str(folder), length, trust_remote_code=False, local_files_only=True, **settings)
        if name
        else SimpleTokenizer(context_length=length, **settings)
    )
    return tokenize


def _filled(config: Mapping[str, Any], tensors: Mapping[str, Tensor], what: str, path: Path) -> Any:
    """The network of a configuration with its tensors; ModelError unless all fit."""
    from open_clip.model import CLIP

    with torch.device("meta"):  # takes no memory, whatever sizes the configuration claims
        shapes = CLIP(**config).state_dict()
    wanted = {name: tuple(tensor.shape) for name, tensor in shapes.items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if wanted != found:
        names = wanted.keys() | found.keys()
        name = min(name for name in names if wanted.get(name) != found.get(name))
        raise ModelError(
            f"{what} cannot be loaded from {path}: {name[:80]!r} has the shape "
            f"{found.get(name, 'missing')}, expected {wanted.get(name, 'none')}; name the file of "
            "that encoder."
        )
    model = CLIP(**config)
    model.load_state_dict(tensors)
    return model.eval().requires_grad_(False)


def _digest(weights: Path, config: Mapping[str, Any]) -> str:
    return sha256_of(weights, repr(sorted(_described(config).items())), vocabulary_digest())


def vocabulary_digest() -> str:
    """Of the vocabulary that comes with open_clip."""
    from open_clip.tokenizer import default_bpe

    return sha256_of(Path(default_bpe()))


def _weights_in(folder: Path, architecture: str, config: Mapping[str, Any]) -> Path:
    path = folder / CONFIG
    found = read_json(path, "name a folder that open_clip wrote, or the weights themselves.")
    try:
        described = _described(found["model_cfg"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"{path} cannot be read as open_clip's configuration ({error}); name a folder that "
            "open_clip wrote, or the weights themselves."
        ) from error
    for name, value in _described(config).items():
        if described[name] != value:
            raise ModelError(
                f"{folder} holds another encoder than {architecture}: its {name} is "
                f"{described[name]}, expected {value}; name the folder of that encoder."
            )
    for name in _WEIGHTS:
        if (folder / name).is_file():
            return folder / name
    raise ModelError(f"{folder} holds no weights; put {WEIGHTS} there.")


def _described(config: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting of an open_clip configuration by its own name, defaults included."""
    from open_clip import CLIPTextCfg, CLIPVisionCfg

    values = {
        "embed_dim": config["embed_dim"],
        "quick_gelu": bool(config.get("quick_gelu", False)),
    }
    for tower, kind in (("text_cfg", CLIPTextCfg), ("vision_cfg", CLIPVisionCfg)):
        known = {field.name for field in fields(kind)}
        given = {name: value for name, value in config[tower].items() if name in known}
        settings = asdict(kind(**given))
        values |= {f"{tower}.{name}": value for name, value in settings.items()}
    return values


def _tensors(path: Path, architecture: str) -> dict[str, Tensor]:
    """The state dict in a file, as float32."""
    if not path.is_file():
        raise ModelError(
            f"The CLIP weights {path} are not there; name their file, or a folder with them."
        )
    try:
        if path.suffix == ".safetensors":
            tensors = load_file(path)
        elif _is_openai_archive(path, architecture):
            scripted = torch.jit.load(str(path), map_location="cpu").state_dict()
            tensors = {name: scripted[name] for name in scripted if name not in _ARCHIVE_SETTINGS}
        else:
            loaded = torch.load(path, map_location="cpu", weights_only=True)
            tensors = loaded.get("state_dict", loaded)
        return {name.removeprefix("module."): tensor.float() for name, tensor in tensors.items()}
    except OSError as error:
        raise ModelError(
            f"The CLIP weights {path} cannot be read ({error.strerror or error}); name their file, "
            "or the folder that holds them."
        ) from error
    except _UNREADABLE as error:
        raise ModelError(
            f"The CLIP weights {path} cannot be read without running code in them, or are damaged; "
            "name a safetensors file, or OpenAI's own archive."
        ) from error


def _is_openai_archive(path: Path, architecture: str) -> bool:
    """Whether this is the TorchScript archive that OpenAI published, byte for byte.

    Loading such an archive may run code, so no other is loaded.
    """
    import open_clip

    url = open_clip.get_pretrained_cfg(architecture, "openai").get("url", "")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() in url.split("/")
