"""Horses, cows, sheep, rabbits, ducks and fish, facing left where they face a side."""

from evo_t2i.world.animals import INK, outline
from evo_t2i.world.pen import Colour, Look, Pen, curve, mix, oval, shade, sharp, stroke

_WHITE = (252, 250, 246)
_PINK = (240, 150, 156)
_BEAK = (246, 150, 30)


def _eye(pen: Pen, x: float, y: float, rx: float, ry: float) -> None:
    pen.fill(_WHITE, oval(x, y, rx, ry))
    pen.fill((40, 28, 26), oval(x - 0.15 * rx, y + 0.05 * ry, 0.68 * rx, 0.72 * ry))
    pen.fill(_WHITE, oval(x - 0.30 * rx, y - 0.28 * ry, 0.22 * rx, 0.24 * ry))


def horse(pen: Pen, look: Look) -> None:
    """A standing horse with mane and tail."""
    colour = look.colour
    edge, dark = outline(colour), shade(colour, -0.24)
    pale = sum(colour) > 560
    mane = (178, 150, 116) if pale else shade(colour, -0.55) if sum(colour) > 200 else (92, 88, 100)
    hoof = (70, 56, 54)
    tail = curve((0.90, 0.42), (0.98, 0.46), (1.0, 0.64), (0.97, 0.80), (0.91, 0.70), (0.90, 0.56))
    pen.fill(mane, tail, edge=shade(mane, -0.4))
    for x in (0.44, 0.78):
        pen.fill(dark, stroke(((x, 0.60), (x + 0.01, 0.95)), 0.075, 0.06), edge=edge)
        pen.fill(hoof, oval(x + 0.01, 0.965, 0.05, 0.028))
    body = curve(
        (0.34, 0.44),
        (0.44, 0.40),
        (0.62, 0.44),
        (0.82, 0.38),
        (0.93, 0.46),
        (0.93, 0.62),
        (0.84, 0.70),
        (0.60, 0.71),
        (0.40, 0.70),
        (0.30, 0.58),
    )
    neck = curve(
        (0.20, 0.10),
        (0.30, 0.06),
        (0.40, 0.18),
        (0.50, 0.42),
        (0.42, 0.62),
        (0.30, 0.58),
        (0.26, 0.40),
        (0.20, 0.28),
    )
    head = curve(
        (0.22, 0.08),
        (0.31, 0.08),
        (0.34, 0.20),
        (0.26, 0.29),
        (0.14, 0.38),
        (0.06, 0.40),
        (0.025, 0.35),
        (0.05, 0.28),
        (0.13, 0.18),
    )
    ear = sharp((0.22, 0.12), (0.255, 0.0), (0.31, 0.11))
    legs = [stroke(((x, 0.58), (x - 0.01, 0.95)), 0.095, 0.065) for x in (0.36, 0.88)]
    pen.fill(colour, body, neck, *legs, edge=edge)
    pen.fill(colour, ear, head, edge=edge)
    for x in (0.35, 0.87):
        pen.fill(hoof, oval(x, 0.965, 0.052, 0.028))
    pen.fill(shade(colour, 0.22), curve((0.46, 0.45), (0.64, 0.48), (0.80, 0.43), (0.64, 0.53)))
    crest = curve(
        (0.27, 0.03),
        (0.36, 0.07),
        (0.46, 0.22),
        (0.54, 0.42),
        (0.50, 0.48),
        (0.43, 0.36),
        (0.37, 0.22),
        (0.29, 0.12),
    )
    pen.fill(mane, crest, edge=shade(mane, -0.4), width=0.008)
    pen.fill(mane, curve((0.235, 0.06), (0.28, 0.07), (0.22, 0.20), (0.19, 0.17)))
    pen.fill(mix(colour, (236, 200, 184), 0.55), oval(0.075, 0.345, 0.055, 0.05, 0.4))
    pen.fill(INK, oval(0.05, 0.335, 0.012, 0.014))
    _eye(pen, 0.20, 0.185, 0.030, 0.036)


