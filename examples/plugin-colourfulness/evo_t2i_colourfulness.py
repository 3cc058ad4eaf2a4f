"""A plug-in for evo-t2i: the score ``colourfulness``, and the features that it reads.

Hasler and Süsstrunk, "Measuring colourfulness in natural images" (Human Vision and Electronic
Imaging, 2003), whose measures correlate with people's ratings by more than 0.9.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from evo_t2i.config import ScorerModels

MOMENTS = "colourfulness.moments"


def opponent_moments(images: Tensor) -> Tensor:
    """Moments (n, 4) of the opponent colours of images (n, 3, h, w) in [0, 1].

    rg = R - G and yb = (R + G) / 2 - B on the scale of 0 to 255: their means, then their standard
    deviations over the pixels.
    """
    red, green, blue = (255.0 * images).unbind(dim=1)  # each (n, h, w)
    opponents = torch.stack([red - green, (red + green) / 2 - blue], dim=1).flatten(2)
    return torch.cat([opponents.mean(dim=2), opponents.std(dim=2, correction=0)], dim=1)


def colourfulness(moments: Tensor) -> Tensor:
    """M (n,) = |σ| + 0.3 |μ|, from moments (n, 4): 0 for grey, 15 slightly, 109 extremely."""
    means, deviations = moments.split(2, dim=1)
    return deviations.norm(dim=1) + 0.3 * means.norm(dim=1)


class ColourMoments:
    """The extractor: pixels in, ``colourfulness.moments`` (n, 4) out; it has no weights."""

    provides = frozenset({MOMENTS})
    digest = "hasler-suesstrunk-2003"

    def __init__(self, *, device: torch.device, models: ScorerModels) -> None:
        pass

    def text(self, caption: str) -> dict[str, Tensor]:  # noqa: ARG002
        """Nothing: colours do not depend on the caption."""
        return {}

    def images(
        self,
        batch: Tensor,
        text: Mapping[str, Tensor],  # noqa: ARG002
    ) -> dict[str, Tensor]:
        """The moments of each image by itself."""
        return {MOMENTS: opponent_moments(batch)}


class Colourfulness:
    """The score: how colourful a picture is, whatever it shows."""

    name = "colourfulness"
    needs = frozenset({MOMENTS})

    def __call__(self, features: Mapping[str, Tensor]) -> Tensor:
        return colourfulness(features[MOMENTS])
