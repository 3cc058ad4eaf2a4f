"""Vehicles on the road, on rails, on water and in the air, facing left."""

from evo_t2i.world.animals import INK, outline
from evo_t2i.world.pen import Colour, Look, Pen, block, curve, oval, shade, sharp, stroke

_WHITE = (252, 250, 246)


_PANE: dict[str, Colour] = {
    "day": (176, 218, 244),
    "sunset": (255, 214, 140),
    "night": (255, 226, 110),
}


def _wheel(pen: Pen, x: float, y: float, rx: float, ry: float) -> None:
    pen.fill((34, 34, 40), oval(x, y, rx, ry))
    pen.fill((196, 200, 206), oval(x, y, rx * 0.5, ry * 0.5))


def bus(pen: Pen, look: Look) -> None:
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


def car(pen: Pen, look: Look) -> None:
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


def boat(pen: Pen, look: Look) -> None:
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


def balloon(pen: Pen, look: Look) -> None:
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


def truck(pen: Pen, look: Look) -> None:
    """A truck: a cab of the look's colour before a light box with a stripe of it."""
    colour = look.colour
    edge, pane = outline(colour), _PANE[look.time]
    pen.fill((70, 72, 80), block(0.04, 0.74, 0.98, 0.84), edge=(34, 34, 40))
    box = (234, 232, 226) if sum(colour) < 640 else (176, 186, 198)
    pen.fill(box, block(0.36, 0.02, 0.985, 0.76, 0.02), edge=shade(box, -0.5))
    pen.fill(colour, block(0.36, 0.30, 0.985, 0.54), edge=None)
    pen.fill(shade(box, -0.14), block(0.36, 0.68, 0.985, 0.76))
    for x in (0.52, 0.68, 0.84):
        pen.fill(shade(box, -0.2), block(x, 0.04, x + 0.012, 0.68))
    cab = curve(
        (0.02, 0.54),
        (0.08, 0.46),
        (0.12, 0.20),
        (0.18, 0.13),
        (0.33, 0.13),
        (0.34, 0.44),
        (0.34, 0.80),
        (0.18, 0.81),
        (0.03, 0.80),
        (0.01, 0.66),
    )
    pen.fill(colour, cab, edge=edge)
    pen.fill(
        pane,
        sharp((0.115, 0.46), (0.155, 0.22), (0.29, 0.22), (0.29, 0.46)),
        edge=edge,
        width=0.006,
        glows=True,
    )
    pen.fill(shade(colour, -0.30), block(0.02, 0.72, 0.34, 0.80))
    pen.fill(shade(colour, -0.5), block(0.25, 0.54, 0.30, 0.575))
    pen.fill((255, 240, 150), oval(0.05, 0.62, 0.03, 0.05), glows=True)
    for x in (0.17, 0.62, 0.83):
        _wheel(pen, x, 0.84, 0.085, 0.145)


