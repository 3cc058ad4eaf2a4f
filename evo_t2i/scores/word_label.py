"""Is what the classifier sees what the caption speaks of?"""

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from evo_t2i.config import described, require, require_positive

TEXTS = ("words", "caption")


def word_label(
    logits: Tensor, similarities: Tensor, temperature: float = 1.0, top_labels: int = 5
) -> Tensor:
    """Scores (n,) from logits (n, k) and the caption's similarity to each label (k,).

    Σ p_j similarity_j over the ``top_labels`` labels of largest p = softmax(logits / T), with p
    renormalised over them; all labels where there are fewer. A convex combination: within the
    similarities' range.
    """
    p = (logits / temperature).softmax(dim=-1)
    top = p.topk(min(top_labels, p.shape[-1]), dim=-1)
    weights = top.values / top.values.sum(dim=-1, keepdim=True)
    return (weights * similarities[top.indices]).sum(dim=-1)


class WordLabel:
    """Similarity of the caption to the predicted labels, weighted by their probabilities."""

    name = "word_label"

    @dataclass(frozen=True, kw_only=True)
    class Options:
        """What is compared with which labels."""

        temperature: float = described("Divides the classifier's logits.", 1.0)
        top_labels: int = described("How many predicted labels are weighed.", 5)
        text: str = described(
            "words (a label counts by the content word that is nearest to it) or caption (by the "
            "whole caption).",
            "words",
        )

        def __post_init__(self) -> None:
            require_positive("temperature", self.temperature)
            require(self.top_labels >= 1, "top_labels", self.top_labels, "1 or more")
            require(self.text in TEXTS, "text", self.text, " or ".join(TEXTS))

    def __init__(self, *, options: Options) -> None:
        self._options = options
        self._similarities = "words.labels" if options.text == "caption" else "words.word_labels"
        self.needs = frozenset({"vgg.logits", self._similarities})

    def __call__(self, features: Mapping[str, Tensor]) -> Tensor:
        similarities = features[self._similarities]
        if similarities.ndim == 2:  # (t, k): a label counts by the word that is nearest to it
            similarities = similarities.max(dim=0).values
        return word_label(
            features["vgg.logits"],
            similarities,
            self._options.temperature,
            self._options.top_labels,
        )
