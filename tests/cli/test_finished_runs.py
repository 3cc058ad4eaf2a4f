import json
import sys

import numpy as np
import pytest
from PIL import Image

from evo_t2i.run import Run


def test_pick_prints_the_table_and_copies_the_picture(evo, finished_run):
    result = evo("pick", finished_run)
    assert result.code == 0, result.err
    assert "balanced" in result.out
    assert "[red]cat[/red] :smile: on the table\\x1b[31m." in result.out
    assert "runner-up" in result.out
    (copy,) = (finished_run / "pick").glob("01-*.png")
    assert str(copy) in result.out
    assert f"front/{copy.name.removeprefix('01-')}" in result.out
    assert "\x1b" not in result.out


def test_pick_json_is_all_of_stdout_and_equals_the_file(evo, finished_run):
    limits = ("--weight", "text_image=3", "--min", "word_label=-9")
    result = evo("pick", finished_run, "--json", "--count", 2, *limits)
    table = json.loads(result.out)
    assert len(table["chosen"]) == len(table["copies"]) == 2
    assert table["weights"] == {"text_image": 0.75, "word_label": 0.25}
    assert table["floors"] == {"word_label": -9.0}
    stored = json.loads((finished_run / "pick" / "pick.json").read_text())
    assert stored == {key: table[key] for key in stored}


def test_a_second_pick_replaces_the_first(evo, finished_run):
    evo("pick", finished_run, "--count", 3)
    assert len(list((finished_run / "pick").glob("*.png"))) == 3
    evo("pick", finished_run)
    assert len(list((finished_run / "pick").glob("*.png"))) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--weight", "beauty=2"], "--weight names the score beauty"),
        (["--weight", "text_image"], "give name=number"),
        (["--weight", "text_image=lots"], "give name=number"),
        (["--weight", "text_image=1", "--weight", "text image=2"], "twice"),
        (["--min", "text_image=99"], "lower that floor"),
        (["--method", "best"], "--method is best; give one of"),
        (["--count", "0"], "--count is 0"),
        (["--order", "text_image"], "--order and --tolerance are for"),
        (["--method", "lexicographic", "--order", "beauty"], "--order names the score beauty"),
    ],
)
def test_bad_picks_are_refused_and_write_nothing(evo, finished_run, options, message):
    result = evo("pick", finished_run, *options)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert not (finished_run / "pick").exists()


@pytest.mark.parametrize("command", ["pick", "plot", "resume"])
def test_a_folder_that_is_no_run_is_refused(evo, tmp_path, command):
    for path in (tmp_path, tmp_path / "missing"):
        result = evo(command, path)
        assert (result.code, result.out) == (5, "")
        assert result.err.startswith(f"error: {path} ")
        assert result.err.count("\n") == 1


@pytest.mark.parametrize("command", ["pick", "plot"])
def test_an_unfinished_run_is_to_be_resumed_first(evo, unfinished_run, command):
    result = evo(command, unfinished_run)
    assert result.code == 5
    assert f"evo-t2i resume {unfinished_run}" in result.err


def test_a_changed_picture_is_not_picked(evo, finished_run):
    for picture in (finished_run / "front").glob("*.png"):
        picture.write_bytes(b"something else")
    result = evo("pick", finished_run)
    assert result.code == 5
    assert "is not what the run wrote" in result.err


def test_plot_draws_both_figures(evo, finished_run):
    result = evo("plot", finished_run)
    assert result.code == 0, result.err
    files = [finished_run / "pareto.png", finished_run / "contact_sheet.png"]
    assert result.out.splitlines() == [str(file) for file in files]
    assert all(np.ptp(np.asarray(Image.open(file))) > 100 for file in files)


def test_plot_into_one_file(evo, finished_run, tmp_path):
    assert evo("plot", finished_run, "--out", tmp_path / "mine.png").code == 0
    assert Image.open(tmp_path / "mine.png").width > 300
    assert not (finished_run / "pareto.png").exists()


