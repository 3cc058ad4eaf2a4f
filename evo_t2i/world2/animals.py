"""Cats, dogs and birds, drawn in the unit square and facing left where they face a side."""

from evo_t2i.world2.pen import Colour, Look, Pen, curve, mix, oval, shade, sharp, stroke

INK = (30, 26, 34)
_PINK = (240, 150, 156)
_WHITE = (252, 250, 246)


def outline(colour: Colour) -> Colour:
    """An edge that shows against any backdrop: darker, or lighter for near-black things."""
    return (112, 112, 128) if sum(colour) < 200 else shade(colour, -0.48)


def cat(pen: Pen, look: Look) -> None:
    """A cat that is sitting, lying or a face; pointed ears, whiskers, tail curled upwards."""
    {"sitting": _cat_sitting, "lying": _cat_lying, "face": _cat_face}[look.pose](pen, look.colour)


def _belly(colour: Colour) -> Colour:
    return mix(colour, _WHITE, 0.75) if sum(colour) > 200 else shade(colour, 0.22)


def _cat_head(pen: Pen, colour: Colour, x: float, y: float, rx: float, ry: float) -> None:
    """A front-facing head around (x, y); `rx`, `ry` are the skull's radii."""

    def at(u: float, v: float) -> tuple[float, float]:
        return x + u * rx, y + v * ry

    left = sharp(at(-0.98, -0.1), at(-0.92, -1.55), at(-0.15, -0.85))
    right = sharp(at(0.98, -0.1), at(0.92, -1.55), at(0.15, -0.85))
    pen.fill(colour, left, right, oval(x, y, rx, ry), edge=outline(colour))
    pen.fill(_PINK, sharp(at(-0.82, -0.62), at(-0.80, -1.25), at(-0.42, -0.82)))
    pen.fill(_PINK, sharp(at(0.82, -0.62), at(0.80, -1.25), at(0.42, -0.82)))
    stripe = shade(colour, -0.30)
    if sum(colour) > 200:
        for u in (-0.3, 0.0, 0.3):
            pen.fill(stripe, stroke((at(u, -0.90 + 0.1 * abs(u)), at(u * 0.8, -0.52)), 0.13 * rx))
    pen.fill(
        _belly(colour),
        oval(*at(-0.22, 0.45), 0.30 * rx, 0.28 * ry),
        oval(*at(0.22, 0.45), 0.30 * rx, 0.28 * ry),
    )
    for side in (-1, 1):
        pen.fill(
            (168, 214, 60),
            oval(*at(0.44 * side, -0.10), 0.24 * rx, 0.26 * ry),
            edge=INK,
            width=0.005,
        )
        pen.fill(INK, oval(*at(0.44 * side, -0.10), 0.10 * rx, 0.23 * ry))
    pen.fill((226, 104, 116), sharp(at(-0.16, 0.20), at(0.16, 0.20), at(0.0, 0.40)))
    whisker = _WHITE if sum(colour) < 640 else (120, 116, 122)
    for side in (-1, 1):
        for v, w in ((0.36, 0.22), (0.52, 0.60)):
            pen.fill(whisker, stroke((at(0.40 * side, v), at(1.22 * side, w)), 0.055 * rx))


def _cat_sitting(pen: Pen, colour: Colour) -> None:
    edge, dark = outline(colour), shade(colour, -0.22)
    tail = stroke(
        ((0.66, 0.92), (0.86, 0.88), (0.95, 0.70), (0.88, 0.52), (0.93, 0.38)), 0.11, 0.09
    )
    pen.fill(colour, tail, edge=edge)
    body = curve(
        (0.40, 0.40),
        (0.60, 0.48),
        (0.72, 0.70),
        (0.76, 0.92),
        (0.62, 0.99),
        (0.20, 0.99),
        (0.12, 0.90),
        (0.17, 0.68),
        (0.24, 0.48),
    )
    pen.fill(colour, body, edge=edge)
    pen.fill(dark, oval(0.66, 0.84, 0.11, 0.12))
    pen.fill(_belly(colour), oval(0.40, 0.66, 0.12, 0.16))
    pen.fill(colour, stroke(((0.31, 0.72), (0.29, 0.95)), 0.13), edge=dark, width=0.006)
    pen.fill(colour, stroke(((0.49, 0.72), (0.51, 0.95)), 0.13), edge=dark, width=0.006)
    pen.fill(_belly(colour), oval(0.28, 0.96, 0.08, 0.035), oval(0.52, 0.96, 0.08, 0.035))
    _cat_head(pen, colour, 0.40, 0.32, 0.30, 0.205)


