"""What people read: results on stdout, everything else on stderr, nothing taken for markup."""

import json
import sys
import unicodedata
from collections.abc import Sequence
from typing import Any

_JOINERS = "\u200c\u200d"
_UNPRINTABLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
_UNLIMITED_WIDTH = 10_000


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
    """A table on stdout: folded to a terminal's width, one line a row anywhere else."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
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
