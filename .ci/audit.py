"""Known vulnerabilities of what the lock names, by pip-audit from PyPI.

    python .ci/audit.py

A release that is known to be vulnerable is asked first: a service that does not say so cannot be
reached from here, which is said in one sentence and is no failure. What is known and accepted
stands in ACCEPTED with its reason. Ends with 1 when there is anything else.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from locked import LOCK, locked

KNOWN = "pillow==9.0.0"
"""CVE-2022-22817 and others."""
ACCEPTED: dict[str, str] = {}
"""Reasons by identifier."""


def main() -> None:
    if not any(each.get("vulns") for each in audited([KNOWN])):
        print("The vulnerability service cannot be reached from here, so nothing was audited.")
        return
    pins = [f"{name}=={release}" for name, (release, _) in locked(LOCK.read_text()).items()]
    found = audited(pins)
    unknown = [each["name"] for each in found if "skip_reason" in each]
    said = [
        f"{each['name']} {each['version']}: {hole['id']}, mended in "
        f"{', '.join(hole['fix_versions']) or 'no release yet'}"
        for each in found
        for hole in each.get("vulns", [])
        if not {hole["id"], *hole["aliases"]} & ACCEPTED.keys()
    ]
    if said:
        sys.exit("\n".join(said))
    left = f"; not known there: {', '.join(unknown)}" if unknown else ""
    print(f"{len(found) - len(unknown)} packages were audited, no vulnerability is known{left}.")


def audited(pins: list[str]) -> list[dict[str, Any]]:
    """What pip-audit says of each; empty when it cannot ask."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "pins.txt"
        file.write_text("\n".join(pins) + "\n")
        done = subprocess.run(
            [sys.executable, "-m", "pip_audit", "--requirement", str(file), "--no-deps",
             "--disable-pip", "--format", "json", "--progress-spinner", "off"],
            capture_output=True,
            text=True,
        )  # fmt: skip
    answer = re.search(r"^\{.*", done.stdout, re.MULTILINE | re.DOTALL)
    found: list[dict[str, Any]] = json.loads(answer[0])["dependencies"] if answer else []
    return found


if __name__ == "__main__":
    main()
