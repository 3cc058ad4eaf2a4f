"""Small things that people own, eat and wear."""

from evo_t2i.world.animals import INK, outline
from evo_t2i.world.pen import Look, Pen, block, curve, mix, oval, shade, sharp, stroke

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


def book(pen: Pen, look: Look) -> None:
    """An open book standing, its cover of the look's colour."""
    colour = look.colour
    edge, page = outline(colour), (252, 248, 232)
    cover = sharp((0.5, 0.16), (0.0, 0.04), (0.0, 0.88), (0.5, 0.99), (1.0, 0.88), (1.0, 0.04))
    pen.fill(colour, cover, edge=edge)
    for side in (-1, 1):
        sheet = sharp(
            (0.5, 0.17), (0.5 + 0.40 * side, 0.045), (0.5 + 0.40 * side, 0.74), (0.5, 0.86)
        )
        pen.fill(page, sheet, edge=(150, 138, 116), width=0.007)
        for row in range(4):
            y = 0.30 + 0.12 * row
            line = stroke(((0.5 + 0.07 * side, y), (0.5 + 0.33 * side, y - 0.075)), 0.026)
            pen.fill((164, 158, 150), line)
    pen.fill(
        shade(colour, -0.2),
        sharp((0.0, 0.80), (0.5, 0.91), (1.0, 0.80), (1.0, 0.88), (0.5, 0.99), (0.0, 0.88)),
    )
    pen.fill((150, 138, 116), block(0.492, 0.17, 0.508, 0.86))


def apple(pen: Pen, look: Look) -> None:
    """An apple with stalk and leaf."""
    colour = look.colour
    pen.fill(
        (104, 70, 40),
        stroke(((0.50, 0.24), (0.52, 0.12), (0.58, 0.03)), 0.06),
        edge=(60, 40, 28),
        width=0.006,
    )
    body = curve(
        (0.50, 0.25),
        (0.66, 0.17),
        (0.86, 0.22),
        (0.975, 0.44),
        (0.92, 0.72),
        (0.74, 0.95),
        (0.60, 0.985),
        (0.50, 0.95),
        (0.40, 0.985),
        (0.26, 0.95),
        (0.08, 0.72),
        (0.025, 0.44),
        (0.14, 0.22),
        (0.34, 0.17),
    )
    pen.fill(colour, body, edge=outline(colour))
    shadow = curve(
        (0.90, 0.34), (0.965, 0.46), (0.90, 0.72), (0.72, 0.94), (0.58, 0.96), (0.76, 0.76)
    )
    pen.fill(shade(colour, -0.22), shadow)
    leaf, leaf_edge = (76, 168, 66), (30, 92, 40)
    pen.fill(
        leaf,
        curve((0.54, 0.16), (0.66, 0.03), (0.86, 0.03), (0.74, 0.16)),
        edge=leaf_edge,
        width=0.007,
    )
    pen.fill(shade(colour, 0.55), oval(0.25, 0.40, 0.065, 0.115, 0.5))


def cake(pen: Pen, look: Look) -> None:
    """A cake of two tiers with icing of the look's colour, a cherry and candles."""
    colour = look.colour
    edge = outline(colour) if sum(colour) < 640 else (150, 134, 128)
    cream = (255, 246, 230) if sum(colour) < 640 else (214, 226, 244)
    plate = (206, 214, 224)
    pen.fill(plate, oval(0.5, 0.93, 0.495, 0.062), edge=shade(plate, -0.45))
    for x in (0.36, 0.5, 0.64):
        pen.fill(
            (96, 168, 226), block(x - 0.02, 0.13, x + 0.02, 0.32), edge=(44, 92, 140), width=0.005
        )
        pen.fill(
            (255, 190, 60),
            oval(x, 0.085, 0.028, 0.055),
            edge=(220, 110, 30),
            width=0.005,
            glows=True,
        )
    pen.fill(colour, block(0.22, 0.31, 0.78, 0.60, 0.05), edge=edge)
    pen.fill(colour, block(0.07, 0.56, 0.93, 0.92, 0.05), edge=edge)
    for y, x0, x1, drops in ((0.31, 0.22, 0.78, 4), (0.56, 0.07, 0.93, 6)):
        step = (x1 - x0) / drops
        icing = [
            oval(x0 + step * (i + 0.5), y + 0.085, step * 0.46, 0.055 + 0.02 * (i % 2))
            for i in range(drops)
        ]
        pen.fill(cream, block(x0, y, x1, y + 0.09, 0.03), *icing)
    for x in (0.18, 0.34, 0.50, 0.66, 0.82):
        pen.fill((226, 54, 74), oval(x, 0.83, 0.034, 0.036))
