"""LAION's aesthetic predictor, version 2: how much people like a picture on average."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import normalize

from evo_t2i.checkpoints.catalogue import AESTHETIC_HEAD
from evo_t2i.checkpoints.digests import sha256_of
from evo_t2i.config import ScorerModels
from evo_t2i.features.clip import load_open_clip
from evo_t2i.features.preprocess import normalise, resize
from evo_t2i.features.state_dicts import fill, published_file, read_state_dict
from evo_t2i.models.loading import loading
from evo_t2i.models.rating_head import RatingHead

CLIP = "ViT-L-14-quickgelu:openai"
"""Whose image embeddings the head was trained on."""


class AestheticFeatures:
    """Schuhmann et al., LAION-Aesthetics V2 (2022), on OpenAI's CLIP ViT-L/14.

    The head is ``sac+logos+ava1-l14-linearMSE``. Raises ModelError when a file is missing or
    damaged.
    """

    provides = frozenset({"aesthetic.rating"})

    def __init__(self, *, device: torch.device, models: ScorerModels) -> None:  # noqa: ARG002
        path = published_file(AESTHETIC_HEAD)
        with loading():
            chosen = load_open_clip(CLIP)
            visual = chosen["model"].visual
            head = RatingHead(visual.output_dim)
            fill(head, read_state_dict(path), path)
        self.digest = sha256_of(path, chosen["digest"])
        self._visual = visual.to(device).eval().requires_grad_(False)
        self._head = head.to(device).eval().requires_grad_(False)
        self._mean, self._std = chosen["mean"], chosen["std"]
        height, width = visual.image_size
        self._size = (int(height), int(width))

    def text(self, caption: str) -> dict[str, Tensor]:  # noqa: ARG002
        """Nothing: the rating does not depend on the caption."""
        return {}

    def images(
        self,
        batch: Tensor,
        text: Mapping[str, Tensor],  # noqa: ARG002
    ) -> dict[str, Tensor]:
        """``aesthetic.rating`` (n,), on a scale of about 1 to 10."""
        inputs = normalise(resize(batch, self._size), self._mean, self._std)
        embeddings = normalize(self._visual(inputs).float(), dim=-1)
        return {"aesthetic.rating": self._head(embeddings).float()}
