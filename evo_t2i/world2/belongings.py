"""Small things that people own, eat and wear."""

from evo_t2i.world2.animals import INK, outline
from evo_t2i.world2.pen import Colour, Look, Pen, block, curve, mix, oval, shade, sharp, stroke

_WHITE = (252, 250, 246)


def cup(pen: Pen, look: Look) -> None:
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



def flower(pen: Pen, look: Look) -> None:
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



def ball(pen: Pen, look: Look) -> None:
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



def umbrella(pen: Pen, look: Look) -> None:
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



def goggles(pen: Pen, look: Look) -> None:
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



def hat(pen: Pen, look: Look) -> None:
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

