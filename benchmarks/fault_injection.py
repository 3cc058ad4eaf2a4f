"""Kills and bit flips: what `resume` makes of a run that was hit.

    python benchmarks/fault_injection.py [--flips 500] [--seed 0]

A tiny run, of a generator and scores that are formulas, is made by `sample`, killed half way and
gone on with by `resume`, picked from by `pick`, and drawn by `plot` and `report`. Each command is
killed (SIGKILL, in a process of its own) before every operation that changes the file system:
opening a file to write, write, fsync, rename, removal, mkdir, truncation. Then `resume` is called
(or `sample` again, where nothing had begun), and every file is compared with that of a run that
nothing happened to. A killed pick may leave the earlier or the new one, whole; a killed figure that
the run did not have, nothing or the whole figure.

Then single bits of the finished run's files are flipped, of files and places at random. `resume`
has to mend the file, refuse with a sentence, or say what only a person can mend; a file that is
not needed may stay as it is. Anything else counts as unnoticed.

Prints two tables in Markdown; exits with 1 when anything was lost or unnoticed.
"""

import argparse
import contextlib
import hashlib
import io
import os
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from evo_t2i.cli.main import run as command

PLUGIN = '''
import numpy as np

class Shades:
    """A grey picture of 8 x 8 whose quarters are the latent."""

    latent_shape, image_size, digest = (4,), (8, 8), "shades"

    def __init__(self, **_):
        pass

    def condition(self, caption):
        return None

    def sample(self, count, rng):
        return rng.standard_normal((count, 4)).astype(np.float32)

    def generate(self, latents, condition):
        quarters = (0.5 + latents.reshape(-1, 1, 2, 2) / 6).clamp(0, 1)
        return quarters.repeat_interleave(4, 2).repeat_interleave(4, 3).expand(-1, 3, -1, -1)


class Light:
    provides, digest = frozenset({"light.rows"}), "light"

    def __init__(self, **_):
        pass

    def text(self, caption):
        return {}

    def images(self, batch, text):
        return {"light.rows": batch.mean(dim=(1, 3))}


class Above:
    name, needs = "above", frozenset({"light.rows"})

    def __init__(self, **_):
        pass

    def __call__(self, features):
        return features["light.rows"][:, 0]


class Below(Above):
    name = "below"

    def __call__(self, features):
        return -features["light.rows"].mean(dim=1)
'''
ENTRY_POINTS = """[evo_t2i.generators]
shades = shades_plugin:Shades
[evo_t2i.features]
light = shades_plugin:Light
[evo_t2i.scores]
above = shades_plugin:Above
below = shades_plugin:Below
"""
WATCHED = ("open", "write", "fsync", "replace", "unlink", "ftruncate", "mkdir")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
HALF_WAY = 0.5
OLD_PICK = ("--method", "rank", "--count", "3")
NEW_PICK = ("--method", "asf", "--count", "2")


def sample(run: Path) -> int:
    return called(
        "sample", "a grey picture", "--out", run, "--generator", "shades", "--scores",
        "above,below", "--population", 6, "--offspring", 4, "--generations", 3, "--seed", 1,
        "--device", "cpu", "-q",
    )  # fmt: skip


