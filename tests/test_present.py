"""What is drawn of a complete run, and how `resume` brings it back."""

import os
import shutil
import signal
import webbrowser

import pytest
from hand_made import write_run
from whole_runs import digests

import evo_t2i
from evo_t2i.cli.main import run as main
from evo_t2i.picking.taste import Taste
from evo_t2i.present import BEFORE_AFTER, NEED_MODELS, PAGE, PRESENTED, mend, missing, present
from evo_t2i.run import Run, write_pick
from evo_t2i.runs.directory import RunDirectory


@pytest.fixture(scope="module")
def presented(tmp_path_factory):
    """A finished run with everything that needs no models, and some picture as the others."""
    path = write_run(tmp_path_factory.mktemp("presented") / "run")
    with RunDirectory.open(path, writable=True) as run:
        for name in NEED_MODELS:
            run.publish(path / name, (path / "front" / "0000.png").read_bytes())
        mend(run)
        assert missing(run) == []
    return path


@pytest.fixture
def run(presented, tmp_path):
    return shutil.copytree(presented, tmp_path / "run")


def test_resume_of_a_whole_run_changes_nothing(run):
    before = digests(run)
    resumed = evo_t2i.resume(run)
    assert digests(run) == before
    assert resumed.warnings == ()


@pytest.mark.parametrize(
    "name", ["pareto.png", "contact_sheet.png", "report.html", "presented.json", "pick/pick.json"]
)
def test_what_is_missing_is_drawn_again(run, name):
    before = digests(run)
    (run / name).unlink()
    with RunDirectory.open(run, writable=True) as directory:
        mend(directory)
    if name == "presented.json":  # nobody knows whether this one is as it was drawn
        with RunDirectory.open(run, writable=True) as directory:
            assert missing(directory) == list(NEED_MODELS)
            for drawn in NEED_MODELS:
                directory.publish(run / drawn, (run / drawn).read_bytes())
            present(directory, [PAGE])  # it shows two of them
    assert digests(run) == before


@pytest.mark.parametrize("name", ["pareto.png", "contact_sheet.png", "report.html"])
def test_a_figure_with_a_flipped_bit_is_drawn_again(run, name):
    before = digests(run)
    data = bytearray((run / name).read_bytes())
    data[len(data) // 2] ^= 1
    (run / name).write_bytes(data)
    resumed = evo_t2i.resume(run)
    assert digests(run) == before
    assert resumed.warnings == ()


def test_a_persons_pick_is_never_written_over(run):
    with RunDirectory.open(run, writable=True) as directory:
        write_pick(directory, Run(run).rank(Taste("rank", {"text_image": 0}, count=2)))
    chosen = digests(run / "pick")
    for name in PRESENTED:
        if name not in ("pick/pick.json", BEFORE_AFTER):
            (run / name).unlink()
    evo_t2i.resume(run)
    assert digests(run / "pick") == chosen
    (run / "pick" / "02-0000.png").unlink(missing_ok=True)
    evo_t2i.resume(run)
    assert digests(run / "pick") == chosen


def test_a_damaged_pick_is_said_and_left(run):
    file = run / "pick" / "pick.json"
    file.write_text(file.read_text().replace("balanced", "balanceb"))
    before = digests(run)
    resumed = evo_t2i.resume(run)
    assert digests(run) == before
    (warning,) = resumed.warnings
    assert f"{file} is not a pick of this run, or was changed since; write it again" in warning


def test_a_changed_figure_of_a_persons_own_is_said(run):
    with RunDirectory.open(run, writable=True) as directory:
        directory.publish(run / "parallel.png", b"picture")
    (run / "parallel.png").write_bytes(b"pictuse")
    (warning,) = evo_t2i.resume(run).warnings
    assert f"{run / 'parallel.png'} was changed since it was drawn" in warning
    (run / "parallel.png").unlink()
    assert evo_t2i.resume(run).warnings == ()


@pytest.fixture
def hangs_never():
    """A minute, then the call that waits is interrupted."""

    def late(*_):
        raise TimeoutError("the command waits for a pipe")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("hangs_never")
@pytest.mark.parametrize("command", ["resume", "plot", "pick", "report", "view"])
@pytest.mark.parametrize("name", ["report.html", "pick/pick.json", "pareto.png", "presented.json"])
def test_a_pipe_in_the_place_of_a_file_hangs_nothing(run, command, name, capsys, monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda _: True)
    (run / name).unlink()
    os.mkfifo(run / name)
    code = main([command, str(run)])
    said = capsys.readouterr().err.splitlines()
    assert code in (0, 2, 5)
    assert not [line for line in said if "unexpected" in line]
    if code:
        assert f"{run / name} is" in said[-1]
