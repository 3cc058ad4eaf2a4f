"""The journal alone: every truncation, every single-bit flip."""

import pytest

from evo_t2i.errors import RunDataError
from evo_t2i.runs.journal import Journal

ENTRIES = [{"format": 1}, {"generation": 0, "caption": "雪"}, {"generation": 1}]


def written(path):
    journal = Journal(path)
    for entry in ENTRIES:
        journal.append(entry)
    return path.read_bytes()


def test_reads_back_what_was_appended(tmp_path):
    written(tmp_path / "j")
    assert Journal(tmp_path / "j").entries == ENTRIES
    assert Journal(tmp_path / "absent").entries == []


@pytest.mark.usefixtures("quick_disk")
def test_a_torn_tail_is_dropped_and_written_over(tmp_path):
    data = written(tmp_path / "j")
    ends = [index + 1 for index in range(len(data)) if data[index : index + 1] == b"\n"]
    for length in range(len(data)):
        (tmp_path / "j").write_bytes(data[:length])
        journal = Journal(tmp_path / "j")
        complete = sum(end <= length for end in ends)
        assert journal.entries == ENTRIES[:complete]
        for entry in ENTRIES[complete:]:
            journal.append(entry)
        assert (tmp_path / "j").read_bytes() == data


@pytest.mark.usefixtures("quick_disk")
def test_no_bit_flip_goes_unnoticed(tmp_path):
    data = written(tmp_path / "j")
    for bit in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        (tmp_path / "j").write_bytes(flipped)
        try:
            entries = Journal(tmp_path / "j").entries
        except RunDataError:
            continue
        assert len(entries) < len(ENTRIES)
        assert entries == ENTRIES[: len(entries)]


def test_truncate_takes_lines_back(tmp_path):
    data = written(tmp_path / "j")
    journal = Journal(tmp_path / "j")
    journal.truncate(1)
    assert Journal(tmp_path / "j").entries == ENTRIES[:1]
    for entry in ENTRIES[1:]:
        journal.append(entry)
    assert (tmp_path / "j").read_bytes() == data


def test_a_file_that_shrank_meanwhile_is_refused(tmp_path):
    written(tmp_path / "j")
    journal = Journal(tmp_path / "j")
    (tmp_path / "j").write_bytes(b"")
    with pytest.raises(RunDataError, match="became shorter"):
        journal.append({"generation": 2})


def test_nan_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        Journal(tmp_path / "j").append({"hypervolume": float("nan")})
    assert not (tmp_path / "j").exists()
