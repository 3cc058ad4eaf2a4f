"""A caption's words as labels beside the classifier's, told apart by CLIP.

For a caption none of whose words is near a label: what a classifier says of a picture then has
nothing to do with the caption, and a search that goes by it fills a skyline with airplanes.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from evo_t2i.caption import content_words
from evo_t2i.features.base import FeatureExtractor
from evo_t2i.features.clip import OpenClipFeatures
from evo_t2i.features.vgg import VggFeatures
from evo_t2i.features.words import WordFeatures
from evo_t2i.features.zero_shot import zero_shot_logits


class _Logits:
    """``vgg.logits`` (n, k + t) of the classifier's k labels and the t content words, by CLIP."""

    provides = frozenset({"vgg.logits", "vgg.told"})
    needs = frozenset({"clip.image", "clip.logit_scale"})
    reentrant = True

    def __init__(self, classifier: VggFeatures, clip: OpenClipFeatures) -> None:
        self.digest = classifier.digest
        self._labels, self._clip = classifier.labels, clip

    def text(self, caption: str) -> dict[str, Tensor]:
        """``vgg.told`` (k + t, d): the unit features of what can be told."""
        labels = [self._clip.embed_labels(each) for each in (self._labels, content_words(caption))]
        return {"vgg.told": torch.cat(labels)}

    def images(self, batch: Tensor, text: Mapping[str, Tensor]) -> dict[str, Tensor]:  # noqa: ARG002
        logits = zero_shot_logits(text["clip.image"], text["vgg.told"], text["clip.logit_scale"])
        return {"vgg.logits": logits}


class _Words:
    """The features of ``WordFeatures`` with the content words among the labels."""

    provides = WordFeatures.provides
    reentrant = True

    def __init__(self, words: WordFeatures) -> None:
        self.digest = words.digest
        self.unread = words.unread
        self._words = words

    def text(self, caption: str) -> dict[str, Tensor]:
        return self._words.against(caption, own_words=True)

    def images(self, batch: Tensor, text: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return self._words.images(batch, text)


def with_own_words(
    extractors: Mapping[str, FeatureExtractor],
) -> Mapping[str, FeatureExtractor] | None:
    """``extractors`` in an order in which each comes after those that it needs, with ``vgg`` and
    ``words`` in which the words of the caption are labels too; None where CLIP, the classifier or
    the sentence encoder is not among them, or another package's is in its place."""
    clip, classifier, words = (extractors.get(name) for name in ("clip", "vgg", "words"))
    if (
        isinstance(clip, OpenClipFeatures)
        and isinstance(classifier, VggFeatures)
        and isinstance(words, WordFeatures)
    ):
        rest = {name: each for name, each in extractors.items() if name != "vgg"}
        return {**rest, "words": _Words(words), "vgg": _Logits(classifier, clip)}
    return None
