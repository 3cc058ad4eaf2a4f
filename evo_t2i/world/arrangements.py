"""What may occur together, and how often: every option of every choice with its weight.

An arrangement has slots, each filled by one kind (slot 0 by one, two or three of it). All
functions are pure and cached, since the same few thousand questions are asked without end.
"""

from functools import cache

from evo_t2i.world.kinds import KINDS, SCENES

Weights = tuple[tuple[str, float], ...]
"""Options with their weights, on any positive scale."""

ARRANGEMENTS: dict[str, tuple[int, float]] = {
    "empty": (0, 0.06),
    "one": (1, 0.33),
    "beside": (2, 0.17),
    "row": (3, 0.06),
    "on": (2, 0.13),
    "under": (2, 0.06),
    "in front of": (2, 0.07),
    "over": (2, 0.05),
    "wearing": (2, 0.05),
    "wearing both": (3, 0.02),
}
"""Arrangements with the number of their slots and their weight."""

PLACEMENTS = ("centre", "side", "far", "far side")

_SCENE_WEIGHTS: dict[str, float] = {
    "skyline": 0.6,
    "street": 1.0,
    "room": 1.3,
    "field": 1.2,
    "sea": 0.6,
    "beach": 0.8,
    "mountains": 0.7,
    "snow": 0.7,
    "portrait": 0.6,
}

_PEOPLE = ("man", "woman", "boy", "girl")
_PETS = ("cat", "dog", "rabbit")
_CATTLE = ("horse", "cow", "sheep")
_SMALL = ("cup", "book", "apple", "cake", "hat", "ball")
SKY = ("bird", "balloon", "airplane", "rocket")
"""Kinds that fly."""
MOUNTS = ("horse", "bicycle")
"""Kinds that people ride."""
FACES = ("cat", "dog", "rabbit", "teddy bear", "robot", *_PEOPLE)
"""Kinds that portraits show."""

_GROUND: dict[str, tuple[str, ...]] = {
    "street": (
        *("cat", "dog", "bird", "robot", *_PEOPLE, "bus", "car", "truck", "bicycle"),
        *("bench", "lamp", "umbrella", "ball", "tree", "chair"),
    ),
    "room": (
        *(*_PETS, "bird", "fish", "teddy bear", "robot", *_PEOPLE, "table", "chair", "sofa"),
        *("lamp", *_SMALL, "flower", "umbrella"),
    ),
    "field": (
        *(*_PETS, *_CATTLE, "bird", "duck", "teddy bear", "robot", *_PEOPLE, "car", "truck"),
        *("train", "bicycle", "house", "castle", "tree", "bench", "chair", "table"),
        *("flower", "umbrella", *_SMALL),
    ),
    "sea": ("boat", "duck", "fish", "ball", "lighthouse"),
    "beach": (
        *("cat", "dog", "bird", "duck", "horse", "teddy bear", *_PEOPLE, "boat", "castle"),
        *("lighthouse", "umbrella", "chair", "bench", "ball", "hat", "book", "cup", "apple"),
    ),
    "mountains": (
        *("dog", "rabbit", *_CATTLE, "robot", *_PEOPLE, "car", "truck", "train", "bicycle"),
        *("house", "castle", "tree", "bench", "flower"),
    ),
    "snow": (
        *(*_PETS, "horse", "sheep", "bird", "teddy bear", "robot", *_PEOPLE, "car", "truck"),
        *("bus", "train", "house", "castle", "tree", "bench", "lamp", "hat", "ball"),
    ),
}
"""What stands on the ground, or swims, in a scene."""
_SKIES = ("skyline", "field", "sea", "beach", "mountains", "snow")
"""Scenes over which things fly."""

