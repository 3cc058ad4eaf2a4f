"""The run directory: commits, crashes, damage, locks, and what is read back."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hand_made import generation_facts, result_facts
from killed import killed_after
from PIL import Image

from evo_t2i.config import RunConfig
from evo_t2i.errors import DiskFullError, EvoError, RunDataError, RunLockedError, UsageError
from evo_t2i.runs import directory, place
from evo_t2i.runs.directory import RunDirectory


def resume(toy, path: Path) -> RunDirectory:
    with RunDirectory.open(path, writable=True) as run:
        toy.go_on(run)
    return run


def test_a_finished_run_reads_back_what_was_written(toy, tmp_path):
    run = toy.whole(tmp_path / "run")
    state = None
    records = []
    for generation in range(4):
        records.append(toy.record(generation, state))
        state = {"latents": records[-1].latents}
    front = run.front()
    np.testing.assert_array_equal(front.latents, records[3].latents)
    np.testing.assert_array_equal(front.scores, records[3].scores)
    np.testing.assert_array_equal(front.parents, records[3].parents)
    np.testing.assert_array_equal(front.generation0_scores, records[0].scores)
    assert front.score_names == toy.config.scores
    assert run.config == toy.config
    assert [entry["evaluations"] for entry in run.journal] == [6, 12, 18, 24]
    images = toy.images(records[3].latents)
    for row in range(len(front)):
        np.testing.assert_array_equal(front.image(row), images[row])
    history = run.history()
    np.testing.assert_array_equal(history.scores, np.concatenate([r.scores for r in records]))
    np.testing.assert_array_equal(history.ids, np.arange(24))
    np.testing.assert_array_equal(history.generations, np.repeat(np.arange(4), 6))
    assert run.facts()["models"] == {"builtin": "ab" * 32}
    assert run.damaged() == ()


def test_only_generation_0_and_the_last_two_keep_their_latents(toy, tmp_path):
    run = toy.whole(tmp_path / "run")
    names = sorted(file.name for file in (run.path / "gen").glob("*.state.safetensors"))
    assert names == [f"000{generation}.state.safetensors" for generation in (0, 2, 3)]
    np.testing.assert_array_equal(run.record(0).latents, toy.record(0, None).latents)
    with pytest.raises(RunDataError, match="missing"):
        run.record(1)


def test_front_csv_lists_the_pictures_with_their_scores(toy, tmp_path):
    run = toy.whole(tmp_path / "run")
    with (run.path / "front.csv").open(newline="") as file:
        header, *rows = list(csv.reader(file))
    front = run.front()
    assert header == ["file", "generation", "text_image", "image_real", "look", "front"]
    assert [run.path / row[0] for row in rows] == list(front.files)
    assert all(file.is_file() for file in front.files)
    np.testing.assert_allclose(
        np.array([row[2:-2] for row in rows], dtype=float), front.scores, atol=5e-7
    )
    assert [int(row[-2]) for row in rows] == front.looks.tolist()
    others = front.scores[:, None] >= front.scores[None]
    dominated = (others.all(2) & ~others.all(2).T).any(0)
    assert [int(row[-1]) for row in rows] == (~dominated).astype(int).tolist()


def test_a_picture_says_where_it_comes_from(toy, tmp_path):
    run = toy.whole(tmp_path / "run")
    with Image.open(run.path / "front" / "0002.png") as picture:
        texts = picture.text
    record = json.loads(texts["evo_t2i"])
    front = run.front()
    assert record["individual"] == front.ids[2]
    assert record["generation"] == 3
    assert record["parents"] == front.parents[2].tolist()
    assert record["scores"] == dict(zip(front.score_names, front.scores[2].tolist(), strict=True))
    assert texts["parameters"].startswith("skyline at sunset.\nSteps: 3, Sampler: nsga2, Seed: 7")


def test_two_runs_are_equal_byte_for_byte_wherever_they_lie(toy, tmp_path, files_of):
    first, second = toy.whole(tmp_path / "a"), toy.whole(tmp_path / "deep" / "b")
    assert files_of(first.path) == files_of(second.path)
    assert b"tmp" not in b"".join(files_of(first.path).values())


def test_finishing_twice_changes_nothing(toy, tmp_path, files_of):
    run = toy.whole(tmp_path / "run")
    before = files_of(run.path)
    resume(toy, run.path)
    assert files_of(run.path) == before


@pytest.mark.usefixtures("quick_disk")
def test_killed_at_every_file_operation_the_run_ends_the_same(toy, tmp_path, files_of):
    reference = files_of(toy.whole(tmp_path / "reference").path)
    killed_at = 0
    while True:
        path = tmp_path / f"killed{killed_at}"
        if not killed_after(killed_at, lambda path=path: toy.whole(path)):
            break
        if (path / "config.json").exists():
            resume(toy, path)
        else:
            toy.whole(path)
        assert files_of(path) == reference, f"killed before operation {killed_at}"
        killed_at += 1
    assert killed_at > 100


@pytest.mark.usefixtures("quick_disk")
def test_killed_again_while_it_resumes(toy, tmp_path, files_of):
    reference = files_of(toy.whole(tmp_path / "reference").path)
    for operation in range(0, 60, 7):
        path = tmp_path / f"killed{operation}"
        assert killed_after(75, lambda path=path: toy.whole(path))
        assert killed_after(operation, lambda path=path: resume(toy, path))
        resume(toy, path)
        assert files_of(path) == reference


@pytest.mark.usefixtures("quick_disk")
def test_a_journal_cut_at_every_byte_of_its_last_two_lines(toy, tmp_path, files_of):
    run = toy.whole(tmp_path / "run")
    reference = files_of(run.path)
    journal = reference["journal.jsonl"]
    *_, start = [end for end in range(len(journal) - 1) if journal[end : end + 1] == b"\n"][:-1]
    for length in range(start + 1, len(journal)):
        (run.path / "journal.jsonl").write_bytes(journal[:length])
        reader = RunDirectory.open(run.path)
        assert not reader.finished
        assert len(reader.journal) == 3 + (b"\n" in journal[start + 1 : length])
        if length % 150 == 0:
            resume(toy, run.path)
            assert files_of(run.path) == reference


@pytest.mark.usefixtures("quick_disk")
def test_bit_flips_are_detected_or_harmless(toy, tmp_path, files_of):
    run = toy.whole(tmp_path / "run")
    reference = files_of(run.path)
    rng = np.random.default_rng(0)
    names = [name for name, data in reference.items() if data]
    outcomes = {"refused": 0, "repaired": 0}
    for _ in range(70):
        name = names[rng.integers(len(names))]
        data = bytearray(reference[name])
        data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
        (run.path / name).write_bytes(data)
        try:
            resume(toy, run.path)
            outcomes["repaired"] += 1
        except RunDataError:
            outcomes["refused"] += 1
            (run.path / name).write_bytes(reference[name])
            resume(toy, run.path)
        after = files_of(run.path)
        if after != reference:
            assert {key for key in reference if after[key] != reference[key]} == {name}
            with pytest.raises(RunDataError, match="sha256 differs"):
                RunDirectory.open(run.path).record(int(Path(name).name[:4]))
            (run.path / name).write_bytes(reference[name])
    assert outcomes["refused"]
    assert outcomes["repaired"]


def test_a_damaged_state_steps_back_one_generation_and_says_so(toy, tmp_path):
    run = toy.whole(tmp_path / "run")
    state = run.path / "gen" / "0003.state.safetensors"
    state.write_bytes(state.read_bytes()[:-1])
    reader = RunDirectory.open(run.path)
    generation, arrays = reader.last()
    assert generation == 2
    np.testing.assert_array_equal(arrays["latents"], reader.record(2).latents)
    assert "goes on from generation 2" in reader.warnings[0]


def test_damaged_results_are_refused_and_named(toy, tmp_path):
    run = toy.whole(tmp_path / "run")
    (run.path / "front" / "0001.png").write_bytes(b"not a picture")
    (run.path / "front.csv").unlink()
    assert run.damaged() == ("front/0001.png", "front.csv")
    front = run.front()
    front.image(0)
    with pytest.raises(RunDataError, match=r"0001\.png is not what the run wrote.*resume"):
        front.image(1)
    (run.path / "archive.safetensors").write_bytes(b"")
    with pytest.raises(RunDataError, match="archive"):
        run.front()


def test_an_unfinished_run_shows_its_progress_and_the_next_step(toy, tmp_path):
    path = tmp_path / "run"
    with RunDirectory.create(path, toy.config) as run:
        assert run.last() is None
        assert run.warnings == []
        with pytest.raises(RunDataError, match="no committed generation"):
            run.history()
        run.commit(toy.record(0, None), {}, generation_facts(2))
        with pytest.raises(ValueError, match="cannot follow"):
            run.commit(toy.record(2, None), {}, generation_facts(2))
    reader = RunDirectory.open(path)
    assert len(reader.journal) == 1
    assert not reader.finished
    with pytest.raises(
        RunDataError, match="after 1 of 4 generations; finish it with `evo-t2i resu"
    ):
        reader.front()
    with pytest.raises(RunDataError, match="no generation 1"):
        reader.record(1)
    with pytest.raises(ValueError, match="opened for reading"):
        reader.commit(toy.record(1, None), {}, generation_facts(2))


def test_a_run_that_goes_on_is_said_to_go_on(toy, tmp_path):
    path = tmp_path / "run"
    with RunDirectory.create(path, toy.config) as run:
        with pytest.raises(RunLockedError, match="is still going on: before generation 0"):
            RunDirectory.open(path).history()
        for generation in range(2):
            run.commit(toy.record(generation, None), {}, generation_facts(2))
        for _ in range(3):  # looking takes nothing away
            with pytest.raises(RunLockedError, match="is still going on: generation 1 of 3; wait"):
                RunDirectory.open(path).front()
        with pytest.raises(RunLockedError, match="Another process"):
            RunDirectory.open(path, writable=True)
    with pytest.raises(RunDataError, match="stopped before its end"):
        RunDirectory.open(path).front()
    RunDirectory.open(path, writable=True).close()


def test_damage_in_the_middle_of_the_journal_is_an_error(toy, tmp_path):
    run = toy.whole(tmp_path / "run")
    journal = bytearray((run.path / "journal.jsonl").read_bytes())
    journal[journal.index(b"\n") + 30] ^= 1
    (run.path / "journal.jsonl").write_bytes(journal)
    with pytest.raises(RunDataError, match=r"Line 2 of .* is damaged"):
        RunDirectory.open(run.path)


def test_a_changed_configuration_is_refused(toy, tmp_path):
    run = toy.whole(tmp_path / "run")
    text = (run.path / "config.json").read_text()
    (run.path / "config.json").write_text(text.replace('"seed": 7', '"seed": 8'))
    with pytest.raises(RunDataError, match="changed after the run began"):
        RunDirectory.open(run.path)


def test_an_existing_path_is_refused_and_left_alone(toy, tmp_path, files_of):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="exists already; choose another `out`"):
        RunDirectory.create(tmp_path / "run", toy.config)
    with pytest.raises(UsageError, match="exists already"):
        RunDirectory.create(tmp_path / "run" / "thesis.txt", toy.config)
    assert files_of(tmp_path) == {"run/thesis.txt": b"mine"}
    with pytest.raises(RunDataError, match=r"no config\.json"):
        RunDirectory.open(tmp_path / "run")
    with pytest.raises(RunDataError, match="no run directory"):
        RunDirectory.open(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    RunDirectory.create(tmp_path / "empty", toy.config).close()


def test_one_writer_among_processes(toy, tmp_path):
    path = tmp_path / "run"
    script = (
        "import sys; from evo_t2i.runs.directory import RunDirectory\n"
        "run = RunDirectory.open(sys.argv[1], writable=True)\n"
        "print('locked', flush=True); sys.stdin.read()\n"
    )
    toy.whole(path)
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout.readline() == "locked\n"
        with pytest.raises(RunLockedError, match="Another process"):
            RunDirectory.open(path, writable=True)
        assert RunDirectory.open(path).finished
        one.kill()
    RunDirectory.open(path, writable=True).close()


def test_ten_creators_one_winner(toy, tmp_path):
    gate_read, gate_write = os.pipe()
    children = []
    for _ in range(10):
        child = os.fork()
        if child == 0:
            os.close(gate_write)
            os.read(gate_read, 1)
            try:
                RunDirectory.create(tmp_path / "run", toy.config)
                os._exit(0)
            except (UsageError, RunLockedError):
                os._exit(1)
            finally:
                os._exit(2)
        children.append(child)
    os.close(gate_write)
    os.close(gate_read)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert sorted(codes) == [0] + [1] * 9


def test_links_are_never_followed(toy, tmp_path):
    run = toy.whole(tmp_path / "run")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (run.path / "gen").rename(elsewhere / "gen")
    (run.path / "gen").symlink_to(elsewhere / "gen")
    for writable in (True, False):
        with pytest.raises(RunDataError, match="not a plain directory"):
            RunDirectory.open(run.path, writable=writable).record(0)
    (run.path / "config.json").rename(elsewhere / "config.json")
    (run.path / "config.json").symlink_to(elsewhere / "config.json")
    with pytest.raises(RunDataError, match="symbolic link"):
        RunDirectory.open(run.path)


def test_too_little_space_is_said_before_anything_is_written(toy, tmp_path, monkeypatch):
    monkeypatch.setattr(place, "BASE_BYTES", 2**62)
    with pytest.raises(DiskFullError, match="MiB free and the run may take"):
        RunDirectory.create(tmp_path / "run", toy.config)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("quick_disk")
@pytest.mark.parametrize("operation", ["write", "fsync", "replace"])
def test_a_full_disk_at_every_write_loses_nothing(toy, tmp_path, files_of, monkeypatch, operation):
    reference = files_of(toy.whole(tmp_path / "reference").path)
    real = getattr(os, operation)
    path = tmp_path / "run"
    RunDirectory.create(path, toy.config).close()
    messages = set()
    for allowed in range(1_000):
        left = [allowed]

        def full(*arguments, left=left):
            if left[0] == 0:
                raise OSError(28, "No space left on device")
            left[0] -= 1
            return real(*arguments)

        monkeypatch.setattr(os, operation, full)
        try:
            resume(toy, path)
            break
        except DiskFullError as error:
            messages.add(str(error).split(" to write ")[0])
        finally:
            monkeypatch.setattr(os, operation, real)
        assert not list(path.rglob("*.part"))
        committed = len(RunDirectory.open(path).journal)
        assert committed <= 4
    assert allowed > 5
    assert messages == {"No space is left"}
    assert files_of(path) == reference


def test_another_failure_of_the_disk_is_one_sentence(toy, tmp_path, monkeypatch):
    run = RunDirectory.create(tmp_path / "run", toy.config)

    def broken(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(EvoError, match=r"cannot be written \(Input/output error\)"):
        run.commit(toy.record(0, None), {}, generation_facts(2))


@pytest.mark.usefixtures("quick_disk")
def test_short_writes_are_completed(toy, tmp_path, files_of, monkeypatch):
    reference = files_of(toy.whole(tmp_path / "reference").path)
    real = os.write
    monkeypatch.setattr(os, "write", lambda file, data: real(file, data[:37]))
    assert files_of(toy.whole(tmp_path / "run").path) == reference


def test_an_unknown_format_is_refused(tmp_path, toy, monkeypatch):
    monkeypatch.setattr(directory, "FORMAT", 3)
    RunDirectory.create(tmp_path / "run", toy.config).close()
    monkeypatch.undo()
    with pytest.raises(RunDataError, match="has format 3, and this version reads 2"):
        RunDirectory.open(tmp_path / "run")


def test_a_one_picture_front_of_one_score(tmp_path, toy):
    config = RunConfig(caption="雪 and \x1b[31mred", seed=0, scores=("text_image",))
    record = toy.record(0, None)
    with RunDirectory.create(tmp_path / "run", config) as run:
        one = replace(record, scores=record.scores[:, :1])
        run.commit(one, {}, generation_facts(1))
        run.finish(one[:1], np.zeros((1, 4, 4, 3), dtype=np.uint8), result_facts())
    front = RunDirectory.open(tmp_path / "run").front()
    assert len(front) == 1
    with Image.open(front.files[0]) as picture:
        assert json.loads(picture.text["evo_t2i"])["caption"] == config.caption


@pytest.mark.parametrize("score", [np.nan, np.inf, -1.7e308])
def test_a_front_without_a_score_is_refused(tmp_path, toy, score):
    record = toy.record(0, None)
    with RunDirectory.create(tmp_path / "run", toy.config) as run:
        run.commit(record, {}, generation_facts(2))
        front = record[:2]
        front.scores[1, 0] = score
        run.finish(front, np.zeros((2, 4, 4, 3), dtype=np.uint8), result_facts())
    with pytest.raises(RunDataError, match=r"archive.safetensors .*has scores that no front is"):
        RunDirectory.open(tmp_path / "run").front()
