"""A folder with a small CLIP of one's own: trained tensors beside the frozen sentence encoder.

model.safetensors, config.json and CARD.md, as `evo-t2i train clip` writes them. The encoder's
tensors stay in their own package, whose digest the configuration holds.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evo_t2i.checkpoints.builtin import LoadedWeights
from evo_t2i.checkpoints.minilm import SHA256
from evo_t2i.checkpoints.model_folder import read_json, refused, require_data, require_file
from evo_t2i.checkpoints.published_clip import require_own
from evo_t2i.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

CONFIG, TENSORS, CARD = "config.json", "model.safetensors", "CARD.md"
_ENCODER = "sentence_encoder"
_TEXT = {"hf_pooler_type": "mean_pooler", "hf_proj_type": "mlp", "output_tokens": False}


def is_small_clip(folder: Path) -> bool:
    """Whether a folder says that it holds one."""
    path = folder / CONFIG
    return path.is_file() and _ENCODER in read_json(path)


def load_small_clip(folder: Path) -> LoadedWeights:
    """Configuration for ``models.clip.load``, tensors and digests.

    Raises ModelError for missing or damaged files, impossible sizes, and for another version of the
    sentence encoder than the installed one.
    """
    import safetensors.torch

    config = read_json(folder / CONFIG)
    require_data(folder)
    path = require_file(folder / TENSORS)
    if config.get(_ENCODER) != SHA256:
        raise ModelError(
            f"{folder / CONFIG} asks for the sentence encoder {str(config.get(_ENCODER))[:12]}…, "
            f"but {SHA256[:12]}… is installed; train that CLIP again."
        )
    require_own(config | {"text_cfg": {}}, folder / CONFIG)
    with refused(f"The CLIP in {folder}", "train or copy it again."):
        data = path.read_bytes()
        tensors = safetensors.torch.load(data)
        digest = hashlib.sha256(data).hexdigest()
        joint = hashlib.sha256((folder / CONFIG).read_bytes() + digest.encode()).hexdigest()
        return LoadedWeights(
            config=config | {"text_cfg": _TEXT},
            tensors=tensors,
            digest=joint,
            tensors_digest=digest,
        )


def save_small_clip(
    folder: Path, config: Mapping[str, Any], tensors: "Mapping[str, Tensor]", card: str
) -> None:
    """Write a folder that ``load_small_clip`` reads; ``{digest}`` in the card is the tensors'."""
    import safetensors.torch

    folder.mkdir(parents=True, exist_ok=True)
    data = safetensors.torch.save({key: value.contiguous() for key, value in tensors.items()})
    text = json.dumps({**config, _ENCODER: SHA256}, indent=2) + "\n"
    (folder / TENSORS).write_bytes(data)
    (folder / CONFIG).write_text(text, encoding="utf-8")
    written = card.replace("{digest}", hashlib.sha256(data).hexdigest())
    (folder / CARD).write_text(written, encoding="utf-8")
