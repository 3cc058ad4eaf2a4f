"""Which of the catalogue's models are on this machine, and where."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from evo_t2i.checkpoints import builtin, hub, minilm
from evo_t2i.checkpoints.cache import models_folder, torch_hub_checkpoints
from evo_t2i.checkpoints.catalogue import Brought, Builtin, HubFiles, Model, Packaged, Part, WebFile
from evo_t2i.checkpoints.records import read_record
from evo_t2i.errors import ModelError

INDEX = "model_index.json"
"""The file that a diffusion pipeline begins with."""


@dataclass(frozen=True)
class Found:
    """What there is of a model's part."""

    part: Part
    folder: Path
    """Where the files are, or where they would be looked for."""
    files: dict[str, Path]
    missing: tuple[str, ...]


def locate(part: Part) -> Found:
    """Look for a part's files; their digests are not computed."""
    match part:
        case Builtin():
            return _builtin(part)
        case Packaged():
            try:
                folder = minilm.package_folder()
            except ModelError:
                return Found(part, Path(minilm.PACKAGE), {}, ("model.safetensors",))
            return _found(part, folder, ["model.safetensors"])
        case HubFiles():
            return _hub(part)
        case WebFile():
            return _found(part, web_folder(part), [part.name])
        case Brought():
            folder = models_folder() / part.family
            files = {path.name: path for path in checkpoints_in(folder)}
            return Found(part, folder, files, () if files else ("a checkpoint",))


def state(model: Model) -> str:
    """``present``, ``partly`` or ``missing``."""
    found = [locate(part) for part in model.parts]
    if not any(each.missing for each in found):
        return "present"
    return "partly" if any(each.files for each in found) else "missing"


def size_of(model: Model) -> int | None:
    """The catalogue's size in bytes, else that of the files that are here, if all are."""
    found = [locate(part) for part in model.parts]
    if model.size is not None or any(each.missing for each in found):
        return model.size
    return sum(path.stat().st_size for each in found for path in each.files.values())


def web_folder(part: WebFile) -> Path:
    """Where a file from an address belongs."""
    return torch_hub_checkpoints() if part.place == "torch" else models_folder() / "published"


def checkpoints_in(folder: Path) -> list[Path]:
    """Pickles and converted folders directly under ``folder``, sorted."""
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix == ".pkl" or (path / "model.safetensors").is_file()
    )


def _builtin(part: Builtin) -> Found:
    try:
        folder = builtin.weights_folder() / part.folder
    except ModelError:
        return Found(part, Path("weights") / part.folder, {}, builtin.FILES)
    return _found(part, folder, builtin.FILES)


def _hub(part: HubFiles) -> Found:
    folders = hub.snapshots(part.repository) or [hub.by_hand(part.repository)]
    found = [_found(part, folder, hub_names(part, folder)) for folder in folders]
    return next((each for each in found if not each.missing), found[0])


def hub_names(part: HubFiles, folder: Path) -> list[str]:
    """The names that a repository's part needs, as far as they are known without asking the hub."""
    if isinstance(part.files, tuple):
        return list(part.files)
    record = read_record(part.repository)
    recorded = [name for name in record.files if part.files.fullmatch(name)] if record else []
    there = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    return sorted({INDEX, *recorded, *(name for name in there if part.files.fullmatch(name))})


def _found(part: Part, folder: Path, names: Iterable[str]) -> Found:
    files = {name: folder / name for name in names if (folder / name).is_file()}
    return Found(part, folder, files, tuple(name for name in names if name not in files))
