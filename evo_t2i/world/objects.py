"""Vehicles, buildings, plants, furniture and belongings, drawn in the unit square."""

from collections.abc import Callable

from evo_t2i.world.animals import INK, bird, cat, dog, outline
from evo_t2i.world.pen import Colour, Look, Pen, block, curve, mix, oval, shade, sharp, stroke
from evo_t2i.world.scenes import Scene, Thing

_WHITE = (252, 250, 246)
_WOOD = (136, 84, 46)
_PANE: dict[str, Colour] = {
    "day": (176, 218, 244),
    "sunset": (255, 214, 140),
    "night": (255, 226, 110),
}


def draw_thing(pen: Pen, kind: str, look: Look) -> None:
    """Draw one thing of `kind` with `pen`, whose box says where."""
    _DRAWINGS[kind](pen, look)


def draw_shadow(pen: Pen, scene: Scene, thing: Thing) -> None:
    """The soft dark ellipse on the ground under a thing that stands on something."""
    if scene.scene == "portrait" or scene.relation == "over" or thing.pose == "branch":
        return
    if scene.scene == "sea" or thing.kind in ("table", "boat") or scene.scene == "tree":
        return
    pen.veil((10, 10, 30), 0.14, oval(0.5, 0.99, 0.54, 0.060))
    pen.veil((10, 10, 30), 0.16, oval(0.5, 0.99, 0.44, 0.042))


def _wheel(pen: Pen, x: float, y: float, rx: float, ry: float) -> None:
    pen.fill((34, 34, 40), oval(x, y, rx, ry))
    pen.fill((196, 200, 206), oval(x, y, rx * 0.5, ry * 0.5))


def _bus(pen: Pen, look: Look) -> None:
    colour = look.colour
    pane = _PANE[look.time]
    pen.fill(colour, block(0.02, 0.02, 0.98, 0.88, 0.06), edge=outline(colour))
    pen.fill(shade(colour, -0.22), block(0.02, 0.80, 0.98, 0.88))
    pen.fill(_WHITE, block(0.02, 0.445, 0.98, 0.495))
    for x in (0.235, 0.42, 0.605, 0.79):
        pen.fill(pane, block(x, 0.13, x + 0.145, 0.36, 0.02), glows=True)
    for x in (0.42, 0.605, 0.79):
        pen.fill(pane, block(x, 0.555, x + 0.145, 0.73, 0.02), glows=True)
    pen.fill(
        shade(pane, 0.25), block(0.02, 0.12, 0.19, 0.37), block(0.02, 0.54, 0.17, 0.74), glows=True
    )
    pen.fill(shade(colour, -0.40), block(0.225, 0.54, 0.375, 0.86))
    pen.fill(pane, block(0.245, 0.565, 0.292, 0.80), block(0.308, 0.565, 0.355, 0.80), glows=True)
    pen.fill((255, 240, 150), oval(0.055, 0.80, 0.03, 0.035), glows=True)
    for x in (0.22, 0.78):
        _wheel(pen, x, 0.88, 0.085, 0.115)


def _car(pen: Pen, look: Look) -> None:
    colour = look.colour
    pane = _PANE[look.time]
    body = curve(
        (0.02, 0.62),
        (0.10, 0.48),
        (0.26, 0.42),
        (0.38, 0.12),
        (0.52, 0.05),
        (0.70, 0.08),
        (0.84, 0.40),
        (0.96, 0.48),
        (0.985, 0.66),
        (0.95, 0.80),
        (0.50, 0.82),
        (0.05, 0.80),
    )
    pen.fill(colour, body, edge=outline(colour))
    pen.fill(shade(colour, -0.25), block(0.04, 0.70, 0.97, 0.80, 0.04))
    pen.fill(pane, sharp((0.33, 0.42), (0.42, 0.17), (0.54, 0.14), (0.54, 0.42)), glows=True)
    pen.fill(pane, sharp((0.58, 0.42), (0.58, 0.14), (0.68, 0.17), (0.78, 0.42)), glows=True)
    pen.fill((255, 240, 150), oval(0.06, 0.58, 0.035, 0.07), glows=True)
    pen.fill((150, 20, 26), block(0.945, 0.52, 0.985, 0.64))
    pen.fill(shade(colour, -0.45), block(0.60, 0.50, 0.68, 0.54))
    for x in (0.23, 0.77):
        _wheel(pen, x, 0.80, 0.105, 0.20)


