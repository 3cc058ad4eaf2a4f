"""Draw the sheet of the built-in world in docs/training.md: every scene at every time of day.

python examples/world.py docs/images/world.png
"""

import sys
from pathlib import Path

import numpy as np

from evo_t2i.report.sheets import contact_sheet
from evo_t2i.world import SCENES, TIMES, captions, render, sample_scene

SIZE = 192


def main() -> None:
    images, labels = [], []
    for row, time in enumerate(TIMES):
        for column, scene in enumerate(SCENES):
            rng = np.random.default_rng([17, row, column])
            drawn = sample_scene(rng, scene=scene, time=time)
            said = min((caption.text for caption in captions(drawn, rng, 6)), key=len)
            images.append(render(drawn, SIZE).image)
            labels.append([f"{scene}, {time}", said])
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "world.png")
    contact_sheet(images, labels, "The built-in world", out, columns=len(SCENES))


if __name__ == "__main__":
    main()
