"""Files that are there in full or not at all."""

import errno
import os
import socket

import pytest

from evo_t2i.errors import DiskFullError, EvoError, RunDataError, UsageError
from evo_t2i.runs.atomic import make_directory, read_bytes, remove_parts, write_bytes


@pytest.mark.usefixtures("quick_disk")
def test_two_writers_of_one_file_leave_one_of_both(tmp_path):
    file = tmp_path / "pareto.png"
    texts = [bytes([letter]) * 50_000 for letter in b"ab"]
    children = []
    for text in texts:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for _ in range(100):
                    write_bytes(file, text)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    while any(os.waitpid(child, os.WNOHANG) == (0, 0) for child in children[:1]):
        if file.exists():
            assert file.read_bytes() in texts
    assert os.waitstatus_to_exitcode(os.waitpid(children[1], 0)[1]) == 0
    assert file.read_bytes() in texts
    assert os.listdir(tmp_path) == ["pareto.png"]


def special(path, kind):
    if kind == "a named pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()
    elif kind == "a symbolic link":
        path.symlink_to(os.devnull)
    else:
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(path))
        server.close()


@pytest.mark.parametrize("kind", ["a named pipe", "a folder", "a symbolic link", "a socket"])
def test_only_a_plain_file_is_written_over(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)  # a socket's path must be short
    special(tmp_path.relative_to(tmp_path) / "out.png", kind)
    before = os.lstat("out.png")
    with pytest.raises(UsageError, match=f"out.png is {kind}, and only a plain file is written"):
        write_bytes(tmp_path / "out.png", b"picture")
    assert os.lstat("out.png").st_ino == before.st_ino
    assert os.listdir(tmp_path) == ["out.png"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root could replace a device")
def test_a_device_is_left_where_it_is(tmp_path):
    os.mknod(tmp_path / "null", 0o666 | 0o020000, os.makedev(1, 3))
    with pytest.raises(UsageError, match="null is a device, and only a plain file"):
        write_bytes(tmp_path / "null", b"picture")
    assert os.lstat(tmp_path / "null").st_rdev == os.makedev(1, 3)


@pytest.mark.parametrize("name", ["n" * 250, "猫" * 80, "n" * 255])
def test_a_name_may_be_as_long_as_the_filesystem_allows(tmp_path, name):
    write_bytes(tmp_path / name, b"picture")
    assert read_bytes(tmp_path / name) == b"picture"


def test_a_longer_name_is_one_sentence(tmp_path):
    with pytest.raises(UsageError, match="longer name than the filesystem allows; give a shorter"):
        write_bytes(tmp_path / ("n" * 300), b"picture")
    with pytest.raises(UsageError, match="longer name than the filesystem allows"):
        make_directory(tmp_path / ("n" * 300))


def test_a_pipe_in_the_place_of_a_file_is_refused_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pick.json")
    with pytest.raises(RunDataError, match="not a plain file"):
        read_bytes(tmp_path / "pick.json")


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP])
def test_a_filesystem_that_cannot_sync_folders_will_do(tmp_path, monkeypatch, code):
    real = os.fsync

    def fsync(descriptor):
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            raise OSError(code, os.strerror(code))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_bytes(tmp_path / "a", b"1")
    make_directory(tmp_path / "folder")
    assert read_bytes(tmp_path / "a") == b"1"


def test_any_other_failure_of_a_sync_counts(tmp_path, monkeypatch):
    def fsync(_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(EvoError, match="cannot be written"):
        write_bytes(tmp_path / "a", b"1")
    assert os.listdir(tmp_path) == []


def test_a_full_disk_says_to_try_again_not_to_resume(tmp_path, monkeypatch):
    def write(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", write)
    with pytest.raises(DiskFullError, match="free some, then try again") as caught:
        write_bytes(tmp_path / "pareto.png", b"1")
    assert "resume" not in str(caught.value)


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path):
    for name in (".a.png.1234abcd.part", "mine.part", ".hidden"):
        (tmp_path / name).write_bytes(b"")
    remove_parts(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [".hidden", "mine.part"]


@pytest.mark.parametrize("name", ["\ud800.png", "a\0b"])
def test_a_name_that_no_file_can_have_is_said_to_be_none(tmp_path, name):
    with pytest.raises(RunDataError, match="is no name that a file can have"):
        read_bytes(tmp_path / name)
