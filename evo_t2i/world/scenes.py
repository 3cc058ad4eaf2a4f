"""A picture of the world as data: what is where, and the choices that it came from."""

from dataclasses import dataclass, field

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 as fractions of the picture, y pointing down."""


@dataclass(frozen=True)
class Thing:
    """One object: what it is, its colour name and the box that its drawing fills.

    pose: one of `POSES`, or a form that follows from where the thing is ("face", "vase", …).
    slot: which slot of the arrangement it fills; two of a kind share one.
    """

    kind: str
    colour: str
    box: Box
    mirrored: bool
    pose: str
    slot: int


@dataclass(frozen=True)
class Scene:
    """A whole picture; rendering is a pure function of it.

    things: in the order of the slots; of two or three of a kind each is one thing.
    view: which of the scene's backdrops; `mirrored`: the whole picture is the other way round.
    drift: how far the sun or the moon has moved on, in [0, 1).
    choices: the option of each choice of `CHOICES` that led here, -1 where it did not arise.
    """

    scene: str
    time: str
    arrangement: str
    things: tuple[Thing, ...]
    view: int
    mirrored: bool
    drift: float
    choices: tuple[int, ...] = field(repr=False)
