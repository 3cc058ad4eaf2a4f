"""A person's pick: written, killed, damaged, mended."""

import json
import os

import pytest
from hand_made import write_run
from killed import killed_after
from whole_runs import digests

from evo_t2i.errors import RunDataError, RunLockedError
from evo_t2i.picking.taste import Taste
from evo_t2i.run import Run, mend_pick, write_pick
from evo_t2i.runs.directory import RunDirectory

OLD, NEW = Taste("rank", count=3), Taste("extremes")


def picked(path, taste):
    with RunDirectory.open(path, writable=True) as directory:
        return write_pick(directory, Run(path).rank(taste))


def mended(path):
    with RunDirectory.open(path, writable=True) as directory:
        mend_pick(directory)


def agrees(path):
    """Whether the folder holds the pictures that pick.json names, and no others."""
    table = json.loads((path / "pick" / "pick.json").read_bytes())
    files = digests(path / "pick")
    del files["pick.json"]
    return list(files.values()) == [image["sha256"] for image in table["chosen"]]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", os.fstat)  # a killed process loses no page cache
    return write_run(tmp_path / "run")


def test_a_pick_by_keywords_is_the_pick_of_that_taste(run):
    finished = Run(run)
    by_name = finished.pick(method="topsis", weights={"text_image": 3}, count=2)
    by_taste = finished.pick(Taste("topsis", {"text_image": 3}, count=2))
    assert [image.id for image in by_name] == [image.id for image in by_taste]
    assert len(finished.pick(Taste("rank", count=3), count=2)) == 2
    with pytest.raises(TypeError, match="methods"):
        finished.pick(methods="topsis")


def test_a_pick_killed_at_every_operation_is_the_old_one_or_the_new_one(run):
    picked(run, NEW)
    new = digests(run / "pick")
    picked(run, OLD)
    old = digests(run / "pick")
    assert set(old) & set(new) == {"pick.json"} or set(old) != set(new)
    seen, operation = set(), 0
    while killed_after(operation, lambda: picked(run, NEW)):
        table = json.loads((run / "pick" / "pick.json").read_bytes())
        files = digests(run / "pick")
        for image in table["chosen"]:
            assert image["sha256"] in files.values()
        mended(run)
        assert agrees(run)
        assert digests(run / "pick") in (old, new)
        assert Run(run).picked().method == table["method"]
        seen.add(table["method"])
        picked(run, OLD)
        operation += 1
    assert seen == {"rank", "extremes"}
    assert operation > 15


def test_a_pick_of_two_at_once_is_one_of_them(run):
    with (
        RunDirectory.open(run, writable=True),
        pytest.raises(RunLockedError, match="Another process"),
    ):
        RunDirectory.open(run, writable=True)
    children = []
    for taste in (OLD, NEW):
        child = os.fork()
        if child == 0:
            done = 0
            try:
                while done < 30:
                    try:
                        picked(run, taste)
                        done += 1
                    except RunLockedError:
                        continue
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    for child in children:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert agrees(run)
    assert Run(run).picked().method in ("rank", "extremes")


def test_pictures_of_a_pick_that_were_lost_or_changed_come_back(run):
    first, second, *_ = picked(run, OLD)
    before = digests(run)
    first.unlink()
    second.write_bytes(b"something else")
    (run / "pick" / "09-0003.png").write_bytes(b"of an earlier pick")
    (run / "pick" / "notes.txt").write_text("mine")
    mended(run)
    (run / "pick" / "notes.txt").unlink()
    assert digests(run) == before


def test_no_bit_of_pick_json_flips_unnoticed(run):
    picked(run, OLD)
    file = run / "pick" / "pick.json"
    data = file.read_bytes()
    expected = Run(run).picked()
    finished, refused = Run(run), 0
    for bit in range(0, 8 * len(data), 61):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        file.write_bytes(flipped)
        try:
            chosen = finished.picked().chosen
        except RunDataError:
            refused += 1
            continue
        assert chosen == expected.chosen
        assert json.loads(flipped) == json.loads(data)  # only its layout was changed
    assert refused > 100


@pytest.mark.parametrize("text", ["[" * 100_000, "{}", "[]", "null", '{"checksum": 3}'])
def test_a_pick_json_of_something_else_is_one_sentence(run, text):
    picked(run, OLD)
    (run / "pick" / "pick.json").write_text(text)
    for read in (Run(run).picked, lambda: mended(run)):
        with pytest.raises(RunDataError, match="is not a pick of this run, or was changed since"):
            read()


def test_a_pick_of_another_run_is_refused(run, tmp_path):
    other = write_run(tmp_path / "other", seed=8)
    copies = picked(other, OLD)
    os.rename(other / "pick", run / "pick")
    os.unlink(run / "pick" / copies[0].name)
    with pytest.raises(RunDataError, match="is not a pick of this run"):
        mended(run)