def _cat_lying(pen: Pen, colour: Colour) -> None:
    edge, dark = outline(colour), shade(colour, -0.22)
    tail = stroke(
        ((0.82, 0.86), (0.95, 0.72), (0.93, 0.42), (0.84, 0.26), (0.89, 0.10)), 0.085, 0.07
    )
    pen.fill(colour, tail, edge=edge)
    body = curve(
        (0.22, 0.62),
        (0.42, 0.44),
        (0.68, 0.40),
        (0.88, 0.56),
        (0.94, 0.84),
        (0.80, 0.98),
        (0.40, 0.99),
        (0.16, 0.96),
    )
    pen.fill(colour, body, edge=edge)
    pen.fill(dark, oval(0.78, 0.78, 0.12, 0.16))
    if sum(colour) > 200:
        for x in (0.52, 0.62, 0.72):
            pen.fill(dark, stroke(((x, 0.45), (x + 0.01, 0.60)), 0.025))
    pen.fill(colour, stroke(((0.50, 0.92), (0.10, 0.94)), 0.10), edge=dark, width=0.006)
    pen.fill(_belly(colour), oval(0.08, 0.94, 0.045, 0.05))
    _cat_head(pen, colour, 0.26, 0.50, 0.215, 0.30)


def _cat_face(pen: Pen, colour: Colour) -> None:
    pen.fill(colour, oval(0.5, 1.10, 0.42, 0.28), edge=outline(colour))
    _cat_head(pen, colour, 0.5, 0.60, 0.46, 0.36)


def dog(pen: Pen, look: Look) -> None:
    """A dog that is sitting, standing or a face; floppy ears, big muzzle, tongue, collar."""
    {"sitting": _dog_sitting, "standing": _dog_standing, "face": _dog_face}[look.pose](
        pen, look.colour
    )


def _dog_ear(colour: Colour) -> Colour:
    return shade(colour, 0.16) if sum(colour) < 200 else mix(colour, (92, 56, 34), 0.62)


def _dog_muzzle(colour: Colour) -> Colour:
    return (176, 140, 108) if sum(colour) < 200 else mix(colour, _WHITE, 0.72)


def _dog_head(pen: Pen, colour: Colour, x: float, y: float, rx: float, ry: float) -> None:
    """A front-facing head around (x, y)."""

    def at(u: float, v: float) -> tuple[float, float]:
        return x + u * rx, y + v * ry

    edge = outline(colour)
    skull = curve(
        at(0, -1.0),
        at(0.62, -0.86),
        at(0.80, -0.2),
        at(0.62, 0.55),
        at(0, 1.0),
        at(-0.62, 0.55),
        at(-0.80, -0.2),
        at(-0.62, -0.86),
    )
    pen.fill(colour, skull, edge=edge)
    for side in (-1, 1):
        ear = curve(
            at(0.46 * side, -0.86),
            at(0.80 * side, -0.86),
            at(1.10 * side, -0.20),
            at(1.12 * side, 0.50),
            at(0.88 * side, 0.66),
            at(0.70 * side, 0.10),
        )
        pen.fill(_dog_ear(colour), ear, edge=edge, width=0.008)
    pen.fill(
        (236, 84, 100), stroke((at(0.04, 0.70), at(0.06, 1.06)), 0.40 * rx), edge=INK, width=0.005
    )
    pen.fill(
        _dog_muzzle(colour),
        oval(*at(-0.24, 0.46), 0.36 * rx, 0.34 * ry),
        oval(*at(0.24, 0.46), 0.36 * rx, 0.34 * ry),
        oval(*at(0, 0.24), 0.26 * rx, 0.34 * ry),
    )
    pen.fill(INK, oval(*at(0, 0.20), 0.26 * rx, 0.17 * ry))
    pen.fill(INK, stroke((at(0, 0.25), at(0, 0.58)), 0.07 * rx))
    pen.fill(
        INK,
        stroke((at(-0.34, 0.62), at(-0.17, 0.72), at(0, 0.58)), 0.07 * rx),
        stroke((at(0, 0.58), at(0.17, 0.72), at(0.34, 0.62)), 0.07 * rx),
    )
    for side in (-1, 1):
        pen.fill(_WHITE, oval(*at(0.36 * side, -0.22), 0.17 * rx, 0.18 * ry))
        pen.fill((64, 36, 20), oval(*at(0.35 * side, -0.20), 0.135 * rx, 0.145 * ry))
        pen.fill(_WHITE, oval(*at(0.35 * side + 0.05, -0.27), 0.045 * rx, 0.05 * ry))