def cow(pen: Pen, look: Look) -> None:
    """A standing cow with patches, horns and udder."""
    colour = look.colour
    edge, dark = outline(colour), shade(colour, -0.22)
    patch = (58, 50, 52) if sum(colour) > 620 else (250, 244, 236)
    pen.fill(colour, stroke(((0.94, 0.32), (0.985, 0.44), (0.97, 0.62)), 0.035), edge=edge)
    pen.fill((84, 62, 54), oval(0.968, 0.66, 0.026, 0.06))
    for x in (0.44, 0.78):
        pen.fill(dark, stroke(((x, 0.62), (x, 0.95)), 0.085), edge=edge)
    pen.fill(_PINK, oval(0.72, 0.76, 0.09, 0.07), edge=shade(_PINK, -0.4), width=0.008)
    body = curve(
        (0.28, 0.30),
        (0.48, 0.26),
        (0.74, 0.27),
        (0.93, 0.28),
        (0.97, 0.44),
        (0.94, 0.70),
        (0.76, 0.77),
        (0.46, 0.77),
        (0.30, 0.68),
        (0.24, 0.46),
    )
    legs = [stroke(((x, 0.66), (x, 0.95)), 0.10) for x in (0.35, 0.88)]
    pen.fill(colour, body, *legs, edge=edge)
    for x in (0.35, 0.44, 0.78, 0.88):
        pen.fill((70, 58, 58), oval(x, 0.965, 0.055, 0.032))
    pen.fill(
        patch,
        curve((0.52, 0.29), (0.68, 0.29), (0.72, 0.42), (0.62, 0.54), (0.50, 0.46)),
        curve((0.84, 0.40), (0.95, 0.36), (0.955, 0.58), (0.86, 0.62), (0.80, 0.52)),
        curve((0.38, 0.58), (0.48, 0.56), (0.54, 0.68), (0.44, 0.74), (0.36, 0.70)),
    )
    horn = (236, 222, 190)
    for points in (
        ((0.11, 0.12), (0.06, 0.07), (0.07, 0.0)),
        ((0.27, 0.12), (0.32, 0.07), (0.31, 0.0)),
    ):
        pen.fill(horn, stroke(points, 0.045, 0.02), edge=shade(horn, -0.4), width=0.007)
    for side in (-1, 1):
        ear = curve(
            (0.19 + 0.10 * side, 0.16),
            (0.19 + 0.20 * side, 0.12),
            (0.19 + 0.19 * side, 0.24),
            (0.19 + 0.11 * side, 0.24),
        )
        pen.fill(dark, ear, edge=edge, width=0.008)
    head = curve(
        (0.10, 0.12),
        (0.28, 0.12),
        (0.31, 0.30),
        (0.29, 0.48),
        (0.19, 0.56),
        (0.09, 0.48),
        (0.07, 0.30),
    )
    pen.fill(colour, head, edge=edge)
    pen.fill(patch, curve((0.19, 0.13), (0.28, 0.13), (0.305, 0.28), (0.24, 0.34), (0.20, 0.26)))
    pen.fill(
        mix(_PINK, (250, 220, 210), 0.4),
        oval(0.19, 0.475, 0.115, 0.085),
        edge=shade(_PINK, -0.4),
        width=0.007,
    )
    pen.fill((120, 62, 70), oval(0.15, 0.46, 0.016, 0.022), oval(0.23, 0.46, 0.016, 0.022))
    _eye(pen, 0.135, 0.27, 0.030, 0.042)
    _eye(pen, 0.255, 0.27, 0.030, 0.042)


