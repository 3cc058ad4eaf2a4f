"""Houses, castles, lighthouses and trees."""

from evo_t2i.world.animals import outline
from evo_t2i.world.pen import Colour, Look, Pen, block, curve, oval, shade, sharp, stroke

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
        (0.42, 0.40), (0.58, 0.40), (0.58, 0.82), (0.66, 0.99), (0.34, 0.99), (0.42, 0.82)
    )
    pen.fill(_WOOD, trunk, edge=shade(_WOOD, -0.4))
    # Over what it shelters, the crown is higher.
    k = 0.78 if look.pose == "tall" else 1.0
    crown = [
        oval(0.5, 0.24 * k, 0.30, 0.23 * k),
        oval(0.25, 0.44 * k, 0.24, 0.21 * k),
        oval(0.75, 0.44 * k, 0.24, 0.21 * k),
        oval(0.5, 0.50 * k, 0.28, 0.18 * k),
    ]
    pen.fill(colour, *crown, edge=shade(colour, -0.5))
    pen.fill(
        shade(colour, 0.22),
        oval(0.40, 0.20 * k, 0.16, 0.12 * k),
        oval(0.20, 0.40 * k, 0.11, 0.09 * k),
        oval(0.68, 0.38 * k, 0.11, 0.09 * k),
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


def castle(pen: Pen, look: Look) -> None:
    """A castle: two towers with cones, a keep, a gate."""
    colour = look.colour
    edge, dark, pane = outline(colour), shade(colour, -0.16), _PANE[look.time]
    roof = (176, 62, 66) if colour[0] > 150 else (84, 92, 150)
    flag = (232, 60, 60)
    pen.fill((80, 70, 70), block(0.492, 0.01, 0.508, 0.16))
    pen.fill(flag, sharp((0.508, 0.01), (0.60, 0.045), (0.508, 0.08)))
    pen.fill(dark, block(0.36, 0.24, 0.64, 0.60), edge=edge)
    pen.fill(dark, *[block(x, 0.17, x + 0.075, 0.26) for x in (0.355, 0.4625, 0.57)], edge=edge)
    pen.fill(colour, block(0.20, 0.50, 0.80, 0.99), edge=edge)
    pen.fill(
        colour, *[block(x, 0.435, x + 0.07, 0.52) for x in (0.28, 0.40, 0.53, 0.65)], edge=edge
    )
    for x in (0.02, 0.74):
        pen.fill(colour, block(x + 0.015, 0.34, x + 0.225, 0.99), edge=edge)
        pen.fill(shade(colour, -0.2), block(x + 0.165, 0.36, x + 0.22, 0.985))
        pen.fill(
            roof,
            sharp((x + 0.12, 0.05), (x + 0.26, 0.36), (x - 0.02, 0.36)),
            edge=shade(roof, -0.45),
        )
        pen.fill(shade(roof, 0.25), sharp((x + 0.11, 0.12), (x + 0.09, 0.33), (x + 0.03, 0.33)))
        pen.fill(
            pane, block(x + 0.085, 0.46, x + 0.15, 0.60, 0.03), edge=edge, width=0.006, glows=True
        )
    pen.fill(
        pane,
        block(0.42, 0.32, 0.47, 0.42, 0.02),
        block(0.53, 0.32, 0.58, 0.42, 0.02),
        edge=edge,
        width=0.006,
        glows=True,
    )
    gate = curve(
        (0.38, 0.99),
        (0.38, 0.76),
        (0.43, 0.67),
        (0.5, 0.645),
        (0.57, 0.67),
        (0.62, 0.76),
        (0.62, 0.99),
        (0.5, 0.99),
    )
    pen.fill((104, 66, 42), gate, edge=(58, 36, 26))
    pen.fill((74, 46, 32), block(0.492, 0.66, 0.508, 0.98), block(0.39, 0.80, 0.61, 0.815))
    for x, y in ((0.26, 0.62), (0.33, 0.74), (0.27, 0.88), (0.68, 0.66), (0.66, 0.88)):
        pen.fill(dark, block(x, y, x + 0.06, y + 0.03))


def lighthouse(pen: Pen, look: Look) -> None:
    """A lighthouse with bands of the look's colour, maybe on a rock; its lamp shines by night."""
    colour = look.colour
    band = _WHITE if sum(colour) < 640 else (206, 206, 212)
    edge = outline(colour)
    rock = look.pose == "rock"
    bottom = 0.86 if rock else 0.985
    if rock:
        stone = (120, 112, 116)
        pen.fill(
            stone,
            curve(
                (0.02, 0.97),
                (0.12, 0.86),
                (0.30, 0.80),
                (0.5, 0.83),
                (0.72, 0.79),
                (0.90, 0.87),
                (0.98, 0.97),
                (0.5, 0.995),
            ),
            edge=shade(stone, -0.45),
        )
        pen.fill(shade(stone, 0.25), curve((0.14, 0.89), (0.30, 0.83), (0.38, 0.86), (0.24, 0.92)))
    if look.time != "day":
        glow = (255, 240, 160)
        for side in (-1, 1):
            pen.veil(
                glow, 0.42, sharp((0.5, 0.15), (0.5 + 1.1 * side, 0.04), (0.5 + 1.1 * side, 0.28))
            )
    width = 0.20 if rock else 0.30
    top = 0.25
    steps = 5
    for step in range(steps):
        y0 = top + (bottom - top) * step / steps
        y1 = top + (bottom - top) * (step + 1) / steps + (0.0 if step == steps - 1 else 0.002)
        a, b = width * (0.60 + 0.40 * step / steps), width * (0.60 + 0.40 * (step + 1) / steps)
        pen.fill(
            band if step % 2 else colour,
            sharp((0.5 - a, y0), (0.5 + a, y0), (0.5 + b, y1), (0.5 - b, y1)),
            edge=edge,
        )
    for step in range(steps):
        y0 = top + (bottom - top) * step / steps
        y1 = top + (bottom - top) * (step + 1) / steps
        a, b = width * (0.60 + 0.40 * step / steps), width * (0.60 + 0.40 * (step + 1) / steps)
        pen.fill(
            band if step % 2 else colour,
            sharp((0.5 - a, y0), (0.5 + a, y0), (0.5 + b, y1), (0.5 - b, y1)),
        )
    pen.fill(
        shade(colour, -0.3),
        block(0.5 - 0.80 * width, 0.235, 0.5 + 0.80 * width, 0.27, 0.01),
        edge=edge,
        width=0.008,
    )
    lamp = (255, 244, 176) if look.time != "day" else (190, 226, 246)
    pen.fill(
        lamp, block(0.5 - 0.42 * width, 0.115, 0.5 + 0.42 * width, 0.235), edge=edge, glows=True
    )
    pen.fill((70, 66, 76), block(0.5 - 0.03 * width, 0.115, 0.5 + 0.03 * width, 0.235))
    cap = colour if sum(colour) < 640 else (88, 86, 98)
    pen.fill(
        cap,
        curve(
            (0.5, 0.012),
            (0.5 + 0.34 * width, 0.06),
            (0.5 + 0.58 * width, 0.12),
            (0.5, 0.125),
            (0.5 - 0.58 * width, 0.12),
            (0.5 - 0.34 * width, 0.06),
        ),
        edge=outline(cap),
    )
    pen.fill(
        (84, 56, 44),
        block(0.5 - 0.26 * width, bottom - 0.11, 0.5 + 0.26 * width, bottom - 0.005, 0.02),
        edge=(50, 34, 30),
        width=0.008,
    )
    pen.fill((70, 84, 110), block(0.5 - 0.12 * width, 0.46, 0.5 + 0.12 * width, 0.53, 0.01))
