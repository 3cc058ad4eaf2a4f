"""From what a person names as data to pictures, and to measures of what is trained on them."""

from collections.abc import Callable
from pathlib import Path

import torch

from evo_t2i.training.data import Pictures, prepare
from evo_t2i.training.data.renders import render_pictures
from evo_t2i.training.fidelity import Fidelity
from evo_t2i.training.frozen import FrozenClip, load_frozen_classifier
from evo_t2i.training.lafite_settings import LafiteSettings

WORLD = "world"
"""Data of this name is rendered."""


def read_pictures(
    data: str,
    size: int,
    out: Path,
    *,
    captioned: bool = True,
    workers: int = 0,
    renders: int = 16_000,
    progress: Callable[[int, int], None] | None = None,
) -> Pictures:
    """The pictures in a folder or in shards, or renders of the world, at ``size`` pixels.

    What is read or rendered is kept in ``out`` and found there again. ``progress`` is told how many
    are done, of how many. Raises as ``prepare``.
    """
    if data == WORLD:
        return render_pictures(size, renders, out, workers=workers, progress=progress)
    return prepare(
        Path(data).expanduser(),
        size,
        out,
        captioned=captioned,
        workers=workers,
        progress=progress,
    )


def measure_of(
    pictures: Pictures,
    settings: LafiteSettings,
    device: torch.device,
    *,
    network: str = "efficientnet_lite0",
    count: int = 1000,
) -> Fidelity:
    """FID and KID on a named classifier, and CLIP score, for ``train_lafite``.

    Raises as ``Fidelity`` and ``load_frozen_classifier``.
    """
    clip = FrozenClip(settings.clip, device)
    classifier = load_frozen_classifier(network, device)
    return Fidelity(pictures, clip, classifier, device, count=count, seed=settings.seed)
