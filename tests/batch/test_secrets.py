"""What a batch keeps to itself: no token is written down, nobody is called, Ray stays at home."""

import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_batch import CAPTIONS

from evo_t2i.batch import actors, loop
from evo_t2i.batch.devices import Share
from evo_t2i.batch.outputs import Outputs
from evo_t2i.batch.run import local_engine, run_batch

SECRET = "hf_aVerySecretTokenOfThisTest"
TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "WANDB_API_KEY", "AWS_SECRET_ACCESS_KEY")


@pytest.mark.parametrize("engine", [loop.carry_out, local_engine([Share(None, None)])])
def test_no_token_is_written_and_no_network_is_used(engine, jobs_of, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError("a connection was asked for")

    for name in TOKENS:
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    jobs = jobs_of([*CAPTIONS[:2], "a poison apple"])
    done = run_batch(jobs, tmp_path / "out", engine, outputs=Outputs(top_k=1, webdataset=True))
    assert (done.finished, done.failed) == (2, 1)
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(files) > 40
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []


def test_usage_statistics_of_libraries_are_off():
    shown = subprocess.run(
        [sys.executable, "-c",
         "import evo_t2i, huggingface_hub.constants as hub; print(hub.HF_HUB_DISABLE_TELEMETRY)"],
        env=os.environ | {"EVO_T2I_DEBUG": "1"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.strip() == "True"


def test_a_cluster_of_this_machine_listens_to_this_machine_alone():
    if importlib.util.find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    ray = actors.ray_module()
    with actors.cluster(ray, 1):
        listening = {address for number in _below(os.getpid()) for address in _listening(number)}
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
    assert listening
    here = ("0100007F:", "0000000000000000FFFF00000100007F:", "00000000000000000000000001000000:")
    assert {address for address in listening if not address.startswith(here)} == set()


def _below(root):
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found, level = [], {root}
    while level:
        level = {number for number, parent in parents.items() if parent in level}
        found += level
    return found


def _listening(number):
    """Addresses, in hexadecimal as in /proc/net/tcp, at which a process takes connections."""
    try:
        files = [os.readlink(path) for path in Path(f"/proc/{number}/fd").iterdir()]
    except OSError:
        return
    sockets = {file[8:-1] for file in files if file.startswith("socket:[")}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{number}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in sockets:
                yield fields[1]
