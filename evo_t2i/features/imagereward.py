"""ImageReward: what people would say of a picture that was drawn for the caption."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from evo_t2i.caption import unread
from evo_t2i.checkpoints.catalogue import BERT, IMAGE_REWARD
from evo_t2i.checkpoints.digests import sha256_of
from evo_t2i.checkpoints.hub import downloaded_file
from evo_t2i.checkpoints.model_folder import read_json, refused
from evo_t2i.config import ScorerModels
from evo_t2i.features.preprocess import normalise, resize
from evo_t2i.features.state_dicts import fill, read_state_dict
from evo_t2i.models.loading import loading

_REMEDY = "run `evo-t2i models check imagereward`."
MAX_TOKENS = 35
"""Where the published model cuts a caption off."""
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


class ImageRewardFeatures:
    """Xu et al., "ImageReward" (2023), version 1.0 of its weights.

    The picture's reward depends on the caption through cross-attention. Raises ModelError when a
    file is missing, damaged or could run code.
    """

    provides = frozenset({"imagereward.tokens", "imagereward.reward"})

    def __init__(self, *, device: torch.device, models: ScorerModels) -> None:  # noqa: ARG002
        path = downloaded_file(IMAGE_REWARD.repository, "ImageReward.pt")
        described = downloaded_file(IMAGE_REWARD.repository, "med_config.json")
        vocabulary = downloaded_file(BERT.repository, "vocab.txt")
        config = read_json(described)
        with loading(), refused(f"ImageReward in {path} and {described}", _REMEDY):
            from transformers import BertTokenizerFast

            from evo_t2i.models.image_reward import build, renamed

            tensors = renamed(read_state_dict(path))
            model = build(tensors, config)
            self._tokenizer = BertTokenizerFast(str(vocabulary), do_lower_case=True)
            fill(model, tensors, path)
            more = (described.read_text("utf-8"), vocabulary.read_text("utf-8"))
            self.digest = sha256_of(path, *more)
        self._model = model.to(device).eval().requires_grad_(False)
        side = model.vision.config.image_size
        self._size = (side, side)
        self._device = device

    def text(self, caption: str) -> dict[str, Tensor]:
        """``imagereward.tokens`` (1, t): the caption as the cross-attention reads it."""
        return {"imagereward.tokens": self._tokenize([caption]).to(self._device)}

    def images(self, batch: Tensor, text: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """``imagereward.reward`` (n,), for the caption of ``text``."""
        inputs = normalise(resize(batch, self._size), MEAN, STD)
        reward = self._model(inputs, text["imagereward.tokens"])
        return {"imagereward.reward": reward.float()}

    def unread(self, caption: str) -> str:
        """The caption's end beyond MAX_TOKENS."""
        return unread(caption, self._tokenize)

    def _tokenize(self, texts: Sequence[str]) -> Tensor:
        found = self._tokenizer(
            list(texts), truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        )
        ids: Tensor = found.input_ids
        return ids