@pytest.mark.parametrize("kind", ["pairs", "parallel", "convergence", "evolution", "sheet"])
def test_plot_of_one_kind(evo, finished_run, tmp_path, kind):
    result = evo("plot", finished_run, "--kind", kind)
    assert result.code == 0, result.err
    name = "contact_sheet.png" if kind == "sheet" else f"{kind}.png"
    assert result.out == f"{finished_run / name}\n"
    assert np.ptp(np.asarray(Image.open(finished_run / name))) > 100
    if kind == "sheet":  # pixels
        return
    vector = evo("plot", finished_run, "--kind", kind, "--format", "svg")
    assert vector.out == f"{(finished_run / name).with_suffix('.svg')}\n"
    assert evo("plot", finished_run, "--kind", kind, "--out", tmp_path / "mine.pdf").code == 0
    assert (tmp_path / "mine.pdf").read_bytes().startswith(b"%PDF")


def test_plot_animates(evo, finished_run):
    assert evo("plot", finished_run, "--animate").out == f"{finished_run / 'evolution.gif'}\n"
    with Image.open(finished_run / "evolution.gif") as film:
        assert film.n_frames == 2


@pytest.mark.parametrize("options", [("--format", "mp4"), ("--out", "film.MP4")])
def test_plot_animates_as_a_video(evo, finished_run, tmp_path, options):
    file = finished_run / "evolution.mp4" if options[0] == "--format" else tmp_path / "film.MP4"
    result = evo("plot", finished_run, "--animate", *options)
    assert result.out.endswith(f"{file if options[0] == '--format' else 'film.MP4'}\n"), result.err
    assert file.read_bytes()[4:8] == b"ftyp"


def test_a_video_without_its_library_is_refused(evo, finished_run, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    result = evo("plot", finished_run, "--animate", "--format", "mp4")
    assert (result.code, result.out) == (2, "")
    assert "run `pip install 'evo-t2i[video]'` or write a GIF." in result.err
    assert not (finished_run / "evolution.mp4").exists()


def test_plot_marks_what_a_method_picks(evo, finished_run, tmp_path):
    files = []
    for method in ("balanced", "extremes"):
        files.append(tmp_path / f"{method}.png")
        result = evo(
            "plot", finished_run, "--kind", "parallel", "--pick", method, "--out", files[-1]
        )
        assert result.code == 0, result.err
    assert files[0].read_bytes() != files[1].read_bytes()
    assert not (finished_run / "pick").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--kind", "pie"], "--kind is pie; give one of pairs, parallel"),
        (["--format", "svg"], "--format needs --animate or --kind"),
        (["--kind", "pairs", "--format", "gif"], "--format is gif; give one of png, svg, pdf"),
        (["--kind", "sheet", "--format", "pdf"], "--format is pdf; give one of png."),
        (["--kind", "sheet", "--out", "a.svg"], "ends in .png."),
        (["--kind", "pairs", "--out", "a.gif"], "ends in .png or .svg or .pdf"),
        (["--kind", "pairs", "--out", "a.png", "--format", "pdf"], "ends in .pdf"),
        (["--animate", "--out", "a.png"], "ends in .gif or .mp4"),
        (["--animate", "--format", "png"], "--format is png; give one of gif, mp4"),
        (["--animate", "--out", "a.gif", "--format", "mp4"], "ends in .mp4"),
        (["--animate", "--kind", "pairs"], "leave out --kind"),
        (["--kind", "convergence", "--pick", "rank"], "leave out --pick"),
        (["--kind", "pairs", "--pick", "best"], "--pick is best"),
    ],
)
def test_plots_that_cannot_be_are_refused(evo, finished_run, options, message):
    result = evo("plot", finished_run, *options)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert result.err.count("\n") == 1


def test_plot_marks_the_pick_that_was_made(evo, finished_run):
    figures = [finished_run / "pareto.png", finished_run / "contact_sheet.png"]

    def drawn():
        assert evo("plot", finished_run).code == 0
        return [figure.read_bytes() for figure in figures]

    default = drawn()
    evo("pick", finished_run)
    assert drawn() == default
    evo("pick", finished_run, "--method", "rank", "--weight", "text_image=0", "--count", 2)
    several = drawn()
    assert all(after != before for after, before in zip(several, default, strict=True))
    evo("pick", finished_run, "--method", "extremes")
    assert drawn() != several


