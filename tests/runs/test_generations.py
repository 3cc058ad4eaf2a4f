"""What the journal says of a generation, read strictly, and files that no run writes."""

import json
import struct

import numpy as np
import pytest
from hand_made import generation_facts

from evo_t2i.errors import RunDataError
from evo_t2i.runs.directory import RunDirectory
from evo_t2i.runs.generations import GenerationFacts, environment_warning
from evo_t2i.runs.journal import Journal, line_of
from evo_t2i.runs.stored import packed, sha256


def rewritten(path, change):
    """Write the journal of the run at ``path`` again, its entries as ``change`` leaves them."""
    entries = Journal(path / "journal.jsonl").entries
    change(entries)
    (path / "journal.jsonl").write_bytes(b"".join(line_of(entry) for entry in entries))


def test_facts_come_back_from_json():
    facts = generation_facts(2, environment={"threads": 2, "torch": "2.9.1"})
    assert GenerationFacts.from_json(json.loads(json.dumps(facts.to_json()))) == facts


@pytest.mark.parametrize(
    "change",
    [
        {"models": None},
        {"models": {"clip": 3}},
        {"environment": [1]},
        {"environment": {"threads": 1.5}},
        {"box": None},
        {"box": [[0.0, 0.0]]},
        {"box": [[0.0, 0.0], [1.0]]},
        {"box": [[0.0, 0.0], [1.0, "1"]]},
        {"box": [[0.0], [1.0]]},
        {"micro_batch": 0},
        {"micro_batch": "25"},
        {"micro_batch": True},
        {"evaluations": -1},
        {"front": 2.5},
        {"hypervolume": "large"},
        {"hypervolume": -0.5},
        {"files": {}},
        {"files": {"gen/0000.safetensors": "ab", "../../etc/passwd": "cd"}},
        {"files": ["gen/0000.safetensors"]},
        {"generation": 7},
    ],
)
def test_a_journal_that_no_run_writes_is_one_sentence(toy, tmp_path, change):
    run = toy.whole(tmp_path / "run").path
    rewritten(run, lambda entries: entries[1].update(change))
    with pytest.raises(RunDataError, match=r"jsonl (says of gen|does not list).*start a new run"):
        RunDirectory.open(run)


@pytest.mark.parametrize(
    "name", ["models", "box", "micro_batch", "evaluations", "front", "hypervolume", "environment"]
)
def test_a_fact_that_is_missing_is_named(toy, tmp_path, name):
    run = toy.whole(tmp_path / "run").path
    rewritten(run, lambda entries: entries[2].pop(name))
    with pytest.raises(RunDataError, match=rf"of generation 1 what no run writes \({name} is miss"):
        RunDirectory.open(run)


@pytest.mark.parametrize(
    "change",
    [
        lambda entries: entries.insert(2, {"something": 1}),
        lambda entries: entries.insert(2, {"complete": True, "files": {}}),
        lambda entries: entries.append({"complete": True}),
        lambda entries: entries.__delitem__(slice(1, -1)),
        lambda entries: entries[-1].pop("files"),
        lambda entries: entries[-1].update(files={"front.csv": 3}),
        lambda entries: entries[0].update(begun_in="/home"),
        lambda entries: entries[0].update(begun_in={"folder": "/home", "files": [3]}),
    ],
)
def test_lines_that_no_run_writes_are_one_sentence(toy, tmp_path, change):
    run = toy.whole(tmp_path / "run").path
    rewritten(run, change)
    with pytest.raises(RunDataError, match="start a new run"):
        RunDirectory.open(run)


def bf16(name, shape):
    """A safetensors file of one array of zeros in a type that numpy lacks."""
    count = int(np.prod(shape))
    header = {name: {"dtype": "BF16", "shape": shape, "data_offsets": [0, 2 * count]}}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(2 * count)


SCORES = np.zeros((6, 2))
IDS = np.arange(6)
PARENTS = np.zeros((6, 2), np.int64)
FOREIGN = {
    "another type": bf16("scores", [6, 2]),
    "no array": packed({"scores": SCORES, "ids": IDS}),
    "half precision": packed({"scores": SCORES.astype("f2"), "ids": IDS, "parents": PARENTS}),
    "another score": packed({"scores": np.zeros((6, 3)), "ids": IDS, "parents": PARENTS}),
    "fewer rows": packed({"scores": SCORES[:5], "ids": IDS, "parents": PARENTS}),
    "a number": packed({"scores": np.zeros(()), "ids": IDS, "parents": PARENTS}),
    "no file": b"",
    "text": b"[" * 100_000,
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_arrays_that_no_run_writes_are_one_sentence(toy, tmp_path, kind):
    run = toy.whole(tmp_path / "run").path
    digest = sha256(FOREIGN[kind])
    for name in ("gen/0000.safetensors", "archive.safetensors"):
        (run / name).write_bytes(FOREIGN[kind])

    def change(entries):
        entries[1]["files"]["gen/0000.safetensors"] = digest
        entries[-1]["files"]["archive.safetensors"] = digest

    rewritten(run, change)
    reader = RunDirectory.open(run)
    for read in (reader.history, reader.front, lambda: reader.record(0)):
        with pytest.raises(RunDataError, match=r"gen/0000\.safetensors (is not what|has )"):
            read()
    with pytest.raises(RunDataError, match=r"archive\.safetensors (is not what|has )"):
        reader._result.front(SCORES)


def test_damaged_files_of_a_finished_run_are_named_and_made_again(toy, tmp_path, files_of):
    run = toy.whole(tmp_path / "run")
    reference = files_of(run.path)
    spare = "gen/0002.state.safetensors"
    for name in [name for name in reference if name.startswith("gen/")]:
        (run.path / name).write_bytes(reference[name][:-1])
        if name == spare:
            assert RunDirectory.open(run.path).damaged() == ()
            assert RunDirectory.open(run.path).last()[0] == 3
            (run.path / name).write_bytes(reference[name])
            continue
        assert RunDirectory.open(run.path).damaged() == (name,)
        with RunDirectory.open(run.path, writable=True) as again:
            toy.go_on(again)
        assert files_of(run.path) == reference


def test_another_environment_is_said_in_one_sentence():
    then, now = {"threads": 2, "torch": "2.8.0"}, {"threads": 4, "torch": "2.8.0", "numpy": "2.4"}
    assert environment_warning([then, then], then) is None
    warning = environment_warning([now, then], now)
    assert "computed with numpy none, now 2.4; threads 2, now 4: its last bits" in warning


def test_a_run_that_goes_on_elsewhere_warns_and_a_finished_one_is_not_searched_again(toy, tmp_path):
    run = toy.whole(tmp_path / "run")
    run.check_environment({"threads": 1})
    assert run.warnings == []
    run.check_environment({"threads": 2})
    assert "threads 1, now 2" in run.warnings[0]
    (run.path / "gen" / "0002.safetensors").unlink()
    run.check_environment({"threads": 1})
    with pytest.raises(RunDataError, match=r"gen/0002\.safetensors is damaged .* threads 1, now 2"):
        run.check_environment({"threads": 2})
