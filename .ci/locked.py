"""The lock: which release of everything CI installs, and with which bytes.

    python .ci/locked.py constraints > constraints.txt
    pip install --constraint constraints.txt --report report.json -e .
    python .ci/locked.py check report.json

pip takes no hashes beside an editable install, so what it installed is compared afterwards, by its
own report: a release or a digest that the lock has not ends with 1. The lock is made anew with

    uv pip compile pyproject.toml --extra test --extra ray --extra audit --python-version 3.11 \\
        --generate-hashes --no-header --no-annotate -o .ci/lock.txt
"""

import json
import re
import sys
from pathlib import Path

LOCK = Path(__file__).with_name("lock.txt")
OWN = "evo-t2i"


def main() -> None:
    known = locked(LOCK.read_text())
    if sys.argv[1:] == ["constraints"]:
        print("\n".join(f"{name}=={release}" for name, (release, _) in known.items()))
        return
    faults, count = [], 0
    for report in sys.argv[2:]:
        for item in json.loads(Path(report).read_text())["install"]:
            if normalised(item["metadata"]["name"]) != OWN:
                count += 1
                faults += fault(item, known)
    if faults:
        sys.exit("\n".join(faults))
    print(f"{count} packages were installed, all with the bytes of the lock.")


def locked(text: str) -> dict[str, tuple[str, set[str]]]:
    """Release and digests by name."""
    found = {}
    for entry in re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE):
        if pinned := re.match(r"([\w.-]+)==([^\s;]+)", entry):
            digests = set(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry))
            found[normalised(pinned[1])] = pinned[2], digests
    return found


def fault(item: dict, known: dict[str, tuple[str, set[str]]]) -> list[str]:
    """What is wrong with one installed package; empty for nothing."""
    name, release = normalised(item["metadata"]["name"]), item["metadata"]["version"]
    wanted, digests = known.get(name, (None, set()))
    if release != wanted:
        return [f"{name} {release} was installed, and the lock has {wanted}."]
    digest = item["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256")
    if digest not in digests:
        return [f"{name} {release} has the sha256 {digest}, which the lock has not."]
    return []


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
