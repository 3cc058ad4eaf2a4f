"""What was fetched from where: a small file a source, which later pulls and checks hold to."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from evo_t2i.checkpoints.cache import models_folder
from evo_t2i.checkpoints.model_folder import require_regular
from evo_t2i.errors import ModelError, first_line


@dataclass(frozen=True)
class FileRecord:
    """One verified file."""

    sha256: str
    size: int
    """Bytes."""


@dataclass(frozen=True)
class Record:
    """The verified files of one repository or address."""

    source: str
    """``owner/name`` on the hub, or an address."""
    revision: str | None
    """The commit of a repository."""
    files: dict[str, FileRecord]


def record_path(source: str) -> Path:
    """Where the record of a source is kept."""
    name = source.rpartition("//")[2].replace("/", "--")
    return models_folder() / "records" / f"{name}.json"


def read_record(source: str) -> Record | None:
    """What was written down; None when nothing was that can be read.

    Raises ModelError for a damaged record.
    """
    path = record_path(source)
    try:
        values = json.loads(require_regular(path).read_text("utf-8"))
        files = {str(name): FileRecord(**entry) for name, entry in values["files"].items()}
        return Record(str(values["source"]), values["revision"], files)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(
            f"The record {path} cannot be read ({first_line(error)}); delete it and run "
            "`evo-t2i models pull` again."
        ) from error


def write_record(record: Record) -> None:
    """Replace the source's record; files of the same revision that it named stay in it."""
    old = read_record(record.source)
    files = dict(record.files)
    if old is not None and old.revision == record.revision:
        files = old.files | files
    path = record_path(record.source)
    path.parent.mkdir(parents=True, exist_ok=True)
    values = asdict(Record(record.source, record.revision, dict(sorted(files.items()))))
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8") as file:
            file.write(json.dumps(values, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
