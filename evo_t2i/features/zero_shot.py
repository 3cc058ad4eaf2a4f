"""Classification without training: a label's probability is CLIP's, from a text about it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import normalize

from evo_t2i.checkpoints.cache import cached_tensor, keep_tensor
from evo_t2i.features.labels import TEMPLATES, checked_templates, label_texts, labels_digest

if TYPE_CHECKING:
    from evo_t2i.features.clip import OpenClipFeatures

_AT_ONCE = 128

Embed = Callable[[Sequence[str]], Tensor]
"""Texts → (n, d), of unit length."""


def label_features(
    embed: Embed, key: str, labels: Sequence[str], templates: Sequence[str] = TEMPLATES
) -> Tensor:
    """Labels → (k, d) on the CPU, of unit length: the mean of the features of all templates.

    The ensemble of Radford et al. (2021), section 3.1.4: unit features are averaged for each label
    and the mean is brought to unit length. Kept in the cache folder under ``key``, which tells
    one ``embed`` from another, labels and templates.
    """
    key = f"{key} {labels_digest(labels, templates)}"
    features = cached_tensor("zero-shot", key)
    if features is None or len(features) != len(labels):
        texts = [text for label in labels for text in label_texts(label, templates)]
        parts = [texts[start : start + _AT_ONCE] for start in range(0, len(texts), _AT_ONCE)]
        with torch.no_grad():
            embedded = torch.cat([embed(part).cpu() for part in parts])
        means = embedded.unflatten(0, (len(labels), -1)).mean(dim=1)  # (k · t, d) → (k, d)
        features = normalize(means, dim=-1)
        keep_tensor("zero-shot", key, features)
    return features


def zero_shot_logits(image: Tensor, labels: Tensor, logit_scale: Tensor) -> Tensor:
    """(n, k) of unit features of images (n, d) and of labels (k, d); softmax gives probabilities.

    In float32, also where autocast is on.
    """
    with torch.autocast(image.device.type, enabled=False):
        return logit_scale.float() * (image.float() @ labels.float().T)


class ZeroShotClassifier:
    """Any labels, by any CLIP: the probabilities of ``labels`` in pictures of any size.

    Raises UsageError for a template without its place for the label.
    """

    def __init__(
        self,
        clip: "OpenClipFeatures",
        labels: Sequence[str],
        templates: Sequence[str] = TEMPLATES,
    ) -> None:
        self.labels = tuple(labels)
        self.templates = checked_templates(templates)
        self._clip = clip
        self._features = clip.embed_labels(self.labels, self.templates)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images (n, 3, h, w) in [0, 1] on CLIP's device → similarities and probabilities.

        Each is (n, k). Similarities are cosines; each row of probabilities sums to 1.
        """
        image = self._clip.images(images, {})["clip.image"]
        logits = zero_shot_logits(image, self._features, self._clip.logit_scale)
        return image @ self._features.T, logits.softmax(dim=-1)