def _dog_sitting(pen: Pen, colour: Colour) -> None:
    edge, dark = outline(colour), shade(colour, -0.22)
    tail = stroke(((0.72, 0.92), (0.88, 0.84), (0.97, 0.68)), 0.12, 0.06)
    pen.fill(colour, tail, edge=edge)
    body = curve(
        (0.42, 0.42),
        (0.62, 0.50),
        (0.76, 0.72),
        (0.82, 0.92),
        (0.66, 0.99),
        (0.24, 0.99),
        (0.20, 0.80),
        (0.22, 0.55),
    )
    pen.fill(colour, body, edge=edge)
    pen.fill(dark, oval(0.70, 0.86, 0.12, 0.12))
    pen.fill(_dog_muzzle(colour), oval(0.42, 0.68, 0.11, 0.15))
    for x in (0.31, 0.53):
        pen.fill(colour, stroke(((x, 0.70), (x, 0.95)), 0.14), edge=dark, width=0.006)
    pen.fill((214, 40, 46), stroke(((0.24, 0.52), (0.42, 0.57), (0.60, 0.52)), 0.055))
    _dog_head(pen, colour, 0.42, 0.28, 0.38, 0.27)


def _dog_standing(pen: Pen, colour: Colour) -> None:
    edge, dark = outline(colour), shade(colour, -0.24)
    pen.fill(colour, stroke(((0.86, 0.50), (0.94, 0.38), (0.95, 0.18)), 0.08, 0.045), edge=edge)
    for x in (0.48, 0.76):
        pen.fill(dark, stroke(((x, 0.66), (x + 0.01, 0.95)), 0.085), edge=edge)
    body = curve(
        (0.36, 0.42),
        (0.62, 0.44),
        (0.86, 0.43),
        (0.93, 0.56),
        (0.86, 0.72),
        (0.60, 0.73),
        (0.40, 0.74),
        (0.30, 0.58),
    )
    legs = [stroke(((x, 0.62), (x - 0.01, 0.94)), 0.10) for x in (0.40, 0.86)]
    pen.fill(colour, body, *legs, edge=edge)
    pen.fill(_dog_muzzle(colour), oval(0.385, 0.95, 0.06, 0.035), oval(0.845, 0.95, 0.06, 0.035))
    pen.fill((214, 40, 46), stroke(((0.30, 0.52), (0.46, 0.40)), 0.06))
    pen.fill((236, 84, 100), stroke(((0.13, 0.44), (0.12, 0.58)), 0.075), edge=INK, width=0.005)
    head = curve(
        (0.30, 0.06),
        (0.44, 0.12),
        (0.48, 0.30),
        (0.38, 0.46),
        (0.20, 0.50),
        (0.05, 0.47),
        (0.03, 0.34),
        (0.14, 0.27),
        (0.20, 0.12),
    )
    pen.fill(colour, head, edge=edge)
    pen.fill(
        _dog_muzzle(colour),
        curve((0.16, 0.30), (0.24, 0.40), (0.16, 0.48), (0.05, 0.46), (0.04, 0.35)),
    )
    pen.fill(INK, oval(0.055, 0.33, 0.05, 0.05))
    pen.fill(_WHITE, oval(0.245, 0.22, 0.04, 0.05))
    pen.fill((50, 30, 20), oval(0.238, 0.225, 0.03, 0.04))
    ear = curve((0.34, 0.08), (0.46, 0.12), (0.54, 0.32), (0.50, 0.48), (0.42, 0.46), (0.37, 0.28))
    pen.fill(_dog_ear(colour), ear, edge=edge, width=0.008)


