"""Draw the sheet of the built-in world: a picture for every arrangement of things.

python examples/world.py docs/images/world.png
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from evo_t2i.report.sheets import contact_sheet
from evo_t2i.world import NOTES_CAPTIONS, captions, render, sample_scene

SIZE = 192
COLUMNS = 8
ROWS = {
    "one": 8,
    "beside": 7,
    "row": 3,
    "on": 6,
    "under": 3,
    "in front of": 3,
    "over": 2,
    "wearing": 4,
    "wearing both": 1,
    "empty": 6,
}
"""How many pictures of each arrangement; the captions of the notes come first."""


def main() -> None:
    rng = np.random.default_rng(29)
    scenes = [(sample_scene(rng, caption), caption.text) for caption in NOTES_CAPTIONS]
    left = dict(ROWS)
    while any(left.values()):
        scene = sample_scene(rng)
        if left[scene.arrangement] > 0:
            left[scene.arrangement] -= 1
            said = [caption.text for caption in captions(scene, rng, 12)]
            short = [text for text in said if len(text) < 34] or [min(said, key=len)]
            scenes.append((scene, max(short, key=len)))
    order = [*ROWS]
    scenes[5:] = sorted(scenes[5:], key=lambda item: order.index(item[0].arrangement))
    images = [render(scene, SIZE).image for scene, _ in scenes]
    labels = [[_wrapped(text)] for _, text in scenes]
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "world.png")
    contact_sheet(images, labels, "The built-in world", out, columns=COLUMNS)
    with Image.open(out) as sheet:
        small = sheet.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    small.save(out, optimize=True)


def _wrapped(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:39]}…"


if __name__ == "__main__":
    main()
