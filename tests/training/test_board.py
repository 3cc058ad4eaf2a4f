"""What TensorBoard reads of a training."""

import sys

import pytest
from PIL import Image

from evo_t2i.errors import UsageError
from evo_t2i.training.board import Board


def test_metrics_and_grids_are_there_for_tensorboard(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = Board(tmp_path)
    Image.new("RGB", (16, 16), "red").save(tmp_path / "grid-00000008.png")
    for images, value in ((8, 1.5), (16, 0.5)):
        board(images, 16, {"images": float(images), "G.L_G": value, "fid": 9.0})
    found = EventAccumulator(str(tmp_path / "tensorboard"))
    found.Reload()
    assert [(e.step, e.value) for e in found.Scalars("G/L_G")] == [(8, 1.5), (16, 0.5)]
    assert set(found.Tags()["scalars"]) == {"G/L_G", "fid"}
    assert [e.step for e in found.Images("held-out captions")] == [8]


def test_without_tensorboard_its_command_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UsageError, match=r"run `pip install 'evo-t2i\[tensorboard\]'`"):
        Board(tmp_path)
