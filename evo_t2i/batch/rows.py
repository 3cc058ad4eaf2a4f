"""Bytes of a prompts file → rows of named values, each with its line; nothing is judged yet."""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evo_t2i.errors import UsageError, first_line

FORMS = ("txt", "csv", "tsv", "jsonl")
_FORM_OF_SUFFIX = {"": "txt", ".txt": "txt", ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl",
                   ".ndjson": "jsonl"}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One line, or several where a quoted cell goes on; ``line`` is the first, from 1."""

    line: int
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Fault:
    """What is wrong with a line; ``sentence`` says what to do about it."""

    line: int
    sentence: str


@dataclass
class Rows:
    """What a file holds: ``columns`` in their order of appearance, rows, and unreadable lines."""

    columns: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def form_of(path: Path) -> str:
    """The form that a file's suffix says; UsageError for a suffix that says none."""
    suffix = path.suffix.lower()
    if suffix not in _FORM_OF_SUFFIX:
        raise UsageError(
            f"{path} ends with {suffix!r}, which says nothing of its form; pass `form` "
            f"{', '.join(FORMS)}."
        )
    return _FORM_OF_SUFFIX[suffix]


def form_of_stream(data: bytes) -> str:
    """``jsonl`` for what begins with a brace and a quoted key, ``txt`` for all else."""
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    return "jsonl" if start[:1] == b"{" and start[1:].lstrip()[:1] == b'"' else "txt"


def read_rows(data: bytes, form: str) -> Rows:
    """The rows of ``data``, which is UTF-8 of a form in FORMS.

    ``txt`` has a caption a line, blank lines and lines that begin with ``#`` left out. The others
    have a column or key for each value; an empty cell of a table is as if it were not there.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        said = f"byte {data[error.start]:#04x} is no UTF-8; save the file as UTF-8."
        return Rows(faults=[Fault(line, said)])
    if form == "txt":
        return _text(text)
    return _json_lines(text) if form == "jsonl" else _table(text, "\t" if form == "tsv" else ",")


def _text(text: str) -> Rows:
    lines = enumerate((line.strip() for line in text.split("\n")), start=1)
    kept = [Row(number, {"caption": line}) for number, line in lines if line[:1] not in ("", "#")]
    return Rows(["caption"], kept)


def _table(text: str, delimiter: str) -> Rows:
    found = Rows()
    # a tab-separated list of prompts has quotation marks inside its cells, unpaired ones too
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter,
        quoting=csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL,
        strict=True,
    )
    header: list[str] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return found
        except csv.Error as error:
            said = f"the table ends here ({first_line(error)}); correct the quotation marks."
            found.faults.append(Fault(line, said))
            return found
        if not any(cell.strip() for cell in cells):
            continue
        if not header:
            header = [cell.strip() for cell in cells]
            found.columns = [name for name in header if name]
            twice = [name for name in found.columns if header.count(name) > 1]
            if twice:
                said = f"the column {twice[0]!r} stands there twice; remove one."
                found.faults.append(Fault(line, said))
                return found
            continue
        if len(cells) > len(header):
            said = f"{len(cells)} cells under {len(header)} columns; quote a cell with a comma."
            found.faults.append(Fault(line, said))
            continue
        values = dict(zip(header, cells, strict=False))
        found.rows.append(Row(line, {k: v for k, v in values.items() if k and v.strip()}))


def _json_lines(text: str) -> Rows:
    found = Rows()
    columns: dict[str, None] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line, object_pairs_hook=_once, parse_constant=_refused)
        except (ValueError, RecursionError) as error:
            said = f"this is no JSON ({first_line(error)}); write one object a line."
            found.faults.append(Fault(number, said))
            continue
        if not isinstance(value, dict):
            said = f'{type(value).__name__} instead of an object; write {{"caption": …}}.'
            found.faults.append(Fault(number, said))
            continue
        columns |= dict.fromkeys(value)
        found.rows.append(Row(number, {k: v for k, v in value.items() if v is not None}))
    found.columns = list(columns)
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} stands there twice")
    return values


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON")