def _boat(pen: Pen, look: Look) -> None:
    colour = look.colour
    edge = outline(colour)
    pen.fill((96, 60, 36), stroke(((0.46, 0.03), (0.46, 0.76)), 0.035))
    main = sharp((0.50, 0.03), (0.94, 0.66), (0.50, 0.66))
    pen.fill(colour, main, edge=edge)
    pen.fill(_WHITE, sharp((0.42, 0.14), (0.42, 0.66), (0.10, 0.66)), edge=(150, 146, 150))
    hull = curve(
        (0.02, 0.74),
        (0.30, 0.755),
        (0.70, 0.755),
        (0.98, 0.72),
        (0.90, 0.90),
        (0.78, 0.99),
        (0.26, 0.99),
        (0.12, 0.92),
    )
    pen.fill(colour, hull, edge=edge)
    pen.fill(
        _WHITE if sum(colour) < 700 else (150, 160, 176),
        stroke(((0.08, 0.82), (0.5, 0.85), (0.93, 0.81)), 0.045),
    )
    pen.fill(
        shade(colour, -0.30),
        curve((0.14, 0.92), (0.5, 0.94), (0.89, 0.91), (0.78, 0.99), (0.26, 0.99)),
    )


def _house(pen: Pen, look: Look) -> None:
    colour = look.colour
    pane = _PANE[look.time]
    pen.fill((120, 74, 66), block(0.72, 0.04, 0.84, 0.30), edge=(70, 42, 40))
    pen.fill(colour, block(0.08, 0.36, 0.92, 0.99), edge=outline(colour))
    pen.fill((92, 84, 100), sharp((0.5, 0.02), (1.0, 0.42), (0.0, 0.42)), edge=(54, 48, 62))
    pen.fill((110, 66, 38), block(0.41, 0.62, 0.59, 0.99), edge=(66, 38, 24))
    pen.fill((250, 210, 90), oval(0.55, 0.81, 0.02, 0.02))
    for x in (0.15, 0.66):
        pen.fill(pane, block(x, 0.56, x + 0.19, 0.76), edge=_WHITE, glows=True)
        pen.fill(_WHITE, block(x + 0.085, 0.56, x + 0.105, 0.76), block(x, 0.65, x + 0.19, 0.67))


def _tree(pen: Pen, look: Look) -> None:
    colour = look.colour
    if look.pose == "branch":
        _branch(pen, colour)
        return
    trunk = curve(
        (0.42, 0.55), (0.58, 0.55), (0.58, 0.82), (0.66, 0.99), (0.34, 0.99), (0.42, 0.82)
    )
    pen.fill(_WOOD, trunk, edge=shade(_WOOD, -0.4))
    crown = [
        oval(0.5, 0.24, 0.30, 0.23),
        oval(0.25, 0.44, 0.24, 0.21),
        oval(0.75, 0.44, 0.24, 0.21),
        oval(0.5, 0.50, 0.28, 0.18),
    ]
    pen.fill(colour, *crown, edge=shade(colour, -0.5))
    pen.fill(
        shade(colour, 0.22),
        oval(0.40, 0.20, 0.16, 0.12),
        oval(0.20, 0.40, 0.11, 0.09),
        oval(0.68, 0.38, 0.11, 0.09),
    )


def _branch(pen: Pen, colour: Colour) -> None:
    bark, edge = _WOOD, shade(_WOOD, -0.42)
    trunk = curve(
        (0.80, -0.05), (1.05, -0.05), (1.08, 0.5), (1.05, 1.06), (0.74, 1.06), (0.80, 0.72)
    )
    branch = stroke(((0.92, 0.80), (0.60, 0.775), (0.30, 0.79), (-0.04, 0.745)), 0.15, 0.08)
    pen.fill(bark, branch, trunk, edge=edge)
    pen.fill(shade(bark, 0.18), stroke(((0.80, 0.755), (0.50, 0.75), (0.10, 0.745)), 0.025))
    pen.fill(
        shade(bark, -0.22),
        stroke(((0.90, 0.30), (0.91, 0.52)), 0.03),
        stroke(((0.95, 0.62), (0.93, 0.86)), 0.03),
    )
    leaves = [oval(x, y, r, r * 0.8) for x, y, r in _FOLIAGE]
    pen.fill(colour, *leaves, edge=shade(colour, -0.5))
    pen.fill(
        shade(colour, 0.22), *[oval(x - 0.03, y - 0.03, r * 0.5, r * 0.38) for x, y, r in _FOLIAGE]
    )
    for x, y, turn in ((0.08, 0.86, 0.5), (0.22, 0.69, -0.6), (0.66, 0.89, 0.4)):
        pen.fill(colour, oval(x, y, 0.07, 0.036, turn), edge=shade(colour, -0.5), width=0.008)


_FOLIAGE = (
    (0.05, 0.02, 0.16),
    (0.30, -0.02, 0.16),
    (0.55, 0.0, 0.17),
    (0.80, 0.04, 0.19),
    (0.98, 0.18, 0.17),
    (1.0, 0.40, 0.10),
    (-0.02, 0.17, 0.09),
)


