"""The page's commands, and what comes back from the page."""

import json
import shutil
import subprocess
import sys
import webbrowser

import pytest

from evo_t2i.picking.taste import Taste
from evo_t2i.run import Run
from evo_t2i.runs.directory import RunDirectory


@pytest.fixture
def opened(monkeypatch):
    """Addresses that would have been opened in a browser."""
    addresses = []
    monkeypatch.setattr(webbrowser, "open", lambda address: addresses.append(address) or True)
    return addresses


def export(folder, **values):
    """What the page of the run ``folder`` writes as pick.json, with some values changed."""
    front = Run(folder).arrays
    record = {
        "kind": "evo-t2i pick",
        "format": 1,
        "run": RunDirectory.open(folder).digest,
        "caption": "a cat",
        "seed": 7,
        "method": "topsis",
        "weights": {"text_image": 2, "word_label": 1},
        "floors": {"text_image": -50.0},
        "picked": [int(front.ids[4]), int(front.ids[1])],
        "starred": [int(front.ids[0])],
    }
    file = folder.parent / "exported.json"
    file.write_text(json.dumps(record | values))
    return file


@pytest.mark.parametrize("tolerance", [0, 0.75])
def test_the_order_of_lexicographic_comes_back(evo, finished_run, tolerance):
    names = Run(finished_run).arrays.score_names
    order = [*names[1:], names[0]]
    file = export(
        finished_run, method="lexicographic", weights={}, order=order, tolerance=tolerance
    )
    assert evo("pick", finished_run, "--from", file).code == 0
    kept = json.loads((finished_run / "pick" / "pick.json").read_text())
    assert (kept["order"], kept["tolerance"]) == (order, tolerance)


def test_report_writes_the_page_and_prints_its_path(evo, finished_run, tmp_path):
    result = evo("report", finished_run)
    assert (result.code, result.out) == (0, f"{finished_run / 'report.html'}\n"), result.err
    first = (finished_run / "report.html").read_bytes()
    assert first.startswith(b"<!doctype html>")
    assert evo("report", finished_run, "--out", tmp_path / "mine.html").code == 0
    assert (tmp_path / "mine.html").read_bytes() == first


def test_view_writes_a_missing_page_and_opens_it(evo, finished_run, opened):
    result = evo("view", finished_run)
    page = finished_run / "report.html"
    assert (result.code, result.out, result.err) == (0, f"{page}\n", "")
    assert opened == [page.resolve().as_uri()]
    page.write_text("kept as it is")
    assert evo("view", finished_run).code == 0
    assert page.read_text() == "kept as it is"
    assert len(opened) == 2


def test_view_without_a_browser_says_what_to_do(evo, finished_run, monkeypatch):
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    result = evo("view", finished_run)
    assert (result.code, result.out) == (0, f"{finished_run / 'report.html'}\n")
    assert f"open {finished_run / 'report.html'} in one" in result.err


@pytest.mark.parametrize("command", ["report", "view"])
def test_a_run_without_an_end_has_no_page(evo, unfinished_run, tmp_path, command, opened):
    assert evo(command, unfinished_run).code == 5
    assert evo(command, tmp_path / "missing").code == 5
    assert opened == []