def sheep(pen: Pen, look: Look) -> None:
    """A sheep: a cloud of wool with a dark face."""
    colour = look.colour
    edge = outline(colour) if sum(colour) < 640 else (150, 142, 140)
    face = (74, 62, 66) if sum(colour) > 200 else (214, 190, 168)
    for x in (0.40, 0.50, 0.74, 0.84):
        pen.fill(face, stroke(((x, 0.70), (x, 0.95)), 0.07), edge=shade(face, -0.4), width=0.008)
    wool = [oval(x, y, r, r * 1.22) for x, y, r in _FLEECE]
    pen.fill(colour, *wool, edge=edge)
    for x, y in ((0.46, 0.40), (0.64, 0.34), (0.80, 0.44), (0.58, 0.58), (0.74, 0.64)):
        curl = stroke(((x - 0.045, y), (x, y + 0.035), (x + 0.045, y)), 0.018)
        pen.fill(shade(colour, -0.16) if sum(colour) > 200 else shade(colour, 0.2), curl)
    for side in (-1, 1):
        ear = oval(0.22 + 0.16 * side, 0.36, 0.085, 0.052, 0.45 * side)
        pen.fill(face, ear, edge=shade(face, -0.4), width=0.008)
    pen.fill(
        face,
        curve((0.22, 0.22), (0.34, 0.30), (0.33, 0.50), (0.22, 0.68), (0.11, 0.50), (0.10, 0.30)),
        edge=shade(face, -0.4),
    )
    pen.fill(
        colour,
        oval(0.15, 0.22, 0.08, 0.085),
        oval(0.29, 0.22, 0.08, 0.085),
        oval(0.22, 0.18, 0.09, 0.09),
        edge=edge,
        width=0.008,
    )
    _eye(pen, 0.165, 0.40, 0.032, 0.045)
    _eye(pen, 0.275, 0.40, 0.032, 0.045)
    pen.fill(_PINK, oval(0.22, 0.57, 0.032, 0.024))


_FLEECE = (
    (0.36, 0.36, 0.13),
    (0.52, 0.26, 0.14),
    (0.70, 0.26, 0.14),
    (0.86, 0.38, 0.13),
    (0.88, 0.58, 0.11),
    (0.74, 0.66, 0.13),
    (0.56, 0.68, 0.13),
    (0.38, 0.60, 0.13),
    (0.60, 0.46, 0.24),
)


def rabbit(pen: Pen, look: Look) -> None:
    """A sitting rabbit with long ears, or its face."""
    colour = look.colour
    edge = outline(colour) if sum(colour) < 640 else (150, 138, 140)
    pale = mix(colour, _WHITE, 0.7)
    if look.pose == "face":
        pen.fill(colour, oval(0.5, 1.14, 0.36, 0.24), edge=edge)
        _rabbit_head(pen, colour, edge, 0.5, 0.66, 0.36, 0.30)
        return
    pen.fill(pale, oval(0.84, 0.88, 0.12, 0.085), edge=edge)
    pen.fill(colour, oval(0.52, 0.80, 0.34, 0.185), edge=edge)
    pen.fill(pale, oval(0.42, 0.80, 0.17, 0.14))
    for x in (0.33, 0.53):
        pen.fill(colour, oval(x, 0.945, 0.125, 0.045), edge=edge, width=0.008)
    _rabbit_head(pen, colour, edge, 0.42, 0.49, 0.33, 0.175)


