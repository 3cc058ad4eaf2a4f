"""The fuzzing of `benchmarks/fuzz.py` in small: every reader reads or refuses what it is given."""

import importlib.util
import os
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "fuzz.py"
SPEC = importlib.util.spec_from_file_location("fuzz", SCRIPT)
fuzz = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(fuzz)


@pytest.mark.parametrize("reader", fuzz.READERS)
def test_nothing_that_others_wrote_does_harm(reader, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", os.fstat)  # nothing here has to survive a power cut
    tally = fuzz.fuzzed_by(0, fuzz.READERS[reader], tmp_path / reader, values=40, variants=4)
    assert tally.inputs >= 150
    assert 0 < tally.refused < tally.inputs
