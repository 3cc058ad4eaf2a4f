"""From what a person names as data to pictures, and to measures of what is trained on them."""

from collections.abc import Callable
from pathlib import Path

import torch

from evo_t2i.errors import UsageError
from evo_t2i.training.data import Pictures, prepare
from evo_t2i.training.fidelity import Fidelity
from evo_t2i.training.frozen import FrozenClip, load_frozen_classifier
from evo_t2i.training.lafite_settings import LafiteSettings
from evo_t2i.training.pool import IMAGE_SIZE, Pool, load_pool

WORLD = "world"
"""Data of this name is rendered."""
_WORLD_SEED = 1


def read_pictures(
    data: str,
    settings: LafiteSettings,
    out: Path,
    *,
    workers: int = 0,
    renders: int = 32_000,
    progress: Callable[[int, int], None] | None = None,
) -> Pictures:
    """The pictures in a folder or in shards, or renders of the world, at the generator's size.

    What is read or rendered is kept in ``out`` and found there again. ``progress`` is told how many
    are done, of how many. Raises as ``prepare``, and UsageError for a size that the world's renders
    do not have.
    """
    size = settings.architecture.resolution
    if data != WORLD:
        return prepare(
            Path(data).expanduser(),
            size,
            out,
            captioned=settings.captioned,
            workers=workers,
            progress=progress,
        )
    if size != IMAGE_SIZE:
        raise UsageError(
            f"The world is rendered at {IMAGE_SIZE} pixels for training; set `resolution` to that."
        )
    told = None if progress is None else lambda done: progress(done, renders)
    return pictures_of(load_pool(out, renders, _WORLD_SEED, workers=max(1, workers), progress=told))


def pictures_of(pool: Pool) -> Pictures:
    """A pool's renders with their captions; what the renderer knows beyond them is left aside."""
    return Pictures(
        images=pool.images,
        names=[f"{pool.folder.name}/{row}" for row in range(len(pool))],
        captions=[
            tuple(dict.fromkeys(pool.texts[text] for text in rows)) for rows in pool.caption_rows
        ],
        problems={},
        digest=pool.folder.name,  # names the seed, the count and the world's source
        folder=pool.folder,
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
