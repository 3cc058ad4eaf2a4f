"""Scenes that no grammar would compose: any things, anywhere, before any backdrop.

For networks that have to see what is there and not what usually is. How two of the things stand to
each other is left open.
"""

import numpy as np

from evo_t2i.world.kinds import COLOURS, KIND_COLOURS, KINDS, SCENES, TIMES, VIEWS
from evo_t2i.world.layout import size_of
from evo_t2i.world.scenes import Box, Scene, Thing

_FORMS: dict[str, tuple[str, ...]] = {
    "cat": ("sitting", "lying"),
    "dog": ("sitting", "standing"),
    "bird": ("perched", "flying"),
    "fish": ("bowl", "leaping"),
    "flower": ("growing", "vase"),
    **dict.fromkeys(("man", "woman", "boy", "girl"), ("standing", "sitting")),
}
"""Of kinds with more than one; the others have none."""
_OPEN = tuple(scene for scene in SCENES if scene not in ("portrait", "tree"))
_TRIES = 60
_OVERLAP = 0.15
"""Of a thing's area, how much may lie over or under another."""


def free_scene(rng: np.random.Generator) -> Scene:
    """One to three things of random kinds, colours, sizes and places that hardly overlap."""
    things: list[Thing] = []
    wanted = int(rng.integers(1, 4))
    for _ in range(_TRIES):
        if len(things) == wanted:
            break
        kind = KINDS[int(rng.integers(len(KINDS)))]
        if things and rng.random() < 0.25:
            kind = things[-1].kind
        thing = _thing(kind, len(things), rng)
        if all(_shared(thing.box, other.box) <= _OVERLAP for other in things):
            things.append(thing)
    return Scene(
        scene=_OPEN[int(rng.integers(len(_OPEN)))],
        time=TIMES[int(rng.integers(len(TIMES)))],
        arrangement="one",
        things=tuple(things),
        view=int(rng.integers(VIEWS)),
        mirrored=bool(rng.random() < 0.5),
        drift=float(rng.random()),
        choices=(),
    )


def _thing(kind: str, slot: int, rng: np.random.Generator) -> Thing:
    forms, colours = _FORMS.get(kind, ("",)), KIND_COLOURS[kind]
    form = forms[int(rng.integers(len(forms)))]
    width, height = (0.6, 0.22) if kind == "goggles" else size_of(kind, form)
    scale = rng.uniform(0.45, 0.95)
    width, height = width * scale, height * scale
    x, y = rng.uniform(0.01, 0.99 - width), rng.uniform(0.01, 0.99 - height)
    colour = colours[int(rng.integers(len(colours)))]
    assert colour in COLOURS
    box = (float(x), float(y), float(x + width), float(y + height))
    return Thing(kind, colour, box, bool(rng.random() < 0.5), form, slot)


def _shared(first: Box, second: Box) -> float:
    """Of the smaller box's area, what lies in the other."""
    across = min(first[2], second[2]) - max(first[0], second[0])
    down = min(first[3], second[3]) - max(first[1], second[1])
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)]
    return max(0.0, across) * max(0.0, down) / min(areas)
