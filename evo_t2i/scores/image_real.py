"""Does the classifier recognise something in the picture?"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from evo_t2i.config import described, require, require_positive

FORMS = ("max", "entropy", "energy")


def image_real(logits: Tensor, temperature: float = 1.0, form: str = "max") -> Tensor:
    """Confidence (n,) of a classifier from its logits (n, k), with p = softmax(logits / T).

    ``max``: the largest p, in [1/k, 1]. ``entropy``: 1 - H(p) / log k, in [0, 1]. ``energy``:
    T logsumexp(logits / T), unbounded (Liu et al., 2020). A single label is certain: ``max`` and
    ``entropy`` are 1.
    """
    scaled = logits / temperature
    if form == "energy":
        return temperature * scaled.logsumexp(dim=-1)
    log_p = scaled.log_softmax(dim=-1)
    if form == "max":
        return log_p.max(dim=-1).values.exp()
    entropy = -(log_p.exp() * log_p).sum(dim=-1)
    return 1.0 - entropy / math.log(max(logits.shape[-1], 2))


class ImageReal:
    """Confidence of the classifier in its own prediction: recognisability, whatever the caption."""

    name = "image_real"
    needs = frozenset({"vgg.logits"})

    @dataclass(frozen=True, kw_only=True)
    class Options:
        """How sure is measured."""

        form: str = described(
            "max (largest probability), entropy (1 - H/log K) or energy (T logsumexp(z/T)).", "max"
        )
        temperature: float = described("Divides the classifier's logits.", 1.0)

        def __post_init__(self) -> None:
            require(self.form in FORMS, "form", self.form, " or ".join(FORMS))
            require_positive("temperature", self.temperature)

    def __init__(self, *, options: Options) -> None:
        self._options = options

    def __call__(self, features: Mapping[str, Tensor]) -> Tensor:
        return image_real(features["vgg.logits"], self._options.temperature, self._options.form)
