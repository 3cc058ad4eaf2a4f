"""Where captioned pictures come from: a folder, or WebDataset shards. Nothing is decoded here.

Captions stand in ``NAME.txt`` beside each picture (one a line), in a table at the top of the
folder, or both. A table is captions.csv or captions.jsonl, or metadata.csv or metadata.jsonl, as
the datasets library names it; a line names a file and a caption.
"""

import csv
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from evo_t2i.errors import UsageError, first_line

SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"))
TABLES = ("captions.csv", "captions.jsonl", "metadata.csv", "metadata.jsonl")
LABEL_TABLES = ("labels.csv", "labels.jsonl", *TABLES)
FILE_COLUMNS = ("file", "file_name", "filename", "image", "path")
CAPTION_COLUMNS = ("caption", "captions", "text")


@dataclass(frozen=True)
class Listed:
    """A picture that a source holds."""

    name: str
    """Path within the source; a picture's share, training or held out, hangs on it alone."""
    captions: tuple[str, ...]
    stamp: str
    """Changes when the file does."""
    read: Callable[[], bytes]
    """The encoded picture. Raises OSError."""


@dataclass(frozen=True)
class Listing:
    """What a source holds."""

    pictures: list[Listed]
    problems: dict[str, list[str]] = field(default_factory=dict)
    """What was found beside them that cannot be used: kind of problem → names."""


def list_pictures(source: Path) -> Listing:
    """Every picture in a folder, or in the WebDataset shards (.tar) of a folder or file.

    Raises UsageError when there is none, and for a table that cannot be read.
    """
    if not source.exists():
        raise UsageError(f"{source} is not there; name a folder of pictures or .tar shards.")
    shards = _shards(source)
    listing = _listed_shards(shards) if shards else _listed_folder(source)
    if not listing.pictures:
        raise UsageError(
            f"{source} holds no picture; give a folder with {', '.join(sorted(SUFFIXES))} files, "
            "or WebDataset shards (.tar)."
        )
    return listing


def list_labelled(source: Path, column: str) -> Listing:
    """Every picture of a folder with its label in the place of a caption.

    Labels stand in the ``column`` of a table at the top (``LABEL_TABLES``); where no table has it,
    the first folder on a picture's path is its label. Raises UsageError when there is no picture or
    no label, and for a table that cannot be read.
    """
    if not source.is_dir():
        raise UsageError(f"{source} is not a folder; name a folder of labelled pictures.")
    labels: dict[str, str] = {}
    columns: set[str] = set()
    for path in (source / name for name in LABEL_TABLES):
        if path.is_file():
            for number, row in _rows(path):
                columns.update(key for key in row if key)
                if row.get(column) not in (None, ""):
                    labels[_file_of(row, path, number)] = str(row[column]).strip()
    listing = list_pictures(source)
    problems: dict[str, list[str]] = {}
    if labels:
        names = {picture.name for picture in listing.pictures}
        if gone := sorted(labels.keys() - names):
            problems["labels of a picture that is not there"] = gone
    else:
        labels = {
            picture.name: PurePosixPath(picture.name).parts[0]
            for picture in listing.pictures
            if "/" in picture.name
        }
    if not labels:
        known = f" (columns here: {', '.join(sorted(columns))})" if columns else ""
        raise UsageError(
            f"{source} labels no picture; give a table with a column {column!r}{known}, or a "
            "folder for each label."
        )
    labelled = [
        replace(each, captions=(labels[each.name],) if labels.get(each.name) else ())
        for each in listing.pictures
    ]
    return Listing(labelled, problems)


def _shards(source: Path) -> list[Path]:
    if source.is_file():
        if source.suffix != ".tar":
            raise UsageError(
                f"{source} is not a folder and not a .tar shard; unpack it, or name a folder."
            )
        return [source]
    return sorted(source.glob("*.tar"))


def _listed_folder(folder: Path) -> Listing:
    problems: dict[str, list[str]] = {}
    tabled = _tables(folder)
    pictures = []
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        captions = tabled.pop(name, [])
        beside = path.with_suffix(".txt")
        if beside.is_file():
            captions = captions + _lines(beside.read_bytes(), beside.name, problems)
        status = path.stat()
        stamp = f"{status.st_size} {status.st_mtime_ns}"
        pictures.append(Listed(name, _distinct(captions), stamp, path.read_bytes))
    if tabled:
        problems["captions of a picture that is not there"] = sorted(tabled)
    return Listing(pictures, problems)