def _table(pen: Pen, look: Look) -> None:
    colour = look.colour
    edge, dark = shade(colour, -0.5), shade(colour, -0.30)
    for x in (0.20, 0.80):
        pen.fill(dark, block(x - 0.03, 0.30, x + 0.03, 0.80))
    for x in (0.07, 0.93):
        pen.fill(colour, block(x - 0.045, 0.30, x + 0.045, 0.98), edge=edge)
    pen.fill(
        shade(colour, 0.16), sharp((0.08, 0.02), (0.92, 0.02), (1.0, 0.24), (0.0, 0.24)), edge=edge
    )
    pen.fill(colour, block(0.0, 0.24, 1.0, 0.37), edge=edge)


def _cup(pen: Pen, look: Look) -> None:
    colour = look.colour
    edge = outline(colour)
    handle = stroke(((0.66, 0.28), (0.88, 0.26), (0.94, 0.48), (0.84, 0.68), (0.62, 0.72)), 0.11)
    pen.fill(colour, handle, edge=edge)
    body = curve(
        (0.04, 0.12),
        (0.40, 0.14),
        (0.76, 0.12),
        (0.75, 0.50),
        (0.68, 0.88),
        (0.56, 0.98),
        (0.24, 0.98),
        (0.12, 0.88),
        (0.05, 0.50),
    )
    pen.fill(colour, body, edge=edge)
    pen.fill(shade(colour, 0.35), curve((0.13, 0.26), (0.21, 0.28), (0.24, 0.82), (0.18, 0.80)))
    pen.fill(shade(colour, 0.30), oval(0.40, 0.12, 0.36, 0.11), edge=edge, width=0.008)
    pen.fill((96, 54, 30), oval(0.40, 0.135, 0.30, 0.075))


def _flower(pen: Pen, look: Look) -> None:
    colour = look.colour
    stem = (40, 128, 54)
    vase = look.pose == "vase"
    bottom = 0.80 if vase else 0.99
    pen.fill(stem, stroke(((0.5, 0.34), (0.5, bottom)), 0.07), edge=shade(stem, -0.4), width=0.007)
    low = 0.60 if vase else 0.80
    for side in (-1, 1):
        leaf = curve(
            (0.5, low),
            (0.5 + 0.20 * side, low - 0.14),
            (0.5 + 0.40 * side, low - 0.13),
            (0.5 + 0.26 * side, low + 0.01),
        )
        pen.fill(stem, leaf, edge=shade(stem, -0.4), width=0.007)
    petals = [oval(0.5 + 0.28 * x, 0.28 + 0.165 * y, 0.20, 0.118) for x, y in _PETALS]
    pen.fill(colour, *petals, edge=outline(colour))
    pen.fill(
        shade(colour, -0.18),
        *[
            stroke(((0.5 + 0.16 * x, 0.28 + 0.095 * y), (0.5 + 0.30 * x, 0.28 + 0.18 * y)), 0.03)
            for x, y in _PETALS
        ],
    )
    heart = (120, 70, 30) if colour[0] > 240 and colour[2] < 100 else (250, 196, 40)
    pen.fill(heart, oval(0.5, 0.28, 0.155, 0.092), edge=shade(heart, -0.35), width=0.007)
    if vase:
        glaze = (112, 196, 198)
        body = curve(
            (0.32, 0.62),
            (0.68, 0.62),
            (0.66, 0.70),
            (0.78, 0.84),
            (0.70, 0.97),
            (0.5, 0.985),
            (0.30, 0.97),
            (0.22, 0.84),
            (0.34, 0.70),
        )
        pen.fill(glaze, body, edge=shade(glaze, -0.45))
        pen.fill(shade(glaze, 0.45), oval(0.36, 0.84, 0.05, 0.07))


_PETALS = ((1.0, 0.0), (0.5, 0.866), (-0.5, 0.866), (-1.0, 0.0), (-0.5, -0.866), (0.5, -0.866))


def _ball(pen: Pen, look: Look) -> None:
    colour = look.colour
    pen.fill(colour, oval(0.5, 0.5, 0.49, 0.49, 0.0, 40), edge=outline(colour))
    pen.fill(
        shade(colour, -0.22),
        curve(
            (0.955, 0.38),
            (0.985, 0.55),
            (0.86, 0.83),
            (0.60, 0.98),
            (0.30, 0.94),
            (0.60, 0.84),
            (0.82, 0.66),
        ),
    )
    pen.fill(_WHITE, stroke(((0.06, 0.62), (0.34, 0.60), (0.66, 0.42), (0.88, 0.20)), 0.13))
    pen.fill(shade(colour, 0.6), oval(0.32, 0.26, 0.10, 0.065, -0.6))


