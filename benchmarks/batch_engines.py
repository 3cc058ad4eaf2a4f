"""Many captions through every engine: equal tables whatever dies, and what an engine costs.

    python benchmarks/batch_engines.py equal --captions 200
    python benchmarks/batch_engines.py overhead --captions 6 --repetitions 3
    python benchmarks/batch_engines.py population --individuals 10000

``equal``: small runs without networks, one of whose captions makes the generator raise, through a
plain loop, two workers, two parts and two Ray actors; then again with workers, actors and the
command itself killed on the way (SIGKILL, when a quarter, a half and three quarters are finished),
and with a disk that fills up, the command repeated until it comes to its end. Every table, the
gallery and failed.jsonl have to be those of the loop. ``overhead``: runs of a realistic size with
the built-in models, by one worker of each engine, all engines at the same time, so that whatever
else runs slows all alike. ``population``: one very large population with the built-in models, in
one process and over two actors, whose run directories have to be equal file for file.

Each process has one thread, since the number of threads can change the last bits of a score.
Prints Markdown; exits with 1 when anything differs. The full disk needs root, for a tmpfs; Ray its
package.
"""

import argparse
import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

SMALL = ["--population", "6", "--offspring", "6", "--generations", "2",
         "--generator", "shades", "--scores", "red,blue"]  # fmt: skip
REAL = ["--population", "100", "--offspring", "100", "--generations", "10"]
THINGS = ["cat", "dog", "bird", "bus", "car", "boat", "house", "tree", "cup", "flower"]
COLOURS = ["red", "blue", "green", "yellow", "white", "black"]
TABLES = ("index.csv", "front.csv", "gallery.html", "failed.jsonl")
DISK_MIB = 1024
POLL_SECONDS = 0.25
PLUGIN = '''
    import numpy as np
    import torch


    class Shades:
        """Pictures of one colour; a caption with poison in it makes it raise."""

        latent_shape, image_size, digest = (3,), (32, 32), "shades"

        def __init__(self, **_):
            pass

        def condition(self, caption):
            if "poison" in caption:
                raise RuntimeError("this caption is poison")
            return len(caption) / 100

        def sample(self, count, rng):
            return rng.standard_normal((count, 3), dtype=np.float32)

        def generate(self, latents, condition):
            colours = torch.sigmoid(latents + condition)
            return colours[:, :, None, None].expand(-1, 3, 32, 32).clone()


    class Light:
        provides, digest = frozenset({"light.mean"}), "none"

        def __init__(self, **_):
            pass

        def text(self, caption):
            return {}

        def images(self, batch, text):
            return {"light.mean": batch.mean(dim=(2, 3))}


    class Red:
        name, needs = "red", Light.provides

        def __call__(self, features):
            return features["light.mean"][:, 0]


    class Blue:
        name, needs = "blue", Light.provides

        def __call__(self, features):
            return features["light.mean"][:, 2] - features["light.mean"][:, 0] ** 2
'''
ENTRY_POINTS = """
    [evo_t2i.generators]
    shades = shades:Shades
    [evo_t2i.features]
    light = shades:Light
    [evo_t2i.scores]
    red = shades:Red
    blue = shades:Blue
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("equal", "overhead", "population"))
    parser.add_argument("--captions", type=int, default=200)
    parser.add_argument(
        "--kills", type=int, default=3, help="Of each engine; the last one is of the command."
    )
    parser.add_argument("--trials", default="loop,local,local+,shards,shards+,ray,ray+,disk",
                        help="Of what is equal, the loop first or carried out before in --folder; "
                        "+ is with kills.")  # fmt: skip
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--individuals", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, help="Where to work; a temporary one otherwise.")
    given = parser.parse_args()
    os.environ |= {"OMP_NUM_THREADS": "1", "RAY_worker_niceness": "0"}
    folder = given.folder or Path(tempfile.mkdtemp(prefix="batch-engines-"))
    folder.mkdir(parents=True, exist_ok=True)
    if given.what == "equal":
        equal(folder, given.captions, given.kills, given.trials.split(","))
    elif given.what == "overhead":
        overhead(folder, given.captions, given.repetitions)
    else:
        population(folder, given.individuals)


@dataclass
class Watched:
    """What the processes below one have used, as last seen; looked at four times a second."""

    cpu: dict[int, float] = field(default_factory=dict)
    """Seconds, user and system, by process."""
    memory: dict[int, int] = field(default_factory=dict)
    """Peak MiB by process, of those that hold models."""


@contextmanager
def watching(root: int) -> Iterator[Watched]:
    """Within this the process ``root`` and all below it are looked at."""
    watched, ended = Watched(), threading.Event()

    def look() -> None:
        while not ended.wait(POLL_SECONDS):
            for number in [root, *below(root)]:
                try:
                    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
                    status = Path(f"/proc/{number}/status").read_text()
                except OSError:
                    continue
                watched.cpu[number] = sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")
                peak = [line.split()[1] for line in status.splitlines() if line[:5] == "VmHWM"]
                if peak:  # a process that has just ended has none
                    watched.memory[number] = int(peak[0]) // 1024

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield watched
    finally:
        ended.set()
        thread.join()


def below(root: int) -> list[int]:
    """All processes below one, by Linux's /proc."""
    parents: dict[int, int] = {}
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


