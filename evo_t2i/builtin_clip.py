"""The built-in CLIP with the text side that it was trained with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from evo_t2i.checkpoints import builtin
from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.errors import ModelError

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


def load(folder: Path | None = None) -> LoadedClip:
    """The built-in CLIP; ``folder`` stands in for ``weights_folder()``.

    Raises ModelError when its weights or the text side's are missing, damaged or not of one
    training.
    """
    from evo_t2i.models import clip, minilm, text_side

    weights, text = builtin.load("clip", folder), builtin.load("text", folder)
    if weights.config["text"] != text.tensors_digest:
        raise ModelError(
            f"The built-in CLIP was trained with the text side {weights.config['text'][:12]}…, but "
            f"{text.tensors_digest[:12]}… is installed; train the CLIP again."
        )
    side = text_side.load(text.config, text.tensors, minilm_folder())
    return LoadedClip(
        clip.load(weights.config, weights.tensors, side),
        minilm.load_tokenizer(minilm_folder()),
        weights.config,
        weights.digest,
        weights.tensors_digest,
    )
