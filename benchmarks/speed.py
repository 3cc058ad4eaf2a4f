"""What the command line costs: help, the first generation, a whole default run, its memory.

    python benchmarks/speed.py            # the default run: 5,100 evaluations, four scores
    python benchmarks/speed.py --repeats 3 --generations 50

Each figure is of a fresh process; medians over the repeats are printed.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CAPTION = "skyline at sunset."


def run(arguments: list[str], watch: Path | None = None) -> tuple[float, float, float | None]:
    """Wall seconds, peak memory in GB, and seconds until ``watch``, a journal, has generation 0."""
    start = time.perf_counter()
    process = subprocess.Popen(
        arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
    )
    first, ended = None, 0
    while not ended:
        waiting = watch is not None and first is None
        ended, status, usage = os.wait4(process.pid, os.WNOHANG if waiting else 0)
        if watch is not None and waiting and not ended:
            if watch.exists() and watch.read_bytes().count(b"\n") >= 2:  # header, generation 0
                first = time.perf_counter() - start
            time.sleep(0.02)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(arguments)} ended with {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1e6, first


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--generations", type=int, default=50)
    arguments = parser.parse_args()
    command = [str(Path(sys.executable).with_name("evo-t2i"))]
    helps = [run([*command, "--help"])[0] for _ in range(5)]
    walls, memories, firsts = [], [], []
    for _ in range(arguments.repeats + 1):
        folder = Path(tempfile.mkdtemp())
        options = ["--out", str(folder / "run"), "--seed", "1"]
        options += ["--generations", str(arguments.generations)]
        wall, memory, first = run(
            [*command, "sample", CAPTION, *options], folder / "run" / "journal.jsonl"
        )
        walls.append(wall)
        memories.append(memory)
        firsts.append(first)
        shutil.rmtree(folder)
    evaluations = 100 * (arguments.generations + 1)
    print(f"| figure, median of {arguments.repeats} after one warm-up | value |")
    print("|---|---|")
    print(f"| `evo-t2i --help` | {statistics.median(helps):.2f} s |")
    print(f"| start until the first generation is scored | {statistics.median(firsts[1:]):.1f} s |")
    wall = statistics.median(walls[1:])
    print(f"| the whole run, {evaluations:,} evaluations | {wall:.1f} s |")
    print(f"| peak memory | {statistics.median(memories[1:]):.2f} GB |")


if __name__ == "__main__":
    main()
