"""Bytes on their way from a host, in a folder where no program looks for them.

huggingface_hub brings its own files; a plain address is asked with the hub's session, which knows
of proxies and certificates. What has arrived when a connection breaks is kept and gone on with.
"""

import fcntl
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

ATTEMPTS = 5
"""Connections that may break one after the other while a file arrives."""
_SECONDS = 0.1
"""Between two looks at how much has arrived."""
_LOCK = "pull.lock"
_PATIENCE = 10
"""Seconds that a host may take to answer."""
_PIECE = 1_000
"""Bytes of a read; what a broken connection brought of the last one is lost."""
_PLAIN = {"Accept-Encoding": "identity"}
"""Compressed on the way, a file could not be gone on with."""

Arrive = Callable[[Path], Path]
"""Brings a file into the folder and says where it lies; raises OSError."""


def from_hub(repository: str, name: str, revision: str) -> Arrive:
    """How to get a repository's file."""

    def arrive(folder: Path) -> Path:
        from huggingface_hub import hf_hub_download

        return Path(
            hf_hub_download(repository, name, revision=revision, cache_dir=folder)
        ).resolve()

    return arrive


def from_web(url: str, size: int | None) -> Arrive:
    """How to get the file at an address, of ``size`` bytes."""

    def arrive(folder: Path) -> Path:
        path = folder / "file.incomplete"
        with path.open("ab") as out:
            begin = out.tell()
            if size is not None and begin >= size:
                return path
            headers = _PLAIN | ({"Range": f"bytes={begin}-"} if begin else {})
            with _session().get(url, headers=headers, stream=True, timeout=_PATIENCE) as answer:
                answer.raise_for_status()
                if answer.status_code != 206:
                    out.truncate(0)
                for piece in answer.iter_content(_PIECE):
                    out.write(piece)
        return path

    return arrive


def web_size(url: str) -> int | None:
    """Bytes of the file at an address, if the host says so; raises OSError."""
    answer = _session().head(url, headers=_PLAIN, allow_redirects=True, timeout=_PATIENCE)
    length = answer.headers.get("Content-Length") if answer.ok else None
    return int(length) if length else None


def _session() -> Any:
    from huggingface_hub import constants, get_session
    from huggingface_hub.errors import OfflineModeIsEnabled

    if constants.HF_HUB_OFFLINE:
        raise OfflineModeIsEnabled("HF_HUB_OFFLINE is set")
    return get_session()


def patiently(arrive: Arrive, folder: Path, report: Callable[[int], None]) -> Path:
    """Where the whole file lies, after as many connections as that takes.

    Each has to bring something. ``report`` is told how many bytes there are. Raises OSError.
    """
    for attempt in range(ATTEMPTS):
        before = arrived(folder)
        try:
            with _counted(partial(arrived, folder), report):
                return arrive(folder)
        except OSError as error:
            broken = error.errno is None and getattr(error, "response", None) is None
            if not broken or arrived(folder) <= before or attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


@contextmanager
def _counted(count: Callable[[], int], report: Callable[[int], None]) -> Iterator[None]:
    done = threading.Event()

    def look() -> None:
        while not done.wait(_SECONDS):
            report(count())

    report(count())
    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def arrived(folder: Path) -> int:
    """Bytes of the unfinished file in ``folder``."""
    found = 0
    for path in folder.rglob("*.incomplete"):
        with suppress(FileNotFoundError):  # it was finished meanwhile
            found += path.stat().st_size
    return found


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Make the folder; others who want it wait, where the file system has locks.

    It goes when all is done, and stays when something fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("w") as file:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        folder.mkdir(exist_ok=True)  # whoever was waited for has removed it
        yield
        shutil.rmtree(folder, ignore_errors=True)


def clear(folder: Path) -> None:
    """Remove what arrived, and keep the lock."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != _LOCK:
            path.unlink()
