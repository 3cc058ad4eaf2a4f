"""A diffusion pipeline's files: where they are, whether they are safe to load, their digest."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evo_t2i.checkpoints.cache import expanded
from evo_t2i.checkpoints.digests import digest_of_files
from evo_t2i.checkpoints.hub import downloaded_repository
from evo_t2i.checkpoints.model_folder import files_read, read_json, require_data
from evo_t2i.errors import ModelError, UsageError

INDEX = "model_index.json"
MODEL = "config.json"
"""The file that models have; schedulers and tokenizers have others."""
UNUSED = frozenset({"safety_checker", "feature_extractor", "image_encoder"})
"""Components that are never loaded: pictures come from noise and a caption, unfiltered."""

VARIANT = "fp16"
"""The one variant of weights that is taken where the plain ones are not there."""

_COMPONENTS = {
    "diffusers": re.compile(
        r"AutoencoderDC|AutoencoderKL|AutoencoderTiny|FluxTransformer2DModel"
        r"|PixArtTransformer2DModel|SanaTransformer2DModel|Transformer2DModel|UNet2DConditionModel"
        r"|[A-Z]\w{0,60}Scheduler",
        re.ASCII,
    ),
    "transformers": re.compile(
        r"CLIPTextModel(WithProjection)?|T5EncoderModel|Gemma2Model"
        r"|(CLIP|T5|Gemma)Tokenizer(Fast)?|PreTrainedTokenizerFast",
        re.ASCII,
    ),
}
"""Libraries and the classes of theirs that a pipeline may be made of."""
_REPOSITORY = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*", re.ASCII)
_STEM = r"(diffusion_pytorch_)?model"
_WEIGHTS = {
    None: re.compile(rf"{_STEM}(-\d{{5}}-of-\d{{5}})?\.safetensors"),
    VARIANT: re.compile(
        rf"{_STEM}(\.fp16(-\d{{5}}-of-\d{{5}})?|-\d{{5}}-of-\d{{5}}\.fp16)\.safetensors"
    ),
}
_SHARDS = {
    None: re.compile(rf"{_STEM}\.safetensors\.index\.json"),
    VARIANT: re.compile(rf"{_STEM}\.safetensors\.index\.fp16\.json"),
}
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".msgpack", ".h5")


@dataclass(frozen=True)
class PipelineFiles:
    """A pipeline folder that was looked through."""

    folder: Path
    pipeline: str
    """The pipeline's class in diffusers, such as ``StableDiffusionPipeline``."""
    models: Mapping[str, tuple[str, str]]
    """Library and class of each component that has weights."""
    others: Mapping[str, tuple[str, str]]
    """Those of the components without: tokenizers and a scheduler."""
    settings: Mapping[str, Any]
    """Plain values that the pipeline's class is made with."""
    variants: Mapping[str, str | None]
    """``fp16`` or None for each of ``models``: which weights it has."""
    files: tuple[str, ...]
    """Everything that decides its pictures, relative to ``folder``, sorted."""

    def digest(self, settings: Mapping[str, object]) -> str:
        """SHA-256 over the files' names and bytes and over ``settings``; reads every weight."""
        return digest_of_files(self.folder, self.files, json.dumps(settings, sort_keys=True))


def find_pipeline(source: str, revision: str | None) -> PipelineFiles:
    """The folder ``source``, or the downloaded repository of that name, checked.

    Nothing is downloaded. Raises UsageError for a path that is no folder and a revision of a
    folder; ModelError for a repository that is not in the cache, for a folder that is no pipeline,
    lacks files or has weights only as pickles, and for whatever could bring its own code.
    """
    return check_pipeline(_folder(source, revision))