def called(*arguments: object) -> int:
    """The exit code of a command, with nothing printed."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return command([str(argument) for argument in arguments])


def recover(run: Path) -> int:
    begun = (run / "config.json").exists()
    return called("resume", run, "-q") if begun else sample(run)


def files_of(run: Path) -> dict[str, str]:
    """sha256 of every file of the run, by name."""
    return {
        str(file.relative_to(run)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(run.rglob("*"))
        if file.is_file()
    }


def in_child(work: Callable[[], int], operations: int | None = None) -> tuple[int | None, int]:
    """Run ``work`` in a process of its own that is killed before one of its operations.

    Returns its exit code, None when it was killed, and the number of operations that it made.
    """
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        made = [0]
        for name in WATCHED:
            setattr(os, name, counted(name, getattr(os, name), made, operations))
        code = 70
        try:
            code = work()
        finally:
            with os.fdopen(send, "w") as pipe:
                pipe.write(str(made[0]))
            os._exit(code)
    os.close(send)
    with os.fdopen(receive) as pipe:
        told = pipe.read()
    status = os.waitpid(child, 0)[1]
    killed = os.WIFSIGNALED(status)
    return (None if killed else os.waitstatus_to_exitcode(status)), int(told or 0)


def counted(name: str, operation: Callable, made: list[int], last: int | None) -> Callable:
    def call(*arguments, **options):
        if name == "open" and not (len(arguments) > 1 and arguments[1] & WRITING):
            return operation(*arguments, **options)
        if made[0] == last:
            os.kill(os.getpid(), signal.SIGKILL)
        made[0] += 1
        return operation(*arguments, **options)

    return call


COMMANDS: dict[str, Callable[[Path], int]] = {
    "sample": sample,
    "resume": lambda run: called("resume", run, "-q"),
    "pick": lambda run: called("pick", run, *NEW_PICK),
    "plot": lambda run: called("plot", run),
    "plot --kind": lambda run: called("plot", run, "--kind", "parallel"),
    "report": lambda run: called("report", run),
}


def killed(folder: Path, name: str, operation: int) -> str:
    """What became of a run whose command ``name`` was killed before ``operation``."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        run = Path(place) / "run"
        if name != "sample":
            shutil.copytree(folder / before(name), run)
        code, _ = in_child(lambda: COMMANDS[name](run), operation)
        if code is not None:
            return "not killed"
        if in_child(lambda: recover(run))[0] != 0:
            return "not recovered"
        after = files_of(run)
    references = {
        "sample": ("whole",),
        "resume": ("whole",),
        "pick": ("picked", "picked anew"),
        "plot --kind": ("picked", "drawn"),
    }.get(name, ("picked",))
    allowed = [files_of(folder / reference) for reference in references]
    if name == "plot --kind":  # the figure may be there, whole, without its record
        allowed.append(allowed[1] | {"presented.json": allowed[0]["presented.json"]})
    return "as if nothing had happened" if after in allowed else "lost"


def before(name: str) -> str:
    """The run that a command is tried on."""
    return "half way" if name == "resume" else "picked"


