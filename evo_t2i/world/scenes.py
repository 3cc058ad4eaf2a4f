"""What can be in a picture of the procedural world: scenes, things, colours and layouts.

A `Scene` is a complete, renderable description; `sample_scene` draws one from the world's
distribution. Boxes are (x0, y0, x1, y1) as fractions of the image, y pointing down.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

SCENES = ("skyline", "street", "room", "field", "tree", "sea", "portrait")
TIMES = ("day", "sunset", "night")
KINDS = (
    "cat",
    "dog",
    "bird",
    "bus",
    "car",
    "boat",
    "house",
    "tree",
    "table",
    "cup",
    "flower",
    "ball",
    "balloon",
    "umbrella",
    "goggles",
    "hat",
)
VIEWS = 4
POSES = (
    "",
    "sitting",
    "standing",
    "lying",
    "face",
    "perched",
    "flying",
    "branch",
    "growing",
    "vase",
    "worn",
)

PALETTE: dict[str, tuple[int, int, int]] = {
    "red": (222, 38, 44),
    "orange": (246, 138, 30),
    "yellow": (252, 214, 40),
    "green": (48, 158, 62),
    "blue": (36, 92, 216),
    "purple": (142, 60, 176),
    "white": (246, 245, 240),
    "black": (42, 40, 48),
    "brown": (136, 84, 46),
    "grey": (142, 146, 154),
}
COLOURS = tuple(PALETTE)

KIND_COLOURS: dict[str, tuple[str, ...]] = {
    "cat": ("orange", "black", "white", "grey"),
    "dog": ("brown", "white", "black"),
    "bird": ("red", "blue", "yellow", "white"),
    "bus": ("red", "yellow", "green", "blue"),
    "car": ("red", "yellow", "blue", "white"),
    "boat": ("red", "yellow", "blue", "white"),
    "house": ("red", "yellow", "blue", "white"),
    "tree": ("green",),
    "table": ("brown",),
    "cup": ("red", "yellow", "green", "blue", "white"),
    "flower": ("red", "yellow", "purple", "white"),
    "ball": ("red", "orange", "yellow", "green", "blue"),
    "balloon": ("red", "yellow", "green", "blue", "purple"),
    "umbrella": ("red", "yellow", "green", "blue", "purple"),
    "goggles": ("red", "yellow", "green", "blue"),
    "hat": ("red", "yellow", "green", "blue", "purple"),
}

SCENE_WEIGHTS: dict[str, float] = {
    "skyline": 0.13,
    "street": 0.17,
    "room": 0.19,
    "field": 0.19,
    "tree": 0.09,
    "sea": 0.10,
    "portrait": 0.13,
}

# (width, height) of a thing that is the main one, as fractions of the image.
SIZES: dict[tuple[str, str], tuple[float, float]] = {
    ("cat", "sitting"): (0.46, 0.54),
    ("cat", "lying"): (0.66, 0.42),
    ("cat", "face"): (0.84, 0.84),
    ("dog", "sitting"): (0.46, 0.56),
    ("dog", "standing"): (0.62, 0.52),
    ("dog", "face"): (0.84, 0.84),
    ("bird", "perched"): (0.48, 0.44),
    ("bird", "flying"): (0.54, 0.42),
    ("bus", ""): (0.72, 0.54),
    ("car", ""): (0.70, 0.36),
    ("boat", ""): (0.52, 0.56),
    ("house", ""): (0.56, 0.58),
    ("tree", ""): (0.50, 0.64),
    ("tree", "branch"): (1.0, 1.0),
    ("table", ""): (0.90, 0.42),
    ("cup", ""): (0.46, 0.38),
    ("flower", "growing"): (0.40, 0.64),
    ("flower", "vase"): (0.36, 0.58),
    ("ball", ""): (0.42, 0.42),
    ("balloon", ""): (0.46, 0.60),
    ("umbrella", ""): (0.60, 0.60),
    ("hat", ""): (0.56, 0.38),
}


@dataclass(frozen=True)
class Thing:
    """One object: what it is, its colour name and where it is meant to be drawn."""

    kind: str
    colour: str
    box: tuple[float, float, float, float]
    mirrored: bool
    pose: str = ""


@dataclass(frozen=True)
class Scene:
    """A whole picture; rendering is a pure function of it.

    things: the main thing first; `relation` says how it stands to the second one
        (for "over" in skyline, sea and field: to the scene).
    seed: what else there is to choose: mirrored or not, the view, how far the sun has moved.
    """

    scene: str
    time: str
    things: tuple[Thing, ...]
    relation: str
    seed: int

    @property
    def mirrored(self) -> bool:
        """Whether the whole picture is drawn the other way round."""
        return bool(self.seed % 2)

    @property
    def view(self) -> int:
        """Which of the scene's `VIEWS` backdrops (towers, houses, hills, clouds) is seen."""
        return self.seed // 2 % VIEWS

    @property
    def drift(self) -> float:
        """How far the sun or the moon has moved on, in [0, 1)."""
        return self.seed // (2 * VIEWS) % 1000 / 1000


