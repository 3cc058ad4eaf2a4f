"""What a caption of a batch costs beside its images: files, bytes, calls of the file system, time.

    python benchmarks/scale.py --lines 100000

Counts with strace what `evo-t2i batch` asks the file system for below its folder, for runs without
networks of several sizes: how much of it comes with every caption, with every generation and with
every picture of a front is solved for. Then it times (seconds of CPU of this process) what one
process does for a whole batch: reading a prompts file, and looking at finished runs and writing the
tables. Prints Markdown. docs/scale.md works with these figures.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
from batch_engines import install_plugin

KINDS = {
    "look": ("stat", "lstat", "newfstatat", "statx", "access", "faccessat", "faccessat2",
             "readlink", "readlinkat"),
    "open": ("open", "openat"),
    "list": ("getdents64",),
    "make a folder": ("mkdir", "mkdirat"),
    "rename": ("rename", "renameat", "renameat2"),
    "remove": ("unlink", "unlinkat", "rmdir"),
    "sync": ("fsync", "fdatasync"),
}  # fmt: skip
SIZES = [(2, 2, 6), (4, 2, 6), (4, 8, 6), (4, 2, 24), (3, 5, 12), (2, 10, 20)]
"""Captions, generations, population."""
CALL = re.compile(r"^\d+ +(\w+)\(")
OF_OPEN_FILE = re.compile(r"newfstatat\(\d+<.*?>, \"\", ")
"""What the process that opened the file knows already, on most file systems."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lines", type=int, default=100_000, help="Of the prompts file.")
    given = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1"}
    folder = Path(tempfile.mkdtemp(prefix="scale-"))
    install_plugin(folder / "plugin")
    sys.path.insert(0, str(folder / "plugin"))
    calls(folder)
    prompts(given.lines)
    tables(folder)


def calls(folder: Path) -> None:
    """The table of calls and files."""
    rows, counted = [], []
    for number, size in enumerate(SIZES):
        captions, generations, _ = size
        out = folder / f"size-{number}"
        counts = traced(folder, out, *size)
        runs = list((out / "runs").iterdir())
        fronts = sum(len(list((run / "front").iterdir())) for run in runs)
        files = [path for run in runs for path in run.rglob("*")]
        counts["files"] = sum(path.is_file() for path in files)
        counts["folders"] = sum(path.is_dir() for path in files) + captions
        rows.append([1, captions, captions * generations, fronts])
        counted.append(counts)
        print(f"{captions} captions, {generations} generations, fronts of {fronts}: "
              f"{dict(counts)}", file=sys.stderr, flush=True)  # fmt: skip
    print(
        "| calls below the batch's folder | a batch | a caption | a generation | a front picture |"
    )
    print("|---|---|---|---|---|")
    for kind in [*KINDS, "look at an open file", "files", "folders"]:
        values = [counts[kind] for counts in counted]
        solved = np.linalg.lstsq(np.array(rows, float), np.array(values, float), rcond=None)[0]
        print(f"| {kind} | {' | '.join(f'{value:.1f}' for value in solved)} |", flush=True)


def traced(folder: Path, out: Path, captions: int, generations: int, population: int) -> Counter:
    """Calls by kind that name something below ``out``."""
    file, trace = folder / f"{out.name}.txt", folder / f"{out.name}.trace"
    file.write_text("".join(f"a sea no {number}\n" for number in range(captions)))
    command = ["strace", "-f", "-y", "-qq", "-s", "4096", "--seccomp-bpf",
               "-e", "trace=%file,getdents64,fsync,fdatasync", "-o", str(trace),
               sys.executable, "-m", "evo_t2i", "batch", str(file), "--out", str(out),
               "--engine", "loop", "--generator", "shades", "--scores", "red,blue", "-q",
               "--population", str(population), "--offspring", str(population),
               "--generations", str(generations), "--device", "cpu"]  # fmt: skip
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    kind_of = {name: kind for kind, names in KINDS.items() for name in names}
    counts: Counter = Counter()
    with trace.open(errors="replace") as lines:
        for line in lines:
            called = CALL.match(line)
            if called and str(out) in line:
                own = OF_OPEN_FILE.search(line) is not None
                counts["look at an open file" if own else kind_of.get(called[1], "other")] += 1
    return counts


def prompts(lines: int) -> None:
    """What it takes to read a prompts file."""
    from evo_t2i.batch.jobs import read_jobs

    text = "".join(f"a sea no {number}\n" for number in range(lines)).encode()
    settings = {"generator": "shades", "scores": "red,blue"}
    start = time.process_time()
    read_jobs(text, "txt", settings=settings).digest  # noqa: B018 - it is what a batch asks for
    seconds = time.process_time() - start
    few = text[: len(text) // 10]
    tracemalloc.start()
    jobs = read_jobs(few[: few.rindex(b"\n") + 1], "txt", settings=settings)
    held = tracemalloc.get_traced_memory()[0] / len(jobs.jobs)
    tracemalloc.stop()
    print(f"\nReading {lines:,} captions: {seconds:.1f} s, {held:,.0f} bytes held a caption.")


def tables(folder: Path) -> None:
    """What it takes to find runs finished and to write the tables of them."""
    from evo_t2i.batch import loop
    from evo_t2i.batch.jobs import read_jobs
    from evo_t2i.batch.run import run_batch

    settings = {"generator": "shades", "scores": "red,blue", "population": 100, "offspring": 100,
                "generations": 50, "device": "cpu"}  # fmt: skip
    seconds, fronts, size = [], 0, 0
    for captions in (2, 6):
        text = "".join(f"a sea no {number}\n" for number in range(captions)).encode()
        jobs = read_jobs(text, "txt", settings=settings)
        out = folder / f"tables-{captions}"
        run_batch(jobs, out, loop.carry_out)
        start = time.process_time()
        run_batch(jobs, out, loop.carry_out)
        seconds.append(time.process_time() - start)
        fronts = sum(1 for _ in out.glob("runs/*/front/*.png")) // captions
        size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file()) // captions
    each = (seconds[1] - seconds[0]) / 4
    print(
        "Looking at a finished run of 50 generations of 100 and writing it into the tables: "
        f"{each * 1000:.0f} ms (a front of {fronts:,}; {size / 2**20:.2f} MiB a caption)."
    )


if __name__ == "__main__":
    main()
