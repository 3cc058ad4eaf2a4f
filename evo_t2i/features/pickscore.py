"""PickScore: a CLIP ViT-H/14 that learned which of two pictures people picked for their prompt."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor
from torch.nn.functional import normalize

from evo_t2i.caption import unread
from evo_t2i.checkpoints.catalogue import CLIP_H14_TOKENIZER, PICKSCORE
from evo_t2i.checkpoints.digests import sha256_of
from evo_t2i.checkpoints.hub import downloaded_file
from evo_t2i.config import ScorerModels
from evo_t2i.errors import ModelError
from evo_t2i.features.preprocess import normalise, resize
from evo_t2i.features.scorer_files import read_json

MAX_TOKENS = 77


class PickScoreFeatures:
    """Kirstain et al., "Pick-a-Pic" (2023), by transformers' CLIPModel.

    Raises ModelError when a file is missing or damaged.
    """

    provides = frozenset({"pickscore.image", "pickscore.text", "pickscore.logit_scale"})

    def __init__(self, *, device: torch.device, models: ScorerModels) -> None:  # noqa: ARG002
        weights = downloaded_file(PICKSCORE.repository, "model.safetensors")
        folder = weights.parent
        preprocessing = downloaded_file(CLIP_H14_TOKENIZER.repository, "preprocessor_config.json")
        settings = read_json(preprocessing)

        from transformers import CLIPModel, CLIPTokenizerFast

        try:
            model = CLIPModel.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
            )
            self._tokenizer = CLIPTokenizerFast.from_pretrained(
                preprocessing.parent, local_files_only=True
            )
            self._mean, self._std = settings["image_mean"], settings["image_std"]
        except (OSError, RuntimeError, ValueError, KeyError, TypeError, SafetensorError) as error:
            said = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".:")
            raise ModelError(
                f"PickScore cannot be loaded from {folder} and {preprocessing.parent} ({said}); "
                "run `evo-t2i models check pickscore`."
            ) from error
        config = (folder / "config.json").read_text("utf-8")
        self.digest = sha256_of(weights, config, preprocessing.read_text("utf-8"))
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