def train(pen: Pen, look: Look) -> None:
    """A steam engine with a carriage, on a rail."""
    colour = look.colour
    edge, pane = outline(colour), _PANE[look.time]
    dark, brass = shade(colour, -0.28), (236, 186, 66)
    pen.fill((112, 88, 70), block(0.0, 0.955, 1.0, 0.995), edge=(64, 50, 44), width=0.006)
    for x, y, r in ((0.17, 0.07, 0.05), (0.26, 0.05, 0.06), (0.35, 0.075, 0.045)):
        pen.fill((236, 236, 240), oval(x, y, r, r * 1.3))
    pen.fill(
        (58, 58, 66),
        sharp((0.10, 0.17), (0.22, 0.17), (0.195, 0.40), (0.125, 0.40)),
        edge=(30, 30, 36),
    )
    pen.fill(brass, oval(0.31, 0.36, 0.05, 0.07), edge=shade(brass, -0.4), width=0.008)
    pen.fill(colour, block(0.05, 0.38, 0.46, 0.72, 0.06), edge=edge)
    pen.fill(shade(colour, 0.32), block(0.09, 0.43, 0.34, 0.48, 0.02))
    pen.fill(brass, block(0.20, 0.38, 0.225, 0.72), block(0.33, 0.38, 0.355, 0.72))
    pen.fill(colour, block(0.38, 0.22, 0.56, 0.78), edge=edge)
    pen.fill(dark, block(0.355, 0.16, 0.585, 0.24, 0.02), edge=edge)
    pen.fill(pane, block(0.415, 0.30, 0.525, 0.48, 0.02), edge=dark, width=0.006, glows=True)
    pen.fill((70, 70, 78), block(0.56, 0.70, 0.66, 0.76))
    pen.fill(colour, block(0.63, 0.30, 0.985, 0.78, 0.03), edge=edge)
    pen.fill(dark, block(0.615, 0.24, 0.99, 0.33, 0.03), edge=edge)
    for x in (0.67, 0.775, 0.88):
        pen.fill(pane, block(x, 0.40, x + 0.075, 0.57, 0.02), edge=dark, width=0.005, glows=True)
    pen.fill(brass, block(0.63, 0.62, 0.985, 0.655))
    pen.fill(
        (70, 70, 78),
        block(0.03, 0.70, 0.56, 0.79),
        sharp((0.05, 0.74), (0.05, 0.95), (-0.005, 0.95)),
        edge=(34, 34, 40),
    )
    pen.fill((255, 240, 150), oval(0.05, 0.50, 0.035, 0.07), edge=edge, width=0.006, glows=True)
    for x, r in ((0.13, 0.055), (0.25, 0.055), (0.45, 0.085), (0.71, 0.055), (0.90, 0.055)):
        _wheel(pen, x, 0.945 - r * 2, r, r * 2.0)
    pen.fill((190, 60, 50), stroke(((0.13, 0.85), (0.45, 0.81)), 0.022))


def bicycle(pen: Pen, look: Look) -> None:
    """A bicycle with a frame of the look's colour."""
    colour = look.colour
    edge, tyre = outline(colour), (44, 44, 52)
    for x in (0.22, 0.78):
        pen.ring((116, 116, 128), (x, 0.66), (0.212, 0.326), (0.158, 0.244))
        pen.ring(tyre, (x, 0.66), (0.205, 0.315), (0.165, 0.255))
        for turn in (0.3, 1.35, 2.4):
            pen.fill((150, 154, 162), oval(x, 0.66, 0.16, 0.012 * 1.5, turn))
        pen.fill((104, 106, 114), oval(x, 0.66, 0.03, 0.045))
    for line in (
        ((0.22, 0.66), (0.36, 0.28)),
        ((0.34, 0.34), (0.62, 0.32)),
        ((0.35, 0.36), (0.50, 0.68)),
        ((0.62, 0.24), (0.50, 0.68)),
        ((0.50, 0.68), (0.78, 0.66)),
        ((0.61, 0.32), (0.78, 0.66)),
    ):
        pen.fill(colour, stroke(line, 0.052), edge=edge, width=0.007)
    pen.fill(
        (58, 46, 44),
        curve((0.52, 0.16), (0.62, 0.18), (0.76, 0.14), (0.74, 0.24), (0.60, 0.25)),
        edge=INK,
        width=0.006,
    )
    pen.fill((92, 94, 102), stroke(((0.36, 0.30), (0.335, 0.10)), 0.04))
    pen.fill(
        (58, 46, 44),
        stroke(((0.22, 0.06), (0.33, 0.09), (0.42, 0.06)), 0.055),
        edge=INK,
        width=0.006,
    )
    pen.fill((92, 94, 102), oval(0.50, 0.68, 0.055, 0.08), edge=INK, width=0.006)
    pen.fill(INK, stroke(((0.50, 0.68), (0.46, 0.86)), 0.03), block(0.41, 0.85, 0.51, 0.89, 0.01))


