"""Make the example runs of this folder: the captions of the design notes, from command to pick.

    python examples/build.py            # about a minute and a half for each caption on two cores

Each run goes to a temporary folder; its sheets, front.csv and pick are copied here.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

EXAMPLES = {
    "skyline": "skyline at sunset.",
    "cat": "a cat is lay on the table.",
    "bus": "a street scene with a double-decker bus on the road.",
    "bird": "A bird that is on a tree",
    "dog": "A dog with goggles staring at the camera.",
}
FILES = ("contact_sheet.png", "before_after.png", "pareto.png", "front.csv")


def build(name: str, caption: str, generations: int, seed: int) -> str:
    """Run one example; returns what the command printed."""
    target = Path(__file__).parent / name
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / name
        command = [str(Path(sys.executable).with_name("evo-t2i")), "sample", caption]
        command += ["--generations", str(generations), "--seed", str(seed), "--out", str(run)]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        target.mkdir(exist_ok=True)
        for file in FILES:
            shutil.copy(run / file, target / file)
        shutil.copy(next((run / "pick").glob("01-*.png")), target / "pick.png")
    return printed.replace(folder, "runs")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(EXAMPLES))
    parser.add_argument("--generations", type=int, default=50)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    for name in arguments.names:
        printed = build(name, EXAMPLES[name], arguments.generations, arguments.seed)
        (Path(__file__).parent / name / "output.txt").write_text(printed, encoding="utf-8")
        print(printed)


if __name__ == "__main__":
    main()