def named(numbers: list[int], *parts: bytes) -> list[int]:
    """Those of the processes whose command has one of the parts."""
    kept = []
    for number in numbers:
        try:
            command = Path(f"/proc/{number}/cmdline").read_bytes()
        except OSError:
            continue
        if any(part in command for part in parts):
            kept.append(number)
    return kept


# equal


def equal(folder: Path, captions: int, kills: int, trials: list[str]) -> None:
    """Every engine, undisturbed and with kills, and a full disk: the tables of the loop."""
    install_plugin(folder / "plugin")
    file = folder / "captions.txt"
    lines = [f"a {COLOURS[n % 6]} {THINGS[n % 10]} no {n}" for n in range(captions)]
    lines[captions // 2] = "a poison apple"
    file.write_text("\n".join(lines) + "\n")
    print("| engine | killed | seconds | CPU seconds | worker | tables |")
    print("|---|---|---|---|---|---|", flush=True)
    for name in trials:
        if name == "disk":
            full_disk(file, folder / "disk", tables(folder / "loop" / "batch"))
            continue
        out = folder / name / "batch"
        share = captions / (kills + 1) if name.endswith("+") else 0
        trial = Trial(out, [int(share * number) for number in range(1, kills + 1) if share])
        start = time.monotonic()
        trial.carry_out(commands(name.removesuffix("+"), file, out))
        same = tables(out) == tables(folder / "loop" / "batch")
        tell(name.removesuffix("+"), trial.told or "-", time.monotonic() - start, trial, same)
        if name != "loop":
            shutil.rmtree(out)


def install_plugin(place: Path) -> None:
    """A generator and two scores without networks, for every process that is begun from here."""
    facts = place / "shades-1.0.dist-info"
    facts.mkdir(parents=True, exist_ok=True)
    (place / "shades.py").write_text(textwrap.dedent(PLUGIN))
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: shades\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(textwrap.dedent(ENTRY_POINTS))
    paths = [str(place), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)


def commands(engine: str, file: Path, out: Path) -> list[list[str]]:
    """What is given at the same time."""
    base = [*batch(file, out), *SMALL]
    if engine == "shards":
        return [[*base, "--engine", "loop", "--shard", f"{number}/2"] for number in (1, 2)]
    if engine == "loop":
        return [[*base, "--engine", "loop"]]
    return [[*base, "--engine", engine, "--workers", "2"]]


def batch(file: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "evo_t2i", "batch", str(file), "--out", str(out),
            "--device", "cpu"]  # fmt: skip


class Trial:
    """Commands that are given until they come to their end, while processes die on the way."""

    def __init__(self, out: Path, kill_at: list[int]) -> None:
        self.told = ""
        self.cpu = 0.0
        self.summary = ""
        self._out = out
        self._kill_at = kill_at
        self._ones: list[subprocess.Popen[str]] = []
        self._chance = random.Random(0)

    def carry_out(self, given: list[list[str]]) -> None:
        """Give all at once, and each again until it ends by itself."""
        self._ones = list(map(begin, given))
        threads = [
            threading.Thread(target=self._to_the_end, args=(number, command))
            for number, command in enumerate(given)
        ]
        for thread in threads:
            thread.start()
        killed = []
        for number, count in enumerate(self._kill_at):
            while finished(self._out) < count:
                time.sleep(POLL_SECONDS)
            time.sleep(self._chance.uniform(0, 2))
            killed.append(self._kill(last=number == len(self._kill_at) - 1))
        for thread in threads:
            thread.join()
        kinds = sorted(set(killed))
        self.told = ", ".join(f"{killed.count(kind)} × {kind}" for kind in kinds)

    def _kill(self, *, last: bool) -> str:
        """A worker or an actor dies; the command itself where there is none, and at the last."""
        process = self._chance.choice([one for one in self._ones if one.poll() is None])
        workers = named(below(process.pid), b"spawn_main", b"ray::Actor")
        victim = process.pid if last or not workers else self._chance.choice(workers)
        actor = named([victim], b"ray::Actor")
        os.kill(victim, signal.SIGKILL)
        return "the command" if victim == process.pid else "an actor" if actor else "a worker"

    def _to_the_end(self, number: int, command: list[str]) -> None:
        while True:
            process = self._ones[number]
            with watching(process.pid) as watched:
                said, _ = process.communicate()
            self.cpu += sum(watched.cpu.values())
            if process.returncode != -signal.SIGKILL:
                self.summary = memory_line(said) or self.summary
                return
            self._ones[number] = begin(command)


def finished(out: Path) -> int:
    """Captions that have come to their pick."""
    return len(list(out.glob("runs/*/pick/pick.json")))


def begin(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen([*command, "-q"], stdout=subprocess.PIPE, text=True)


def memory_line(said: str) -> str:
    """What a command's summary says of its workers."""
    lines = [line for line in said.splitlines() if line.startswith("memory")]
    return lines[0].removeprefix("memory").strip() if lines else ""


def full_disk(file: Path, disk: Path, expected: dict[str, bytes]) -> None:
    """A disk that others fill when half of the captions are finished, and free again."""
    if os.geteuid():
        print("The full disk was left out: mounting a tmpfs needs root.", file=sys.stderr)
        return
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", disk], check=True)
    try:
        out, filler = disk / "batch", disk / "filler"
        (command,) = commands("local", file, out)
        captions = len(file.read_text().splitlines())
        start = time.monotonic()
        process = begin(command)
        with watching(process.pid) as watched:
            while finished(out) < captions // 2:
                time.sleep(POLL_SECONDS)
            fill(filler)
            process.communicate()
        if process.returncode != 7:
            raise SystemExit(f"A full disk ended the batch with code {process.returncode}.")
        filler.unlink()
        trial = Trial(out, [])
        trial.cpu = sum(watched.cpu.values())
        trial.carry_out([command])
        same = tables(out) == expected
        tell("local", "the disk is full", time.monotonic() - start, trial, same)
    finally:
        subprocess.run(["umount", disk], check=True)


def fill(file: Path) -> None:
    """Write until no byte is left."""
    with file.open("wb", buffering=0) as filling:
        size = 2**20
        while size:
            try:
                filling.write(bytes(size))
            except OSError:
                size //= 2


def tables(out: Path) -> dict[str, bytes]:
    """What must not depend on who carried it out."""
    return {name: (out / name).read_bytes() for name in TABLES}


def tell(engine: str, killed: str, seconds: float, trial: Trial, same: bool) -> None:
    verdict = "equal" if same else "DIFFERENT"
    cells = [engine, killed, f"{seconds:.0f}", f"{trial.cpu:.0f}", trial.summary or "-", verdict]
    print(f"| {' | '.join(cells)} |", flush=True)
    if not same:
        raise SystemExit(1)


# overhead


def overhead(folder: Path, captions: int, repetitions: int) -> None:
    """One worker of each engine over the same captions, at the same time."""
    file = folder / "captions.txt"
    file.write_text("".join(f"a {COLOURS[n % 6]} {THINGS[n % 10]}\n" for n in range(captions)))
    engines = ["loop", "local", *(["ray"] if find_spec("ray") is not None else [])]
    found: dict[str, list[Pace]] = {engine: [] for engine in engines}
    for number in range(repetitions):
        with ThreadPoolExecutor(len(engines)) as pool:
            outs = [folder / f"{engine}-{number}" for engine in engines]
            paces = pool.map(pace, engines, [file] * len(engines), outs)
            for engine, each in zip(engines, paces, strict=True):
                found[engine].append(each)
                print(f"{number + 1} {engine}: {each}", file=sys.stderr, flush=True)
    print("| one worker of | start, s of CPU | a caption, s | of the loop | s of CPU | of the loop "
          "| worker | all its processes, MiB |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    for engine in engines:
        cells = [engine, f"{statistics.median(each.start for each in found[engine]):.1f}"]
        for figure in ("seconds", "cpu"):
            mine = [getattr(each, figure) for each in found[engine]]
            loop = [getattr(each, figure) for each in found["loop"]]
            cells += [f"{statistics.median(mine):.2f}",
                      f"{statistics.median(map(float.__truediv__, mine, loop)):.3f}"]  # fmt: skip
        last = found[engine][-1]
        print(f"| {' | '.join([*cells, last.says, f'{last.memory:,}'])} |")


@dataclass(frozen=True)
class Pace:
    """How one engine came along."""

    start: float
    """Seconds of CPU of all its processes until the first caption was finished, less one caption's
    and with what came after the last."""
    seconds: float
    """For each further caption."""
    cpu: float
    """The same of all its processes."""
    says: str
    memory: int
    """Peak MiB of all its processes together."""


def pace(engine: str, file: Path, out: Path) -> Pace:
    captions = len(file.read_text().splitlines())
    given = ["--engine", engine, *(["--workers", "1"] if engine != "loop" else [])]
    process = begin([*batch(file, out), *REAL, *given])
    times: dict[int, tuple[float, float]] = {}
    with watching(process.pid) as watched:
        while process.poll() is None:
            times.setdefault(finished(out), (time.monotonic(), sum(watched.cpu.values())))
            time.sleep(POLL_SECONDS / 2)
        said, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"{engine} ended with code {process.returncode}")
    (began, used), (ended, all_used) = times[1], times[captions]
    cpu = (all_used - used) / (captions - 1)
    shutil.rmtree(out)
    return Pace(
        start=sum(watched.cpu.values()) - captions * cpu,
        seconds=(ended - began) / (captions - 1),
        cpu=cpu,
        says=memory_line(said),
        memory=sum(watched.memory.values()),
    )


# population


def population(folder: Path, individuals: int) -> None:
    """One generation of a very large population, in one process and over two actors."""
    base = [sys.executable, "-m", "evo_t2i", "sample", "skyline at sunset.", "--seed", "1",
            "--population", str(individuals), "--offspring", str(individuals),
            "--generations", "1", "--device", "cpu", "--json"]  # fmt: skip
    engines = {"one process": [], "two actors": ["--engine", "ray", "--workers", "2"]}
    found = {}
    print("| individuals | who | seconds | CPU seconds | files | MiB |\n|---|---|---|---|---|---|")
    for name, more in engines.items():
        out = folder / name.replace(" ", "-")
        start = time.monotonic()
        process = begin([*base, "--out", str(out), *more])
        with watching(process.pid) as watched:
            process.communicate()
        if process.returncode:
            raise SystemExit(f"{name} ended with code {process.returncode}")
        seconds, cpu = time.monotonic() - start, sum(watched.cpu.values())
        files = {
            path.relative_to(out).as_posix(): path.read_bytes()
            for path in out.rglob("*")
            if path.is_file()
        }
        found[name] = files
        size = sum(map(len, files.values())) / 2**20
        print(f"| {individuals:,} | {name} | {seconds:.0f} | {cpu:.0f} | {len(files):,} "
              f"| {size:.0f} |", flush=True)  # fmt: skip
    one, two = found.values()
    differing = sorted(name for name in one.keys() | two.keys() if one.get(name) != two.get(name))
    front = json.loads(one["run.json"])["front"]
    print(f"\nFront of {front:,}; differing files: {', '.join(differing) or 'none'}")
    if differing:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