T = TypeVar("T")
Layout = tuple[list[Thing], str]


def pick(rng: np.random.Generator, items: Sequence[T], weights: Sequence[float] = ()) -> T:
    """One of `items`, evenly or by `weights` (any positive scale)."""
    position = rng.random()
    if not weights:
        return items[int(position * len(items))]
    position *= sum(weights)
    for item, weight in zip(items, weights, strict=True):
        position -= weight
        if position < 0:
            return item
    return items[-1]


def sample_scene(
    rng: np.random.Generator, scene: str | None = None, time: str | None = None
) -> Scene:
    """A random scene; `scene` and `time` fix those two when given."""
    scene = scene or pick(rng, SCENES, [SCENE_WEIGHTS[name] for name in SCENES])
    time = time or pick(rng, TIMES)
    things, relation = _LAYOUTS[scene](rng)
    seed = int(rng.integers(0, 2**31))
    if seed % 2:
        things = [_mirror(thing) for thing in things]
    return Scene(scene, time, tuple(things), relation, seed)


def _mirror(thing: Thing) -> Thing:
    x0, y0, x1, y1 = thing.box
    return Thing(thing.kind, thing.colour, (1 - x1, y0, 1 - x0, y1), not thing.mirrored, thing.pose)


def _place(
    rng: np.random.Generator,
    kind: str,
    pose: str,
    centre: float,
    bottom: float,
    scale: float = 1.0,
    avoid: str = "",
    jitter: float = 1.0,
) -> Thing:
    """A thing whose box stands on `bottom`, jittered in place and size, not coloured `avoid`."""
    width, height = SIZES[kind, pose]
    scale *= 1 + jitter * rng.uniform(-0.06, 0.06)
    x = centre + jitter * rng.uniform(-0.03, 0.03)
    y = bottom + jitter * rng.uniform(-0.01, 0.01)
    half = width * scale / 2
    colour = pick(rng, [c for c in KIND_COLOURS[kind] if c != avoid])
    return Thing(kind, colour, (x - half, y - height * scale, x + half, y), False, pose)


def _skyline(rng: np.random.Generator) -> Layout:
    choice = pick(rng, ("alone", "balloon", "bird", "boat"), (0.4, 0.2, 0.2, 0.2))
    if choice == "balloon":
        return [_place(rng, "balloon", "", 0.36, 0.63, 0.95)], "over"
    if choice == "bird":
        return [_place(rng, "bird", "flying", 0.40, 0.48, 0.95)], "over"
    if choice == "boat":
        return [_place(rng, "boat", "", 0.45, 0.95)], "in front of"
    return [], ""


def _street(rng: np.random.Generator) -> Layout:
    choice = pick(
        rng,
        ("bus", "bus tree", "car", "dog", "cat", "umbrella"),
        (0.30, 0.12, 0.26, 0.10, 0.10, 0.12),
    )
    if choice == "bus":
        return [_place(rng, "bus", "", 0.5, 0.90, 1.05)], ""
    if choice == "bus tree":
        bus = _place(rng, "bus", "", 0.37, 0.90, 0.86, jitter=0.4)
        return [bus, _place(rng, "tree", "", 0.83, 0.80, 0.84, jitter=0.4)], "next to"
    if choice == "car":
        return [_place(rng, "car", "", 0.5, 0.90, 1.05)], ""
    pose = {"dog": "standing", "cat": "sitting"}.get(choice, "")
    return [_place(rng, choice, pose, 0.48, 0.90, 1.05)], ""


def _room(rng: np.random.Generator) -> Layout:
    kind, pose = pick(
        rng,
        (
            ("cat", "sitting"),
            ("cat", "lying"),
            ("dog", "sitting"),
            ("cup", ""),
            ("flower", "vase"),
            ("ball", ""),
            ("hat", ""),
        ),
        (0.14, 0.18, 0.16, 0.19, 0.12, 0.09, 0.12),
    )
    thing = _place(rng, kind, pose, 0.42, 0.70)
    width, height = SIZES["table", ""]
    table = Thing("table", "brown", (0.05, 0.62, 0.05 + width, 0.62 + height), False)
    return [thing, table], "on"