def test_the_page_loads_no_models(finished_run):
    code = (
        "import sys; from pathlib import Path; from evo_t2i.runs.directory import RunDirectory\n"
        "from evo_t2i.report import run_page\n"
        "run_page.run_data(RunDirectory.open(Path(sys.argv[1])))\n"
        "print([name for name in ('torch', 'matplotlib', 'pymoo') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, finished_run], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"


def test_picks_of_the_page_are_copied_in_their_order(evo, finished_run):
    result = evo("pick", finished_run, "--from", export(finished_run))
    assert result.code == 0, result.err
    copies = sorted(copy.name for copy in (finished_run / "pick").glob("*.png"))
    assert copies == ["01-0004.png", "02-0001.png"]
    original = finished_run / "front" / "0004.png"
    assert (finished_run / "pick" / copies[0]).read_bytes() == original.read_bytes()
    table = json.loads((finished_run / "pick" / "pick.json").read_text())
    assert table["method"] == "topsis"
    assert table["weights"]["text_image"] == pytest.approx(2 / 3)
    assert (table["runner_up"], table["margin"]) == (None, None)
    best = Run(finished_run).rank(
        Taste(method="topsis", weights={"text_image": 2}, floors={"text_image": -50.0})
    )
    taken = f"front/{best.chosen[0]:04d}.png"
    assert table["notes"] == [f"Chosen by hand; topsis itself would take {taken}."]
    assert f"topsis itself would take {taken}" in result.out
    assert Run(finished_run).picked().chosen == (4, 1)


def test_stars_are_taken_when_nothing_is_picked(evo, finished_run):
    assert evo("pick", finished_run, "--from", export(finished_run, picked=[])).code == 0
    assert [copy.name for copy in (finished_run / "pick").glob("*.png")] == ["01-0000.png"]


def test_a_copy_of_the_run_takes_the_same_picks(evo, finished_run, tmp_path):
    file = export(finished_run)
    shutil.copytree(finished_run, tmp_path / "elsewhere" / "copy")
    assert evo("pick", tmp_path / "elsewhere" / "copy", "--from", file).code == 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"run": "0" * 64}, "was exported from another run ('a cat', seed 7)"),
        ({"picked": [], "starred": []}, "picks and stars no picture"),
        ({"picked": [999]}, "chooses picture 999, which is not on the front"),
        ({"method": "best"}, "--method is best; choose from"),
        ({"weights": {"beauty": 1}}, "--weight names the score beauty"),
        ({"floors": {"text_image": 1e9}}, "lower that floor"),
        ({"kind": "something"}, "is not a pick of a run's page"),
        ({"format": 2}, "is not a pick of a run's page"),
        ({"picked": 3}, "is not a pick of a run's page"),
        ({"picked": ["3"]}, "is not a pick of a run's page"),
        ({"picked": [True]}, "is not a pick of a run's page"),
        ({"picked": [1, 1]}, "is not a pick of a run's page"),
        ({"weights": {"text_image": "2"}}, "is not a pick of a run's page"),
        ({"weights": [1]}, "is not a pick of a run's page"),
        ({"order": "text_image"}, "is not a pick of a run's page"),
        ({"tolerance": "1"}, "is not a pick of a run's page"),
        (
            {"method": "lexicographic", "weights": {}, "order": ["beauty"]},
            "--order names the score beauty",
        ),
        (
            {"method": "lexicographic", "weights": {}, "tolerance": -1},
            "--tolerance is -1.0; give 0 or more",
        ),
    ],
)
def test_what_cannot_be_taken_is_refused(evo, finished_run, values, message):
    result = evo("pick", finished_run, "--from", export(finished_run, **values))
    assert (result.code, result.out) == (2, ""), result.out
    assert message in result.err
    assert result.err.count("\n") == 1
    assert not (finished_run / "pick").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, b"\xff\xfe\x00\xd8"])
def test_a_file_of_something_else_is_refused(evo, finished_run, tmp_path, text):
    file = tmp_path / "pick.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    result = evo("pick", finished_run, "--from", file)
    assert result.code == 2
    assert f"{file} is not a pick of a run's page" in result.err
    assert "cannot be read" in evo("pick", finished_run, "--from", tmp_path / "missing").err
    assert "cannot be read" in evo("pick", finished_run, "--from", tmp_path).err


@pytest.mark.parametrize(
    ("option", "value"),
    [("--method", "rank"), ("--weight", "text_image=1"), ("--min", "text_image=0"), ("--count", 2)],
)
def test_from_stands_alone(evo, finished_run, option, value):
    result = evo("pick", finished_run, "--from", export(finished_run), option, value)
    assert result.code == 2
    assert f"--from brings its own choice; leave out {option}." in result.err
