"""`train`: what a person reads when a training is stopped."""

import pytest

from evo_t2i.cli.terminal import stop
from evo_t2i.training import judge


@pytest.mark.parametrize("reported", [True, False])
def test_a_stopped_training_says_how_to_go_on(evo, tmp_path, monkeypatch, reported):
    out = tmp_path / "judge"

    def stopped(*_):
        if reported:
            (out / "checkpoint.safetensors").write_bytes(b"")
        raise stop.Stopped(2)

    monkeypatch.setattr(judge, "train_judge", stopped)
    monkeypatch.setattr("evo_t2i.cli.commands.train._pools", lambda *_: (None, None))
    out.mkdir()
    result = evo("train", "judge", "--out", str(out))
    assert result.code == 130
    kept = f"Stopped; the last checkpoint is in {out}."
    begun = "Stopped before the first checkpoint."
    again = " Give the same command again to go on.\n"
    assert result.err == (kept if reported else begun) + again
