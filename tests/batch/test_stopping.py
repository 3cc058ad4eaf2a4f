"""Batches that are stopped, killed, changed or out of space, and gone on with."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest
from tiny_batch import SETTINGS, tables_of

from evo_t2i.batch import loop
from evo_t2i.batch.devices import Share, shares
from evo_t2i.batch.run import local_engine, run_batch
from evo_t2i.batch.shards import Shard
from evo_t2i.errors import DiskFullError, EvoError, ModelError, RunLockedError, UsageError

ONE = [Share(None, None)]
CAPTIONS = ["a cat", "a slow dog", "a bird"]
FLAGS = [text for name, value in SETTINGS.items()
         for text in (f"--{name.replace('_', '-')}", str(value))]  # fmt: skip


@pytest.fixture
def begin_command(tmp_path, tiny):
    """Begins the command in a process group of its own and waits until it is at the slow dog."""
    (tmp_path / "captions.txt").write_text("\n".join(CAPTIONS))
    command = [sys.executable, "-m", "evo_t2i", "batch", "captions.txt", "--out", "out", *FLAGS]

    def begin(*more):
        process = subprocess.Popen(
            [*command, *more], cwd=tmp_path, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=hear_ctrl_c,
        )  # fmt: skip
        deadline = time.monotonic() + 300
        while not tiny.with_name("slow").exists() and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return process

    return begin


def hear_ctrl_c():
    """Also where the tests ignore it, as what a shell has begun in the background does."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def loaders(tiny):
    return [int(line.split()[0]) for line in tiny.read_text().splitlines()]


def wait_for_the_end_of(number):
    deadline = time.monotonic() + 60
    with contextlib.suppress(ProcessLookupError):
        while True:
            os.kill(number, 0)
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.mark.parametrize("engine", ["local", "ray"])
def test_ctrl_c_stops_everything_at_the_next_micro_batch_and_the_command_goes_on(
    begin_command, jobs_of, tmp_path, tiny, engine
):
    if engine == "ray":
        pytest.importorskip("ray")
    process = begin_command("--engine", engine)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does, the workers included
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert said.splitlines()[-1] == (
        "Stopped; 1 of 3 captions are finished, 2 are left. The same command goes on."
    )
    assert "Traceback" not in said
    wait_for_the_end_of(loaders(tiny)[0])
    assert not (tmp_path / "out" / "index.csv").exists()
    (tmp_path / "hurry").touch()
    again = begin_command("--engine", engine)
    out, said = again.communicate(timeout=300)
    assert again.returncode == 0
    assert "3 captions · 1 finished · 1 begun · 2 left with 36 images · out" in said
    assert "captions  3 of 3 finished" in out
    run_batch(jobs_of(CAPTIONS), tmp_path / "loop", loop.carry_out, title="out")
    assert tables_of(tmp_path / "out") == tables_of(tmp_path / "loop")


def test_a_driver_that_is_killed_takes_its_workers_along_and_loses_nothing(
    begin_command, jobs_of, tmp_path, tiny
):
    process = begin_command("--engine", "local")
    process.kill()
    process.communicate(timeout=60)
    wait_for_the_end_of(loaders(tiny)[0])
    (tmp_path / "hurry").touch()
    run_batch(jobs_of(CAPTIONS), tmp_path / "out", local_engine(ONE))
    run_batch(jobs_of(CAPTIONS), tmp_path / "loop", loop.carry_out)
    assert tables_of(tmp_path / "out") == tables_of(tmp_path / "loop")


def test_a_full_disk_ends_the_batch_with_what_is_left(jobs_of, tmp_path, tiny):
    jobs = jobs_of(["a cat", "a disk full of dogs", "a bird"])
    with pytest.raises(DiskFullError) as caught:
        run_batch(jobs, tmp_path / "out", local_engine(ONE))
    assert str(caught.value) == (
        f"No space is left under {tmp_path / 'out'}, with 2 captions to go; free some and give the "
        "same command again (everything committed so far is kept)."
    )
    tiny.with_name("freed").touch()
    begun = []
    assert run_batch(jobs, tmp_path / "out", loop.carry_out, begin=begun.append).finished == 3
    assert begun[0].finished == 1


