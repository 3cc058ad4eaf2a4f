"""A diffusion pipeline's files: where they are, whether they are safe to load, their digest."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evo_t2i.checkpoints.digests import sha256_of
from evo_t2i.checkpoints.hub import downloaded_repository
from evo_t2i.errors import ModelError, UsageError

INDEX = "model_index.json"
MODEL = "config.json"
"""The file that models have; schedulers and tokenizers have others."""
UNUSED = frozenset({"safety_checker", "feature_extractor", "image_encoder"})
"""Components that are never loaded: pictures come from noise and a caption, unfiltered."""

_LIBRARIES = ("diffusers", "transformers")
_REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)
_WEIGHTS = re.compile(r"(diffusion_pytorch_)?model(-\d{5}-of-\d{5})?\.safetensors")
_SHARDS = re.compile(r"(diffusion_pytorch_)?model\.safetensors\.index\.json")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".msgpack", ".h5")
_TEXTS = (".json", ".txt", ".model")


@dataclass(frozen=True)
class PipelineFiles:
    """A pipeline folder that was looked through."""

    folder: Path
    pipeline: str
    """The pipeline's class in diffusers, such as ``StableDiffusionPipeline``."""
    models: Mapping[str, tuple[str, str]]
    """Library and class of each component that has weights."""
    files: tuple[str, ...]
    """Everything that decides its pictures, relative to ``folder``, sorted."""

    def digest(self, settings: Mapping[str, object]) -> str:
        """SHA-256 over the files' names and bytes and over ``settings``; reads every weight."""
        total = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        for name in self.files:
            total.update(f"\n{name}\0{sha256_of(self.folder / name)}".encode())
        return total.hexdigest()


def find_pipeline(source: str, revision: str | None) -> PipelineFiles:
    """The folder ``source``, or the downloaded repository of that name, checked.

    Nothing is downloaded. Raises UsageError for a path that is no folder and a revision of a
    folder; ModelError for a repository that is not in the cache, for a folder that is no pipeline,
    lacks files or has weights only as pickles, and for components from other libraries than
    diffusers and transformers, since those could bring their own code.
    """
    return check_pipeline(_folder(source, revision))


def check_pipeline(folder: Path) -> PipelineFiles:
    """Look through a pipeline's folder; raises ModelError as ``find_pipeline``."""
    pipeline, components = _index(folder)
    files = [INDEX]
    for name in components:
        files += [f"{name}/{file}" for file in _component_files(folder / name)]
    models = {name: kind for name, kind in components.items() if f"{name}/{MODEL}" in files}
    return PipelineFiles(folder, pipeline, models, tuple(sorted(files)))


def _folder(source: str, revision: str | None) -> Path:
    path = Path(source).expanduser()
    if path.is_dir():
        if revision is not None:
            raise UsageError(
                f"revision={revision} was given with the folder {source}; "
                "leave it out, or name a repository."
            )
        return path
    if path.exists() or not _REPOSITORY.fullmatch(source):
        raise UsageError(
            f"{source} is not a folder; give the folder of a diffusers pipeline, or the name of a "
            "repository such as stabilityai/sd-turbo."
        )
    return downloaded_repository(source, revision)


def _index(folder: Path) -> tuple[str, dict[str, tuple[str, str]]]:
    """The pipeline's class; library and class of each component to load."""
    path = folder / INDEX
    try:
        index = json.loads(path.read_text("utf-8"))
        pipeline = str(index["_class_name"])
        pairs = {name: value for name, value in index.items() if isinstance(value, list)}
        used = {
            name: (str(library), str(kind))
            for name, (library, kind) in pairs.items()
            if name not in UNUSED and library is not None
        }
    except OSError:
        raise ModelError(
            f"{folder} is not a diffusers pipeline: it has no {INDEX}; give a folder that "
            "save_pretrained wrote, or download the whole repository."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is damaged ({error}); download it again.") from error
    for name, (library, kind) in used.items():
        if library not in _LIBRARIES or Path(name).name != name:
            raise ModelError(
                f"The component {name!r} of {folder} is {library}.{kind}, which would run code "
                "that is not part of diffusers or transformers; choose another pipeline."
            )
    return pipeline, used


def _component_files(folder: Path) -> list[str]:
    if not folder.is_dir():
        raise ModelError(
            f"The pipeline lacks the folder {folder}; download the whole repository again."
        )
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    weights = [name for name in names if _WEIGHTS.fullmatch(name)]
    if MODEL in names:
        _require_weights(folder, names, weights)
    return weights + [name for name in names if name.endswith(_TEXTS)]


def _require_weights(folder: Path, names: list[str], weights: list[str]) -> None:
    if not weights:
        pickles = [name for name in names if name.endswith(_PICKLES)]
        variants = [name for name in names if name.endswith(".safetensors")]
        if pickles and not variants:
            found = f"only {pickles[0]}, a format that can run code"
        elif variants:
            found = f"only the variant {variants[0]}"
        else:
            found = "none at all"
        raise ModelError(
            f"{folder} needs its weights as model.safetensors or "
            f"diffusion_pytorch_model.safetensors and has {found}; choose a revision that has "
            "them, or save the pipeline again with save_pretrained."
        )
    for name in names:
        if not _SHARDS.fullmatch(name):
            continue
        try:
            weight_map = json.loads((folder / name).read_text("utf-8"))["weight_map"]
            shards = {str(shard) for shard in weight_map.values()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"{folder / name} is damaged ({error}); download it again.") from error
        if missing := shards - set(weights):
            raise ModelError(
                f"{folder} lacks {min(missing)}, {len(missing)} of {len(shards)} parts in all; "
                "download the whole repository again."
            )
