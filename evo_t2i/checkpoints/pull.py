"""Fetching a model of the catalogue: pinned, resumable, and verified before a file counts.

Bytes arrive in ``….incomplete``. Only when their digest is the expected one is the file put where
programs look for it: into the Hugging Face cache in its own layout, or into a plain folder.
"""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from evo_t2i.checkpoints import hub
from evo_t2i.checkpoints.catalogue import HubFiles, Model, WebFile
from evo_t2i.checkpoints.digests import digest_of
from evo_t2i.checkpoints.inventory import hub_names, locate, web_folder
from evo_t2i.checkpoints.records import (
    FileRecord,
    Record,
    read_record,
    record_path,
    write_record,
)
from evo_t2i.errors import DiskFullError, EvoError, ModelError, UsageError

Report = Callable[[str, str, int, int | None], None]
"""``(verb, file, bytes so far, bytes in all)``; the verb is ``fetching`` or ``verifying``."""
ATTEMPTS = 5
"""Connections that may break one after the other while a file arrives."""


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
    url: str
    target: Path
    """Where programs look for it."""
    store: Path
    """Where its bytes are; the target itself, or what the target is a link to."""
    size: int | None
    sha256: str | None
    """Expected SHA-256, or its beginning."""
    lock: Path
    """Held while the bytes arrive; for the hub's files the one that other programs hold too."""
    git: str | None = None
    """Expected digest of git's blob, for the hub's files whose SHA-256 it does not state."""
    hub: bool = False

    @property
    def incomplete(self) -> Path:
        return self.store.with_name(f"{self.store.name}.incomplete")


def pull(model: Model, report: Report) -> list[Pulled]:
    """Fetch what is missing or damaged of a model, and write down what was fetched.

    Raises UsageError for a model that cannot be fetched, EvoError when a host does not answer or
    refuses, ModelError when bytes are not those that were pinned, DiskFullError in advance.
    """
    sources = [part for part in model.parts if isinstance(part, HubFiles | WebFile)]
    if not sources:
        raise UsageError(_cannot_be_pulled(model))
    return [_pull_part(model, part, report) for part in sources]


def _cannot_be_pulled(model: Model) -> str:
    if model.name == "lafite":
        folder = locate(model.parts[0]).folder
        return (
            "LAFITE's checkpoints have no address that could be pinned; put a network-snapshot "
            f"pickle, or the folder of `evo-t2i models convert`, into {folder}."
        )
    return f"{model.name} comes with evo-t2i; if it is damaged, install evo-t2i again."


def _pull_part(model: Model, part: HubFiles | WebFile, report: Report) -> Pulled:
    record = read_record(part.source)
    with _said(model, part, record):
        if record is not None and (whole := _already_here(part, record, report)) is not None:
            return whole
        revision, wanted = _plan(part, record)
        _require_space(wanted)
        fetched = []
        for file in wanted:
            sha256 = _here(file, report)
            if sha256 is None:
                sha256 = _fetch(file, report)
                fetched.append(file.name)
            entry = FileRecord(sha256, file.target.stat().st_size)
            write_record(Record(part.source, revision, {file.name: entry}))
        if isinstance(part, HubFiles) and revision is not None:
            _name_main(part.repository, revision)
    size = sum(file.target.stat().st_size for file in wanted)
    return Pulled(part.source, revision, _folder(part, revision), tuple(fetched), size)


def _folder(part: HubFiles | WebFile, revision: str | None) -> Path:
    if isinstance(part, WebFile):
        return web_folder(part)
    return hub.cache_of(part.repository) / "snapshots" / str(revision)


def _already_here(part: HubFiles | WebFile, record: Record, report: Report) -> Pulled | None:
    """The answer without a question to a host: all that was pulled before is here, intact."""
    folder = _folder(part, record.revision)
    names: list[str]
    if isinstance(part, WebFile):
        names = [part.name]
    elif record.revision != (part.revision or record.revision):
        return None
    else:
        names = hub_names(part, folder)
    for name in names:
        if name not in record.files or not (folder / name).is_file():
            return None
        if _hashed(folder / name, name, report) != record.files[name].sha256:
            return None
    size = sum(record.files[name].size for name in names)
    return Pulled(part.source, record.revision, folder, (), size)


