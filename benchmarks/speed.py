"""What the command line costs: help, the first generation, a whole default run, its memory.

    python benchmarks/speed.py            # the default run: 5,100 evaluations, four scores
    python benchmarks/speed.py --repeats 3 --generations 50
    python benchmarks/speed.py --parts    # where the seconds of one default run go

Each figure is of a fresh process; medians over the repeats are printed.
"""

import argparse
import functools
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

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


class Clock:
    """Seconds within some functions, by the name of a part, without those of parts inside."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._stack: list[float] = []

    def time(self, part: str, owner: Any, name: str) -> None:
        """From now on ``owner.name`` counts for ``part``."""
        inner = getattr(owner, name)

        @functools.wraps(inner)
        def timed(*given: Any, **named: Any) -> Any:
            start = time.perf_counter()
            self._stack.append(0.0)
            try:
                return inner(*given, **named)
            finally:
                took = time.perf_counter() - start
                own = took - self._stack.pop()
                self.seconds[part] = self.seconds.get(part, 0.0) + own
                if self._stack:
                    self._stack[-1] += took

        setattr(owner, name, timed)


def print_parts(generations: int) -> None:
    """One run in this process, part by part; the last row is what the networks do not take."""
    start = time.perf_counter()
    from evo_t2i import sampler
    from evo_t2i.evaluate.evaluator import Evaluator
    from evo_t2i.runs.directory import RunDirectory
    from evo_t2i.search.nsga2 import Nsga2

    clock = Clock()
    clock.time("loading models", sampler, "load")
    for name in ("score_and_describe", "render", "render_and_score"):
        clock.time("networks", Evaluator, name)
    for name in ("ask", "tell"):
        clock.time("search", Nsga2, name)
    clock.time("generations to disk", RunDirectory, "commit")
    clock.time("front to disk", RunDirectory, "finish")
    clock.time("figures, sheets, page", sampler, "present_anew")
    with tempfile.TemporaryDirectory() as folder:
        sampler.sample(CAPTION, out=Path(folder) / "run", seed=1, generations=generations)
    whole = time.perf_counter() - start
    parts = {**clock.seconds, "all else": whole - sum(clock.seconds.values())}
    print("| part of the run | s | share |\n|---|---|---|")
    for part, seconds in sorted(parts.items(), key=lambda item: -item[1]):
        print(f"| {part} | {seconds:.2f} | {seconds / whole:.1%} |")
    print(f"| outside the networks | {whole - parts['networks']:.2f} | "
          f"{1 - parts['networks'] / whole:.1%} |")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--generations", type=int, default=50)
    parser.add_argument("--parts", action="store_true", help="where the time of one run goes")
    arguments = parser.parse_args()
    if arguments.parts:
        print_parts(arguments.generations)
        return
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
