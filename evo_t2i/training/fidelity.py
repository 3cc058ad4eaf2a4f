"""How near a generator's pictures are to real ones, and to their captions: FID, KID, CLIP score.

FID (Heusel et al., 2017) and KID (Bińkowski et al., 2018) are torchmetrics', the extra ``metrics``,
on a classifier that is named and lies on this machine, not on the Inception network of published
numbers: they compare generators under the same network, pictures and count, and nothing else.
"""

import warnings
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from evo_t2i.errors import UsageError
from evo_t2i.training.data import Pictures
from evo_t2i.training.frozen import FrozenClassifier, FrozenClip
from evo_t2i.training.lafite_model import Draw
from evo_t2i.training.supervised import to_batch

_AT_ONCE = 64
_SUBSETS = 100
_LEAST = 10


class Fidelity:
    """Measures a generator against up to ``count`` real pictures, by as many drawn ones.

    The drawn ones follow the held-out captions, each as often, with latents of a fixed seed.
    Raises UsageError without torchmetrics, and for fewer than 10 real pictures.
    """

    def __init__(
        self,
        pictures: Pictures,
        clip: FrozenClip,
        classifier: FrozenClassifier,
        device: torch.device,
        *,
        count: int = 1000,
        seed: int = 0,
    ) -> None:
        _metrics()  # refused now rather than at the first report
        if len(pictures) < _LEAST:
            raise UsageError(
                f"FID and KID of {len(pictures)} pictures say nothing; give {_LEAST} or more."
            )
        self._clip, self._classifier, self._seed = clip, classifier, seed
        rng = np.random.default_rng(seed)
        rows = np.sort(rng.permutation(len(pictures))[:count])
        parts = [rows[i : i + _AT_ONCE] for i in range(0, len(rows), _AT_ONCE)]
        self._real = self._features([to_batch(pictures.images[part], device) for part in parts])

    def __call__(self, draw: Draw) -> dict[str, float]:
        """``fid``, ``kid`` with its deviation over subsets, and ``clip_score``.

        CLIP score is the mean of 100 · max(0, cos) over the drawn pictures and their captions.
        """
        count = len(self._real)
        repeated = torch.arange(count, device=draw.texts.device) % len(draw.texts)
        images = draw(draw.texts[repeated], self._seed)
        features = self._features(images.split(_AT_ONCE))
        sentences = draw.texts[:, 0] if draw.texts.ndim == 3 else draw.texts
        scores = []
        with torch.no_grad():
            for part, rows in zip(images.split(_AT_ONCE), repeated.split(_AT_ONCE), strict=True):
                cosines = (self._clip.images(part * 2 - 1) * sentences[rows]).sum(dim=1)
                scores.append(100 * cosines.clamp(min=0))
        distances = fid_and_kid(self._real, features, self._seed)
        return distances | {"clip_score": round(float(torch.cat(scores).mean()), 3)}

    @torch.no_grad()
    def _features(self, batches: Any) -> Tensor:
        return torch.cat([self._classifier(batch * 2 - 1)[0].cpu() for batch in batches])


def fid_and_kid(real: Tensor, drawn: Tensor, seed: int = 0) -> dict[str, float]:
    """From features (n, d) and (m, d): ``fid``, ``kid`` and ``kid_deviation``.

    KID is the mean over 100 subsets, drawn with ``seed``, of half the features or 1,000.
    """
    fid_metric, kid_metric = _metrics()
    passed = nn.Identity()  # the features are there already, once for both
    passed.num_features = real.shape[1]  # type: ignore[assignment]
    fid = fid_metric(feature=passed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that features are kept in memory
        kid = kid_metric(
            feature=passed, subsets=_SUBSETS, subset_size=min(1000, min(len(real), len(drawn)) // 2)
        )
    for metric in (fid, kid):
        metric.update(real.double(), real=True)
        metric.update(drawn.double(), real=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        mean, deviation = kid.compute()
    return {
        "fid": round(float(fid.compute()), 4),
        "kid": round(float(mean), 6),
        "kid_deviation": round(float(deviation), 6),
    }


def _metrics() -> tuple[Any, Any]:
    try:
        from torchmetrics.image.fid import FrechetInceptionDistance
        from torchmetrics.image.kid import KernelInceptionDistance
    except ImportError as error:
        raise UsageError(
            "FID and KID need torchmetrics; run `pip install 'evo-t2i[metrics]'`."
        ) from error
    return FrechetInceptionDistance, KernelInceptionDistance