def test_run_reads_its_pick_back(evo, finished_run):
    limits = ("--weight", "text_image=3", "--min", "word_label=-9", "--count", 3)
    evo("pick", finished_run, "--method", "topsis", *limits)
    run = Run(finished_run)
    made = run.rank(
        method="topsis", weights={"text_image": 3}, floors={"word_label": -9.0}, count=3
    )
    read = run.picked()
    assert (read.method, read.chosen, read.floors) == (made.method, made.chosen, made.floors)
    np.testing.assert_allclose(read.value, made.value)


def test_a_lexicographic_pick_is_read_back(evo, finished_run):
    options = ("--method", "lexicographic", "--order", "word_label", "--tolerance", 0.25)
    result = evo("pick", finished_run, *options, "--json")
    assert result.code == 0, result.err
    run = Run(finished_run)
    made = run.rank(method="lexicographic", order=["word_label"], tolerance=0.25)
    read = run.picked()
    assert json.loads(result.out)["order"] == ["word_label", "text_image"]
    assert (read.order, read.tolerance, read.chosen) == (made.order, 0.25, made.chosen)
    np.testing.assert_array_equal(read.value, made.value)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"method": "best", "weights": {}, "floors": {}, "chosen": []}',
        '{"method": "balanced", "weights": {}, "floors": {}, "chosen": 7}',
        '{"method": "balanced", "weights": {}, "floors": {}, "chosen": [7]}',
        '{"method": "rank", "weights": {}, "floors": {}, "chosen": [{"file": "front/9999.png"}]}',
        '{"method": "rank", "weights": {"beauty": 1}, "floors": {}, "chosen": []}',
    ],
)
def test_a_damaged_pick_is_refused(evo, finished_run, text):
    (finished_run / "pick").mkdir()
    (finished_run / "pick" / "pick.json").write_text(text)
    result = evo("plot", finished_run)
    assert (result.code, result.out) == (5, "")
    assert f"evo-t2i pick {finished_run}" in result.err


@pytest.mark.parametrize(("name", "code"), [("figure.svg", 2), ("missing/figure.png", 1)])
def test_plot_into_a_file_that_cannot_be(evo, finished_run, tmp_path, name, code):
    result = evo("plot", finished_run, "--out", tmp_path / name)
    assert result.code == code
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1


def test_compare_prints_tables_and_writes_figure_and_json(evo, finished_run, other_run, tmp_path):
    result = evo("compare", finished_run, other_run, "--out", tmp_path / "both")
    assert result.code == 0, result.err
    assert "\x1b" not in result.out
    assert "covers" in result.out
    assert str(tmp_path / "both" / "comparison.png") in result.out
    assert (tmp_path / "both" / "comparison.html").read_bytes().startswith(b"<!doctype html>")
    assert np.ptp(np.asarray(Image.open(tmp_path / "both" / "comparison.png"))) > 100
    stored = json.loads((tmp_path / "both" / "comparison.json").read_text())
    printed = json.loads(evo("compare", finished_run, other_run, "--json").out)
    assert {**stored, "files": []} == printed
    assert [one["label"] for one in printed["compared"]] == ["finished", "other"]


def test_compare_without_a_score(evo, finished_run):
    result = evo("compare", finished_run, "--drop-score", "word_label", "--json")
    table = json.loads(result.out)
    assert [one["label"] for one in table["compared"]] == ["all scores", "without word_label"]
    assert table["compared"][1]["front"] == 1


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        ([], 2, "give two or more"),
        (["missing"], 5, "is no run directory"),
        (["other", "--drop-score", "word_label"], 2, "--drop-score looks into one run"),
        (["--drop-score", "beauty"], 2, "--drop-score names beauty"),
    ],
)
def test_comparisons_that_cannot_be_are_refused(evo, finished_run, options, code, message):
    result = evo("compare", finished_run, *options)
    assert (result.code, result.out) == (code, "")
    assert message in result.err
    assert result.err.count("\n") == 1