def flipped(folder: Path, name: str, bit: int) -> str:
    """What became of a finished run with this bit of its file ``name`` flipped."""
    reference = files_of(folder / "picked")
    with tempfile.TemporaryDirectory(dir=folder) as place:
        run = shutil.copytree(folder / "picked", Path(place) / "run")
        data = bytearray((run / name).read_bytes())
        data[bit // 8] ^= 1 << bit % 8
        (run / name).write_bytes(data)
        hit = files_of(run)
        code, said = in_child_saying(lambda: resumed(run))
        after = files_of(run)
        if code not in (0, None):
            named = any(part in said for part in (Path(name).name, str(run)))
            return "refused" if code == 5 and named else f"error {code}: {said}"
        if after == reference:
            return "mended"
        if after == hit and f"{run / name} " in said:
            return "said"
        (run / name).write_bytes((folder / "picked" / name).read_bytes())
        unneeded = files_of(run) == reference and not needed(folder, name, bit)
    return "not needed" if unneeded else "unnoticed"


def resumed(run: Path) -> int:
    """`resume` with everything that it says on file descriptor 1."""
    return command(["resume", str(run), "-q"])


def in_child_saying(work: Callable[[], int]) -> tuple[int, str]:
    """The exit code of ``work`` in a process of its own, and what it printed."""
    with tempfile.TemporaryFile("w+") as printed:
        child = os.fork()
        if child == 0:
            code = 70
            try:
                for descriptor in (1, 2):
                    os.dup2(printed.fileno(), descriptor)
                sys.stdout = sys.stderr = os.fdopen(1, "w")
                code = work()
                sys.stdout.flush()
            finally:
                os._exit(code)
        status = os.waitpid(child, 0)[1]
        printed.seek(0)
        return os.waitstatus_to_exitcode(status), printed.read()


def needed(folder: Path, name: str, bit: int) -> bool:
    """Whether the run reads otherwise with this bit flipped: pick.json may be laid out otherwise,
    and the state before the newest is a spare one."""
    from evo_t2i.run import Run

    if name.endswith(".state.safetensors"):
        states = sorted(file.name for file in (folder / "picked" / "gen").glob("*.state.*"))
        return Path(name).name != states[-2]
    if name != "pick/pick.json":
        return True
    with tempfile.TemporaryDirectory(dir=folder) as place:
        run = shutil.copytree(folder / "picked", Path(place) / "run")
        data = bytearray((run / name).read_bytes())
        data[bit // 8] ^= 1 << bit % 8
        (run / name).write_bytes(data)
        there, here = Run(folder / "picked").picked(), Run(run).picked()
        return (there.chosen, there.method) != (here.chosen, here.method)


def make_references(folder: Path) -> None:
    """The runs to compare with, and those to begin from."""
    assert sample(folder / "whole") == 0
    total = in_child(lambda: sample(folder / "counted"))[1]
    code, _ = in_child(lambda: sample(folder / "half way"), int(HALF_WAY * total))
    assert code is None
    shutil.copytree(folder / "whole", folder / "picked")
    assert called("pick", folder / "picked", *OLD_PICK) == 0
    assert called("plot", folder / "picked") == 0
    for name, arguments in (("picked anew", ("pick", *NEW_PICK)), ("drawn", ("plot", "--kind"))):
        run = shutil.copytree(folder / "picked", folder / name)
        verb, *rest = arguments
        assert called(verb, run, *rest, *(("parallel",) if verb == "plot" else ())) == 0


def kill_everywhere(folder: Path, pool: ProcessPoolExecutor) -> bool:
    print("| command | kills | as if nothing had happened | lost |\n|---|---|---|---|")
    good = True
    for name in COMMANDS:
        run = folder / f"counting {name}"
        if name != "sample":
            shutil.copytree(folder / before(name), run)
        operations = in_child(partial(COMMANDS[name], run))[1]
        outcomes = Counter(pool.map(partial(killed, folder, name), range(operations)))
        right = outcomes.pop("as if nothing had happened", 0)
        good &= not outcomes
        lost = ", ".join(f"{count} {what}" for what, count in outcomes.items()) or "0"
        print(f"| `{name}` | {operations} | {right} | {lost} |", flush=True)
    return good


def flip_bits(folder: Path, pool: ProcessPoolExecutor, count: int, seed: int) -> bool:
    rng = np.random.default_rng(seed)
    sizes = {
        str(file.relative_to(folder / "picked")): file.stat().st_size
        for file in sorted((folder / "picked").rglob("*"))
        if file.is_file() and file.stat().st_size
    }
    names = [list(sizes)[place] for place in rng.integers(len(sizes), size=count)]
    bits = [int(rng.integers(8 * sizes[name])) for name in names]
    outcomes = list(pool.map(partial(flipped, folder), names, bits))
    known = ("mended", "refused", "said", "not needed")
    others = sorted(set(outcomes) - set(known))
    print(f"\n| file | flips | {' | '.join((*known, *others))} |")
    print("|" + "---|" * (2 + len(known) + len(others)))
    rows: dict[str, Counter] = {}
    for name, outcome in zip(names, outcomes, strict=True):
        kind = f"{name.split('/')[0]}/" if "/" in name and not name.endswith(".json") else name
        rows.setdefault(kind, Counter())[outcome] += 1
    for kind in sorted(rows):
        cells = [str(rows[kind][outcome]) for outcome in (*known, *others)]
        print(f"| `{kind}` | {rows[kind].total()} | {' | '.join(cells)} |")
    total = Counter(outcomes)
    cells = [str(total[outcome]) for outcome in (*known, *others)]
    print(f"| all | {count} | {' | '.join(cells)} |")
    return not others


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--flips", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        plugin = folder / "plugin"
        facts = plugin / "evo_t2i_shades-1.0.dist-info"
        facts.mkdir(parents=True)
        (plugin / "shades_plugin.py").write_text(PLUGIN)
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: shades\nVersion: 1.0\n")
        (facts / "entry_points.txt").write_text(ENTRY_POINTS)
        sys.path.insert(0, str(plugin))
        os.environ["EVO_T2I_CACHE"] = str(folder / "cache")
        for threads in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ[threads] = "1"  # before torch is there: the workers are forks
        os.fsync = os.fstat  # a killed process loses no page cache
        make_references(folder)
        with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("fork")) as pool:
            good = kill_everywhere(folder, pool)
            good &= flip_bits(folder, pool, arguments.flips, arguments.seed)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
