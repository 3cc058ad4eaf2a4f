"""A small real run, how to kill it, and what two equal runs have in common."""

import hashlib
import os
import signal
import subprocess
import sys
import time

CAPTION = "a cat is lay on the table."
SMALL = {"population": 12, "offspring": 8, "generations": 3, "seed": 5, "device": "cpu"}


def digests(folder):
    """SHA-256 of every file, by its path in ``folder``."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def killed_half_way(path, settings):
    """Sample into ``path`` by the command line, and kill it once three journal lines stand."""
    options = [f"--{name}={value}" for name, value in settings.items()]
    process = subprocess.Popen(
        [sys.executable, "-m", "evo_t2i", "sample", CAPTION, "--out", path, *options, "-q"],
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    journal = path / "journal.jsonl"
    while process.poll() is None and not (
        journal.exists() and journal.read_bytes().count(b"\n") >= 3
    ):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
