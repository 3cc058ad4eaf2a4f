"""The journal of a run: JSON lines with a checksum, only ever appended to.

A line is ``{"crc32":"<8 hex digits>","entry":<object>}``; the checksum covers the entry's bytes.
A line that is written in full is a commit. A last line that does not check out was torn by a crash
and is as if it had never been written; a damaged line before it is an error.
"""

import json
import os
import zlib
from pathlib import Path
from typing import Any

from evo_t2i.errors import RunDataError
from evo_t2i.runs.atomic import naming_errors, read_bytes, sync_directory, write_all

_HEAD = b'{"crc32":"'
_MIDDLE = b'","entry":'


class Journal:
    """The intact lines of the file ``path``; an absent file has none.

    Raises RunDataError when a line that is not the last one is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[dict[str, Any]] = []
        self._ends: list[int] = []
        try:
            data = read_bytes(path)
        except FileNotFoundError:
            data = b""
        start = 0
        while start < len(data):
            newline = data.find(b"\n", start)
            entry = None if newline < 0 else parse_line(data[start:newline])
            if entry is None:
                if 0 <= newline < len(data) - 1:
                    raise RunDataError(
                        f"Line {len(self.entries) + 1} of {path} is damaged and others follow it; "
                        "the run cannot be trusted: restore a copy or start a new run."
                    )
                break
            self.entries.append(entry)
            start = newline + 1
            self._ends.append(start)

    def append(self, entry: dict[str, Any]) -> None:
        """Add one line and return when it is on the disk.

        ``entry`` must be plain JSON without NaN. Raises DiskFullError; the line is then no
        commit.
        """
        line = line_of(entry)
        end = self._ends[-1] if self._ends else 0
        with naming_errors(self.path):
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o644)
            try:
                self._cut(descriptor, end)
                os.lseek(descriptor, end, os.SEEK_SET)
                write_all(descriptor, line)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if end == 0:
                sync_directory(self.path.parent)
        self.entries.append(entry)
        self._ends.append(end + len(line))

    def truncate(self, count: int) -> None:
        """Keep the first ``count`` lines and take back the others."""
        if count >= len(self.entries):
            return
        with naming_errors(self.path):
            descriptor = os.open(self.path, os.O_WRONLY | os.O_NOFOLLOW)
            try:
                self._cut(descriptor, self._ends[count - 1] if count else 0)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        del self.entries[count:]
        del self._ends[count:]

    def _cut(self, descriptor: int, end: int) -> None:
        size = os.fstat(descriptor).st_size
        if size < end:
            raise RunDataError(
                f"{self.path} became shorter while the run was open; "
                "let one program at a time change it, and continue with `evo-t2i resume RUN`."
            )
        if size > end:
            os.ftruncate(descriptor, end)


def line_of(entry: dict[str, Any]) -> bytes:
    """The line, with its newline, that ``parse_line`` reads back; ValueError for NaN."""
    body = json.dumps(entry, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return _HEAD + f"{zlib.crc32(body):08x}".encode() + _MIDDLE + body + b"}\n"


def parse_line(line: bytes) -> dict[str, Any] | None:
    """The entry of a line without its newline, or None when the line is not intact."""
    checksum_end = len(_HEAD) + 8
    body = line[checksum_end + len(_MIDDLE) : -1]
    if (
        not line.startswith(_HEAD)
        or line[checksum_end : checksum_end + len(_MIDDLE)] != _MIDDLE
        or line[-1:] != b"}"
        or line[len(_HEAD) : checksum_end] != f"{zlib.crc32(body):08x}".encode()
    ):
        return None
    try:
        entry = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None
