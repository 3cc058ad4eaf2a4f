"""`--live page`: real runs whose page is written as they go on, and whose files stay the same."""

import os
import signal
import subprocess
import sys
import time
import webbrowser

import pytest
from whole_runs import CAPTION, SMALL, digests

import evo_t2i
from evo_t2i import sampler
from evo_t2i.cli.terminal import live
from evo_t2i.cli.terminal.stop import Stopped
from evo_t2i.report.live_page import LivePage
from evo_t2i.report.run_page import is_live

OPTIONS = [f"--{name}={value}" for name, value in SMALL.items()]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Digests of the files of a run that nobody watched."""
    return digests(evo_t2i.sample(CAPTION, out=tmp_path_factory.mktemp("run") / "a", **SMALL).path)


@pytest.fixture
def pages(monkeypatch):
    """(generation, still live) of every page that is written; addresses opened in the browser."""
    written, opened, write = [], [], LivePage.write

    def noted(self, *arguments, **options):
        write(self, *arguments, **options)
        written.append((self._data["live"]["generation"], is_live(self.file)))

    monkeypatch.setattr(LivePage, "write", noted)
    monkeypatch.setattr(live, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(live.Allowance.__init__, "__defaults__", (1.0, time.monotonic))
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or True)
    monkeypatch.setenv("DISPLAY", ":7")
    return written, opened


def test_a_watched_run_equals_one_that_nobody_watched(evo, pages, plain, tmp_path):
    result = evo("sample", CAPTION, "--out", "run", *OPTIONS, "--live", "page", "--json")
    assert result.code == 0, result.err
    assert digests(tmp_path / "run") == plain
    written, opened = pages
    assert written == [(generation, True) for generation in range(4)]
    assert opened == [(tmp_path / "run" / "report.html").as_uri()]
    assert "Live page, from generation 0 on: run/report.html" in result.err
    assert result.out.startswith("{")
    assert not is_live(tmp_path / "run" / "report.html")


def test_a_quiet_run_says_nothing_and_writes_its_page(evo, pages, monkeypatch):
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    options = [*OPTIONS, "--generations=1", "--live", "page"]
    result = evo("sample", CAPTION, "--out", "quiet", *options, "--quiet")
    assert (result.code, result.err) == (0, "")
    assert pages == ([(0, True), (1, True)], [])
    said = evo("sample", CAPTION, "--out", "run", *options).err
    assert "Open run/report.html in a browser to watch; it reloads itself." in said


def test_killed_and_resumed_with_a_page_equals_uninterrupted(evo, pages, plain, tmp_path):
    path = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "evo_t2i", "sample", CAPTION, "--out", path, *OPTIONS, "-q",
         "--live", "page"],
        env={name: os.environ[name] for name in os.environ if "DISPLAY" not in name},
    )  # fmt: skip
    while process.poll() is None and not (path / "report.html").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert is_live(path / "report.html")
    assert evo("resume", path, "--live", "page").code == 0
    assert digests(path) == plain
    assert pages[0]


@pytest.mark.usefixtures("pages")
def test_a_run_that_was_killed_before_its_page_gets_it_by_resume_or_view(
    evo, plain, tmp_path, monkeypatch
):
    path = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr(sampler, "present_anew", lambda *_: (_ for _ in ()).throw(Stopped(2)))
        stopped = evo("sample", CAPTION, "--out", path, *OPTIONS, "--live", "page")
    assert stopped.code == 130
    assert b"the run was stopped" in (path / "report.html").read_bytes()
    assert evo("view", path).code == 0
    assert not is_live(path / "report.html")
    (path / "report.html").write_text("<!doctype html><html data-live>")
    assert evo("resume", path).code == 0
    assert digests(path) == plain


@pytest.mark.usefixtures("pages")
def test_a_page_that_cannot_be_written_ends_no_run(evo, plain, tmp_path, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError("no space left on this device")

    monkeypatch.setattr(LivePage, "write", full)
    result = evo("sample", CAPTION, "--out", "run", *OPTIONS, "--live", "page")
    assert result.code == 0
    assert result.err.count("The page cannot be written any more (no space left") == 1
    assert digests(tmp_path / "run") == plain
