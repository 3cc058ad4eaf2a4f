"""Houses, castles, lighthouses and trees."""

from evo_t2i.world2.animals import INK, outline
from evo_t2i.world2.pen import Colour, Look, Pen, block, curve, mix, oval, shade, sharp, stroke

_WHITE = (252, 250, 246)


_PANE: dict[str, Colour] = {
    "day": (176, 218, 244),
    "sunset": (255, 214, 140),
    "night": (255, 226, 110),
}



def house(pen: Pen, look: Look) -> None:
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



_LEAF = (48, 158, 62)



_WOOD = (136, 84, 46)



def tree(pen: Pen, look: Look) -> None:
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

