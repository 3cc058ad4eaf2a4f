"""Where things stand: boxes for everything that an arrangement holds, before any mirroring.

A box is as large as its kind is when alone, shrunk to fit the room that the arrangement gives.
"""

from collections.abc import Callable
from dataclasses import dataclass

from evo_t2i.world.arrangements import SKY
from evo_t2i.world.scenes import Box, Thing

SIZES: dict[str, tuple[float, float]] = {
    "cat sitting": (0.46, 0.54),
    "cat lying": (0.66, 0.42),
    "dog sitting": (0.46, 0.56),
    "dog standing": (0.62, 0.52),
    "bird perched": (0.46, 0.42),
    "bird flying": (0.54, 0.42),
    "horse": (0.66, 0.62),
    "cow": (0.68, 0.52),
    "sheep": (0.58, 0.46),
    "rabbit": (0.38, 0.56),
    "duck": (0.48, 0.44),
    "fish bowl": (0.46, 0.44),
    "fish leaping": (0.54, 0.38),
    "teddy bear": (0.46, 0.56),
    "man standing": (0.36, 0.72),
    "woman standing": (0.36, 0.70),
    "boy standing": (0.34, 0.62),
    "girl standing": (0.36, 0.62),
    "man sitting": (0.40, 0.60),
    "woman sitting": (0.40, 0.58),
    "boy sitting": (0.38, 0.52),
    "girl sitting": (0.38, 0.52),
    "man riding": (0.40, 0.60),
    "woman riding": (0.40, 0.58),
    "boy riding": (0.40, 0.54),
    "girl riding": (0.40, 0.54),
    "face": (0.84, 0.84),
    "robot": (0.46, 0.60),
    "bus": (0.74, 0.54),
    "car": (0.72, 0.37),
    "truck": (0.76, 0.44),
    "train": (0.84, 0.42),
    "bicycle": (0.66, 0.44),
    "airplane": (0.68, 0.36),
    "rocket": (0.32, 0.64),
    "boat": (0.54, 0.58),
    "balloon": (0.46, 0.60),
    "house": (0.56, 0.58),
    "castle": (0.70, 0.62),
    "lighthouse": (0.34, 0.74),
    "lighthouse rock": (0.48, 0.76),
    "tree": (0.50, 0.64),
    "table": (0.80, 0.42),
    "chair": (0.40, 0.60),
    "sofa": (0.82, 0.46),
    "bench": (0.76, 0.40),
    "lamp": (0.34, 0.60),
    "lamp street": (0.22, 0.72),
    "cup": (0.46, 0.38),
    "book": (0.50, 0.36),
    "apple": (0.38, 0.40),
    "cake": (0.48, 0.46),
    "flower growing": (0.38, 0.60),
    "flower vase": (0.36, 0.58),
    "ball": (0.42, 0.42),
    "umbrella": (0.58, 0.58),
    "hat": (0.54, 0.38),
}
"""(width, height) of a thing that is alone, as fractions of the picture."""

_GROUND: dict[str, tuple[float, float]] = {
    "skyline": (0.95, 0.91),
    "street": (0.91, 0.84),
    "room": (0.94, 0.87),
    "field": (0.92, 0.82),
    "sea": (0.88, 0.77),
    "beach": (0.93, 0.85),
    "mountains": (0.93, 0.86),
    "snow": (0.92, 0.84),
    "portrait": (0.97, 0.97),
}
"""y of the ground under things that are near, and far."""

SURFACES: dict[str, tuple[Box, float, float, float]] = {
    "table": ((0.06, 0.60, 0.94, 1.00), 0.13, 0.60, 0.54),
    "sofa": ((0.07, 0.46, 0.93, 0.95), 0.66, 0.46, 0.54),
    "chair": ((0.27, 0.36, 0.73, 0.95), 0.58, 0.30, 0.38),
    "bench": ((0.08, 0.50, 0.92, 0.93), 0.52, 0.46, 0.52),
    "car": ((0.10, 0.54, 0.90, 0.93), 0.08, 0.32, 0.42),
    "tree": ((0.0, 0.0, 1.0, 1.0), 0.755, 0.46, 0.50),
    "horse": ((0.13, 0.38, 0.87, 0.97), 0.50, 0.40, 0.58),
    "bicycle": ((0.10, 0.46, 0.90, 0.95), 0.20, 0.40, 0.62),
}
"""Bases: box, where its surface is (as a share of the box's height), and the room on it."""