def _rabbit_head(
    pen: Pen, colour: Colour, edge: Colour, x: float, y: float, rx: float, ry: float
) -> None:
    def at(u: float, v: float) -> tuple[float, float]:
        return x + u * rx, y + v * ry

    for side, lean in ((-1, -0.18), (1, 0.22)):
        ear = curve(
            at(0.20 * side, -0.7),
            at(0.12 * side + 0.4 * lean, -1.8),
            at(0.42 * side + lean, -2.62 if ry < 0.25 else -2.1),
            at(0.80 * side + lean, -1.8),
            at(0.66 * side, -0.6),
        )
        pen.fill(colour, ear, edge=edge)
        inner = curve(
            at(0.32 * side, -0.8),
            at(0.30 * side + 0.5 * lean, -1.7),
            at(0.44 * side + lean, -2.3 if ry < 0.25 else -1.85),
            at(0.64 * side + 0.9 * lean, -1.7),
            at(0.54 * side, -0.8),
        )
        pen.fill(_PINK, inner)
    pen.fill(colour, oval(x, y, rx, ry), edge=edge)
    pale = mix(colour, _WHITE, 0.75)
    pen.fill(
        pale,
        oval(*at(-0.24, 0.46), 0.30 * rx, 0.32 * ry),
        oval(*at(0.24, 0.46), 0.30 * rx, 0.32 * ry),
    )
    pen.fill(
        _WHITE,
        sharp(at(-0.14, 0.58), at(0.14, 0.58), at(0.12, 0.94), at(-0.12, 0.94)),
        edge=(150, 130, 132),
        width=0.005,
    )
    pen.fill((226, 104, 124), sharp(at(-0.17, 0.20), at(0.17, 0.20), at(0.0, 0.44)))
    for side in (-1, 1):
        pen.fill((48, 30, 36), oval(*at(0.46 * side, -0.12), 0.15 * rx, 0.22 * ry))
        pen.fill(_WHITE, oval(*at(0.42 * side, -0.20), 0.05 * rx, 0.075 * ry))
        whisker = (150, 140, 144)
        pen.fill(whisker, stroke((at(0.36 * side, 0.40), at(1.10 * side, 0.30)), 0.045 * rx))
        pen.fill(whisker, stroke((at(0.36 * side, 0.52), at(1.08 * side, 0.64)), 0.045 * rx))


def duck(pen: Pen, look: Look) -> None:
    """A duck, standing or afloat."""
    colour = look.colour
    edge = outline(colour) if sum(colour) < 640 else (150, 142, 140)
    head_colour = (44, 120, 74) if colour[0] < 180 else colour
    if look.pose != "swimming":
        for x in (0.48, 0.62):
            pen.fill(
                _BEAK,
                stroke(((x, 0.84), (x - 0.01, 0.95)), 0.05),
                oval(x - 0.05, 0.965, 0.085, 0.03),
                edge=shade(_BEAK, -0.4),
                width=0.006,
            )
    body = curve(
        (0.26, 0.50),
        (0.40, 0.50),
        (0.56, 0.56),
        (0.78, 0.54),
        (0.99, 0.38),
        (0.97, 0.64),
        (0.84, 0.84),
        (0.56, 0.91),
        (0.32, 0.84),
        (0.20, 0.66),
    )
    beak = curve((0.17, 0.20), (0.10, 0.25), (0.0, 0.27), (0.02, 0.34), (0.12, 0.36), (0.20, 0.33))
    pen.fill(_BEAK, beak, edge=shade(_BEAK, -0.4), width=0.008)
    pen.fill(colour, body, edge=edge)
    neck = curve((0.20, 0.36), (0.42, 0.34), (0.44, 0.52), (0.46, 0.66), (0.26, 0.66), (0.24, 0.52))
    pen.fill(colour, neck)
    pen.fill(head_colour, oval(0.30, 0.26, 0.165, 0.19), edge=edge)
    if head_colour != colour:
        pen.fill(_WHITE, stroke(((0.23, 0.46), (0.33, 0.48), (0.43, 0.45)), 0.045))
    else:
        pen.fill(colour, oval(0.33, 0.42, 0.09, 0.08))
    wing = curve((0.44, 0.60), (0.62, 0.60), (0.84, 0.58), (0.78, 0.74), (0.60, 0.80), (0.46, 0.74))
    pen.fill(shade(colour, -0.16), wing, edge=edge, width=0.007)
    pen.fill(shade(colour, 0.3), stroke(((0.52, 0.66), (0.64, 0.67), (0.74, 0.645)), 0.03))
    _eye(pen, 0.25, 0.22, 0.042, 0.050)
    if look.pose == "swimming":
        foam = (206, 230, 244)
        pen.fill(foam, stroke(((0.10, 0.90), (0.32, 0.93), (0.60, 0.95), (0.98, 0.90)), 0.05))