def _dog_face(pen: Pen, colour: Colour) -> None:
    pen.fill(colour, oval(0.5, 1.12, 0.40, 0.28), edge=outline(colour))
    pen.fill((214, 40, 46), stroke(((0.22, 0.93), (0.5, 1.0), (0.78, 0.93)), 0.08))
    _dog_head(pen, colour, 0.5, 0.50, 0.45, 0.46)


def bird(pen: Pen, look: Look) -> None:
    """A bird that is perched or flying; orange beak, white belly."""
    (_bird_flying if look.pose == "flying" else _bird_perched)(pen, look.colour)


_BEAK = (246, 150, 30)


def _bird_perched(pen: Pen, colour: Colour) -> None:
    edge, dark = outline(colour), shade(colour, -0.25)
    for x in (0.44, 0.56):
        pen.fill((190, 110, 30), stroke(((x, 0.80), (x, 0.98)), 0.05))
    tail = sharp((0.66, 0.60), (0.99, 0.84), (0.92, 0.98), (0.60, 0.80))
    body = curve(
        (0.30, 0.12),
        (0.46, 0.14),
        (0.60, 0.32),
        (0.78, 0.56),
        (0.72, 0.78),
        (0.50, 0.87),
        (0.28, 0.80),
        (0.16, 0.60),
        (0.14, 0.34),
    )
    pen.fill(_BEAK, sharp((0.17, 0.22), (0.17, 0.40), (0.0, 0.33)), edge=shade(_BEAK, -0.4))
    pen.fill(colour, tail, body, edge=edge)
    pen.fill(
        mix(colour, _WHITE, 0.72),
        curve((0.17, 0.50), (0.32, 0.52), (0.42, 0.70), (0.44, 0.83), (0.28, 0.78), (0.19, 0.66)),
    )
    wing = curve((0.46, 0.40), (0.64, 0.48), (0.84, 0.74), (0.66, 0.76), (0.48, 0.66))
    pen.fill(dark, wing)
    pen.fill(_WHITE, oval(0.30, 0.28, 0.065, 0.07))
    pen.fill(INK, oval(0.29, 0.285, 0.045, 0.05))


def _bird_flying(pen: Pen, colour: Colour) -> None:
    edge, dark = outline(colour), shade(colour, -0.25)
    far = curve((0.40, 0.56), (0.30, 0.28), (0.16, 0.06), (0.42, 0.14), (0.56, 0.50))
    pen.fill(dark, far, edge=edge)
    pen.fill(_BEAK, sharp((0.13, 0.56), (0.13, 0.72), (0.0, 0.66)), edge=shade(_BEAK, -0.4))
    tail = sharp((0.70, 0.62), (1.0, 0.58), (0.94, 0.72), (0.99, 0.84), (0.68, 0.80))
    body = curve(
        (0.10, 0.60),
        (0.22, 0.48),
        (0.40, 0.54),
        (0.66, 0.58),
        (0.80, 0.70),
        (0.60, 0.88),
        (0.34, 0.90),
        (0.14, 0.78),
    )
    pen.fill(colour, tail, body, edge=edge)
    pen.fill(
        mix(colour, _WHITE, 0.72),
        curve((0.16, 0.76), (0.36, 0.78), (0.58, 0.80), (0.50, 0.88), (0.32, 0.89)),
    )
    near = curve((0.38, 0.64), (0.46, 0.34), (0.66, 0.02), (0.84, 0.04), (0.80, 0.34), (0.62, 0.68))
    pen.fill(colour, near, edge=edge)
    pen.fill(dark, curve((0.68, 0.10), (0.84, 0.04), (0.80, 0.34), (0.66, 0.56), (0.70, 0.30)))
    pen.fill(_WHITE, oval(0.22, 0.63, 0.05, 0.065))
    pen.fill(INK, oval(0.215, 0.635, 0.035, 0.048))
