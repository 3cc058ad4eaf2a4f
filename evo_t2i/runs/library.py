"""All runs under a folder: what each is, how far it is, and which is the newest."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evo_t2i.config import RunConfig
from evo_t2i.errors import EvoError, RunDataError, UsageError
from evo_t2i.runs.atomic import read_bytes
from evo_t2i.runs.directory import RunDirectory
from evo_t2i.runs.lock import is_held

DEFAULT_ROOT = Path("runs")
"""Where `sample` puts its runs."""
MOST_DEPTH = 4
"""Folders below the root that are looked into; a batch keeps its runs two below its own."""
FINISHED, GOING_ON, STOPPED, DAMAGED = "finished", "going on", "stopped", "damaged"


@dataclass(frozen=True)
class Listed:
    """One run of a library."""

    path: Path
    caption: str
    """Empty when it cannot be read."""
    seed: int | None
    state: str
    """FINISHED, GOING_ON (a process works on it), STOPPED or DAMAGED."""
    generation: int | None
    """The newest committed one; None before the first."""
    generations: int | None
    """After generation 0, as asked for."""
    front: int | None
    """Pictures on the front after ``generation``."""
    when: float
    """Of the last commit, in seconds since 1970."""
    pick: Path | None
    """The best picked picture of a finished run."""

    @property
    def described(self) -> str:
        """The state in words, ``stopped at generation 7``."""
        if self.state != STOPPED:
            return self.state
        if self.generation is None:
            return "stopped before generation 0"
        return f"stopped at generation {self.generation}"


def run_folders(root: Path) -> Iterator[Path]:
    """Every run directory under ``root``, itself included, MOST_DEPTH folders deep at most.

    Links are not followed, and nothing is looked for inside a run. Folders that cannot be read have
    none.
    """
    level = [root]
    for _ in range(MOST_DEPTH + 1):
        below: list[Path] = []
        for folder in level:
            if (folder / "config.json").is_file() and (folder / "journal.jsonl").exists():
                yield folder
            else:
                below += _folders_in(folder)
        level = below


def list_runs(root: Path) -> list[Listed]:
    """The runs under ``root``, the newest first; UsageError when there is no such folder."""
    if not os.path.isdir(root):
        raise UsageError(
            f"There is no folder {root}; give one with runs, or make a run with `evo-t2i sample`."
        )
    listed = [describe(path) for path in run_folders(root)]
    return sorted(listed, key=lambda each: (-each.when, each.path))


def latest(root: Path = DEFAULT_ROOT) -> Path:
    """The run under ``root`` with the newest commit; UsageError when there is none."""
    newest = max(run_folders(root), key=lambda path: (_when(path), path), default=None)
    if newest is None:
        raise UsageError(
            f"There is no run under {root}, so none is the latest; give a run's folder, or make a "
            "run with `evo-t2i sample`."
        )
    return newest


def describe(path: Path) -> Listed:
    """The run in ``path``; one that cannot be read is DAMAGED rather than an error."""
    try:
        return _described(path)
    except EvoError:
        caption, seed = _asked(path)
        return Listed(path, caption, seed, DAMAGED, None, None, None, _when(path), None)


def _described(path: Path) -> Listed:
    run = RunDirectory.open(path)
    committed = len(run.journal)
    front = run.facts_of(committed - 1).front if committed else None
    pick = None
    state = FINISHED
    if run.finished:
        front = int(run.facts()["front"])
        pick = _picked(path)
    else:
        state = GOING_ON if is_held(path / "lock") else STOPPED
    return Listed(
        path=path,
        caption=run.config.caption,
        seed=run.config.seed,
        state=state,
        generation=committed - 1 if committed else None,
        generations=run.config.generations,
        front=front,
        when=_when(path),
        pick=pick,
    )


def _asked(path: Path) -> tuple[str, int | None]:
    try:
        config = RunConfig.from_json(read_bytes(path / "config.json").decode())
    except (EvoError, OSError, ValueError):
        return "", None
    return config.caption, config.seed


def _picked(path: Path) -> Path | None:
    """The first picture of the run's pick.json; None when there is no such file."""
    try:
        table = json.loads(read_bytes(path / "pick" / "pick.json"))
        file = path / str(table["chosen"][0]["file"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError, RunDataError):
        return None
    inside = file.parent == path / "front" and file.name not in (".", "..")
    return file if inside and file.is_file() else None


def _when(path: Path) -> float:
    try:
        return os.stat(path / "journal.jsonl").st_mtime
    except OSError:
        return 0.0


def _folders_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            found = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
    return [folder / name for name in sorted(found)]
