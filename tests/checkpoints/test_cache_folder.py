from pathlib import Path

from evo_t2i.checkpoints.cache import cache_folder


def test_the_chosen_folder_wins_then_xdg_then_home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    monkeypatch.setenv("EVO_T2I_CACHE", "~/mine")
    assert cache_folder() == Path("/home/someone/mine")
    monkeypatch.delenv("EVO_T2I_CACHE")
    assert cache_folder() == Path("/xdg/evo-t2i")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path("/home/someone/.cache/evo-t2i")