def _tables(folder: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in (folder / name for name in TABLES):
        if path.is_file():
            for number, row in _rows(path):
                name, captions = _named(row, path, number)
                found.setdefault(name, []).extend(captions)
    return found


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Line numbers and rows of a table."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix == ".csv":
                reader = csv.DictReader(file)
                for row in reader:
                    yield reader.line_num, row
                return
            for number, line in enumerate(file, 1):
                if line.strip():
                    value = json.loads(line)
                    if not isinstance(value, dict):
                        raise ValueError(f"line {number} is no object")
                    yield number, value
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        raise UsageError(
            f"{path} cannot be read as a table of captions ({first_line(error)}); correct it."
        ) from error


def _named(row: Mapping[str, Any], path: Path, number: int) -> tuple[str, list[str]]:
    caption = next((row[key] for key in CAPTION_COLUMNS if row.get(key) is not None), None)
    captions: list[Any] = caption if isinstance(caption, list) else [caption]
    if not all(isinstance(text, str) for text in captions):
        raise UsageError(
            f"Line {number} of {path} names no file with a caption; give a column "
            f"{' or '.join(FILE_COLUMNS)}, and a column {' or '.join(CAPTION_COLUMNS)}."
        )
    return _file_of(row, path, number), captions


def _file_of(row: Mapping[str, Any], path: Path, number: int) -> str:
    file = next((row[key] for key in FILE_COLUMNS if row.get(key)), None)
    if not isinstance(file, str):
        raise UsageError(
            f"Line {number} of {path} names no file; give a column {' or '.join(FILE_COLUMNS)}."
        )
    return PurePosixPath(file).as_posix()


def _listed_shards(shards: list[Path]) -> Listing:
    problems: dict[str, list[str]] = {}
    pictures = []
    for shard in shards:
        try:
            pictures += list(_members(shard, problems))
        except (tarfile.TarError, OSError, EOFError) as error:
            problems.setdefault("damaged shard", []).append(f"{shard.name}: {first_line(error)}")
    return Listing(pictures, problems)


def _members(shard: Path, problems: dict[str, list[str]]) -> Iterator[Listed]:
    """The pictures of an uncompressed tar, whose members of one name belong together."""
    groups: dict[str, dict[str, tarfile.TarInfo]] = {}
    with tarfile.open(shard, "r:") as archive:
        for member in archive:
            if member.isfile():
                path = PurePosixPath(member.name)
                stem, _, extension = path.name.partition(".")
                groups.setdefault(str(path.with_name(stem)), {})[f".{extension.lower()}"] = member
    status = shard.stat()
    for key, group in groups.items():
        suffix = next((suffix for suffix in group if suffix in SUFFIXES), None)
        name = f"{shard.name}/{key}"
        if suffix is None:
            problems.setdefault("captions of a picture that is not there", []).append(name)
            continue
        captions = []
        if (text := group.get(".txt")) is not None:
            captions += _lines(_part(shard, text), f"{name}.txt", problems)
        if (described := group.get(".json")) is not None:
            captions += _described(_part(shard, described), f"{name}.json", problems)
        member = group[suffix]
        stamp = f"{status.st_size} {status.st_mtime_ns} {member.offset_data}"
        yield Listed(name + suffix, _distinct(captions), stamp, partial(_part, shard, member))


def _part(shard: Path, member: tarfile.TarInfo) -> bytes:
    """A member's bytes, read from where they lie: nothing is unpacked."""
    with shard.open("rb") as file:
        file.seek(member.offset_data)
        return file.read(member.size)


def _described(data: bytes, name: str, problems: dict[str, list[str]]) -> list[str]:
    try:
        row = json.loads(data)
        caption: Any = next((row[key] for key in CAPTION_COLUMNS if key in row), [])
    except (ValueError, TypeError, AttributeError, RecursionError):
        problems.setdefault("captions that cannot be read", []).append(name)
        return []
    captions = caption if isinstance(caption, list) else [caption]
    return [text for text in captions if isinstance(text, str)]


def _lines(data: bytes, name: str, problems: dict[str, list[str]]) -> list[str]:
    try:
        return data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        problems.setdefault("captions that cannot be read", []).append(name)
        return []


def _distinct(captions: list[str]) -> tuple[str, ...]:
    """Each caption once, its white space tidied, empty ones left out."""
    tidy = (" ".join(caption.split()) for caption in captions)
    return tuple(dict.fromkeys(caption for caption in tidy if caption))