_SHELTERS: dict[str, tuple[Box, float, float, float, float]] = {
    "table": ((0.05, 0.34, 0.95, 0.97), 0.50, 0.95, 0.52, 0.42),
    "tree": ((0.12, 0.02, 0.88, 0.90), 0.30, 0.96, 0.46, 0.50),
    "umbrella": ((0.08, 0.06, 0.92, 0.92), 0.38, 0.95, 0.40, 0.46),
}
"""Shelters: box, and x, ground and room of what is under them."""

# Where worn things sit on a face, as fractions of the face's box.
_WORN: dict[tuple[str, str], Box] = {
    ("goggles", "cat"): (0.06, 0.38, 0.94, 0.72),
    ("goggles", "dog"): (0.06, 0.22, 0.94, 0.60),
    ("goggles", "rabbit"): (0.10, 0.44, 0.90, 0.76),
    ("goggles", "teddy bear"): (0.10, 0.34, 0.90, 0.68),
    ("goggles", "robot"): (0.14, 0.30, 0.86, 0.62),
    ("goggles", "person"): (0.18, 0.32, 0.82, 0.60),
    ("hat", "cat"): (0.22, -0.10, 0.78, 0.34),
    ("hat", "dog"): (0.14, -0.20, 0.86, 0.24),
    ("hat", "rabbit"): (0.22, 0.04, 0.78, 0.40),
    ("hat", "teddy bear"): (0.18, -0.12, 0.82, 0.28),
    ("hat", "robot"): (0.20, -0.10, 0.80, 0.28),
    ("hat", "person"): (0.12, -0.14, 0.88, 0.28),
}


@dataclass(frozen=True)
class Plan:
    """Everything that has been decided before things are placed, and the three amounts in [0, 1).

    kinds, colours, poses: one a slot; `count` is of slot 0.
    """

    arrangement: str
    scene: str
    kinds: tuple[str, ...]
    colours: tuple[str, ...]
    poses: tuple[str, ...]
    count: int
    placement: str
    shift: float
    size: float


def size_of(kind: str, pose: str) -> tuple[float, float]:
    """(width, height) of a thing that is alone."""
    if pose == "face":
        return SIZES["face"]
    return SIZES.get(f"{kind} {pose}") or SIZES[kind]


def place(plan: Plan) -> tuple[Thing, ...]:
    """The things of `plan`, in the order of their slots."""
    if not plan.kinds:
        return ()
    boxes = _LAYOUTS[plan.arrangement](plan)
    things = []
    for number, box in enumerate(boxes):
        slot = max(0, number - plan.count + 1)
        kind, colour, pose = plan.kinds[slot], plan.colours[slot], plan.poses[slot]
        things.append(Thing(kind, colour, box, False, pose, slot))
    return tuple(things)


def _fit(plan: Plan, slot: int, x: float, bottom: float, width: float, height: float) -> Box:
    """A box for the thing in `slot` that stands on `bottom` around `x` and fits the room."""
    natural = size_of(plan.kinds[slot], plan.poses[slot])
    scale = min(width / natural[0], height / natural[1], 1.05) * (0.94 + 0.10 * plan.size)
    half = natural[0] * scale / 2
    return x - half, bottom - natural[1] * scale, x + half, bottom


def _drifted(plan: Plan, reach: float) -> float:
    return reach * (2 * plan.shift - 1)


def _is_far(plan: Plan) -> bool:
    return plan.placement.startswith("far")