def fish(pen: Pen, look: Look) -> None:
    """A fish in a bowl, or leaping from the water."""
    if look.pose == "bowl":
        _bowl(pen, look.colour)
        return
    _fish_body(pen, look.colour, 0.0, 0.02, 1.0, 0.78)
    foam = (214, 236, 248)
    for x in (0.14, 0.86):
        pen.fill(foam, oval(x, 0.88, 0.05, 0.065))
    pen.fill(
        foam,
        curve((0.12, 0.92), (0.32, 0.86), (0.5, 0.93), (0.70, 0.86), (0.90, 0.92), (0.5, 0.99)),
    )


def _bowl(pen: Pen, colour: Colour) -> None:
    glass, water = (214, 236, 244), (146, 206, 236)
    bowl = curve(
        (0.24, 0.06),
        (0.76, 0.06),
        (0.96, 0.32),
        (0.98, 0.60),
        (0.86, 0.88),
        (0.66, 0.985),
        (0.34, 0.985),
        (0.14, 0.88),
        (0.02, 0.60),
        (0.04, 0.32),
    )
    pen.fill(glass, bowl, edge=(74, 112, 142))
    fill = curve(
        (0.06, 0.32),
        (0.30, 0.34),
        (0.70, 0.34),
        (0.94, 0.32),
        (0.955, 0.60),
        (0.84, 0.86),
        (0.65, 0.955),
        (0.35, 0.955),
        (0.16, 0.86),
        (0.045, 0.60),
    )
    pen.fill(water, fill)
    pen.fill(
        (222, 196, 140),
        curve((0.14, 0.86), (0.5, 0.82), (0.86, 0.86), (0.65, 0.965), (0.35, 0.965)),
    )
    _fish_body(pen, colour, 0.16, 0.38, 0.84, 0.82)
    pen.fill(shade(glass, 0.6), stroke(((0.12, 0.40), (0.085, 0.56), (0.12, 0.70)), 0.04))
    pen.fill(glass, oval(0.5, 0.065, 0.28, 0.055), edge=(74, 112, 142), width=0.008)


def _fish_body(pen: Pen, colour: Colour, x0: float, y0: float, x1: float, y1: float) -> None:
    """Facing left within the box."""

    def at(u: float, v: float) -> tuple[float, float]:
        return x0 + u * (x1 - x0), y0 + v * (y1 - y0)

    w, h = x1 - x0, y1 - y0
    edge, dark = outline(colour), shade(colour, -0.25)
    tail = curve(
        at(0.68, 0.50), at(0.84, 0.30), at(1.0, 0.16), at(0.94, 0.50), at(1.0, 0.84), at(0.84, 0.70)
    )
    fin = curve(at(0.30, 0.24), at(0.42, 0.02), at(0.66, 0.06), at(0.62, 0.30))
    pen.fill(dark, tail, fin, edge=edge)
    body = curve(
        at(0.0, 0.52),
        at(0.14, 0.28),
        at(0.38, 0.16),
        at(0.62, 0.30),
        at(0.76, 0.50),
        at(0.62, 0.72),
        at(0.38, 0.86),
        at(0.14, 0.76),
    )
    pen.fill(colour, body, edge=edge)
    pen.fill(
        mix(colour, _WHITE, 0.6),
        curve(at(0.08, 0.66), at(0.36, 0.70), at(0.60, 0.70), at(0.38, 0.83), at(0.16, 0.76)),
    )
    pen.fill(_WHITE, stroke((at(0.34, 0.20), at(0.40, 0.50), at(0.34, 0.80)), 0.05 * w))
    pen.fill(dark, curve(at(0.44, 0.48), at(0.60, 0.44), at(0.58, 0.62), at(0.46, 0.62)))
    pen.fill(_WHITE, oval(*at(0.19, 0.43), 0.07 * w, 0.10 * h))
    pen.fill(INK, oval(*at(0.18, 0.44), 0.045 * w, 0.068 * h))
    pen.fill(dark, stroke((at(0.03, 0.60), at(0.10, 0.63)), 0.025 * w))
