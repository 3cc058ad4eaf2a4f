"""Whoever carries out a batch, however often it is killed: the same tables, byte for byte."""

from tiny_batch import CAPTIONS, tables_of

from evo_t2i.batch import loop
from evo_t2i.batch.devices import Share
from evo_t2i.batch.outputs import Outputs
from evo_t2i.batch.run import local_engine, run_batch
from evo_t2i.batch.shards import Shard

TWO = [Share(None, None)] * 2
EVERYTHING = Outputs(top_k=2, webdataset=True)


def test_loop_local_and_two_shards_give_the_same_tables(jobs_of, tmp_path, tiny):
    jobs = jobs_of(CAPTIONS)
    whole = run_batch(jobs, tmp_path / "loop", loop.carry_out, outputs=EVERYTHING)
    assert (whole.finished, whole.failed, whole.loads) == (12, 0, 1)
    assert len(tiny.read_text().splitlines()) == 1
    expected = tables_of(tmp_path / "loop")
    assert expected.keys() >= {"index.csv", "front.csv", "gallery.html", "picks-000000.tar"}

    local = run_batch(jobs, tmp_path / "local", local_engine(TWO), outputs=EVERYTHING)
    assert (local.finished, local.loads) == (12, 1)
    assert len({line.split()[0] for line in tiny.read_text().splitlines()}) == 3
    assert len(tiny.read_text().splitlines()) == 3
    assert tables_of(tmp_path / "local") == expected

    for number in (1, 2):
        out = tmp_path / "shards"
        part = run_batch(jobs, out, loop.carry_out, shard=Shard(number, 2), outputs=EVERYTHING)
        assert (part.captions, bool(part.files)) == (6, number == 2)
    assert tables_of(out) == expected


def test_a_killed_worker_costs_a_try_and_poison_only_its_own_caption(jobs_of, tmp_path):
    captions = [*CAPTIONS[:4], "a poison apple", "always kill it", "kill once, then a cat"]
    done = run_batch(jobs_of(captions), tmp_path / "local", local_engine(TWO))
    assert (done.finished, done.failed) == (5, 2)
    failed = (tmp_path / "local" / "failed.jsonl").read_text().splitlines()
    assert '"id": "000005-a-poison-apple", "line": 5' in failed[0]
    assert '"tries": 3, "error": "RuntimeError", "reason": "RuntimeError: this cap' in failed[0]
    assert (
        '"tries": 3, "error": "WorkerDied", "reason": "Its worker was killed (SIGKILL' in failed[1]
    )
    index = (tmp_path / "local" / "index.csv").read_text()
    assert index.count(",finished,") == 5
    assert index.count(",failed,") == 2
    # without the two, everything is as it always was
    run_batch(jobs_of(captions[:4]), tmp_path / "loop", loop.carry_out)
    rows = (tmp_path / "loop" / "index.csv").read_text().splitlines()
    assert set(rows) < set(index.splitlines())
