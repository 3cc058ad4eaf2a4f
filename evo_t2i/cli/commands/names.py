"""`evo-t2i list`: what is installed, and its options."""

import dataclasses
from typing import Annotated, Any

import typer

from evo_t2i import registry
from evo_t2i.cli.terminal.output import print_json, print_table, say, shown
from evo_t2i.cli.terminal.silence import libraries_silenced
from evo_t2i.errors import PluginError, UsageError

KINDS = {f"{kind}s": kind for kind in registry.KINDS}


def list_names(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="generators, scores, samplers or features.")
    ],
    json_output: Annotated[bool, typer.Option("--json", help="One JSON array on stdout.")] = False,
) -> None:
    """List the generators, scores, samplers or features that are installed, and their options.

    \b
    evo-t2i list scores
    evo-t2i list samplers

    An option stands below the name that it belongs to: sample takes it as -o NAME.KEY=VALUE.
    """
    if kind not in KINDS:
        raise UsageError(f"There is nothing called {kind!r} to list; give {', '.join(KINDS)}.")
    listed = [(name, _options(KINDS[kind], name)) for name in registry.names(KINDS[kind])]
    if json_output:
        print_json([{"name": name, "options": options} for name, options in listed])
        return
    for name, options in listed:
        print(shown(name))
        if options:
            print_table(["", "", ""], [_row(name, **option) for option in options])


def _options(kind: str, name: str) -> list[dict[str, Any]]:
    """What may be set; nothing, and a note on stderr, for a plug-in that cannot be loaded."""
    try:
        with libraries_silenced():
            fields = registry.option_fields(kind, name)
    except PluginError as error:
        say(str(error))
        return []
    return [
        {
            "key": field.name,
            "type": getattr(field.type, "__name__", str(field.type)),
            "default": field.default
            if field.default_factory is dataclasses.MISSING
            else field.default_factory(),
            "help": field.metadata.get("help", ""),
        }
        for field in fields
    ]


def _row(name: str, key: str, type: str, default: Any, help: str) -> list[str]:
    return [f"  {name}.{key}", f"<{type}>", f"{help} [default: {default}]".lstrip()]