def test_what_is_finished_is_left_alone_and_a_change_is_refused(jobs_of, tmp_path, tiny):
    jobs = jobs_of(["a cat"])
    run_batch(jobs, tmp_path / "out", loop.carry_out)
    before = tables_of(tmp_path / "out")
    loaded = tiny.read_text()
    again = run_batch(jobs, tmp_path / "out", loop.carry_out)
    assert (again.finished, again.loads, tiny.read_text()) == (1, 0, loaded)
    assert tables_of(tmp_path / "out") == before
    changed = jobs_of(["a cat"], settings=SETTINGS | {"generations": 3})
    with pytest.raises(UsageError, match="was begun with `generations` 2, and it is 3 now; put it"):
        run_batch(changed, tmp_path / "out", loop.carry_out)


def test_models_that_cannot_be_loaded_end_a_batch_of_one_kind_and_fail_in_one_of_two(
    jobs_of, tmp_path
):
    bad = SETTINGS | {"generator": "tiny:missing"}
    with pytest.raises(ModelError, match="The weights of tiny are missing; put them there"):
        run_batch(jobs_of(["a", "b"], settings=bad), tmp_path / "one", local_engine(ONE))
    lines = [
        json.dumps({"caption": caption, "generator": generator})
        for caption, generator in (("a", "tiny"), ("b", "tiny:missing"), ("c", "tiny:missing"))
    ]
    done = run_batch(jobs_of(lines, "jsonl"), tmp_path / "two", loop.carry_out)
    assert (done.finished, done.failed) == (1, 2)
    failed = [json.loads(line) for line in (tmp_path / "two" / "failed.jsonl").open()]
    assert [(each["line"], each["tries"], each["error"]) for each in failed] == [
        (2, 1, "ModelError"), (3, 1, "ModelError"),
    ]  # fmt: skip


def test_one_process_a_part_and_no_strange_folder(jobs_of, tmp_path):
    jobs = jobs_of(["a cat", "a dog"])
    second = []

    def engine(ledger, folder_of):
        with pytest.raises(RunLockedError, match="Another process works on "):
            run_batch(jobs, tmp_path / "out", loop.carry_out, shard=Shard(1, 2))
        second.append(run_batch(jobs, tmp_path / "out", loop.carry_out, shard=Shard(2, 2)))
        loop.carry_out(ledger, folder_of)

    first = run_batch(jobs, tmp_path / "out", engine, shard=Shard(1, 2))
    assert (second[0].finished, second[0].files) == (1, ())
    assert first.finished == 1
    assert first.files
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(UsageError, match="mine holds something else than a batch"):
        run_batch(jobs, tmp_path / "mine", loop.carry_out)


def test_workers_that_cannot_even_begin_are_told(jobs_of, tmp_path):
    with pytest.raises(EvoError, match=r"end before they take a caption \(the last one ended with"):
        run_batch(jobs_of(["a cat"]), tmp_path / "out", local_engine(ONE, broken))


def broken():
    raise RuntimeError("nothing works here")


def test_devices_are_shared_out():
    devices = {"CUDA_VISIBLE_DEVICES": "2,5"}
    assert [share.device for share in shares(0, devices)] == ["2", "5"]
    assert [share.device for share in shares(3, devices)] == ["2", "5", "2"]
    assert [share.device for share in shares(0, devices | {"LOCAL_RANK": "1"})] == ["5"]
    nothing = {"CUDA_VISIBLE_DEVICES": ""}
    assert len(shares(0, nothing)) == 1
    assert [share.threads for share in shares(10_000, nothing)[:2]] == [1, 1]
    assert shares(2, nothing | {"OMP_NUM_THREADS": "3"})[0].threads is None
    with pytest.raises(UsageError, match="`workers` is -1; give 1 or more, or 0"):
        shares(-1, nothing)
