"""What `runs` lists and what `latest` finds."""

import os

import numpy as np
import pytest
from hand_made import result_facts

from evo_t2i.config import RunConfig
from evo_t2i.errors import UsageError
from evo_t2i.points import Points
from evo_t2i.runs.directory import RunDirectory
from evo_t2i.runs.generations import GenerationFacts
from evo_t2i.runs.library import MOST_DEPTH, describe, latest, list_runs

FACTS = GenerationFacts(
    evaluations=3,
    front=2,
    hypervolume=1.0,
    box=((0.0,), (1.0,)),
    micro_batch=4,
    models={},
    environment={},
)


def write(path, *, committed=2, finished=True, when=None, caption="a cat", facts=None):
    config = RunConfig(caption=caption, seed=5, population=3, generations=4, scores=("red",))
    with RunDirectory.create(path, config) as run:
        for generation in range(committed):
            points = Points(
                latents=np.zeros((3, 2), np.float32),
                scores=np.arange(3.0)[:, None],
                ids=np.arange(3) + 3 * generation,
                parents=np.full((3, 2), -1),
                generations=np.full(3, generation),
            )
            run.commit(points, {}, FACTS)
        if finished:
            front = points[2:]
            run.finish(front, np.zeros((1, 4, 4, 3), np.uint8), facts or result_facts())
    if when is not None:
        os.utime(path / "journal.jsonl", (when, when))
    return path


def test_runs_are_listed_with_their_states_the_newest_first(tmp_path):
    write(tmp_path / "old", when=1_000)
    write(tmp_path / "batch" / "runs" / "new", when=3_000, finished=False)
    write(tmp_path / "bare", when=2_000, committed=0, finished=False)
    damaged = write(tmp_path / "damaged", when=500)
    (damaged / "journal.jsonl").write_bytes(b"x\ny\n")
    os.utime(damaged / "journal.jsonl", (500, 500))
    (tmp_path / "no run").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "old")
    found = list_runs(tmp_path)
    assert [(run.path.name, run.described, run.front) for run in found] == [
        ("new", "stopped at generation 1", 2),
        ("bare", "stopped before generation 0", None),
        ("old", "finished", 1),
        ("damaged", "damaged", None),
    ]
    assert {run.caption for run in found} == {"a cat"}
    assert (found[0].generation, found[0].generations, found[0].seed) == (1, 4, 5)
    assert found[2].when == 1_000
    assert latest(tmp_path) == tmp_path / "batch" / "runs" / "new"


def test_one_that_a_process_works_on_is_going_on(tmp_path):
    path = write(tmp_path / "run", finished=False)
    with RunDirectory.open(path, writable=True):
        assert describe(path).described == "going on"
    assert describe(path).described == "stopped at generation 1"


def test_the_pick_is_named_and_nothing_outside_the_run(tmp_path):
    path = write(tmp_path / "run")
    assert describe(path).pick is None
    (path / "pick").mkdir()
    table = path / "pick" / "pick.json"
    table.write_text('{"chosen": [{"file": "front/0000.png"}]}')
    assert describe(path).pick == path / "front" / "0000.png"
    for text in ('{"chosen": [{"file": "../../etc/passwd"}]}', '{"chosen": []}', "[]", "\xff",
                 '{"chosen": [{"file": "front/../config.json"}]}', "[" * 100_000):  # fmt: skip
        table.write_text(text)
        assert describe(path).pick is None


def test_nested_and_incomplete_files_are_damage_like_any_other(tmp_path):
    nested = write(tmp_path / "nested")
    (nested / "config.json").write_text("[" * 100_000)
    assert (describe(nested).state, describe(nested).caption) == ("damaged", "")
    facts = {name: value for name, value in result_facts().items() if name != "evaluations"}
    short = write(tmp_path / "short", facts=facts)
    assert (describe(short).state, describe(short).caption) == ("damaged", "a cat")


def test_no_folder_no_run_and_one_too_deep(tmp_path):
    with pytest.raises(UsageError, match=r"There is no folder .*nothing; give one with"):
        list_runs(tmp_path / "nothing")
    write(tmp_path.joinpath(*"abcdef"[: MOST_DEPTH + 1]))
    assert list_runs(tmp_path) == []
    with pytest.raises(UsageError, match="so none is the latest; give a run's folder"):
        latest(tmp_path)
