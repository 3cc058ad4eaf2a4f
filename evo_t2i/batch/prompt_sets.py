"""Published sets of prompts, known by their columns; the lists themselves are not part of this."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class PromptSet:
    """How a published list names its columns."""

    name: str
    caption: str
    category: str
    columns: frozenset[str]
    """All that the list has; one with other columns is another list."""
    needed: frozenset[str]

    def described(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """``caption`` and ``category`` of a row."""
        found = {"caption": values.get(self.caption), "category": values.get(self.category)}
        return {key: value for key, value in found.items() if value is not None}


PROMPT_SETS = (
    PromptSet(  # Saharia et al. 2022, Photorealistic Text-to-Image Diffusion Models, section 4.1
        "DrawBench",
        "Prompts",
        "Category",
        frozenset({"Prompts", "Category"}),
        frozenset({"Prompts", "Category"}),
    ),
    PromptSet(  # Yu et al. 2022, Scaling Autoregressive Models, section 4.1
        "PartiPrompts",
        "Prompt",
        "Category",
        frozenset({"Prompt", "Category", "Challenge", "Note"}),
        frozenset({"Prompt", "Category", "Challenge"}),
    ),
    PromptSet(  # Ghosh et al. 2023, GenEval, evaluation_metadata.jsonl
        "GenEval",
        "prompt",
        "tag",
        frozenset({"tag", "include", "exclude", "prompt"}),
        frozenset({"tag", "include", "prompt"}),
    ),
)


def recognised(columns: Collection[str]) -> PromptSet | None:
    """The published set that has these columns; None for any other file."""
    given = frozenset(columns)
    for each in PROMPT_SETS:
        if each.needed <= given <= each.columns:
            return each
    return None