def _flies(plan: Plan, slot: int) -> bool:
    kind, pose = plan.kinds[slot], plan.poses[slot]
    if kind == "rocket":
        return plan.arrangement == "over" or plan.scene not in ("field", "mountains")
    return kind in SKY and pose != "perched"


def _one(plan: Plan) -> list[Box]:
    if plan.count > 1:
        return _several(plan)
    far = _is_far(plan)
    ground = _GROUND[plan.scene][far]
    room = 0.62 if far else 1.0
    width, height = size_of(plan.kinds[0], plan.poses[0])
    scale = min(room * 1.0, 0.86 * room / width, 0.80 * room / height)
    half = width * scale / 2
    x = 0.5
    if "side" in plan.placement:
        x = max(0.30, half + 0.03)
    x += _drifted(plan, min(0.05, max(0.0, 0.48 - half)))
    if _flies(plan, 0):
        middle = 0.36 if plan.scene != "skyline" else 0.30
        ground = max(middle + height * scale / 2, height * scale + 0.04)
    if plan.scene == "portrait":
        return [_fit(plan, 0, 0.5 + _drifted(plan, 0.03), 0.97, 0.84, 0.84)]
    return [_fit(plan, 0, x, ground, width * scale, height * scale)]


def _several(plan: Plan) -> list[Box]:
    """Two or three of a kind: in a row on the ground, or scattered over the sky."""
    if _flies(plan, 0):
        return _flock(plan)
    reach = 0.80 if _is_far(plan) else 1.0
    cell = reach / plan.count
    boxes = []
    for number in range(plan.count):
        x = 0.5 + (number - (plan.count - 1) / 2) * cell
        x += _drifted(plan, 0.05 if _is_far(plan) else 0.008)
        y = _GROUND[plan.scene][_is_far(plan)] + 0.025 * (number % 2) - 0.01
        boxes.append(_fit(plan, 0, x, y, cell * 0.88, 0.60 * reach))
    return boxes


def _flock(plan: Plan) -> list[Box]:
    """Two or three in the sky; three wide ones two above one, so that all have room."""
    width, height = size_of(plan.kinds[0], plan.poses[0])
    low = 0.46 if plan.scene == "skyline" else 0.52
    spots: tuple[tuple[float, float], ...]
    if plan.count == 3 and width > height:
        spots, cell = ((0.26, 0.20), (0.75, 0.24), (0.50, low)), 0.46
    elif plan.count == 3:
        spots, cell = ((0.18, 0.26), (0.50, 0.40), (0.82, 0.29)), 0.31
    else:
        spots, cell = ((0.26, 0.28), (0.74, 0.38)), 0.46
    boxes = []
    for x, y in spots:
        x0, y0, x1, y1 = _fit(plan, 0, x + _drifted(plan, 0.012), y, cell, 0.48)
        down = max((y1 - y0) / 2, 0.03 + y1 - y0 - y)
        boxes.append((x0, y0 + down, x1, y1 + down))
    return boxes


def _in_a_row(plan: Plan) -> list[Box]:
    """Different things side by side; the larger kinds get more of the width."""
    reach = 0.84 if _is_far(plan) else 0.98
    ground = _GROUND[plan.scene][_is_far(plan)]
    widths = [size_of(k, p)[0] for k, p in zip(plan.kinds, plan.poses, strict=True)]
    shares = [max(w, 0.34) ** 0.6 for w in widths]
    left = (1 - reach) / 2 + _drifted(plan, (1 - reach) / 2)
    boxes = []
    for slot, share in enumerate(shares):
        cell = reach * share / sum(shares)
        boxes.append(_fit(plan, slot, left + cell / 2, ground, cell * 0.90, 0.64 * reach))
        left += cell
    return boxes


