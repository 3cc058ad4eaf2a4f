"""The example plug-in, installed as a person installs it and run as a program."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

from evo_t2i.runs.foreign_images import read_image

EXAMPLE = Path(__file__).parents[1] / "examples" / "plugin-colourfulness"
PROGRAM = "from evo_t2i.cli.main import main; main()"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """``run(*arguments)`` runs Python where the plug-in is installed; returns what it printed."""
    folder = tmp_path_factory.mktemp("plugin")
    site = folder / "site"
    install = [
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--no-build-isolation", "--no-index", "--target", str(site), str(EXAMPLE)),
    ]
    installed = subprocess.run(install, capture_output=True, text=True, check=False)
    assert installed.returncode == 0, installed.stderr
    environment = os.environ | {"PYTHONPATH": str(site), "EVO_T2I_CACHE": str(folder / "cache")}
    environment.pop("PYTEST_ADDOPTS", None)  # those of the tests around it

    def python(*arguments, code=0):
        command = [sys.executable, *map(str, arguments)]
        result = subprocess.run(
            command, capture_output=True, text=True, check=False, env=environment, cwd=folder
        )
        assert result.returncode == code, result.stderr
        return result.stdout

    return python


def test_it_is_listed(run):
    for kind in ("scores", "features"):
        assert "colourfulness" in run("-c", PROGRAM, "list", kind).splitlines()


def test_its_own_tests_pass(run):
    printed = run("-m", "pytest", "-q", "-p", "no:cacheprovider", EXAMPLE / "tests")
    assert "3 passed" in printed


def test_a_run_evolves_towards_colour(run, tmp_path):
    out = tmp_path / "bus"
    options = ["--population", "6", "--offspring", "6", "--generations", "2", "--seed", "1"]
    scores = ["--scores", "text_image,colourfulness"]
    run("-c", PROGRAM, "sample", "a red bus", *scores, *options, "--out", out)
    rows = list(csv.DictReader((out / "front.csv").open()))
    assert len(rows) >= 1
    for row in rows:
        pixels = read_image(out / row["file"]).pixels.astype(float)
        red, green, blue = pixels.reshape(-1, 3).T
        opponents = (red - green, (red + green) / 2 - blue)
        expected = (opponents[0].var() + opponents[1].var()) ** 0.5
        expected += 0.3 * (opponents[0].mean() ** 2 + opponents[1].mean() ** 2) ** 0.5
        assert float(row["colourfulness"]) == pytest.approx(expected, rel=1e-4)