def airplane(pen: Pen, look: Look) -> None:
    """An airliner from the side, nose to the left."""
    colour = look.colour
    edge, pane = outline(colour), _PANE[look.time]
    accent = (214, 56, 56) if sum(colour) > 620 else _WHITE
    pen.fill(
        shade(colour, -0.28),
        sharp((0.44, 0.46), (0.62, 0.14), (0.70, 0.14), (0.62, 0.48)),
        edge=edge,
    )
    pen.fill(accent, sharp((0.76, 0.44), (0.90, 0.04), (0.99, 0.04), (0.95, 0.46)), edge=edge)
    body = curve(
        (0.01, 0.58),
        (0.06, 0.46),
        (0.18, 0.39),
        (0.50, 0.38),
        (0.80, 0.39),
        (0.98, 0.42),
        (0.92, 0.54),
        (0.76, 0.66),
        (0.45, 0.73),
        (0.16, 0.72),
        (0.04, 0.67),
    )
    pen.fill(colour, body, edge=edge)
    pen.fill(
        accent if accent != _WHITE else shade(colour, 0.6),
        curve((0.03, 0.62), (0.40, 0.63), (0.78, 0.60), (0.74, 0.66), (0.44, 0.69), (0.10, 0.69)),
    )
    pen.fill(
        pane,
        sharp((0.075, 0.54), (0.10, 0.45), (0.16, 0.43), (0.16, 0.54)),
        edge=edge,
        width=0.005,
        glows=True,
    )
    for x in (0.24, 0.33, 0.42, 0.51, 0.60, 0.69):
        pen.fill(pane, oval(x, 0.51, 0.026, 0.044), edge=edge, width=0.004, glows=True)
    pen.fill(
        shade(colour, -0.16),
        sharp((0.36, 0.62), (0.54, 0.62), (0.78, 0.96), (0.66, 0.97)),
        edge=edge,
    )
    pen.fill((92, 96, 106), block(0.46, 0.74, 0.57, 0.86, 0.03), edge=INK, width=0.006)
    pen.fill(
        shade(colour, -0.2),
        sharp((0.84, 0.44), (0.94, 0.44), (1.0, 0.58), (0.92, 0.58)),
        edge=edge,
        width=0.008,
    )


def rocket(pen: Pen, look: Look) -> None:
    """A rocket upright, with fins and a flame."""
    colour = look.colour
    edge = outline(colour)
    accent = (222, 60, 56) if sum(colour) > 400 or colour[2] > 150 else (250, 204, 64)
    pen.fill(
        (255, 140, 40),
        curve((0.34, 0.80), (0.66, 0.80), (0.62, 0.92), (0.5, 1.0), (0.38, 0.92)),
        glows=True,
    )
    pen.fill(
        (255, 226, 110),
        curve((0.41, 0.80), (0.59, 0.80), (0.56, 0.88), (0.5, 0.94), (0.44, 0.88)),
        glows=True,
    )
    for side in (-1, 1):
        fin = curve(
            (0.5 + 0.22 * side, 0.54),
            (0.5 + 0.42 * side, 0.66),
            (0.5 + 0.48 * side, 0.86),
            (0.5 + 0.22 * side, 0.76),
        )
        pen.fill(accent, fin, edge=shade(accent, -0.45))
    body = curve(
        (0.5, 0.01),
        (0.66, 0.14),
        (0.77, 0.34),
        (0.76, 0.60),
        (0.68, 0.81),
        (0.32, 0.81),
        (0.24, 0.60),
        (0.23, 0.34),
        (0.34, 0.14),
    )
    pen.fill(colour, body, edge=edge)
    pen.fill(
        accent,
        curve((0.5, 0.012), (0.62, 0.10), (0.70, 0.19), (0.5, 0.215), (0.30, 0.19), (0.38, 0.10)),
    )
    pen.fill(
        shade(colour, -0.18),
        curve((0.66, 0.24), (0.765, 0.36), (0.75, 0.60), (0.68, 0.80), (0.60, 0.80), (0.68, 0.55)),
    )
    pen.fill(
        (150, 214, 240),
        oval(0.48, 0.38, 0.135, 0.070),
        edge=shade(accent, -0.3),
        width=0.014,
        glows=True,
    )
    pen.fill(_WHITE, oval(0.44, 0.36, 0.045, 0.020, -0.4))
    pen.fill((84, 86, 96), block(0.34, 0.785, 0.66, 0.825, 0.01))
    pen.fill(accent, block(0.46, 0.58, 0.54, 0.82, 0.03), edge=shade(accent, -0.45), width=0.006)
