"""The options that choose the networks behind the scores, the same in every command."""

from typing import Annotated, Any

import typer

from evo_t2i.config import SCORERS, ScorerModels
from evo_t2i.presets import PRESETS

PRESET_FIELDS = frozenset(name for preset in PRESETS.values() for name in preset)
"""Fields of the configuration whose default depends on --preset."""

PresetOption = Annotated[
    str,
    typer.Option(help="builtin, or paper: the design notes' models; other options go over it."),
]


def _described(name: str) -> Any:
    field = ScorerModels.__dataclass_fields__[name]
    return typer.Option(
        help=field.metadata["help"],
        show_default=f"{field.default}, or by preset",
        rich_help_panel=SCORERS,
    )


ClipOption = Annotated[str | None, _described("clip")]
ClassifierOption = Annotated[str | None, _described("classifier")]
EmbedderOption = Annotated[str | None, _described("embedder")]
LabelsOption = Annotated[str | None, _described("labels")]
