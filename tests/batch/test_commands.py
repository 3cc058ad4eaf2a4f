"""`evo-t2i batch`, `runs` and `latest`, as a person uses them."""

import csv
import io
import json
import tarfile
from types import SimpleNamespace

import pytest
from tiny_batch import SETTINGS

from evo_t2i.cli.main import run

FLAGS = [text for name, value in SETTINGS.items()
         for text in (f"--{name.replace('_', '-')}", str(value))]  # fmt: skip
LOOP = ["--engine", "loop", *FLAGS]


@pytest.fixture
def evo(capsys, tmp_path, monkeypatch, tiny):  # noqa: ARG001 - it is installed
    """``evo("runs")`` → code, out and err; the working directory is ``tmp_path``."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return call


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_from_a_prompt_set_to_tables_a_gallery_and_a_data_set(evo, tmp_path):
    (tmp_path / "draw.csv").write_text(
        "Prompts,Category\nA red car.,Colors\n=cmd of poison,Colors\nTwo dogs.,Counting\n"
    )
    result = evo("batch", "draw.csv", "--out", "runs/draw", "--top-k", 2, "--webdataset", *LOOP)
    assert result.code == 1
    assert "DrawBench · 3 captions · 3 left with 54 images · runs/draw" in result.err
    assert "1 of 3 captions failed; see runs/draw/failed.jsonl, and give the same" in result.err
    assert "captions  2 of 3 finished" in result.out
    assert "models loaded once" in result.out
    out = tmp_path / "runs" / "draw"

    index = table(out / "index.csv")
    assert [(row["category"], row["state"]) for row in index] == [
        ("Colors", "finished"), ("Colors", "failed"), ("Counting", "finished"),
    ]  # fmt: skip
    assert (out / index[0]["pick"]).is_file()
    assert index[0]["evaluations"] == "18"
    front = [row for row in table(out / "front.csv") if row["id"] == index[0]["id"]]
    assert len(front) == int(index[0]["front"])
    assert [row["picked"] for row in front].count("1") == 1
    first = next(row for row in front if row["picked"] == "1")
    assert {key: first[key] for key in ("red", "blue", "red_z", "blue_z", "sha256")} == {
        key: index[0][key] for key in ("red", "blue", "red_z", "blue_z", "sha256")
    }
    kinds = table(out / "categories.csv")
    assert [(row["category"], row["captions"], row["finished"]) for row in kinds] == [
        ("Colors", "2", "1"), ("Counting", "1", "1"),
    ]  # fmt: skip
    assert kinds[0]["red"] == index[0]["red"]
    assert "Counting" in result.out

    with tarfile.open(out / "webdataset" / "picks-000000.tar") as tar:
        assert tar.getnames()[:3] == ["00000000-01.png", "00000000-01.txt", "00000000-01.json"]
        facts = json.load(tar.extractfile("00000002-01.json"))
        assert (facts["caption"], facts["place"]) == ("Two dogs.", 1)
        assert {member.mtime for member in tar} == {0}
        picture = tar.extractfile("00000000-01.png").read()
        assert picture == (out / index[0]["pick"]).read_bytes()
    gallery = (out / "gallery.html").read_text()
    assert "A red car." in gallery
    assert "1 caption failed; failed.jsonl says why." in gallery

    listed = json.loads(evo("runs", "--json").out)
    assert sorted(run["state"] for run in listed) == ["finished", "finished", "stopped"]
    shown = evo("runs", "runs/draw")
    assert "Two dogs." in shown.out
    newest = evo("pick", "latest", "--json")
    assert json.loads(newest.out)["run"] == listed[0]["run"]
    again = evo("batch", "draw.csv", "--out", "runs/draw", "--dry-run", "--json", *LOOP)
    assert json.loads(again.out)["captions"] == 3


def test_bad_lines_are_all_said_and_nothing_is_begun(evo, tmp_path):
    (tmp_path / "c.csv").write_text("caption,seed\na,x\nb,1\nc,-1\n")
    result = evo("batch", "c.csv", "--out", "out", *LOOP)
    assert result.code == 2
    assert result.err.splitlines()[:2] == [
        "c.csv:2: `seed` is 'x'; give a whole number.",
        "c.csv:4: `seed` is -1; give an integer from 0 to 2^63-1.",
    ]
    assert "2 of 3 lines of c.csv cannot be used; correct them, nothing was started." in result.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["none.txt"], "none.txt cannot be read (No such file or directory); give a file of"),
        (["c.txt", "--population", "1"], "--population is 1; give 2 or more."),
        (["c.txt", "--engine", "lopo"], "There is no engine 'lopo'; did you mean 'loop'?"),
        (["c.txt", "--shard", "0/2"], "--shard is '0/2'; give i/n, for example 1/4, or auto."),
        (["c.txt", "--workers", "-1"], "--workers is -1; give 1 or more, or 0 for one a device."),
        (["c.txt", "--top-k", "0", "--engine", "loop"], "--top-k is 0; give 1 or more."),
        (["c.txt", "--format", "jsno"], "There is no format 'jsno'; did you mean 'jsonl'?"),
        (["c.pdf"], "c.pdf ends with '.pdf', which says nothing of its form; pass --format txt,"),
    ],
)
def test_a_wrong_request_is_one_sentence(evo, tmp_path, arguments, sentence):
    (tmp_path / "c.txt").write_text("a cat\n")
    result = evo("batch", *arguments, "--out", "out")
    assert result.code == 2
    assert sentence in " ".join(result.err.split())


def test_captions_from_standard_input(evo, monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"a {red|blue} cat\n")))
    result = evo("batch", "-", "--out", "out", "--expand", "--dry-run", *FLAGS)
    assert result.code == 0, result.err
    assert "captions     2" in result.out
    assert "a blue cat" in result.out


def test_the_tables_as_parquet_say_the_same(jobs_of, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    from evo_t2i.batch import loop
    from evo_t2i.batch.outputs import Outputs
    from evo_t2i.batch.run import run_batch

    out = tmp_path / "out"
    run_batch(jobs_of(["a cat", "a dog"]), out, loop.carry_out, outputs=Outputs(parquet=True))
    index, front = (parquet.read_table(out / name) for name in
                    ("index.parquet", "front-00000.parquet"))  # fmt: skip
    for read, name in ((index, "index.csv"), (front, "front.csv")):
        rows = table(out / name)
        assert read.column_names == list(rows[0])
        assert read.schema.metadata[b"evo_t2i.schema"] == b"1"
        assert read.column("sha256").to_pylist() == [row["sha256"] for row in rows]
        assert [f"{value:.6f}" for value in read.column("red").to_pylist()] == [
            row["red"] for row in rows
        ]


def test_nothing_is_the_latest_where_there_is_no_run(evo):
    result = evo("view", "latest")
    assert result.code == 2
    assert "There is no run under runs, so none is the latest; give a run's folder" in result.err
