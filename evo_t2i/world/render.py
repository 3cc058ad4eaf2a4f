"""From a `Scene` to pixels and masks, at any size."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from evo_t2i.world.backdrops import draw_backdrop
from evo_t2i.world.kinds import PALETTE
from evo_t2i.world.pen import Look, Pen
from evo_t2i.world.scenes import Scene
from evo_t2i.world.things import draw_shadow, draw_thing


@dataclass(frozen=True)
class Rendering:
    """A picture and where its things are.

    image: (size, size, 3) uint8.
    masks: (len(scene.things), size, size) bool, the visible part of each thing;
        (0, size, size) when masks were not asked for.
    boxes: (len(scene.things), 4) int64 x0, y0, x1, y1 in pixels around the masks, the ends
        exclusive; (0, 4) without masks.
    """

    image: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    boxes: NDArray[np.int64]


def supersampling(size: int) -> int:
    """How many samples a side each pixel averages: 4 for small pictures, 2 for large ones."""
    return 4 if size <= 128 else 2


def render(scene: Scene, size: int = 128, with_masks: bool = False) -> Rendering:
    """Draw `scene` as `size` x `size` pixels, anti-aliased; the same scene, the same pixels."""
    factor = supersampling(size)
    unit = size * factor
    canvas = Image.new("RGB", (unit, unit))
    labels = Image.new("L", (unit, unit)) if with_masks else None
    draw_backdrop(canvas, scene)
    order = list(range(len(scene.things)))
    if scene.arrangement in ("on", "under", "in front of"):
        order.reverse()
    for index in order:
        thing = scene.things[index]
        draw_shadow(Pen(canvas, thing.box, thing.mirrored), scene, thing)
        pen = Pen(canvas, thing.box, thing.mirrored, scene.time, labels, index + 1)
        draw_thing(pen, thing.kind, Look(PALETTE[thing.colour], thing.pose, scene.time))
    image = np.asarray(canvas.reduce(factor))
    if labels is None:
        return Rendering(image, np.zeros((0, size, size), bool), np.zeros((0, 4), np.int64))
    samples = np.asarray(labels).reshape(size, factor, size, factor)
    owners = np.arange(1, len(scene.things) + 1, dtype=np.uint8)[:, None, None, None, None]
    covered = (samples[None] == owners).mean(axis=(2, 4))  # (things, size, size)
    masks = covered > 0.5
    return Rendering(image, masks, mask_boxes(masks))


def mask_boxes(masks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(n, h, w) masks to (n, 4) boxes x0, y0, x1, y1, ends exclusive; all 0 for an empty mask."""
    boxes = np.zeros((len(masks), 4), np.int64)
    for box, mask in zip(boxes, masks, strict=True):
        columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
        if len(columns):
            box[:] = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return boxes
