"""The built-in CLIP as the scorers use it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from evo_t2i.checkpoints import builtin
from evo_t2i.checkpoints.minilm import minilm_folder

if TYPE_CHECKING:
    from evo_t2i.models.clip import BuiltinClip


@dataclass(frozen=True)
class LoadedClip:
    """The model in eval mode, its tokenizer and configuration.

    digest: of all its weights; text_digest: of what its text features depend on.
    """

    model: "BuiltinClip"
    tokenize: Callable[[Sequence[str]], Tensor]
    config: dict[str, Any]
    digest: str
    text_digest: str
    readings: Callable[[str], list[tuple[str, float]]]
    """Texts to read in the place of one, with weights; see ``WorldVocabulary.readings``."""


def load(folder: Path | None = None) -> LoadedClip:
    """The built-in CLIP; ``folder`` stands in for ``weights_folder()``.

    Raises ModelError when its weights are missing or damaged.
    """
    from evo_t2i.models import clip, minilm, text_side
    from evo_t2i.vocabulary import WorldVocabulary

    weights = builtin.load("clip", folder)
    side = text_side.build(weights.config["reader"], minilm_folder())
    return LoadedClip(
        clip.load(weights.config, weights.tensors, side),
        minilm.load_tokenizer(minilm_folder()),
        weights.config,
        weights.digest,
        weights.tensors_digest,
        WorldVocabulary().readings,
    )
