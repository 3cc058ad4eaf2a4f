"""One writer, as far as the filesystem can tell."""

import errno
import fcntl
import os
import threading

import pytest

from evo_t2i.errors import EvoError, RunLockedError
from evo_t2i.runs import lock
from evo_t2i.runs.directory import RunDirectory


@pytest.fixture
def flock_fails(monkeypatch):
    """``flock_fails(ENOSYS)``: from now on every lock is answered so."""

    def fails(code):
        def flock(*_):
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(fcntl, "flock", flock)

    return fails


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_filesystem_without_locks_is_worked_on_with_a_note(toy, tmp_path, flock_fails, code):
    flock_fails(code)
    with RunDirectory.create(tmp_path / "run", toy.config) as run:
        toy.go_on(run)
        (note,) = run.warnings
    assert "knows no locks; let one program at a time write" in note
    assert not lock.is_held(tmp_path / "run" / "lock")
    reader = RunDirectory.open(tmp_path / "run")
    assert (reader.finished, reader.warnings) == (True, [])


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP])
def test_a_filesystem_without_folder_sync_is_worked_on_with_a_note(
    toy, tmp_path, monkeypatch, files_of, code
):
    reference = files_of(toy.whole(tmp_path / "reference").path)
    real = os.fsync

    def fsync(descriptor):
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(code, os.strerror(code))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    with RunDirectory.create(tmp_path / "run", toy.config) as run:
        toy.go_on(run)
        (note,) = run.warnings
    assert "cannot sync folders" in note
    assert files_of(tmp_path / "run") == reference


def test_any_other_failure_is_one_sentence(tmp_path, flock_fails):
    flock_fails(errno.EIO)
    with pytest.raises(EvoError, match=r"lock cannot be written \(Input/output error\)"):
        lock.acquire(tmp_path / "lock")


def test_who_looks_keeps_nobody_out(tmp_path):
    descriptor, locked = lock.acquire(tmp_path / "lock")
    assert locked
    assert lock.is_held(tmp_path / "lock")
    with pytest.raises(RunLockedError, match="Another process"):
        lock.acquire(tmp_path / "lock")
    os.close(descriptor)
    assert not lock.is_held(tmp_path / "lock")
    assert not lock.is_held(tmp_path / "absent")
    looking = threading.Event()

    def look():
        while not looking.is_set():
            lock.is_held(tmp_path / "lock")

    other = threading.Thread(target=look)
    other.start()
    try:
        for _ in range(200):
            os.close(lock.acquire(tmp_path / "lock")[0])
    finally:
        looking.set()
        other.join()