_SITTERS = (*_PETS, "teddy bear", "bird", "book", "hat", "ball")
_ON: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "table": (
        ("room", "field", "beach"),
        (
            *(*_PETS, "bird", "duck", "fish", "teddy bear", "robot", "lamp"),
            *(*_SMALL, "flower"),
        ),
    ),
    "sofa": (("room",), (*_SITTERS, *_PEOPLE, "robot", "cup", "apple")),
    "chair": (("room", "field", "beach", "street"), (*_SITTERS, "cup", "apple", "cake")),
    "bench": (
        ("street", "field", "beach", "mountains", "snow"),
        (*_SITTERS, *_PEOPLE, "robot", "apple", "cup"),
    ),
    "car": (("street", "field", "snow"), ("cat", "dog", "bird", "teddy bear", "ball", "hat")),
    "tree": (("tree",), ("bird", "cat")),
    "horse": (("field", "beach", "mountains"), _PEOPLE),
    "bicycle": (("street", "field", "mountains"), _PEOPLE),
}
"""Bases: the scenes where they stand and what may be on them."""
_BASE_WEIGHTS = {
    "table": 1.4,
    "sofa": 1.1,
    "chair": 0.9,
    "bench": 1.0,
    "car": 0.5,
    "tree": 1.0,
    "horse": 0.8,
    "bicycle": 0.6,
}
_UNDER: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "table": (("room",), (*_PETS, "ball", "book", "hat", "teddy bear", "robot", "duck")),
    "tree": (
        ("field", "mountains", "snow"),
        (*_PETS, *_CATTLE, *_PEOPLE, "bench", "chair", "bicycle", "robot", "teddy bear"),
    ),
    "umbrella": (
        ("street", "beach", "field"),
        (*_PETS, *_PEOPLE, "duck", "chair", "teddy bear", "robot"),
    ),
}
_BEHIND: dict[str, tuple[str, ...]] = {
    "house": ("field", "mountains", "snow"),
    "castle": ("field", "mountains", "snow", "beach"),
    "lighthouse": ("beach",),
    "tree": ("field", "mountains", "snow"),
    "bus": ("street", "snow"),
    "truck": ("street", "field"),
    "train": ("field", "mountains", "snow"),
    "sofa": ("room",),
}
_BEFORE = (
    *(*_PETS, *_PEOPLE, *_CATTLE, "duck", "bird", "teddy bear", "robot", "car", "bicycle"),
    *("flower", "ball", "bench", "chair", "umbrella", "table"),
)
_OVERFLOWN: dict[str, tuple[str, ...]] = {
    "house": ("field", "mountains", "snow"),
    "castle": ("field", "mountains", "snow"),
    "lighthouse": ("sea", "beach"),
    "tree": ("field", "mountains", "snow"),
    "boat": ("sea", "skyline"),
    "bus": ("street",),
    "car": ("street", "field"),
    "train": ("field", "mountains"),
    "bench": ("field", "beach"),
    "horse": ("field", "mountains"),
    "cow": ("field", "mountains"),
    "dog": ("field", "beach"),
    "cat": ("field",),
}


@cache
def scenes_at(arrangement: str) -> Weights:
    """The scenes in which `arrangement` occurs."""
    if arrangement == "empty":
        names: tuple[str, ...] = ("skyline", "street", "field", "sea", "beach", "mountains", "snow")
        return tuple((s, {"skyline": 2.0, "sea": 1.2}.get(s, 0.7)) for s in names)
    if arrangement == "on":
        names = tuple(s for s in SCENES if any(s in where for where, _ in _ON.values()))
        return tuple((s, 0.6 if s == "tree" else 2 * _SCENE_WEIGHTS[s] ** 2) for s in names)
    if arrangement == "under":
        names = tuple(s for s in SCENES if any(s in where for where, _ in _UNDER.values()))
    elif arrangement == "in front of":
        names = tuple(s for s in SCENES if any(s in where for where in _BEHIND.values()))
    elif arrangement == "over":
        names = tuple(s for s in SCENES if any(s in where for where in _OVERFLOWN.values()))
    elif arrangement.startswith("wearing"):
        names = ("portrait",)
    elif arrangement == "one":
        names = ("skyline", *_GROUND, "portrait")
    else:
        names = tuple(_GROUND)
    return tuple((s, _SCENE_WEIGHTS[s]) for s in names)


@cache
def kinds_at(arrangement: str, scene: str, before: tuple[str, ...]) -> Weights:
    """What may fill the next slot when `before` fill those before it."""
    slot = len(before)
    if arrangement in ("beside", "row"):
        return tuple((k, 1.0) for k in _GROUND[scene] if k not in before)
    if arrangement == "one":
        return _alone(scene)
    if arrangement == "wearing":
        return (("goggles", 1.0), ("hat", 1.0)) if slot else tuple((k, 1.0) for k in FACES)
    if arrangement == "wearing both":
        worn = ("hat", "goggles")
        return ((worn[slot - 1], 1.0),) if slot else tuple((k, 1.0) for k in FACES)
    pairs = _pairs(arrangement, scene)
    if slot:
        return tuple((base, weight) for (kind, base), weight in pairs.items() if kind == before[0])
    totals: dict[str, float] = {}
    for (kind, _), weight in pairs.items():
        totals[kind] = totals.get(kind, 0.0) + weight
    return tuple(totals.items())


@cache
def kind_set(arrangement: str, scene: str, before: tuple[str, ...]) -> frozenset[str]:
    """The kinds of `kinds_at`, without their weights."""
    return frozenset(kind for kind, _ in kinds_at(arrangement, scene, before))


