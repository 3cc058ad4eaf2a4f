"""The result of a run, read back strictly, and the figures that are published beside it."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
from hand_made import result_facts, write_run
from killed import killed_after

from evo_t2i.config import RunConfig
from evo_t2i.errors import DiskFullError, RunDataError, RunLockedError, UsageError
from evo_t2i.runs.directory import RunDirectory
from evo_t2i.runs.journal import Journal, line_of
from evo_t2i.runs.stored import sha256


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "{",
        "[" * 100_000,
        '{"models": {}}',
        json.dumps(result_facts(hypervolume=[])),
        json.dumps(result_facts(hypervolume=["1"])),
        json.dumps(result_facts(models=3)),
    ],
)
def test_a_run_json_that_no_run_writes_is_one_sentence(toy, tmp_path, text):
    run = toy.whole(tmp_path / "run").path
    entries = Journal(run / "journal.jsonl").entries
    entries[-1]["files"]["run.json"] = sha256(text.encode())
    (run / "journal.jsonl").write_bytes(b"".join(line_of(entry) for entry in entries))
    (run / "run.json").write_text(text)
    with pytest.raises(RunDataError, match=r"run\.json (has no|is not) "):
        RunDirectory.open(run).facts()


@pytest.mark.parametrize("name", ["config.json", "journal.jsonl", "presented.json"])
def test_deeply_nested_text_is_one_sentence_or_nothing(toy, tmp_path, name):
    run = toy.whole(tmp_path / "run").path
    if name == "config.json":
        (run / "journal.jsonl").unlink()
    (run / name).write_text("[" * 100_000)
    if name == "presented.json":
        assert not RunDirectory.open(run).is_drawn("pareto.png")
    elif name == "journal.jsonl":
        assert RunDirectory.open(run).journal == []  # a torn line
    else:
        with pytest.raises(RunDataError, match="is damaged; restore a copy"):
            RunDirectory.open(run)


def test_a_published_figure_has_a_digest(tmp_path):
    run = RunDirectory.open(write_run(tmp_path / "run"))
    figure = run.path / "parallel.png"
    run.publish(figure, b"picture")
    assert run.is_drawn("parallel.png")
    assert run.changed_figures() == ()
    figure.write_bytes(b"pictuse")
    assert not run.is_drawn("parallel.png")
    assert run.changed_figures() == ("parallel.png",)
    figure.unlink()
    assert run.changed_figures() == ()
    run.publish(tmp_path / "mine.png", b"picture")
    assert not run.is_drawn("mine.png")
    assert not (run.path / "mine.png").exists()


def test_a_figure_is_published_under_the_lock(tmp_path):
    path = write_run(tmp_path / "run")
    with RunDirectory.open(path, writable=True) as writer:
        writer.publish(path / "pareto.png", b"1")
        with pytest.raises(RunLockedError):
            RunDirectory.open(path).publish(path / "pareto.png", b"2")
        RunDirectory.open(path).publish(tmp_path / "mine.png", b"2")
    assert (path / "pareto.png").read_bytes() == b"1"
    (path / "page.html").mkdir()
    with pytest.raises(UsageError, match="only a plain file"):
        RunDirectory.open(path).publish(path / "page.html", b"2")


@pytest.mark.usefixtures("quick_disk")
def test_killed_while_a_figure_is_published_it_counts_as_changed_or_is_whole(tmp_path):
    path = write_run(tmp_path / "run")
    figure = path / "pareto.png"
    RunDirectory.open(path).publish(figure, b"old")
    seen, operation = set(), 0
    while killed_after(
        operation, lambda: RunDirectory.open(path).publish(figure, figure.read_bytes() + b"new")
    ):
        before = figure.read_bytes()
        drawn = RunDirectory.open(path).is_drawn("pareto.png")
        seen.add(drawn)
        RunDirectory.open(path, writable=True).close()
        assert not [name for name in os.listdir(path) if name.endswith(".part")]
        assert figure.read_bytes() == before
        RunDirectory.open(path).publish(figure, before)
        assert RunDirectory.open(path).is_drawn("pareto.png")
        operation += 1
    assert seen == {True, False}


def test_a_full_disk_while_a_generation_is_written_says_to_resume(toy, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with RunDirectory.create(tmp_path / "run", toy.config) as run:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(DiskFullError, match=f"`evo-t2i resume {run.path}` .everything committ"):
            toy.go_on(run)
    monkeypatch.undo()
    reader = RunDirectory.open(write_run(tmp_path / "finished"))
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(DiskFullError, match="then try again"):
        reader.publish(reader.path / "pareto.png", b"1")


def test_scores_near_the_largest_float_leave_a_journal_and_a_front(tmp_path):
    path = write_run(tmp_path / "run")
    run = RunDirectory.open(path)
    record = run.record(0)
    scores = record.scores.copy()
    scores[0] = 1.7e308
    scores[1] = -1.7e308
    config = RunConfig(caption="a cat", seed=1, scores=run.config.scores, generations=0)
    with RunDirectory.create(tmp_path / "large", config) as large:
        large.commit(replace(record, scores=scores), {}, run.facts_of(0))
        front = replace(record, scores=scores)[2:]
        large.finish(front, np.zeros((4, 2, 2, 3), np.uint8), result_facts())
    assert RunDirectory.open(large.path).history().scores.max() == 1.7e308
    assert len(RunDirectory.open(large.path).front()) == 4