def check_pipeline(folder: Path) -> PipelineFiles:
    """Look through a pipeline's folder; raises ModelError as ``find_pipeline``."""
    index = _index(folder)
    components = _components(folder, index)
    files, variants = [INDEX], {}
    for name in components:
        variant, found = _component_files(folder / name)
        files += [f"{name}/{file}" for file in found]
        variants[name] = variant
    models = {name: kind for name, kind in components.items() if f"{name}/{MODEL}" in files}
    for name, (library, _) in models.items():
        if library == "diffusers":
            _require_known_class(folder / name / MODEL)
    return PipelineFiles(
        folder=folder,
        pipeline=str(index["_class_name"]),
        models=models,
        others={name: kind for name, kind in components.items() if name not in models},
        settings={
            name: value
            for name, value in index.items()
            if not name.startswith("_") and isinstance(value, bool | int | float | str)
        },
        variants={name: variants[name] for name in models},
        files=tuple(sorted(files)),
    )


def _folder(source: str, revision: str | None) -> Path:
    path = expanded(source)
    if path.is_dir():
        if revision is not None:
            raise UsageError(
                f"The option diffusers.revision is {revision!r}, but {source} is a folder; leave "
                "it out, or name a repository."
            )
        return path
    if path.exists() or not _REPOSITORY.fullmatch(source):
        raise UsageError(
            f"{source} is not a folder; give the folder of a diffusers pipeline, or the name of a "
            "repository such as stabilityai/sd-turbo."
        )
    return downloaded_repository(source, revision)


def _index(folder: Path) -> dict[str, Any]:
    path = folder / INDEX
    if not path.exists():
        raise ModelError(
            f"{folder} is not a diffusers pipeline: it has no {INDEX}; give a folder that "
            "save_pretrained wrote, or download the whole repository."
        )
    index = read_json(path, "download it again.")
    if not isinstance(index.get("_class_name"), str):
        raise ModelError(
            f"{path} is damaged, or names a pipeline with its own code (its _class_name is "
            f"{str(index.get('_class_name'))[:60]}); choose another pipeline."
        )
    require_data(folder)
    return index


def _components(folder: Path, index: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Library and class of each component to load."""
    used: dict[str, tuple[str, str]] = {}
    for name, value in index.items():
        if not isinstance(value, list) or name in UNUSED or value[:1] == [None]:
            continue
        library, kind = map(str, value) if len(value) == 2 else ("", str(value))
        known = _COMPONENTS.get(library)
        if known is None or not known.fullmatch(kind) or Path(name).name != name:
            raise ModelError(
                f"The component {name!r} of {folder} is {library}.{kind}, which would run code "
                "that is not part of diffusers or transformers, or is not known here; choose "
                "another pipeline."
            )
        used[name] = (library, kind)
    return used


def _require_known_class(path: Path) -> None:
    kind = read_json(path, "download it again.").get("_class_name")
    if kind is not None and not _COMPONENTS["diffusers"].fullmatch(str(kind)):
        raise ModelError(
            f"{path} is of the class {str(kind)[:60]!r}, which is not known here; choose another "
            "pipeline."
        )


def _component_files(folder: Path) -> tuple[str | None, list[str]]:
    """The variant of a component's weights, and the names of the files that are read."""
    if not folder.is_dir():
        raise ModelError(
            f"The pipeline lacks the folder {folder}; download the whole repository again."
        )
    require_data(folder)
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    plain, half = (
        [name for name in names if pattern.fullmatch(name)] for pattern in _WEIGHTS.values()
    )
    variant, weights = (VARIANT, half) if half and not plain else (None, plain)
    if MODEL in names:
        _require_weights(folder, names, weights, _SHARDS[variant])
    return variant, list(files_read(folder, weights))


def _require_weights(
    folder: Path, names: list[str], weights: list[str], shards: re.Pattern[str]
) -> None:
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
        if not shards.fullmatch(name):
            continue
        parts = read_json(folder / name, "download it again.").get("weight_map")
        if not isinstance(parts, dict):
            raise ModelError(f"{folder / name} is damaged (no weight_map); download it again.")
        wanted = {str(part) for part in parts.values()}
        if missing := wanted - set(weights):
            raise ModelError(
                f"{folder} lacks {min(missing)}, {len(missing)} of {len(wanted)} parts in all; "
                "download the whole repository again."
            )
