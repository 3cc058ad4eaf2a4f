"""Human Preference Score v2.1: a CLIP ViT-H/14 that learned which of two pictures people prefer."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import normalize

from evo_t2i.caption import unread
from evo_t2i.checkpoints.catalogue import HPS_V2
from evo_t2i.checkpoints.digests import sha256_of
from evo_t2i.checkpoints.hub import downloaded_file
from evo_t2i.checkpoints.published_clip import vocabulary_digest
from evo_t2i.config import ScorerModels
from evo_t2i.features.preprocess import normalise, resize
from evo_t2i.features.state_dicts import fill, read_state_dict
from evo_t2i.models.loading import loading

ARCHITECTURE = "ViT-H-14"
WEIGHTS = "HPS_v2.1_compressed.pt"


class HpsV2Features:
    """Wu et al., "Human Preference Score v2" (2023), version 2.1 of its weights.

    Raises ModelError when the file is missing, damaged or could run code.
    """

    provides = frozenset({"hpsv2.image", "hpsv2.text"})

    def __init__(self, *, device: torch.device, models: ScorerModels) -> None:  # noqa: ARG002
        path = downloaded_file(HPS_V2.repository, WEIGHTS)

        with loading():
            import open_clip

            model = open_clip.CLIP(**open_clip.get_model_config(ARCHITECTURE))
            fill(model, read_state_dict(path), path)
        self.digest = sha256_of(path, vocabulary_digest())
        self._model = model.to(device).eval().requires_grad_(False)
        self._tokenize = open_clip.get_tokenizer(ARCHITECTURE)
        self._mean, self._std = open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD
        height, width = model.visual.image_size
        self._size = (int(height), int(width))
        self._device = device

    def text(self, caption: str) -> dict[str, Tensor]:
        """``hpsv2.text`` (d,), of unit length."""
        tokens = self._tokenize([caption]).to(self._device)
        return {"hpsv2.text": normalize(self._model.encode_text(tokens).float(), dim=-1)[0]}

    def images(
        self,
        batch: Tensor,
        text: Mapping[str, Tensor],  # noqa: ARG002
    ) -> dict[str, Tensor]:
        """``hpsv2.image`` (n, d), of unit length."""
        inputs = normalise(resize(batch, self._size), self._mean, self._std)
        return {"hpsv2.image": normalize(self._model.encode_image(inputs).float(), dim=-1)}

    def unread(self, caption: str) -> str:
        """The caption's end beyond the text tower's context."""
        return unread(caption, self._tokenize)
