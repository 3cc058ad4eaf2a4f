"""pyproject.toml declares what is imported, and each range has two ends."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
RUNTIME = [one for name, extra in EXTRAS.items() if name != "test" for one in extra]
EVERYTHING = PROJECT["dependencies"] + [one for extra in EXTRAS.values() for one in extra]


def normalised(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def names(requirements):
    return {normalised(re.match(r"[\w.-]+", requirement)[0]) for requirement in requirements}


@pytest.fixture(scope="module")
def distributions():
    return packages_distributions()


def imported(folder):
    """Top-level modules that the Python files below ``folder`` import."""
    found = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - {"evo_t2i"}


@pytest.mark.parametrize(
    ("folder", "requirements"),
    [
        ("evo_t2i", PROJECT["dependencies"] + RUNTIME),
        ("tests", EVERYTHING),
        ("examples", [*PROJECT["dependencies"], *EXTRAS["examples"], "pytest"]),
    ],
)
def test_what_is_imported_is_declared(folder, requirements, distributions):
    declared = names(requirements)
    beside = {file.stem for file in (ROOT / folder).glob("**/*.py")} - distributions.keys()
    missing = {
        module
        for module in imported(ROOT / folder) - (set() if folder == "evo_t2i" else beside)
        if not {normalised(name) for name in distributions.get(module, [module])} & declared
    }
    assert missing == set()


@pytest.mark.parametrize(
    ("package", "safe"),
    [
        ("torch", (2, 10)),  # CVE-2025-32434, CVE-2026-24747
        ("pillow", (12, 2)),  # CVE-2026-25990, CVE-2026-42308
        ("ray", (2, 54)),  # CVE-2026-27482
    ],
)
def test_no_range_admits_a_release_with_a_known_hole(package, safe):
    (found,) = {one for one in EVERYTHING if names([one]) == {package}}
    least = tuple(map(int, re.search(r">=([\d.]+)", found)[1].split(".")))
    assert least >= safe


def test_the_lock_has_every_dependency_within_its_range():
    spec = spec_from_file_location("locked", ROOT / ".ci" / "locked.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    lock = module.locked(module.LOCK.read_text("utf-8"))
    assert all(digests for _, digests in lock.values())
    for requirement in map(Requirement, EVERYTHING):
        if requirement.name != "evo-t2i":
            release, _ = lock[normalised(requirement.name)]
            assert release in requirement.specifier, requirement


def test_every_range_has_two_ends():
    for requirement in EVERYTHING:
        pinned = "==" in requirement or requirement.startswith("evo-t2i[")
        assert pinned or (">=" in requirement and "<" in requirement), requirement
