"""The options that choose the networks behind the scores, the same in every command."""

from typing import Annotated

import typer

PANEL = "Scorers"

ClipOption = Annotated[
    str,
    typer.Option(
        help="builtin, NAME:TAG of open_clip, or local-dir:FOLDER.", rich_help_panel=PANEL
    ),
]
ClassifierOption = Annotated[
    str, typer.Option(help="builtin, vgg19_bn:imagenet, or a FOLDER.", rich_help_panel=PANEL)
]
EmbedderOption = Annotated[
    str,
    typer.Option(
        help="builtin, or a sentence encoder's FOLDER or repository.", rich_help_panel=PANEL
    ),
]