def _on(plan: Plan) -> list[Box]:
    base = plan.kinds[1]
    (x0, y0, x1, y1), surface, width, height = SURFACES[base]
    aside = _aside(plan, 0.15 if base in ("table", "sofa", "bench") else 0.0)
    if base == "chair":
        shift = _drifted(plan, 0.10) + (-0.14 if plan.placement == "side" else 0)
        x0, x1 = x0 + shift, x1 + shift
    middle = (x0 + x1) / 2 + {"car": 0.05, "tree": -0.10, "horse": 0.09, "bicycle": 0.11}.get(
        base, 0.0
    )
    bottom = y0 + (y1 - y0) * surface
    if plan.poses[0] == "sitting" and plan.kinds[0] in _SEATED:
        bottom += 0.14 if base == "sofa" else 0.18
        height += 0.10
    elif plan.poses[0] == "riding":
        aside = 0.0
        top = _fit(plan, 0, 0.5, 0.0, width, height)[1]
        bottom -= 0.40 * top
    boxes = []
    if plan.count == 2:
        for side in (-1, 1):
            boxes.append(_fit(plan, 0, middle + 0.20 * side, bottom, width * 0.70, height * 0.85))
    else:
        boxes.append(_fit(plan, 0, middle + aside, bottom, width, height))
    return [*boxes, (x0, y0, x1, y1)]


# Those whose legs hang down from what they sit on.
_SEATED = ("man", "woman", "boy", "girl")


def _aside(plan: Plan, reach: float) -> float:
    return -reach * (0.4 + 0.6 * plan.shift) if plan.placement == "side" else _drifted(plan, 0.04)


def _under(plan: Plan) -> list[Box]:
    box, x, bottom, width, height = _SHELTERS[plan.kinds[1]]
    x += _drifted(plan, 0.03)
    if plan.kinds[1] == "table" and plan.placement == "side":
        x -= 0.06
    elif plan.placement == "side":
        box = (box[0] + 0.03, box[1], box[2] + 0.03, box[3])
    return [_fit(plan, 0, x, bottom, width, height), box]


def _in_front(plan: Plan) -> list[Box]:
    """A large thing behind, a smaller one before its left part."""
    near, far = _GROUND[plan.scene]
    right = 0.60 if plan.placement == "centre" else 0.64
    back = _fit(plan, 1, right + _drifted(plan, 0.02), (near + 2 * far) / 3, 0.72, 0.72)
    wide = size_of(plan.kinds[0], plan.poses[0])[0] > 0.60
    front = _fit(plan, 0, 0.27, near + 0.04, 0.46 if wide else 0.38, 0.46)
    return [front, (min(back[0], 0.97 - back[2] + back[0]), back[1], min(back[2], 0.97), back[3])]


def _over(plan: Plan) -> list[Box]:
    """A thing in the sky, one on the ground under it."""
    ground = _GROUND[plan.scene][0]
    below = _fit(plan, 1, 0.56 + _drifted(plan, 0.08), ground + 0.02, 0.60, 0.44)
    above = _fit(plan, 0, 0.44 - _drifted(plan, 0.06), 0.0, 0.58, 0.38)
    height = above[3] - above[1]
    bottom = min(0.03 + height + 0.05 * plan.size, below[1] - 0.02)
    return [(above[0], bottom - height, above[2], bottom), below]


def _wearing(plan: Plan) -> list[Box]:
    capped = "hat" in plan.kinds
    room = 0.76 if capped else 0.84
    x0, y0, x1, y1 = _fit(plan, 0, 0.5 + _drifted(plan, 0.03), 0.99, room, room)
    width, height = x1 - x0, y1 - y0
    boxes = [(x0, y0, x1, y1)]
    for kind in plan.kinds[1:]:
        face = "person" if (kind, plan.kinds[0]) not in _WORN else plan.kinds[0]
        left, top, right, bottom = _WORN[kind, face]
        boxes.append(
            (x0 + left * width, y0 + top * height, x0 + right * width, y0 + bottom * height)
        )
    return boxes


_LAYOUTS: dict[str, Callable[[Plan], list[Box]]] = {
    "one": _one,
    "beside": _in_a_row,
    "row": _in_a_row,
    "on": _on,
    "under": _under,
    "in front of": _in_front,
    "over": _over,
    "wearing": _wearing,
    "wearing both": _wearing,
}
