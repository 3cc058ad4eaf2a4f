"""Where a run may lie, and what in its folder is whose."""

import hashlib
import os
import re
import shutil
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from evo_t2i.config import RunConfig
from evo_t2i.errors import DiskFullError, UsageError
from evo_t2i.runs.atomic import is_part

WRITTEN_INTO = ("gen", "front", "pick")
"""The folders in a run's folder."""
OWN_FILES = (
    "archive.safetensors",
    "budget.json",
    "config.json",
    "front.csv",
    "journal.jsonl",
    "lock",
    "presented.json",
    "run.json",
)
"""What a figure may not be called."""
BASE_BYTES = 16 * 2**20
BYTES_PER_EVALUATION = 16 * 2**10
"""Generous: a picture of 64 pixels, its latent and its scores together take about 12 KiB."""
UNKNOWN_EVALUATIONS = 10_000
"""Taken for a run that ends by the clock or when it stalls, unless it is shorter in any case."""
_SLUG_BYTES = 60


def default_out(config: RunConfig) -> Path:
    """``runs/<caption>-<seed>``: the caption's letters and digits, of every script, in lower case.

    A few characters of its digest are added where the name does not hold all of them.
    """
    words, complete = _words(unicodedata.normalize("NFKC", config.caption))
    slug = _cut(words)
    parts = [slug] if slug else []
    if not complete or slug != words or not slug:
        parts.append(hashlib.sha256(config.caption.encode()).hexdigest()[:6])
    return Path("runs") / "-".join([*parts, str(config.seed)])


def require_unused(path: Path) -> None:
    """Raise UsageError unless ``path`` is new, empty, or was left before its run began."""
    try:
        os.lstat(path)
        found = os.listdir(path) if os.path.isdir(path) else [path.name]
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(
            f"{path} cannot be a run's folder ({error.strerror}); choose another `out`."
        ) from error
    if any(name != "lock" and not _left_by_config(name) for name in found):
        raise UsageError(
            f"{path} exists already; choose another `out`, or go on with a run that is there by "
            f"`evo-t2i resume {path}`."
        )


def require_space(path: Path, config: RunConfig) -> None:
    """Raise DiskFullError when the run might not fit where ``path`` is or will be."""
    existing = next(parent for parent in path.absolute().parents if parent.exists())
    known = not (config.max_minutes or config.stall)
    images = config.evaluations if known else min(config.evaluations, UNKNOWN_EVALUATIONS)
    needed = BASE_BYTES + images * BYTES_PER_EVALUATION
    free = shutil.disk_usage(path if path.exists() else existing).free
    if free < needed:
        raise DiskFullError(
            f"{existing} has {free / 2**20:,.0f} MiB free and the run may take "
            f"{needed / 2**20:,.0f} MiB; free some or choose another `out`."
        )


def figure_name(run: Path, file: Path) -> str | None:
    """The name of ``file`` in the run's folder, None when it lies elsewhere.

    Raises UsageError for the run's own files and folders.
    """
    inside, folder = Path(os.path.realpath(file.parent)), Path(os.path.realpath(run))
    if inside == folder and file.name not in OWN_FILES:
        return file.name
    if inside == folder or any(inside.is_relative_to(folder / name) for name in WRITTEN_INTO):
        raise UsageError(f"{file} belongs to the run itself; give another name.")
    return None


def model_files(config: RunConfig) -> list[str]:
    """The paths among what ``config`` names as models that are relative and lead to something."""
    return [
        place for place in _places(config) if not os.path.isabs(place) and os.path.exists(place)
    ]


def _places(config: RunConfig) -> Iterator[str]:
    """Whatever may be a path: a name, or what follows its first colon, up to a comma or not."""
    models = config.scorer_models
    for name in (config.generator, models.clip, models.classifier, models.embedder):
        if name != "builtin":
            place = name.partition(":")[2] or name
            yield from dict.fromkeys([place, place.partition(",")[0]])


def _left_by_config(name: str) -> bool:
    return name.startswith(".config.json.") and is_part(name)


def _words(caption: str) -> tuple[str, bool]:
    """Letters, digits and their marks, with a dash for what separates them; and whether nothing but
    separators was left out."""
    kept, complete = "", True
    for character in caption.lower():
        kind = unicodedata.category(character)[0]
        if character.isalnum() or (kind == "M" and not kept.endswith("-") and kept):
            kept += character
        else:
            kept += "-"
            complete &= kind in "PZ" or character in "\t\n\r"
    return re.sub("-+", "-", kept).strip("-"), complete


def _cut(words: str) -> str:
    return words.encode()[:_SLUG_BYTES].decode(errors="ignore").rstrip("-")
