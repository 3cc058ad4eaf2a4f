"""Make the examples of this folder: the captions of the design notes from command to pick, and the
notebooks.

    pip install -e ".[examples]"
    python examples/build.py                   # all; about ten minutes on two cores
    python examples/build.py dog               # one caption
    python examples/build.py caption_to_pick   # one notebook

Each caption's run goes to a temporary folder; its sheets, front.csv and pick are copied here.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent
CAPTIONS = {
    "skyline": "skyline at sunset.",
    "cat": "a cat is lay on the table.",
    "bus": "a street scene with a double-decker bus on the road.",
    "bird": "A bird that is on a tree",
    "dog": "A dog with goggles staring at the camera.",
}
NOTEBOOKS = ("caption_to_pick", "what_scores_change")
FILES = ("contact_sheet.png", "before_after.png", "pareto.png", "front.csv")


def build(name: str, caption: str, generations: int, seed: int) -> str:
    """Run one example; returns what the command printed."""
    target = FOLDER / name
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


def execute(path: Path) -> None:
    """Run a notebook from its first cell and keep what it showed, but for warnings and times."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=None, resources={"metadata": {"path": str(FOLDER)}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [each for each in cell.outputs if each.get("name") != "stderr"]
    notebook.metadata.language_info = {"name": "python"}
    nbformat.write(notebook, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=[*CAPTIONS, *NOTEBOOKS])
    parser.add_argument("--generations", type=int, default=50, help="of the captions' runs")
    parser.add_argument("--seed", type=int, default=7, help="of the captions' runs")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - {*CAPTIONS, *NOTEBOOKS}:
        parser.error(f"no example {min(unknown)}; choose from {', '.join([*CAPTIONS, *NOTEBOOKS])}")
    for name in arguments.names:
        if name in NOTEBOOKS:
            execute(FOLDER / f"{name}.ipynb")
            print(FOLDER / f"{name}.ipynb")
            continue
        printed = build(name, CAPTIONS[name], arguments.generations, arguments.seed)
        (FOLDER / name / "output.txt").write_text(printed, encoding="utf-8")
        print(printed)


if __name__ == "__main__":
    main()
