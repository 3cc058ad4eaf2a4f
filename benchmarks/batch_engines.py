"""A batch through every engine, undisturbed and with kills: equal tables, and what an engine costs.

    python benchmarks/batch_engines.py --captions 200 --workers 2

Captions of the procedural world, small runs with the built-in models. Each engine carries out the
same file; then again with a worker, an actor and the command itself killed on the way, and the
command repeated until it comes to its end. Set OMP_NUM_THREADS so that all have as many threads.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SMALL = ["--population", "12", "--offspring", "12", "--generations", "2", "--device", "cpu"]
THINGS = ["cat", "dog", "bird", "bus", "car", "boat", "house", "tree", "cup", "flower"]
COLOURS = ["red", "blue", "green", "yellow", "white", "black"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--captions", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kills", type=int, default=3, help="Of each engine with kills.")
    parser.add_argument("--engines", default="loop,local,shards,ray")
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    folder = Path(tempfile.mkdtemp(prefix="batch-engines-"))
    file = folder / "captions.txt"
    file.write_text("".join(f"a {COLOURS[n % 6]} {THINGS[n % 10]} no {n}\n"
                            for n in range(given.captions)))  # fmt: skip
    expected: dict[str, bytes] | None = None
    print("| engine | kills | seconds | of the loop | tables |\n|---|---|---|---|---|")
    loop_seconds = 0.0
    for engine in given.engines.split(","):
        for kills in (0, given.kills):
            if engine == "loop" and kills:
                continue
            out = folder / f"{engine}-{kills}" / "batch"
            start = time.monotonic()
            for command in commands(engine, file, out, given.workers):
                carried_out(command, kills)
            seconds = time.monotonic() - start
            found = tables(out)
            expected = expected or found
            loop_seconds = loop_seconds or seconds
            verdict = "equal" if found == expected else "DIFFERENT"
            share = f"{seconds / loop_seconds:.2f}"
            print(f"| {engine} | {kills} | {seconds:.0f} | {share} | {verdict} |", flush=True)
            if found != expected:
                sys.exit(1)


def commands(engine: str, file: Path, out: Path, workers: int) -> list[list[str]]:
    """What has to be given, one after the other."""
    base = [sys.executable, "-m", "evo_t2i", "batch", str(file), "--out", str(out), *SMALL, "-q"]
    if engine == "shards":
        return [[*base, "--engine", "loop", "--shard", f"{number}/2"] for number in (1, 2)]
    return [[*base, "--engine", engine, "--workers", str(workers)]]


def carried_out(command: list[str], kills: int) -> None:
    """Give the command until it comes to its end; ``kills`` times something dies on the way."""
    chance = random.Random(0)
    while True:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        while kills and process.poll() is None:
            time.sleep(chance.uniform(10, 30))
            victims = [process.pid] if kills == 1 else children(process.pid) or [process.pid]
            os.kill(chance.choice(victims), signal.SIGKILL)
            kills -= 1
        process.communicate()
        if process.returncode == 0:
            return
        if process.returncode != -signal.SIGKILL:
            raise SystemExit(f"{command} ended with code {process.returncode}")


def children(parent: int) -> list[int]:
    """Worker processes and actors below a process, by Linux's /proc."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name = path.with_name("cmdline").read_bytes()
            above = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        number = int(path.parent.name)
        if above == parent:
            found += [number] if b"spawn_main" in name else children(number)
        if b"ray::Actor" in name and above == parent:
            found.append(number)
    return found


def tables(out: Path) -> dict[str, bytes]:
    """What must not depend on who carried it out."""
    failed = out / "failed.jsonl"
    if failed.exists():
        raise SystemExit(json.loads(failed.read_text().splitlines()[0])["reason"])
    return {name: (out / name).read_bytes() for name in ("index.csv", "front.csv", "gallery.html")}


if __name__ == "__main__":
    main()
