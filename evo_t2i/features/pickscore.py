"""PickScore: a CLIP ViT-H/14 that learned which of two pictures people picked for their prompt."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from evo_t2i.caption import unread
from evo_t2i.checkpoints.catalogue import CLIP_H14_TOKENIZER, PICKSCORE
from evo_t2i.checkpoints.digests import digest_of_files
from evo_t2i.checkpoints.hub import downloaded_file
from evo_t2i.checkpoints.model_folder import files_read, read_json, refused, require_data
from evo_t2i.config import ScorerModels
from evo_t2i.errors import ModelError
from evo_t2i.features.preprocess import channel_values, normalise, resize
from evo_t2i.models.loading import loading

MAX_TOKENS = 77
WEIGHTS = "model.safetensors"


class PickScoreFeatures:
    """Kirstain et al., "Pick-a-Pic" (2023), by transformers' CLIPModel.

    Raises ModelError when a file is missing or damaged.
    """

    provides = frozenset({"pickscore.image", "pickscore.text", "pickscore.logit_scale"})

    def __init__(self, *, device: torch.device, models: ScorerModels) -> None:  # noqa: ARG002
        folder = downloaded_file(PICKSCORE.repository, WEIGHTS).parent
        preprocessing = downloaded_file(CLIP_H14_TOKENIZER.repository, "preprocessor_config.json")
        settings = read_json(preprocessing)
        for place in (folder, preprocessing.parent):
            require_data(place)
        self._mean, self._std = channel_values(
            settings.get("image_mean"), settings.get("image_std"), preprocessing
        )
        places = f"{folder} and {preprocessing.parent}"
        remedy = "run `evo-t2i models check pickscore`."
        with loading(), refused(f"PickScore in {places}", remedy):
            model, self._tokenizer = _loaded(folder, preprocessing.parent)
            read = digest_of_files(preprocessing.parent, files_read(preprocessing.parent))
            self.digest = digest_of_files(folder, files_read(folder, [WEIGHTS]), read)
        self._model = model.to(device).eval().requires_grad_(False)
        side = model.config.vision_config.image_size
        self._size = (side, side)
        self._device = device

    def text(self, caption: str) -> dict[str, Tensor]:
        """``pickscore.text`` (d,), of unit length, and ``pickscore.logit_scale`` ()."""
        tokens = self._tokenize([caption]).to(self._device)
        embedding = self._model.get_text_features(**tokens).float()
        return {
            "pickscore.text": normalize(embedding, dim=-1)[0],
            "pickscore.logit_scale": self._model.logit_scale.exp().float(),
        }

    def images(
        self,
        batch: Tensor,
        text: Mapping[str, Tensor],  # noqa: ARG002
    ) -> dict[str, Tensor]:
        """``pickscore.image`` (n, d), of unit length."""
        inputs = normalise(resize(batch, self._size), self._mean, self._std)
        embeddings = self._model.get_image_features(pixel_values=inputs)
        return {"pickscore.image": normalize(embeddings.float(), dim=-1)}

    def unread(self, caption: str) -> str:
        """The caption's end beyond MAX_TOKENS."""
        return unread(caption, lambda texts: self._tokenize(texts).input_ids)

    def _tokenize(self, texts: Sequence[str]) -> Any:
        return self._tokenizer(
            list(texts), truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        )


def _loaded(folder: Path, processing: Path) -> tuple[Any, Any]:
    """The model and its tokenizer; ModelError when a tensor is missing."""
    from transformers import CLIPModel, CLIPTokenizerFast

    model, report = CLIPModel.from_pretrained(
        folder,
        local_files_only=True,
        use_safetensors=True,
        dtype=torch.float32,
        output_loading_info=True,
    )
    if missing := sorted(report["missing_keys"]):
        raise ModelError(f"{folder / WEIGHTS} lacks {missing[0]!r}; fetch it again.")
    return model, CLIPTokenizerFast.from_pretrained(processing, local_files_only=True)
