"""A folder of pictures, masks and captions, for training elsewhere."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image

from evo_t2i.errors import UsageError
from evo_t2i.world.choices import sample_scene
from evo_t2i.world.grammar import captions
from evo_t2i.world.render import render


def export(
    out: Path,
    count: int,
    seed: int,
    size: int,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write `count` random scenes under `out`; the same arguments give the same files.

    images/000000.png holds a picture of `size` x `size`, masks/000000_0.png the visible part
    (255) of its first thing, and captions.jsonl one object a line: file, scene, time, arrangement,
    things (kind, colour, pose, box in pixels with exclusive ends, mask) and captions (text and
    what it names). `progress` is called with (done, count) after each picture.

    Raises UsageError when `out` exists and is not an empty folder, or a number is too small.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(
            f"The export needs a new or empty folder, but {out} already has contents; "
            "choose another folder or empty this one."
        )
    if count < 1 or size < 8:
        raise UsageError(
            f"The export needs at least 1 picture of at least 8 pixels a side, got {count} "
            f"pictures of {size}; raise the number."
        )
    (out / "images").mkdir(parents=True)
    (out / "masks").mkdir()
    with (out / "captions.jsonl").open("w", encoding="utf-8") as lines:
        for index in range(count):
            record = _write_picture(out, index, np.random.default_rng((seed, index)), size)
            lines.write(json.dumps(record) + "\n")
            if progress is not None:
                progress(index + 1, count)


def _write_picture(out: Path, index: int, rng: np.random.Generator, size: int) -> dict[str, object]:
    scene = sample_scene(rng)
    rendering = render(scene, size, with_masks=True)
    file = f"images/{index:06d}.png"
    Image.fromarray(rendering.image).save(out / file)
    things = []
    for number, thing in enumerate(scene.things):
        mask = f"masks/{index:06d}_{number}.png"
        Image.fromarray(rendering.masks[number].astype(np.uint8) * 255).save(out / mask)
        box = rendering.boxes[number].tolist()
        facts = {"kind": thing.kind, "colour": thing.colour, "pose": thing.pose}
        things.append({**facts, "box": box, "mask": mask})
    return {
        "file": file,
        "scene": scene.scene,
        "time": scene.time,
        "arrangement": scene.arrangement,
        "things": things,
        "captions": [asdict(caption) for caption in captions(scene, rng)],
    }