def _alone(scene: str) -> Weights:
    if scene == "portrait":
        return tuple((k, 1.0) for k in FACES)
    if scene == "skyline":
        return (("balloon", 1.0), ("bird", 1.0), ("airplane", 1.0), ("rocket", 0.5), ("boat", 1.5))
    ground = {k: 1.0 for k in _GROUND[scene]}
    if scene in _SKIES:
        share = 0.25 if scene == "sea" else 1.0
        ground.update({kind: share for kind in SKY})
    ground.update({k: 2.0 for k in ("bus", "boat", "lighthouse", "train") if k in ground})
    ground.update({"rocket": 1.0} if scene in ("field", "mountains") else {})
    return tuple(ground.items())


@cache
def _pairs(arrangement: str, scene: str) -> dict[tuple[str, str], float]:
    """(subject, base) with weights; a base's weight is shared by its subjects."""
    if arrangement in ("on", "under"):
        table = _ON if arrangement == "on" else _UNDER
        bases = {base: who for base, (where, who) in table.items() if scene in where}
    elif arrangement == "in front of":
        bases = {base: _BEFORE for base, where in _BEHIND.items() if scene in where}
    else:
        bases = {base: SKY for base, where in _OVERFLOWN.items() if scene in where}
    weights: dict[tuple[str, str], float] = {}
    for base, subjects in bases.items():
        allowed = [k for k in subjects if _belongs(arrangement, scene, k)]
        for kind in allowed:
            weights[kind, base] = _BASE_WEIGHTS.get(base, 1.0) / len(allowed)
    return weights


def _belongs(arrangement: str, scene: str, kind: str) -> bool:
    """Whether `kind` is at home in `scene`: what stands on the ground must be."""
    return arrangement in ("on", "over") or kind in _GROUND[scene]


def poses_at(arrangement: str, scene: str, kinds: tuple[str, ...], slot: int) -> Weights:
    """The poses among which the thing in `slot` chooses; a single one is no choice."""
    kind, on = kinds[slot], arrangement == "on" and slot == 0
    if kind in FACES and scene == "portrait":
        return (("face", 1.0),)
    if kind == "cat":
        narrow = arrangement == "row" or (on and kinds[1] in ("chair", "car", "tree"))
        return (("sitting", 1.0),) if narrow else (("sitting", 1.0), ("lying", 1.0))
    if kind == "dog":
        return (("sitting", 1.0),) if on else (("sitting", 1.0), ("standing", 1.0))
    if kind == "bird":
        if arrangement == "over" or scene in ("skyline", "sea"):
            return (("flying", 1.0),)
        free = arrangement == "one" and scene in _SKIES
        return (("flying", 1.0), ("perched", 1.0)) if free else (("perched", 1.0),)
    return ((_form(arrangement, scene, kinds, slot), 1.0),)


def _form(arrangement: str, scene: str, kinds: tuple[str, ...], slot: int) -> str:
    """The form that follows from where a thing is; "" where it has only one."""
    kind, on = kinds[slot], arrangement == "on" and slot == 0
    if kind in ("man", "woman", "boy", "girl"):
        return "riding" if on and kinds[1] in MOUNTS else "sitting" if on else "standing"
    if kind in ("hat", "goggles") and scene == "portrait":
        return "worn"
    if kind == "tree" and arrangement == "on":
        return "branch"
    if kind in ("tree", "table") and arrangement == "under":
        return "tall"
    if kind == "flower":
        return "vase" if scene == "room" or on else "growing"
    if kind == "fish":
        return "leaping" if scene == "sea" else "bowl"
    if kind == "duck" and scene == "sea":
        return "swimming"
    if kind == "lighthouse" and scene == "sea":
        return "rock"
    if kind == "lamp" and scene != "room" and not on:
        return "street"
    return ""


@cache
def counts_at(arrangement: str, scene: str, kinds: tuple[str, ...]) -> Weights:
    """How many of the kind in slot 0 there may be."""
    if scene in ("portrait", "tree") or not kinds:
        return (("1", 1.0),)
    if arrangement == "one":
        return (("1", 0.5), ("2", 0.27), ("3", 0.23))
    if arrangement == "on" and kinds[1] in ("table", "sofa", "bench"):
        return (("1", 0.8), ("2", 0.2))
    return (("1", 1.0),)


@cache
def placements_at(arrangement: str, scene: str, count: int) -> Weights:
    """Where in the picture the arrangement stands."""
    if scene in ("portrait", "tree") or ARRANGEMENTS[arrangement][0] == 0:
        return (("centre", 1.0),)
    if arrangement == "row" or count == 3:
        return (("centre", 1.0),)
    if arrangement == "one" and count == 1:
        return (("centre", 0.4), ("side", 0.3), ("far", 0.15), ("far side", 0.15))
    if arrangement in ("one", "beside"):
        return (("centre", 0.6), ("far", 0.4))
    return (("centre", 0.6), ("side", 0.4))


assert set(_GROUND) <= set(SCENES)
assert {kind for kinds in _GROUND.values() for kind in kinds} <= set(KINDS)
