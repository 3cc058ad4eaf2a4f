"""What people read: results on stdout, everything else on stderr, nothing taken for markup."""

import io
import json
import os
import sys
import unicodedata
from collections.abc import Sequence
from typing import Any

from evo_t2i.errors import EvoError

_JOINERS = "\u200c\u200d"
_UNPRINTABLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
_UNLIMITED_WIDTH = 10_000


class ReaderGone(Exception):
    """Whoever read stdout has what they wanted, and closed it."""


class _Results(io.TextIOWrapper):
    """Stdout, where a failure to write is one sentence, said once: what follows goes nowhere.

    Raises ReaderGone for a closed pipe and EvoError for anything else, a full disk for example.
    """

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            raise self._given_up(error) from error

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            raise self._given_up(error) from error

    def _given_up(self, error: OSError) -> Exception:
        _to_nowhere(self.fileno())
        if isinstance(error, BrokenPipeError):
            return ReaderGone()
        return EvoError(
            f"The results cannot be written to stdout ({error.strerror}); send them elsewhere, for "
            "example to a file on another disk."
        )


class _Messages(io.TextIOWrapper):
    """Stderr, where a failure to write has nobody to be told to and stops nothing."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError:
            _to_nowhere(self.fileno())
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            _to_nowhere(self.fileno())


def open_streams() -> None:
    """Make stdin, stdout and stderr what the commands expect, whatever the caller left of them.

    One that the caller had closed is the null device, so that no file of the run takes its place.
    Characters that an output cannot show are escaped. Raises EvoError when stdout was closed.
    """
    closed = sys.stdout is None
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115 - as long as the process
    for name, kind in (("stdout", _Results), ("stderr", _Messages)):
        stream = getattr(sys, name)
        if stream is getattr(sys, f"__{name}__"):
            own = kind(
                stream.buffer,
                encoding=stream.encoding,
                errors="backslashreplace",
                line_buffering=stream.line_buffering,
                write_through=stream.write_through,
            )
            setattr(sys, name, own)
    if closed:
        raise EvoError("Stdout is closed, and results go there; send them to a file or a terminal.")


def _to_nowhere(descriptor: int) -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)


def shown(text: object) -> str:
    """``text`` on one line: control, direction-changing and unpaired characters are escaped."""
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in _UNPRINTABLE and character not in _JOINERS
        else character
        for character in str(text)
    )


def say(text: str) -> None:
    """One line on stderr, at once."""
    print(shown(text), file=sys.stderr, flush=True)


def say_error(message: str) -> None:
    """``error: …`` as one line on stderr."""
    from rich.console import Console
    from rich.text import Text

    line = Text.assemble(("error:", "bold red"), " ", shown(message))
    Console(stderr=True, highlight=False).print(line, soft_wrap=True)


def print_json(value: dict[str, Any] | list[Any]) -> None:
    """One JSON value on stdout, in ASCII, so that no terminal obeys what a caption holds."""
    print(json.dumps(value, indent=2, allow_nan=False))


def print_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Labels and texts in two columns on stdout."""
    width = max(len(label) for label, _ in facts)
    for label, text in facts:
        print(f"{label:<{width}}  {shown(text)}")


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table on stdout: folded to a terminal's width, one line a row anywhere else.

    A header of empty texts is left out.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        header_style="bold",
        show_header=any(header),
    )
    for name in header:
        table.add_column(Text(shown(name)), overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(cell)) for cell in row))
    width = None if sys.stdout.isatty() else _UNLIMITED_WIDTH
    console = Console(width=width, highlight=False)
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        print(line.rstrip())
