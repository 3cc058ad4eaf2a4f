"""Options of a command out of the dataclasses that it fills: the configuration is written once."""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Collection
from typing import Any, get_args, get_origin, get_type_hints

import typer

Command = Callable[..., None]


def takes_fields(
    *forms: type[Any], by_preset: Collection[str] = ()
) -> Callable[[Command], Command]:
    """Give a command an option for each field of ``forms`` that has a sentence of help.

    They stand in the place of its ``**fields``, which receives those that were given on the command
    line, and no others. Flag, type and default are those of the field; a tuple of texts is one text
    with commas, and a switch can be turned off as well as on. ``by_preset`` are the fields whose
    default depends on ``--preset``.
    """
    described = [
        _parameter(field, get_type_hints(form)[field.name], field.name in by_preset)
        for form in forms
        for field in dataclasses.fields(form)
        if "help" in field.metadata
    ]

    def decorated(command: Command) -> Command:
        @functools.wraps(command)
        def called(context: typer.Context, **arguments: Any) -> None:
            for field in described:
                if not was_given(context, field.name):
                    del arguments[field.name]
            command(**arguments)

        own = [each for each in _parameters(command) if each.kind is not each.VAR_KEYWORD]
        required = [each for each in own if each.default is each.empty]
        optional = [each for each in own if each.default is not each.empty]
        context = inspect.Parameter(
            "context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context
        )
        together = [
            each.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for each in (context, *required, *described, *optional)
        ]
        called.__signature__ = inspect.Signature(together)  # type: ignore[attr-defined]
        return called

    return decorated


def was_given(context: typer.Context, name: str) -> bool:
    """Whether the parameter was on the command line, rather than left to its default."""
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _parameters(command: Command) -> Collection[inspect.Parameter]:
    return inspect.signature(command, eval_str=True).parameters.values()


def _parameter(field: "dataclasses.Field[Any]", kind: Any, by_preset: bool) -> inspect.Parameter:
    default: Any = field.default
    shown: str | bool = True
    if get_origin(kind) is tuple:
        kind, default = get_args(kind)[0], ",".join(default)
        shown = default.replace(",", ", ") or False
    if by_preset:
        shown = f"{default}, or by preset"
    flag = field.metadata.get("flag", f"--{field.name.replace('_', '-')}")
    option = typer.Option(
        default,
        f"{flag}/--no-{flag[2:]}" if kind is bool else flag,
        help=field.metadata["help"],
        show_default=shown,
        rich_help_panel=field.metadata.get("panel"),
    )
    return inspect.Parameter(
        field.name, inspect.Parameter.KEYWORD_ONLY, default=option, annotation=kind
    )
