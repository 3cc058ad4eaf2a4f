"""What would people say of this picture of the caption? By ImageReward."""

from collections.abc import Mapping

from torch import Tensor

from evo_t2i.config import ScoreOptions


class ImageReward:
    """ImageReward's reward: of mean 0 and deviation 1 over its authors' pictures; unbounded."""

    name = "imagereward"
    needs = frozenset({"imagereward.reward"})

    def __init__(self, *, options: ScoreOptions) -> None:
        pass

    def __call__(self, features: Mapping[str, Tensor]) -> Tensor:
        return features["imagereward.reward"]
