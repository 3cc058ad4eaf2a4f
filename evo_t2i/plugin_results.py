"""What extractors and scores return, checked where it is used, so that a plug-in's fault is named.

A fault of another package becomes a PluginError that says whose it is; an exception of evo-t2i's
own code, or for want of memory, passes.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from torch import Tensor

from evo_t2i.errors import EvoError, PluginError
from evo_t2i.features.base import FeatureExtractor
from evo_t2i.models.device import out_of_memory
from evo_t2i.registry import describe, foreign, said
from evo_t2i.scores.base import Score

Result = TypeVar("Result")


def text_features(name: str, extractor: FeatureExtractor, caption: str) -> dict[str, Tensor]:
    """``extractor.text(caption)``; ``name`` is the extractor's."""
    return _named("feature", name, lambda: extractor.text(caption))


def image_features(
    name: str, extractor: FeatureExtractor, images: Tensor, text: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """``extractor.images(images, text)``, a row for each of the images (n, 3, h, w)."""
    features = _named("feature", name, lambda: extractor.images(images, text))
    for key, value in features.items():
        if not isinstance(value, Tensor) or value.shape[:1] != (len(images),):
            raise PluginError(
                f"{describe('feature', name)} gave {_shape(value)} as {key!r} of {len(images)} "
                f"images, expected a tensor ({len(images)}, …); update or uninstall that package."
            )
    return features


def score_column(score: Score, features: Mapping[str, Tensor], count: int) -> Tensor:
    """The scores (n,) of ``count`` images from the features that ``score`` declares."""
    try:
        needed = {key: features[key] for key in score.needs}
    except KeyError as error:
        name = str(error.args[0]).partition(".")[0]
        raise PluginError(
            f"{describe('feature', name)} promised {error.args[0]!r} and did not give it; update "
            "or uninstall that package."
        ) from None
    column = _named("score", score.name, lambda: score(needed))
    if not isinstance(column, Tensor) or column.shape != (count,):
        raise PluginError(
            f"{describe('score', score.name)} gave {_shape(column)} for {count} images, expected a "
            f"tensor {(count,)}; update or uninstall that package."
        )
    return column


def _shape(value: object) -> str:
    if isinstance(value, Tensor):
        return f"a tensor {tuple(value.shape)}"
    return f"{type(value).__name__} instead of a tensor"


def _named(kind: str, name: str, compute: Callable[[], Result]) -> Result:
    try:
        return compute()
    except EvoError:
        raise
    except Exception as error:
        if out_of_memory(error) or not foreign(kind, name):
            raise
        raise PluginError(
            f"{describe(kind, name)} failed ({said(error)}); update or uninstall that package."
        ) from error
