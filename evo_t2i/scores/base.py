"""What a score is: one number per image, from shared features; higher is better."""

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor


class Score(Protocol):
    """Features → (n,). A score never sees pixels, captions or models.

    Registered as a factory without arguments, or, where it has a dataclass ``Options``, with the
    keyword-only argument ``options``; see ``evo_t2i.registry``.
    """

    name: str
    """The name under which it is registered; the column of front.csv."""
    needs: frozenset[str]
    """Keys of the features that it reads."""

    def __call__(self, features: Mapping[str, Tensor]) -> Tensor:
        """Scores (n,) of the n images behind ``features``; higher is better."""
        ...
