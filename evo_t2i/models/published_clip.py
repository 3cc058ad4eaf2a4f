"""Published CLIP models (Radford et al., 2021) of their full size, from files on this machine.

Architectures and names are open_clip's. Nothing here downloads, and no file can run code.
"""

import hashlib
import json
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

from evo_t2i.errors import ModelError

_WEIGHTS = (
    "open_clip_model.safetensors",
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


@dataclass(frozen=True)
class PublishedClip:
    """An open_clip model on the CPU, in float32 and eval mode, and its tokenizer."""

    model: Any
    tokenize: Callable[[Sequence[str]], Tensor]
    """Texts → token ids (n, 77)."""

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

    config: dict[str, Any] | None = open_clip.get_model_config(architecture)
    if config is None or {"custom_text", "multimodal_cfg"} & config.keys():
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
            "as ViT-B-32-quickgelu, or a file with the option clip=."
        )
    if repository := known.get("hf_hub", "").rstrip("/"):
        for name in ("open_clip_model.safetensors", "open_clip_pytorch_model.bin"):
            found = try_to_load_from_cache(repository, name)
            if isinstance(found, str):
                return Path(found)
    if url := known.get("url"):
        path = Path("~/.cache/clip").expanduser() / url.rpartition("/")[2]
        if path.is_file():
            return path
    raise ModelError(
        f"The text encoder {architecture} ({training}) is not on this machine; name its file or "
        "folder with the option clip=, or fetch it once with "
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
    from open_clip.model import CLIP

    config = configuration(architecture)
    weights = _weights_in(path, architecture, config) if path.is_dir() else path
    model = CLIP(**config)
    tensors = _tensors(weights, architecture)
    wanted = {name: tensor.shape for name, tensor in model.state_dict().items()}
    found = {name: tensor.shape for name, tensor in tensors.items()}
    if wanted != found:
        names = wanted.keys() | found.keys()
        name = min(name for name in names if wanted.get(name) != found.get(name))
        raise ModelError(
            f"{weights} does not hold the weights of {architecture}: {name[:80]!r} has the shape "
            f"{tuple(found.get(name, ())) or 'missing'}, expected "
            f"{tuple(wanted.get(name, ())) or 'none'}; name the file of that encoder."
        )
    model.load_state_dict(tensors)
    model.eval().requires_grad_(False)
    return PublishedClip(model, open_clip.get_tokenizer(architecture))


def _weights_in(folder: Path, architecture: str, config: Mapping[str, Any]) -> Path:
    path = folder / "open_clip_config.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["model_cfg"]
        described = _described(found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
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
    raise ModelError(f"{folder} holds no weights; put {_WEIGHTS[0]} there.")


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
            f"The text encoder's weights {path} are not there; name its file or folder with the "
            "option clip=."
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
            f"The text encoder's weights {path} cannot be read ({error.strerror or error}); name "
            "its file or folder with the option clip=."
        ) from error
    except _UNREADABLE as error:
        raise ModelError(
            f"The text encoder's weights {path} cannot be read without running code in them, or "
            "are damaged; name a safetensors file, or OpenAI's own archive."
        ) from error


def _is_openai_archive(path: Path, architecture: str) -> bool:
    """Whether this is the TorchScript archive that OpenAI published, byte for byte.

    Loading such an archive may run code, so no other is loaded.
    """
    import open_clip

    url = open_clip.get_pretrained_cfg(architecture, "openai").get("url", "")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() in url.split("/")
