"""One training in two processes, for real, on this machine's CPU."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from evo_t2i.errors import UsageError
from evo_t2i.training.architecture import Architecture
from evo_t2i.training.data import prepare
from evo_t2i.training.lafite import train_lafite
from evo_t2i.training.lafite_settings import LafiteSettings
from evo_t2i.training.processes import ALONE, AcceleratedProcesses, Processes

WORKER = """
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from evo_t2i.training import lafite
from evo_t2i.training.architecture import Architecture
from evo_t2i.training.data import prepare
from evo_t2i.training.lafite_settings import LafiteSettings
from evo_t2i.training.processes import AcceleratedProcesses

home = Path(sys.argv[1])
torch.set_num_threads(1)
processes = AcceleratedProcesses(cpu=True)
mine = torch.full((3,), float(processes.rank))
processes.mean([mine])
assert mine.tolist() == [0.5] * 3, mine
kept = []
fresh = lafite.fresh_students
lafite.fresh_students = lambda *given: kept.append(fresh(*given)) or kept[0]
sizes = {"resolution": 16, "latent_size": 4, "style_size": 8, "channel_base": 64, "channel_max": 4}
settings = LafiteSettings(
    images=8, batch=4, report_every=4, held_out=0.3,
    architecture=Architecture(attentive=True, **sizes),
)
with processes.main_first():
    pictures = prepare(home / "own", 16, home / "read")
lafite.train_lafite(pictures, settings, home / "out", processes.device, processes=processes)
(students,) = kept
weights = {
    f"{name}.{key}": value.contiguous().clone()
    for name in ("generator", "discriminator", "average", "augmentation")
    for key, value in getattr(students, name).state_dict().items()
}
save_file(weights, home / f"rank-{processes.rank}.safetensors")
"""


@pytest.fixture
def home(tmp_path):
    (tmp_path / "own").mkdir()
    rng = np.random.default_rng(0)
    for index in range(20):
        pixels = rng.integers(0, 255, (16, 16, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "own" / f"{index}.png")
        (tmp_path / "own" / f"{index}.txt").write_text(f"noise of the kind {index}")
    return tmp_path


def test_two_processes_train_one_generator(home):
    pytest.importorskip("accelerate")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    worker = home / "worker.py"
    worker.write_text(WORKER)
    root = str(Path(__file__).parents[2])
    common = {"PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    common |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2"}
    started = [
        subprocess.Popen(
            [sys.executable, str(worker), str(home)],
            env=os.environ | common | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
        )
        for rank in range(2)
    ]
    for process in started:
        _, said = process.communicate(timeout=500)
        assert process.returncode == 0, said.decode()[-2000:]
    one, other = (load_file(home / f"rank-{rank}.safetensors") for rank in range(2))
    for name, value in one.items():
        assert torch.equal(value, other[name]), name
    lines = (home / "out" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["images"] for line in lines] == [4, 8]
    saved = load_file(home / "out" / "checkpoint.safetensors")
    assert torch.equal(
        saved["generator/synthesis.b16.conv1.weight"], one["generator.synthesis.b16.conv1.weight"]
    )
    assert one["augmentation.seen"] == 8


def test_alone_everything_is_its_own_already():
    values = torch.ones(3)
    ALONE.mean([values])
    assert values.tolist() == [1, 1, 1]
    assert ALONE.main


def test_a_batch_that_cannot_be_shared_is_refused(home):
    pictures = prepare(home / "own", 16, home / "read")
    three = Processes()
    three.count = 3
    settings = LafiteSettings(images=8, batch=4, architecture=Architecture(resolution=16))
    with pytest.raises(UsageError, match="A batch of 4 cannot be shared by 3 processes"):
        train_lafite(pictures, settings, home / "out", torch.device("cpu"), processes=three)


def test_without_accelerate_its_command_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "accelerate", None)
    with pytest.raises(UsageError, match=r"run `pip install 'evo-t2i\[accelerate\]'`"):
        AcceleratedProcesses()
