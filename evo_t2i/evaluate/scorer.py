"""Images → features → scores for one caption, tensors in and out."""

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor

from evo_t2i.errors import UsageError
from evo_t2i.features.base import FeatureExtractor
from evo_t2i.features.words import LABEL_THRESHOLD
from evo_t2i.models.precision import computing_in
from evo_t2i.plugin_results import image_features, score_column, text_features
from evo_t2i.scores.base import Score


class Scorer:
    """Scores images for the caption that it was made with.

    Each extractor runs once on a batch, after those that it needs, and the scores share its
    features, so sharing is a matter of structure and there is no cache. Nothing is rounded and no
    gradient is stopped: the scores are differentiable in the images wherever the networks are.
    """

    def __init__(
        self,
        caption: str,
        scores: Sequence[Score],
        extractors: Mapping[str, FeatureExtractor],
        device: torch.device,
        *,
        own_words: bool = False,
    ) -> None:
        self.device = device
        self.own_words = own_words
        """Whether the caption's words are labels too, see ``features.own_words``."""
        self.unread = unread_ends(extractors, caption)
        """The caption's end that an extractor does not read, by the extractor's name."""
        self._scores = tuple(scores)
        self._extractors = dict(extractors)
        self._text: dict[str, Tensor] = {}
        with torch.no_grad():  # in inference mode they could not take part in a gradient
            for name, extractor in self._extractors.items():
                self._text |= text_features(name, extractor, caption)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the scores, in the order of their columns."""
        return tuple(score.name for score in self._scores)

    @property
    def coverage(self) -> float | None:
        """Best similarity of a word of the caption to a label; None when no score asks for it."""
        coverage = self._text.get("words.coverage")
        return None if coverage is None else float(coverage)

    @property
    def label_matched(self) -> bool | None:
        """Whether ``coverage`` reaches LABEL_THRESHOLD; None when no score asks for words."""
        return None if self.coverage is None else self.coverage >= LABEL_THRESHOLD

    @property
    def label_facts(self) -> dict[str, float | bool | None]:
        """``coverage``, ``label_matched`` and ``own_words``, as a run records them."""
        return {
            "coverage": self.coverage,
            "label_matched": self.label_matched,
            "own_words": self.own_words,
        }

    def __call__(self, images: Tensor, precision: str = "fp32") -> Tensor:
        """Scores (n, m) of images (n, 3, h, w) in [0, 1] on the networks' device; higher is better.

        ``precision`` is that of the networks; scores are computed in float32.
        """
        return self.with_features(images, (), precision)[0]

    def with_features(
        self, images: Tensor, keys: Collection[str], precision: str = "fp32"
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """As calling it, with those features of the images (n, …) that ``keys`` name; see
        ``require_features``."""
        features = dict(self._text)
        with computing_in(precision, images.device):
            for name, extractor in self._extractors.items():
                features |= image_features(name, extractor, images, features)
        features = {key: _widened(value) for key, value in features.items()}
        columns = [score_column(score, features, len(images)) for score in self._scores]
        return torch.stack(columns, dim=1), {key: features[key] for key in keys}

    def require_features(self, keys: Collection[str]) -> None:
        """UsageError unless the extractors that are loaded give all of ``keys``."""
        provided = frozenset[str]().union(*(one.provides for one in self._extractors.values()))
        for key in sorted(set(keys) - provided):
            raise UsageError(
                f"The search wants the feature {key!r}, which none of the scores "
                f"{', '.join(self.names)} needs; add a score that does, such as text_image, or "
                "leave out the search's option that wants it."
            )


def unread_ends(readers: Mapping[str, object], caption: str) -> dict[str, str]:
    """The caption's end that a reader does not read, by its name; none where it reads all.

    A reader without a method ``unread`` has no limit.
    """
    ends = {
        name: reader.unread(caption)
        for name, reader in readers.items()
        if hasattr(reader, "unread")
    }
    return {name: end for name, end in ends.items() if end}


def _widened(feature: Tensor) -> Tensor:
    """In float32 where autocast left bfloat16."""
    return feature.float() if feature.dtype == torch.bfloat16 else feature
