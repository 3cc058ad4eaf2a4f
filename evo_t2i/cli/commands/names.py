"""`evo-t2i list`: what is installed."""

from typing import Annotated

import typer

from evo_t2i import registry
from evo_t2i.cli.terminal.output import print_json, shown
from evo_t2i.errors import UsageError

KINDS = {f"{kind}s": kind for kind in registry.KINDS}


def list_names(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="generators, scores, samplers or features.")
    ],
    json_output: Annotated[bool, typer.Option("--json", help="One JSON array on stdout.")] = False,
) -> None:
    """List the generators, scores, samplers or features that are installed.

    \b
    evo-t2i list scores
    """
    if kind not in KINDS:
        raise UsageError(f"There is nothing called {kind!r} to list; give {', '.join(KINDS)}.")
    names = registry.names(KINDS[kind])
    if json_output:
        print_json(names)
        return
    for name in names:
        print(shown(name))
