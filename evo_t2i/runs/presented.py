"""The figures and pages that were drawn into a run's folder, with their digests.

``presented.json`` is one line in the journal's form, with its checksum. A figure can be drawn
again, so a record that is missing or damaged only says that nothing is known of them.
"""

from pathlib import Path

from evo_t2i.runs.atomic import read_bytes, write_bytes
from evo_t2i.runs.generations import is_digests
from evo_t2i.runs.journal import line_of, parse_line
from evo_t2i.runs.stored import is_stored, store

RECORD = "presented.json"


def draw(run: Path, name: str, data: bytes) -> None:
    """Write the figure ``name`` into the folder ``run`` and record its digest.

    For the one who holds the lock. A crash between the two leaves a figure that counts as changed.
    """
    digests = recorded(run) | {name: store(run, name, data)}
    kept = {name: digests[name] for name in sorted(digests) if (run / name).exists()}
    write_bytes(run / RECORD, line_of({"files": kept}))


def recorded(run: Path) -> dict[str, str]:
    """Digests by name; empty when there is no intact record."""
    try:
        data = read_bytes(run / RECORD)
    except FileNotFoundError:
        return {}
    entry = parse_line(data.removesuffix(b"\n"))
    if entry is None or not is_digests(entry.get("files")):
        return {}
    digests: dict[str, str] = entry["files"]
    return digests


def is_drawn(run: Path, name: str) -> bool:
    """Whether the figure is there as it was recorded."""
    return is_stored(run, name, recorded(run).get(name, ""))
