"""The names of everything that a picture of the world may hold."""

SCENES = (
    "skyline",
    "street",
    "room",
    "field",
    "tree",
    "sea",
    "portrait",
    "beach",
    "mountains",
    "snow",
)
TIMES = ("day", "sunset", "night")
VIEWS = 4
"""How many backdrops each scene has."""
POSES = ("sitting", "standing", "lying", "flying", "perched")
"""The poses that a caption may name; forms that follow from where a thing is are not among them."""

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

_PAINTED = ("red", "orange", "yellow", "green", "blue", "purple", "white", "black")
_BRIGHT = ("red", "orange", "yellow", "green", "blue", "purple")

KIND_COLOURS: dict[str, tuple[str, ...]] = {
    "cat": ("orange", "black", "white", "grey", "brown"),
    "dog": ("brown", "white", "black", "grey"),
    "bird": ("red", "blue", "yellow", "white", "green", "black"),
    "horse": ("brown", "white", "black", "grey"),
    "cow": ("white", "brown", "black"),
    "sheep": ("white", "black", "grey"),
    "rabbit": ("white", "brown", "grey"),
    "duck": ("yellow", "white", "brown"),
    "fish": ("orange", "red", "blue", "yellow", "purple"),
    "teddy bear": ("brown", "white", "blue"),
    "man": _PAINTED,
    "woman": _PAINTED,
    "boy": _PAINTED,
    "girl": _PAINTED,
    "robot": ("grey", "red", "blue", "green", "yellow"),
    "bus": _PAINTED,
    "car": (*_PAINTED, "grey"),
    "truck": (*_PAINTED, "grey"),
    "train": ("red", "green", "blue", "black", "yellow"),
    "bicycle": _PAINTED,
    "airplane": ("white", "red", "blue", "yellow", "grey"),
    "rocket": ("white", "red", "blue", "grey"),
    "boat": _PAINTED,
    "balloon": _BRIGHT,
    "house": ("red", "yellow", "blue", "white", "green", "brown"),
    "castle": ("grey", "white", "brown"),
    "lighthouse": ("red", "blue", "white"),
    "tree": ("green",),
    "table": ("brown", "white"),
    "chair": _PAINTED,
    "sofa": (*_PAINTED, "grey", "brown"),
    "bench": ("brown", "green", "red", "blue"),
    "lamp": _BRIGHT,
    "cup": _PAINTED,
    "book": (*_BRIGHT, "black", "brown"),
    "apple": ("red", "green", "yellow"),
    "cake": ("white", "brown", "yellow"),
    "flower": ("red", "orange", "yellow", "purple", "white", "blue"),
    "ball": _PAINTED,
    "umbrella": _PAINTED,
    "goggles": (*_BRIGHT, "black"),
    "hat": _PAINTED,
}
KINDS = tuple(KIND_COLOURS)

GROUPS: dict[str, tuple[str, ...]] = {
    "person": ("man", "woman", "boy", "girl"),
    "child": ("boy", "girl"),
}
"""Words that stand for any of several kinds; a caption may name a group like a kind."""
NAMES = (*KINDS, *GROUPS)
"""Everything that a caption can name as a thing: the columns of `Truth`."""

RELATIONS = ("left of", "right of", "next to", "on", "under", "in front of", "over", "wearing")
"""How one thing stands to another; left and right are the viewer's."""


def members(name: str) -> tuple[str, ...]:
    """The kinds that `name` may stand for: those of a group, or the kind itself."""
    return GROUPS.get(name, (name,))
