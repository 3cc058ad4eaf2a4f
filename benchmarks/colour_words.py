"""Collect words for the world's colours from the colours that people named in xkcd's survey.

    python benchmarks/colour_words.py > evo_t2i/world/colour_words.json

The survey (https://blog.xkcd.com/2010/05/03/color-survey-results/, public domain) has the commonest
name of each of 949 colours of the screen; matplotlib ships them. A name that ends with one of the
world's colours means that one; another the nearest in CIELAB, unless a second is hardly farther.
Left out are words that the world holds out to measure with, that name things, places or times, and
what one would not say before a child.
"""

import json
import re
import sys

import numpy as np
from matplotlib.colors import XKCD_COLORS, to_rgb
from numpy.typing import ArrayLike, NDArray

from evo_t2i.world import COLOURS, HELD_OUT_WORDS, PALETTE
from evo_t2i.world.synonyms import SYNONYMS, collected

FARTHER = 0.7
"""How near the nearest colour must be, as a share of the distance to the second."""
RUDE = re.compile("poo|puke|shit|vomit|snot|barf|piss|bile|puce|booger")


def main() -> None:
    palette = np.array([lab(np.array(rgb) / 255) for rgb in PALETTE.values()])
    taken = {*HELD_OUT_WORDS, *(word for words in SYNONYMS.values() for word in words), *SYNONYMS}
    taken -= {word for words in collected("colour").values() for word in words}
    found: dict[str, list[str]] = {colour: [] for colour in COLOURS}
    for key, code in XKCD_COLORS.items():
        name = key.removeprefix("xkcd:").replace("gray", "grey")
        words = re.split("[ -]", name)
        if name in taken or not taken.isdisjoint(set(words) - set(COLOURS)) or len(words) > 3:
            continue
        if "/" in name or RUDE.search(name):
            continue
        named = [word for word in words if word in COLOURS]
        if named:
            if named == words[-1:]:
                found[named[0]].append(name)
            continue
        distances = np.linalg.norm(palette - lab(to_rgb(code)), axis=1)
        first, second = np.argsort(distances)[:2]
        if distances[first] < FARTHER * distances[second]:
            found[COLOURS[first]].append(name)
    json.dump({colour: sorted(words) for colour, words in found.items()}, sys.stdout, indent=1)
    print()


def lab(rgb: ArrayLike) -> NDArray[np.float64]:
    """sRGB in [0, 1] → CIELAB under D65 (IEC 61966-2-1 and CIE 1976)."""
    coded = np.asarray(rgb, np.float64)
    linear = np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    scaled = np.array(to_xyz) @ linear / (0.9505, 1.0, 1.089)
    cubic = np.where(scaled > (6 / 29) ** 3, np.cbrt(scaled), scaled / (3 * (6 / 29) ** 2) + 4 / 29)
    x, y, z = cubic
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


if __name__ == "__main__":
    main()