def _plan(part: HubFiles | WebFile, record: Record | None) -> tuple[str | None, list[_Wanted]]:
    """The pinned revision and every file with what its bytes have to be."""
    if isinstance(part, WebFile):
        known = record.files.get(part.name) if record else None
        target = web_folder(part) / part.name
        sha256 = known.sha256 if known else part.sha256
        lock = record_path(part.source).with_suffix(".lock")
        return None, [_Wanted(part.name, part.url, target, target, _web_size(part), sha256, lock)]
    return _plan_hub(part, record)


def _plan_hub(part: HubFiles, record: Record | None) -> tuple[str, list[_Wanted]]:
    from huggingface_hub import HfApi, constants, hf_hub_url

    pinned = part.revision or (record.revision if record else None)
    facts = HfApi().model_info(
        part.repository,
        revision=pinned,
        files_metadata=True,
        timeout=constants.HF_HUB_ETAG_TIMEOUT,
    )
    revision = facts.sha or ""
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
        blob = stated or sibling.blob_id or expected
        if blob is None:
            raise ModelError(f"The hub states no digest for {name} of {part.repository}.")
        files.append(
            _Wanted(
                name=name,
                url=hf_hub_url(part.repository, name, revision=revision),
                target=cache / "snapshots" / revision / name,
                store=cache / "blobs" / blob,
                lock=cache.parent / ".locks" / cache.name / f"{blob}.lock",
                size=sibling.size,
                sha256=expected,
                git=None if stated else sibling.blob_id,
                hub=True,
            )
        )
    return revision, files


def _chosen(part: HubFiles, siblings: list[Any]) -> list[Any]:
    offered = {sibling.rfilename: sibling for sibling in siblings}
    if not isinstance(part.files, tuple):
        names = [name for name in sorted(offered) if part.files.fullmatch(name)]
    else:
        names = list(part.files)
    if missing := [name for name in names if name not in offered]:
        raise ModelError(f"{part.repository} has no {missing[0]}; nothing was fetched.")
    if not names:
        raise ModelError(f"{part.repository} has none of the files that are needed.")
    return [offered[name] for name in names]


def _web_size(part: WebFile) -> int | None:
    import requests

    _refuse_offline()
    answer = requests.head(part.url, allow_redirects=True, timeout=10)
    length = answer.headers.get("Content-Length") if answer.ok else None
    return int(length) if length and not answer.headers.get("Content-Encoding") else None


def _refuse_offline() -> None:
    from huggingface_hub import constants
    from huggingface_hub.errors import OfflineModeIsEnabled

    if constants.HF_HUB_OFFLINE:
        raise OfflineModeIsEnabled("HF_HUB_OFFLINE is set")


def _require_space(wanted: list[_Wanted]) -> None:
    """Raise DiskFullError unless what is still to come fits the disk."""
    missing = [file for file in wanted if not file.target.is_file()]
    needed = sum((file.size or 0) - _size(file.incomplete) for file in missing)
    folder = wanted[0].store.parent
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
    size, done = _size(path), 0

    def read(count: int) -> None:
        nonlocal done
        done += count
        report("verifying", name, done, size)

    return digest_of(path, read=read)


def _fetch(file: _Wanted, report: Report) -> str:
    """Download, verify, put into place; returns the SHA-256."""
    from huggingface_hub.utils import WeakFileLock

    file.store.parent.mkdir(parents=True, exist_ok=True)
    file.lock.parent.mkdir(parents=True, exist_ok=True)
    with WeakFileLock(file.lock):
        sha256 = _verified(file, file.incomplete, report) if _may_be_whole(file) else None
        if sha256 is None:
            _download_patiently(file, report)
            sha256 = _verified(file, file.incomplete, report)
        if sha256 is None:
            file.incomplete.unlink()
            raise ModelError(
                f"What {file.url} gave is not {file.name} as it was pinned: its digest differs; "
                "it was deleted, try again or another mirror."
            )
        file.incomplete.replace(file.store)
        _put(file)
    return sha256


def _may_be_whole(file: _Wanted) -> bool:
    """Whether all bytes came, but nobody looked at them."""
    return file.incomplete.is_file() and file.size in (None, _size(file.incomplete))


