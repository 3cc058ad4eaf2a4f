"""Vehicles on the road, on rails, on water and in the air, facing left."""

from evo_t2i.world2.animals import INK, outline
from evo_t2i.world2.pen import Colour, Look, Pen, block, curve, mix, oval, shade, sharp, stroke

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

