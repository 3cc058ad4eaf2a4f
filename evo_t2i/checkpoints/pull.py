"""Fetching a model of the catalogue: pinned, resumable, and verified before a file counts.

Bytes arrive where nobody looks (``evo_t2i.checkpoints.arriving``). Only when their digest is the
expected one is the file put where programs look for it: into the Hugging Face cache in its own
layout, or into a plain folder.
"""

import errno
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evo_t2i.checkpoints import arriving, hub
from evo_t2i.checkpoints.cache import NOWHERE, models_folder
from evo_t2i.checkpoints.catalogue import HubFiles, Model, WebFile
from evo_t2i.checkpoints.digests import digest_of
from evo_t2i.checkpoints.inventory import hub_names, locate, web_folder
from evo_t2i.checkpoints.records import FileRecord, Record, read_record, write_record
from evo_t2i.errors import DiskFullError, EvoError, ModelError, UsageError

Report = Callable[[str, str, int, int | None], None]
"""``(verb, file, bytes so far, bytes in all)``; the verb is ``fetching`` or ``verifying``."""


@dataclass(frozen=True)
class Pulled:
    """A source whose files are here, verified and recorded."""

    source: str
    revision: str | None
    folder: Path
    fetched: tuple[str, ...]
    """The files that were not here before."""
    size: int
    """Bytes of all its files."""


@dataclass(frozen=True)
class _Wanted:
    """A file to be had."""

    name: str
    target: Path
    """Where programs look for it."""
    store: Path
    """Where its bytes are; the target itself, or what the target is a link to."""
    size: int | None
    sha256: str | None
    """Expected SHA-256, or its beginning."""
    arrive: arriving.Arrive
    git: str | None = None
    """Expected digest of git's blob, for the hub's files whose SHA-256 it does not state."""


def pull(model: Model, report: Report) -> list[Pulled]:
    """Fetch what is missing or damaged of a model, and write down what was fetched.

    Raises UsageError for a model that cannot be fetched, EvoError when a host does not answer or
    refuses, ModelError when bytes are not those that were pinned, DiskFullError in advance.
    """
    sources = [part for part in model.parts if isinstance(part, HubFiles | WebFile)]
    if not sources and model.name == "lafite":
        raise UsageError(
            "LAFITE's checkpoints have no address that could be pinned; put a network-snapshot "
            "pickle, or the folder of `evo-t2i models convert`, into "
            f"{locate(model.parts[0]).folder}."
        )
    if not sources:
        raise UsageError(
            f"{model.name} comes with evo-t2i; if it is damaged, install evo-t2i again."
        )
    for part in sources:
        if any(folder.is_relative_to(NOWHERE) for folder in (staging(part), models_folder())):
            raise EvoError(
                f"There is no home folder to keep {model.name} in; set HOME, or all of HF_HOME, "
                "TORCH_HOME and EVO_T2I_CACHE."
            )
    return [_pull_part(model, part, report) for part in sources]


def staging(part: HubFiles | WebFile) -> Path:
    """Where a part's bytes arrive."""
    if isinstance(part, WebFile):
        return web_folder(part) / f"{part.name}.arriving"
    return hub.cache_of(part.repository) / "arriving"


def _pull_part(model: Model, part: HubFiles | WebFile, report: Report) -> Pulled:
    record = read_record(part.source)
    with _said(model, part, record):
        if record is not None and (whole := _already_here(part, record, report)) is not None:
            return whole
        revision, wanted = _plan(part, record)
        _require_space(part, wanted)
        fetched = []
        with arriving.alone(staging(part)):
            for file in wanted:
                sha256 = _here(file, report)
                if sha256 is None:
                    sha256 = _fetch(file, staging(part), report)
                    fetched.append(file.name)
                entry = FileRecord(sha256, file.target.stat().st_size)
                write_record(Record(part.source, revision, {file.name: entry}))
        if isinstance(part, HubFiles):
            _name_main(part.repository, str(revision))
    size = sum(file.target.stat().st_size for file in wanted)
    return Pulled(part.source, revision, _folder(part, revision), tuple(fetched), size)


def _folder(part: HubFiles | WebFile, revision: str | None) -> Path:
    if isinstance(part, WebFile):
        return web_folder(part)
    return hub.cache_of(part.repository) / "snapshots" / str(revision)