def _download_patiently(file: _Wanted, report: Report) -> None:
    """Go on after a broken connection as long as each brings something."""
    for attempt in range(ATTEMPTS):
        before = _size(file.incomplete)
        try:
            _download(file, report)
            return
        except _broken_off():
            if _size(file.incomplete) <= before or attempt == ATTEMPTS - 1:
                raise


def _download(file: _Wanted, report: Report) -> None:
    """Append to ``….incomplete`` what is missing of it."""
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils import build_hf_headers

    report("fetching", file.name, _size(file.incomplete), file.size)
    if file.size is not None and _size(file.incomplete) >= file.size:
        file.incomplete.unlink()
    with file.incomplete.open("ab") as out:
        counted = _Counted(out, lambda done: report("fetching", file.name, done, file.size))
        headers = build_hf_headers() if file.hub else {}
        # compressed on the way, a file could not be resumed
        headers["Accept-Encoding"] = "identity"
        http_get(
            file.url,
            counted,
            resume_size=out.tell(),
            headers=headers,
            expected_size=file.size,
        )
        out.flush()
        os.fsync(out.fileno())


class _Counted:
    """A file open for writing that tells how long it is after every write."""

    def __init__(self, file: BinaryIO, written: Callable[[int], None]) -> None:
        self._file = file
        self._written = written

    def write(self, data: bytes) -> int:
        count = self._file.write(data)
        self._written(self._file.tell())
        return count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _put(file: _Wanted) -> None:
    """Make the verified bytes appear where programs look for them."""
    if file.target == file.store or file.target.exists():
        return
    file.target.parent.mkdir(parents=True, exist_ok=True)
    link = Path(os.path.relpath(file.store, file.target.parent))
    try:
        file.target.symlink_to(link)
    except OSError:  # a file system without links
        file.store.replace(file.target)


def _name_main(repository: str, revision: str) -> None:
    """Let other programs find the files as the main branch's, unless they know another one."""
    main = hub.cache_of(repository) / "refs" / "main"
    if not main.exists():
        main.parent.mkdir(parents=True, exist_ok=True)
        main.write_text(revision, encoding="ascii")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _broken_off() -> tuple[type[Exception], ...]:
    import requests

    return (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


@contextmanager
def _said(model: Model, part: HubFiles | WebFile, record: Record | None) -> Iterator[None]:
    """Turn the libraries' errors into one sentence."""
    import requests
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, OfflineModeIsEnabled

    try:
        yield
    except GatedRepoError as error:
        raise EvoError(
            f"{part.source} asks for consent: accept its licence on its page on the hub, then "
            "`hf auth login`, then pull again."
        ) from error
    except OfflineModeIsEnabled as error:
        raise EvoError(_by_hand(model, part, record, "HF_HUB_OFFLINE is set")) from error
    except HfHubHTTPError as error:
        status = error.response.status_code
        raise EvoError(_by_hand(model, part, record, f"the hub answered {status}")) from error
    except requests.HTTPError as error:
        status = "an error" if error.response is None else error.response.status_code
        raise EvoError(_by_hand(model, part, record, f"the host answered {status}")) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFullError(f"No space is left for {part.source}; make room.") from error
        if error.errno is None or isinstance(error, requests.RequestException):
            reason = "no answer, or the connection broke"
            raise EvoError(_by_hand(model, part, record, reason)) from error
        raise EvoError(
            f"{error.filename or part.source} cannot be written ({error.strerror}); check its "
            "permissions and the disk."
        ) from error


def _by_hand(model: Model, part: HubFiles | WebFile, record: Record | None, reason: str) -> str:
    """What to fetch elsewhere and where to put it, when this machine cannot."""
    if isinstance(part, WebFile):
        addresses, folder = [part.url], web_folder(part)
    else:
        from huggingface_hub import constants

        revision = part.revision or (record.revision if record else None) or "main"
        page = f"{constants.ENDPOINT}/{part.repository}"
        folder = hub.by_hand(part.repository)
        if isinstance(part.files, tuple):
            addresses = [f"{page}/resolve/{revision}/{name}" for name in part.files]
        else:
            addresses = [f"{page}/tree/{revision} (with its folders)"]
    return (
        f"{model.name} cannot be fetched ({reason}); pull again later, which goes on where it "
        f"stopped, or put these files into {folder}: {' '.join(addresses)}"
    )
