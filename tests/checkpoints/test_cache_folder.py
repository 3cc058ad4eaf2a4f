import os
import resource
from pathlib import Path

import pytest
import torch

from evo_t2i.checkpoints import hub
from evo_t2i.checkpoints.cache import (
    NOWHERE,
    cache_folder,
    cached_tensor,
    expanded,
    keep_tensor,
    torch_hub_checkpoints,
)
from evo_t2i.checkpoints.catalogue import find
from evo_t2i.checkpoints.pull import pull
from evo_t2i.checkpoints.records import read_record
from evo_t2i.errors import EvoError


def test_the_chosen_folder_wins_then_xdg_then_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    monkeypatch.setenv("EVO_T2I_CACHE", "~/mine")
    assert cache_folder() == Path("/home/someone/mine")
    monkeypatch.delenv("EVO_T2I_CACHE")
    assert cache_folder() == Path("/xdg/evo-t2i")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path("/home/someone/.cache/evo-t2i")


@pytest.fixture
def no_home(monkeypatch):
    """A user whom the system does not know and who has no environment, as in small containers."""

    def unknown(uid):
        raise KeyError(uid)

    monkeypatch.setattr("pwd.getpwuid", unknown)
    for name in ("HOME", "XDG_CACHE_HOME", "EVO_T2I_CACHE", "TORCH_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("no_home")
def test_without_a_home_there_is_no_cache_and_no_error(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cache_folder() == NOWHERE / "evo-t2i"
    assert torch_hub_checkpoints().is_relative_to(NOWHERE)
    keep_tensor("labels", "key", torch.ones(2))
    assert cached_tensor("labels", "key") is None
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", "~/.cache/huggingface/hub")
    assert hub.local_snapshot("nobody/bert") is None
    with pytest.raises(EvoError, match="There is no home folder to keep bert-base-uncased in; set"):
        pull(find("bert-base-uncased"), lambda *_event: None)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("EVO_T2I_CACHE", str(tmp_path / "cache"))
    keep_tensor("labels", "key", torch.ones(2))
    assert cached_tensor("labels", "key").tolist() == [1, 1]


def test_a_home_that_nobody_has_is_a_name_like_any_other():
    assert expanded("~no-such-user/x") == Path("~no-such-user/x")
    assert expanded("a/b") == Path("a/b")


def test_what_is_kept_is_found_under_its_key_alone(monkeypatch, tmp_path):
    monkeypatch.setenv("EVO_T2I_CACHE", str(tmp_path))
    kept = torch.arange(6, dtype=torch.bfloat16).reshape(2, 3).T
    keep_tensor("labels", "one", kept)
    assert torch.equal(cached_tensor("labels", "one"), kept)
    assert cached_tensor("labels", "two") is None
    (path,) = (tmp_path / "labels").iterdir()
    keep_tensor("labels", "two", kept + 1)
    (other,) = set((tmp_path / "labels").iterdir()) - {path}
    other.replace(path)
    assert cached_tensor("labels", "one") is None


def test_every_flipped_bit_is_found(monkeypatch, tmp_path):
    monkeypatch.setenv("EVO_T2I_CACHE", str(tmp_path))
    keep_tensor("labels", "key", torch.ones(3))
    (path,) = (tmp_path / "labels").iterdir()
    data = path.read_bytes()
    for place in range(len(data)):
        for bit in range(8):
            path.write_bytes(data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :])
            assert cached_tensor("labels", "key") is None
    for content in (b"", data[:-1], data + b"\0"):
        path.write_bytes(content)
        assert cached_tensor("labels", "key") is None
    path.unlink()
    os.mkfifo(path)
    assert cached_tensor("labels", "key") is None


@pytest.mark.parametrize("place", ["file", "/proc/none", "/dev/null"])
def test_a_cache_that_cannot_be_made_is_no_error(monkeypatch, tmp_path, place):
    (tmp_path / "file").touch()
    monkeypatch.setenv("EVO_T2I_CACHE", str(tmp_path / place))
    keep_tensor("labels", "key", torch.ones(2))
    assert cached_tensor("labels", "key") is None
    assert read_record("nobody/bert") is None
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_disk_that_is_full_leaves_nothing_behind(monkeypatch, tmp_path):
    monkeypatch.setenv("EVO_T2I_CACHE", str(tmp_path))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        keep_tensor("labels", "key", torch.ones(1_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list((tmp_path / "labels").iterdir()) == []
    assert cached_tensor("labels", "key") is None