def _field(rng: np.random.Generator) -> Layout:
    if rng.random() < 0.62:
        kind, pose = pick(
            rng,
            (
                ("cat", "sitting"),
                ("dog", "standing"),
                ("house", ""),
                ("tree", ""),
                ("flower", "growing"),
                ("ball", ""),
                ("umbrella", ""),
                ("balloon", ""),
            ),
            (0.10, 0.11, 0.18, 0.12, 0.16, 0.12, 0.13, 0.08),
        )
        if kind == "balloon":
            return [_place(rng, kind, pose, 0.42, 0.68, 0.98)], "over"
        return [_place(rng, kind, pose, 0.5, 0.88)], ""
    first, second, relation = pick(rng, _PAIRS)
    if relation == "in front of":
        back = _place(rng, *second, 0.60, 0.82, 1.12, jitter=0.6)
        front = _place(rng, *first, 0.27, 0.95, 0.80, avoid=back.colour, jitter=0.6)
        return [front, back], relation
    main = _place(rng, *first, 0.31, 0.90, 0.88, jitter=0.5)
    other = _place(rng, *second, 0.77, 0.88, 0.74, avoid=main.colour, jitter=0.5)
    return [main, other], relation


_PAIRS = (
    (("dog", "standing"), ("ball", ""), "next to"),
    (("cat", "sitting"), ("ball", ""), "next to"),
    (("cat", "sitting"), ("house", ""), "in front of"),
    (("dog", "standing"), ("house", ""), "in front of"),
    (("house", ""), ("tree", ""), "next to"),
    (("cat", "sitting"), ("flower", "growing"), "next to"),
    (("dog", "standing"), ("umbrella", ""), "next to"),
)


def _tree(rng: np.random.Generator) -> Layout:
    kind, pose = pick(rng, (("bird", "perched"), ("cat", "sitting")), (0.65, 0.35))
    thing = _place(rng, kind, pose, 0.40, 0.76)
    return [thing, Thing("tree", "green", (0.0, 0.0, 1.0, 1.0), False, "branch")], "on"


def _sea(rng: np.random.Generator) -> Layout:
    choice = pick(rng, ("alone", "boat", "balloon", "bird", "ball"), (0.12, 0.48, 0.14, 0.16, 0.10))
    if choice == "boat":
        return [_place(rng, "boat", "", 0.46, 0.86, 1.1)], ""
    if choice == "balloon":
        return [_place(rng, "balloon", "", 0.38, 0.66)], "over"
    if choice == "bird":
        return [_place(rng, "bird", "flying", 0.42, 0.56)], "over"
    if choice == "ball":
        return [_place(rng, "ball", "", 0.46, 0.84, 0.95)], ""
    return [], ""


def _portrait(rng: np.random.Generator) -> Layout:
    kind = pick(rng, ("cat", "dog"))
    worn = pick(rng, ("", "goggles", "hat"), (0.3, 0.42, 0.28))
    bottom = 1.0 if worn == "hat" else 0.96
    face = _place(rng, kind, "face", 0.5, bottom, 0.9 if worn == "hat" else 1.0, jitter=0.5)
    if not worn:
        return [face], ""
    x0, y0, x1, y1 = face.box
    width, height = x1 - x0, y1 - y0
    left, top, right, bottom = WORN_BOXES[worn, kind]
    box = (x0 + left * width, y0 + top * height, x0 + right * width, y0 + bottom * height)
    colour = pick(rng, KIND_COLOURS[worn])
    return [face, Thing(worn, colour, box, False, "worn")], "wearing"


# Where worn things sit on a face, as fractions of the face's box.
WORN_BOXES = {
    ("goggles", "cat"): (0.06, 0.28, 0.94, 0.66),
    ("goggles", "dog"): (0.06, 0.22, 0.94, 0.60),
    ("hat", "cat"): (0.22, -0.16, 0.78, 0.30),
    ("hat", "dog"): (0.10, -0.22, 0.90, 0.26),
}

_LAYOUTS: dict[str, Callable[[np.random.Generator], Layout]] = {
    "skyline": _skyline,
    "street": _street,
    "room": _room,
    "field": _field,
    "tree": _tree,
    "sea": _sea,
    "portrait": _portrait,
}
