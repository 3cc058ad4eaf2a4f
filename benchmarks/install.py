"""How long is it from the first keystroke to the first front?

For each pip, the README's first command in a virtual environment made for it, with an empty cache:
seconds of each step by the clock and of the processor, and how often pip said that it was looking
at multiple versions of a package, as it does where no range tells it which. Downloads take what the
network takes; what pip has cached is not fetched again.

    python benchmarks/install.py --pip 23.2.1 newest --output DIR

Each environment takes 6 GB while it is measured. DIR gets what every step printed.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[1]
COMMAND = ("evo-t2i", "sample", "skyline at sunset.", "--generations", "50")
SEARCHING = "looking at multiple versions"


@dataclass(frozen=True)
class Step:
    """``seconds`` by the clock, ``processor`` seconds of all processes, and what was printed."""

    name: str
    seconds: float
    processor: float
    printed: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--pip", nargs="+", default=["bundled", "newest"],
        help="a version, 'newest', or 'bundled': the one that this Python makes environments with",
    )  # fmt: skip
    parser.add_argument("--target", default=".", help="what to install: '.' or '.[test]'")
    parser.add_argument("--output", type=Path, help="a folder for what each step printed")
    arguments = parser.parse_args()
    for pip in arguments.pip:
        with tempfile.TemporaryDirectory() as folder:
            steps = measure(Path(folder), pip, arguments.target)
        if arguments.output:
            arguments.output.mkdir(parents=True, exist_ok=True)
            for step in steps:
                (arguments.output / f"{pip} {step.name}.log").write_text(step.printed)
        print(table(steps), flush=True)


def measure(folder: Path, pip: str, target: str) -> list[Step]:
    """The steps with an environment, a cache and a run below ``folder``."""
    python = str(folder / "env" / "bin" / "python")
    steps = [timed("environment", sys.executable, "-m", "venv", folder / "env")]
    if pip != "bundled":
        release = ("--upgrade", "pip") if pip == "newest" else (f"pip=={pip}",)
        steps.append(timed("pip", python, "-m", "pip", "install", *release))
    version = subprocess.check_output([python, "-m", "pip", "--version"], text=True).split()[1]
    install = (python, "-m", "pip", "install", "-e", target)
    steps.append(timed(f"install with pip {version}", *install, folder=PROJECT))
    command, *arguments = COMMAND
    cache = {"EVO_T2I_CACHE": str(folder / "cache")}
    steps.append(
        timed("first front", folder / "env/bin" / command, *arguments, folder=folder, extra=cache)
    )
    return steps


def timed(
    name: str, *command: str | Path, folder: Path | None = None, extra: dict[str, str] | None = None
) -> Step:
    """Run a command; SystemExit with what it printed if it fails."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        command, cwd=folder, env=environment | (extra or {}), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    seconds, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{name} failed with exit code {done.returncode}:\n{done.stdout}")
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Step(name, seconds, processor, done.stdout)


def table(steps: list[Step]) -> str:
    """A row for each step and the sum, in Markdown."""
    rows = ["| step | seconds | so far | of the processor | searches |", "|---|---|---|---|---|"]
    so_far = 0.0
    for step in steps:
        so_far += step.seconds
        figures = (step.seconds, so_far, step.processor, step.printed.count(SEARCHING))
        rows.append(" | ".join([f"| {step.name}", *(f"{figure:.0f}" for figure in figures)]) + " |")
    return "\n".join([*rows, ""])


if __name__ == "__main__":
    main()
