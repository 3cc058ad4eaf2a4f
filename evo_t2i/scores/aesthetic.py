"""How much do people like such a picture on average? By LAION's predictor."""

from collections.abc import Mapping

from torch import Tensor


class Aesthetic:
    """The rating that LAION's aesthetic predictor gives, on a scale of about 1 to 10."""

    name = "aesthetic"
    needs = frozenset({"aesthetic.rating"})

    def __call__(self, features: Mapping[str, Tensor]) -> Tensor:
        return features["aesthetic.rating"]
