"""A checkpoint's own discriminator as a feature extractor."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from evo_t2i.models.stylegan2_discriminator import Discriminator


class DiscriminatorFeatures:
    """What a discriminator says of its generator's pictures, each by itself.

    ``label`` (1, classes) and ``text``, from a caption to its feature (1, d), which words' features
    may follow (1, 1 + t, d), are None where the discriminator does not use them; then d is 0.
    """

    provides = frozenset({"discriminator.logits", "discriminator.image", "discriminator.text"})

    def __init__(
        self,
        *,
        model: Discriminator,
        label: Tensor | None,
        text: Callable[[str], Tensor | None] | None,
        digest: str,
        at_once: int,
        device: torch.device,
    ) -> None:
        self.digest = digest
        self._model = model
        self._label = label
        self._text = text
        self._at_once = at_once
        self._device = device

    def text(self, caption: str) -> dict[str, Tensor]:
        """``discriminator.text`` (d,), of unit length."""
        feature = None if self._text is None else self._text(caption)
        none = torch.zeros(0, device=self._device)
        return {"discriminator.text": none if feature is None else feature.flatten(0, -2)[0]}

    def images(
        self,
        batch: Tensor,
        text: Mapping[str, Tensor],  # noqa: ARG002
    ) -> dict[str, Tensor]:
        """``discriminator.logits`` (n,) and ``discriminator.image`` (n, d)."""
        parts = [self._judge(part * 2 - 1) for part in batch.split(self._at_once)]
        logits, features = zip(*parts, strict=True)
        return {
            "discriminator.logits": torch.cat(logits),
            "discriminator.image": torch.cat(features),
        }

    def _judge(self, images: Tensor) -> tuple[Tensor, Tensor]:
        label = None if self._label is None else self._label.expand(len(images), -1)
        judged: tuple[Tensor, Tensor] = self._model(images, label)
        return judged