def _already_here(part: HubFiles | WebFile, record: Record, report: Report) -> Pulled | None:
    """The answer without a question to a host: all that was pulled before is here, intact."""
    folder = _folder(part, record.revision)
    if isinstance(part, HubFiles) and record.revision != (part.revision or record.revision):
        return None
    names = [part.name] if isinstance(part, WebFile) else hub_names(part, folder)
    for name in names:
        if name not in record.files or not (folder / name).is_file():
            return None
        if _hashed(folder / name, name, report) != record.files[name].sha256:
            return None
    size = sum(record.files[name].size for name in names)
    return Pulled(part.source, record.revision, folder, (), size)


def _plan(part: HubFiles | WebFile, record: Record | None) -> tuple[str | None, list[_Wanted]]:
    """The pinned revision and every file with what its bytes have to be."""
    if isinstance(part, HubFiles):
        return _plan_hub(part, record)
    known = record.files.get(part.name) if record else None
    target, size = web_folder(part) / part.name, arriving.web_size(part.url)
    sha256 = known.sha256 if known else part.sha256
    arrive = arriving.from_web(part.url, size)
    return None, [_Wanted(part.name, target, target, size, sha256, arrive)]


def _plan_hub(part: HubFiles, record: Record | None) -> tuple[str, list[_Wanted]]:
    from huggingface_hub import HfApi

    pinned = part.revision or (record.revision if record else None)
    facts = HfApi().model_info(part.repository, revision=pinned, files_metadata=True, timeout=10)
    revision = _hexadecimal(facts.sha, part)
    if pinned is not None and revision != pinned:
        raise ModelError(
            f"{part.repository} answers with the commit {revision[:12]}… when asked for "
            f"{pinned[:12]}…; nothing was fetched, try another mirror."
        )
    known = record.files if record is not None and record.revision == revision else {}
    cache = hub.cache_of(part.repository)
    files = []
    for sibling in _chosen(part, facts.siblings or []):
        name, stated = sibling.rfilename, sibling.lfs.sha256 if sibling.lfs else None
        expected = known[name].sha256 if name in known else part.sha256.get(name, stated)
        if stated is not None and stated != expected:
            raise ModelError(
                f"The hub states the digest {stated[:12]}… for {name} of {part.repository}, pinned "
                f"is {str(expected)[:12]}…; nothing was fetched."
            )
        blob = _hexadecimal(stated or sibling.blob_id or expected, part)
        files.append(
            _Wanted(
                name=name,
                target=cache / "snapshots" / revision / name,
                store=cache / "blobs" / blob,
                size=sibling.size,
                sha256=expected,
                arrive=arriving.from_hub(part.repository, name, revision),
                git=None if stated else sibling.blob_id,
            )
        )
    return revision, files


def _hexadecimal(stated: str | None, part: HubFiles) -> str:
    """A commit or digest, which becomes part of a path."""
    if stated is None or not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", stated):
        raise ModelError(
            f"The hub states no commit or digest that can be held to for {part.repository}; "
            "nothing was fetched, try another mirror."
        )
    return stated


def _chosen(part: HubFiles, siblings: list[Any]) -> list[Any]:
    offered = {sibling.rfilename: sibling for sibling in siblings}
    if isinstance(part.files, tuple):
        names = list(part.files)
    else:
        names = [name for name in sorted(offered) if part.files.fullmatch(name)]
    if missing := [name for name in names if name not in offered]:
        raise ModelError(f"{part.repository} has no {missing[0]}; nothing was fetched.")
    if not names:
        raise ModelError(f"{part.repository} has none of the files that are needed.")
    return [offered[name] for name in names]


def _require_space(part: HubFiles | WebFile, wanted: list[_Wanted]) -> None:
    """Raise DiskFullError unless what is still to come fits the disk."""
    needed = sum(file.size or 0 for file in wanted if not file.target.is_file())
    needed -= arriving.arrived(staging(part))
    folder = staging(part)
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DiskFullError(
            f"{needed / 1e9:.1f} GB are needed in {folder} and {free / 1e9:.1f} GB are free; make "
            "room, or move the cache with HF_HOME, TORCH_HOME or EVO_T2I_CACHE."
        )


