"""Recomputing digests: is every byte of a model still what it was?"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from evo_t2i.checkpoints import builtin, catalogue, minilm
from evo_t2i.checkpoints.catalogue import (
    Brought,
    Builtin,
    HubFiles,
    Model,
    Packaged,
    Part,
    WebFile,
)
from evo_t2i.checkpoints.digests import digest_of
from evo_t2i.checkpoints.inventory import Found, locate
from evo_t2i.checkpoints.model_folder import files_read, require_regular
from evo_t2i.checkpoints.records import read_record
from evo_t2i.errors import UsageError

Report = Callable[[str, str, int, int | None], None]
"""``("verifying", file, bytes so far, bytes in all)``."""
INTACT, DAMAGED, UNKNOWN = "intact", "damaged", "no digest known"
_IN_CARD = re.compile(r"^- sha256 of (\S+): ([0-9a-f]{64})", re.MULTILINE)
_IN_NAME = re.compile(r".*-([0-9a-f]{8,64})\.pth")


_NOTHING = "no digest has these letters"


@dataclass(frozen=True)
class Expected:
    """What a file's digest has to be, or to begin with."""

    path: Path
    digest: str | None
    """None: nobody knows."""
    git: bool = False


@dataclass(frozen=True)
class Checked:
    """One file that was looked at."""

    path: Path
    verdict: str
    """``intact``, ``damaged`` or ``no digest known``."""


def check(expected: Expected, report: Report) -> Checked:
    """Read the file and compare; a file that cannot be read is damaged."""
    if expected.digest is None:
        return Checked(expected.path, UNKNOWN)
    done = 0

    def read(count: int) -> None:
        nonlocal done
        done += count
        report("verifying", "/".join(expected.path.parts[-2:]), done, size)

    try:
        size = expected.path.stat().st_size
        found = digest_of(expected.path, git=expected.git, read=read)
    except OSError:
        return Checked(expected.path, DAMAGED)
    return Checked(expected.path, INTACT if found.startswith(expected.digest) else DAMAGED)


def of_model(model: Model) -> list[Expected]:
    """The files of a model that are here; those that a record names are expected in any case."""
    return [each for part in model.parts for each in _of_part(part, locate(part))]


def of_path(path: Path) -> list[Expected]:
    """The files in a folder, or one file, as far as something beside them says what they were.

    Raises UsageError when there is nothing at ``path``.
    """
    if path.is_dir():
        return _of_folder(path)
    if path.is_file():
        return [_of_file(path)]
    raise UsageError(
        f"{path} is neither a model of `evo-t2i models list`, nor a file or folder; give one."
    )


def _of_part(part: Part, found: Found) -> Iterator[Expected]:
    match part:
        case Builtin():
            yield from _of_manifest(found.folder.parent, part.folder)
        case Packaged():
            for name, digest in minilm.installed_digests().items():
                yield Expected(found.folder / name, digest)
        case WebFile():
            record = read_record(part.source)
            known = record.files.get(part.name) if record else None
            for path in found.files.values():
                yield Expected(path, known.sha256 if known else part.sha256)
        case HubFiles():
            yield from _of_hub(part, found)
        case Brought():
            for path in found.files.values():
                yield from _of_folder(path) if path.is_dir() else [_of_file(path)]


def _of_hub(part: HubFiles, found: Found) -> Iterator[Expected]:
    record = read_record(part.repository)
    recorded = record.files if record and found.files else {}
    names = recorded.keys() & {*found.files, *found.missing} | found.files.keys()
    if found.files:  # what a library reads beside them, though it was not asked for
        names |= set(files_read(found.folder))
    for name in sorted(names):
        path = found.folder / name
        if name in recorded:
            yield Expected(path, recorded[name].sha256)
        elif name in part.sha256:
            yield Expected(path, part.sha256[name])
        else:
            yield _by_blob(path)


def _of_folder(folder: Path) -> list[Expected]:
    """Built-in weights, one folder of them, a converted checkpoint, a folder of the hub's cache."""
    if (folder / "digests.json").is_file():
        names = _json(folder / "digests.json") or [""]
        return [each for name in names for each in _of_manifest(folder, name)]
    manifest = folder.resolve().parent / "digests.json"
    if manifest.is_file() and folder.resolve().name in _json(manifest):
        return list(_of_manifest(manifest.parent, folder.resolve().name))
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    if converted := _of_converted(folder):
        return [
            Expected(path, converted.get(path.relative_to(folder).as_posix())) for path in files
        ]
    return [_of_file(path) for path in files]


def _of_converted(folder: Path) -> dict[str, str]:
    """Digests of a converted checkpoint by file: from its card, else from its config."""
    card = folder / "CARD.md"
    said = card.read_text("utf-8", "replace") if card.is_file() else ""
    config = _json(folder / "config.json")
    known = {"model.safetensors": str(config["sha256"])} if "networks" in config else {}
    return known | {name: digest for name, digest in _IN_CARD.findall(said)}


def _of_manifest(folder: Path, name: str) -> Iterator[Expected]:
    manifest = folder / "digests.json"
    digests = _json(manifest).get(name)
    if not isinstance(digests, dict):
        yield Expected(manifest, _NOTHING)
        return
    for file in builtin.FILES:
        yield Expected(folder / name / file, str(digests.get(file)))


def _of_file(path: Path) -> Expected:
    """By the hub's cache, by torch's way of naming, or by the catalogue."""
    by_blob = _by_blob(path)
    if by_blob.digest is None and (named := _IN_NAME.fullmatch(path.name)):
        return Expected(path, named[1])
    return by_blob if by_blob.digest else Expected(path, _by_name().get(path.name))


def _by_blob(path: Path) -> Expected:
    """In the hub's cache the bytes of a file lie in ``blobs`` under their digest."""
    blob = path.resolve()
    if blob.parent.name == "blobs" and re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", blob.name):
        return Expected(path, blob.name, git=len(blob.name) == 40)
    return Expected(path, None)


def _by_name() -> dict[str, str]:
    """Digests of files that are known by a name of their own, whatever folder they lie in."""
    parts = (part for model in catalogue.MODELS for part in model.parts)
    known = {part.name: part.sha256 for part in parts if isinstance(part, WebFile)}
    return catalogue.OPENAI_ARCHIVES | known


def _json(path: Path) -> dict[str, object]:
    try:
        value = json.loads(require_regular(path).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