def _balloon(pen: Pen, look: Look) -> None:
    colour = look.colour
    for x0, x1 in ((0.26, 0.40), (0.74, 0.60)):
        pen.fill((90, 66, 46), stroke(((x0, 0.60), (x1, 0.84)), 0.022))
    envelope = curve(
        (0.5, 0.01),
        (0.80, 0.08),
        (0.98, 0.30),
        (0.90, 0.50),
        (0.66, 0.70),
        (0.34, 0.70),
        (0.10, 0.50),
        (0.02, 0.30),
        (0.20, 0.08),
    )
    pen.fill(colour, envelope, edge=outline(colour))
    pen.fill(
        shade(colour, -0.20),
        curve((0.72, 0.045), (0.98, 0.30), (0.90, 0.50), (0.66, 0.70), (0.60, 0.70), (0.80, 0.40)),
    )
    stripe = _WHITE
    pen.fill(
        stripe,
        curve((0.45, 0.02), (0.55, 0.02), (0.60, 0.34), (0.545, 0.70), (0.455, 0.70), (0.40, 0.34)),
    )
    pen.fill(shade(colour, 0.45), oval(0.20, 0.26, 0.05, 0.10, 0.3))
    basket = (156, 104, 56)
    pen.fill(basket, block(0.36, 0.83, 0.64, 0.99, 0.03), edge=shade(basket, -0.45))


def _umbrella(pen: Pen, look: Look) -> None:
    colour = look.colour
    pen.fill((84, 56, 40), stroke(((0.5, 0.02), (0.5, 0.90)), 0.045))
    pen.fill((84, 56, 40), stroke(((0.5, 0.86), (0.52, 0.96), (0.60, 0.97), (0.645, 0.88)), 0.05))
    canopy = curve(
        (0.5, 0.06),
        (0.74, 0.14),
        (0.92, 0.32),
        (0.99, 0.53),
        (0.83, 0.475),
        (0.665, 0.53),
        (0.5, 0.475),
        (0.335, 0.53),
        (0.17, 0.475),
        (0.01, 0.53),
        (0.08, 0.32),
        (0.26, 0.14),
    )
    pen.fill(colour, canopy, edge=outline(colour))
    pen.fill(
        shade(colour, -0.22),
        curve(
            (0.51, 0.07),
            (0.62, 0.28),
            (0.665, 0.53),
            (0.5, 0.475),
            (0.335, 0.53),
            (0.38, 0.28),
            (0.49, 0.07),
        ),
    )
    pen.fill(shade(colour, 0.35), curve((0.22, 0.22), (0.30, 0.17), (0.22, 0.38), (0.15, 0.40)))


def _goggles(pen: Pen, look: Look) -> None:
    colour = look.colour
    edge = outline(colour)
    pen.fill(shade(colour, -0.35), stroke(((0.0, 0.44), (1.0, 0.44)), 0.17))
    for x in (0.28, 0.72):
        pen.fill(colour, oval(x, 0.5, 0.245, 0.46, 0.0, 36), edge=edge)
    pen.fill(colour, block(0.44, 0.36, 0.56, 0.60), edge=None)
    for x in (0.28, 0.72):
        pen.fill((206, 238, 246), oval(x, 0.5, 0.165, 0.31, 0.0, 32), edge=edge, width=0.006)
        pen.fill(INK, oval(x, 0.53, 0.070, 0.15))
        pen.fill(_WHITE, oval(x - 0.07, 0.34, 0.045, 0.075, 0.5))


def _hat(pen: Pen, look: Look) -> None:
    colour = look.colour
    edge = outline(colour)
    pen.fill(colour, oval(0.5, 0.84, 0.49, 0.15, 0.0, 36), edge=edge)
    crown = curve(
        (0.22, 0.84),
        (0.22, 0.40),
        (0.28, 0.08),
        (0.5, 0.02),
        (0.72, 0.08),
        (0.78, 0.40),
        (0.78, 0.84),
        (0.5, 0.92),
    )
    pen.fill(colour, crown, edge=edge)
    pen.fill(
        mix(_WHITE, colour, 0.05),
        curve((0.215, 0.60), (0.5, 0.68), (0.785, 0.60), (0.785, 0.78), (0.5, 0.86), (0.215, 0.78)),
    )
    pen.fill(shade(colour, 0.40), curve((0.30, 0.18), (0.37, 0.12), (0.37, 0.48), (0.30, 0.48)))


_DRAWINGS: dict[str, Callable[[Pen, Look], None]] = {
    "cat": cat,
    "dog": dog,
    "bird": bird,
    "bus": _bus,
    "car": _car,
    "boat": _boat,
    "house": _house,
    "tree": _tree,
    "table": _table,
    "cup": _cup,
    "flower": _flower,
    "ball": _ball,
    "balloon": _balloon,
    "umbrella": _umbrella,
    "goggles": _goggles,
    "hat": _hat,
}