def _here(file: _Wanted, report: Report) -> str | None:
    """The SHA-256 of a file that is here with the expected bytes; one with others is removed."""
    for path in (file.target, file.store):
        if path.is_file():
            if (sha256 := _verified(file, path, report)) is not None:
                _put(file)
                return sha256
            path.unlink()
    file.target.unlink(missing_ok=True)  # a link to nothing
    return None


def _verified(file: _Wanted, path: Path, report: Report) -> str | None:
    """SHA-256 of ``path`` if its bytes are the file's."""
    sha256 = _hashed(path, file.name, report)
    if file.sha256 is not None:
        return sha256 if sha256.startswith(file.sha256) else None
    return sha256 if digest_of(path, git=True) == file.git else None


def _hashed(path: Path, name: str, report: Report) -> str:
    size, done = path.stat().st_size, 0

    def read(count: int) -> None:
        nonlocal done
        done += count
        report("verifying", name, done, size)

    return digest_of(path, read=read)


def _fetch(file: _Wanted, folder: Path, report: Report) -> str:
    """Download, verify, put into place; returns the SHA-256."""
    begun = arriving.arrived(folder) > 0
    path = arriving.patiently(
        file.arrive, folder, lambda done: report("fetching", file.name, done, file.size)
    )
    report("fetching", file.name, path.stat().st_size, file.size)
    sha256 = _verified(file, path, report)
    if sha256 is not None:
        file.store.parent.mkdir(parents=True, exist_ok=True)
        path.replace(file.store)
        _put(file)
    arriving.clear(folder)
    if sha256 is None and begun:  # what lay there may have been wrong
        return _fetch(file, folder, report)
    if sha256 is None:
        raise ModelError(
            f"What arrived is not {file.name} as it was pinned: its digest differs; it was "
            "deleted, try again or another mirror."
        )
    return sha256


def _put(file: _Wanted) -> None:
    """Make the verified bytes appear where programs look for them."""
    if file.target == file.store or file.target.exists():
        return
    file.target.parent.mkdir(parents=True, exist_ok=True)
    try:
        file.target.symlink_to(os.path.relpath(file.store, file.target.parent))
    except OSError:  # a file system without links
        file.store.replace(file.target)


def _name_main(repository: str, revision: str) -> None:
    """Let other programs find the files as the main branch's, unless they know another one."""
    main = hub.cache_of(repository) / "refs" / "main"
    if not main.exists():
        main.parent.mkdir(parents=True, exist_ok=True)
        main.write_text(revision, encoding="ascii")


@contextmanager
def _said(model: Model, part: HubFiles | WebFile, record: Record | None) -> Iterator[None]:
    """Turn the libraries' errors into one sentence."""
    from huggingface_hub.errors import GatedRepoError, OfflineModeIsEnabled

    try:
        yield
    except GatedRepoError as error:
        raise EvoError(
            f"{part.source} asks for consent: accept its licence on its page on the hub, then "
            "`hf auth login`, then pull again."
        ) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFullError(f"No space is left for {part.source}; make room.") from error
        if error.errno is not None:
            raise EvoError(
                f"{error.filename or part.source} cannot be written ({error.strerror}); check its "
                "permissions and the disk."
            ) from error
        answer = getattr(error, "response", None)
        reason = "no answer, or the connection broke"
        if isinstance(error, OfflineModeIsEnabled):
            reason = "HF_HUB_OFFLINE is set"
        elif answer is not None:
            reason = f"the host answered {answer.status_code}"
        raise EvoError(_by_hand(model, part, record, reason)) from error


def _by_hand(model: Model, part: HubFiles | WebFile, record: Record | None, reason: str) -> str:
    """What to fetch elsewhere and where to put it, when this machine cannot."""
    if isinstance(part, WebFile):
        addresses, folder = [part.url], web_folder(part)
    else:
        from huggingface_hub import constants

        revision = part.revision or (record.revision if record else None) or "main"
        page = f"{constants.ENDPOINT}/{part.repository}"
        folder = hub.by_hand(part.repository)
        addresses = [f"{page}/tree/{revision} (with its folders)"]
        if isinstance(part.files, tuple):
            addresses = [f"{page}/resolve/{revision}/{name}" for name in part.files]
    return (
        f"{model.name} cannot be fetched ({reason}); pull again later, which goes on where it "
        f"stopped, or put these files into {folder}: {' '.join(addresses)}"
    )
