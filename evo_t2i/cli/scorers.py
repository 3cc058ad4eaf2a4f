"""The options that choose the networks behind the scores, the same in every command."""

from typing import Annotated

import typer

from evo_t2i.presets import BUILTIN

PANEL = "Scorers"
_BY_PRESET = "by preset"

PresetOption = Annotated[
    str,
    typer.Option(
        help="builtin, or paper: the design notes' models; other options go over it.",
        show_default=BUILTIN,
    ),
]
ClipOption = Annotated[
    str | None,
    typer.Option(
        help="builtin, NAME:TAG of open_clip, or local-dir:FOLDER.",
        show_default=_BY_PRESET,
        rich_help_panel=PANEL,
    ),
]
ClassifierOption = Annotated[
    str | None,
    typer.Option(
        help="builtin, vgg19_bn:imagenet, or a FOLDER.",
        show_default=_BY_PRESET,
        rich_help_panel=PANEL,
    ),
]
EmbedderOption = Annotated[
    str | None,
    typer.Option(
        help="builtin, or a sentence encoder's FOLDER or repository.",
        show_default=_BY_PRESET,
        rich_help_panel=PANEL,
    ),
]
