"""People, robots and teddy bears: standing, sitting or a face."""

from dataclasses import dataclass

from evo_t2i.world.animals import INK, outline
from evo_t2i.world.pen import Colour, Look, Pen, Shape, block, curve, mix, oval, shade, stroke

_WHITE = (252, 250, 246)
_SKIN = (246, 200, 164)
_TAN = (214, 152, 108)
_LIPS = (206, 84, 84)


@dataclass(frozen=True)
class _Person:
    """What tells people apart: skin, hair, trousers, whether in a dress, and how large the head."""

    skin: Colour
    hair: Colour
    trousers: Colour
    dress: bool
    head: float


_PEOPLE = {
    "man": _Person(_SKIN, (84, 54, 36), (52, 62, 96), False, 0.122),
    "woman": _Person(_TAN, (52, 34, 30), (52, 62, 96), True, 0.124),
    "boy": _Person(_TAN, (40, 30, 28), (96, 108, 134), False, 0.158),
    "girl": _Person(_SKIN, (196, 108, 44), (52, 62, 96), True, 0.158),
}


def man(pen: Pen, look: Look) -> None:
    """A man with a moustache, in a shirt of the look's colour."""
    _person(pen, look, "man")


def woman(pen: Pen, look: Look) -> None:
    """A woman with long hair, in a dress of the look's colour."""
    _person(pen, look, "woman")


def boy(pen: Pen, look: Look) -> None:
    """A boy with tousled hair and shorts."""
    _person(pen, look, "boy")


def girl(pen: Pen, look: Look) -> None:
    """A girl with pigtails and a dress."""
    _person(pen, look, "girl")


def _person(pen: Pen, look: Look, name: str) -> None:
    who = _PEOPLE[name]
    if look.pose == "face":
        _bust(pen, look.colour, who, name)
    else:
        _figure(pen, look.colour, who, name, look.pose)


def _figure(pen: Pen, colour: Colour, who: _Person, name: str, pose: str) -> None:
    """The whole body; the unit box is about half as wide as it is high.

    A rider reaches to the left, and one leg hangs down on this side.
    """
    child = name in ("boy", "girl")
    edge, skin_edge = outline(colour), shade(who.skin, -0.45)
    ry = who.head
    rx = ry * 1.85
    chin = 0.03 + 2 * ry
    sitting, riding = pose == "sitting", pose == "riding"
    hip = 0.72 if sitting else 0.62 if riding else 0.66 if child else 0.60
    if name in ("woman", "girl"):
        _long_hair(pen, who, name, 0.5, 0.03 + ry, rx, ry)
    if not riding:
        _legs(pen, who, hip, sitting, child)
    top = chin - 0.01
    for side in (-1, 1):
        hand = (0.5 + 0.36 * side, hip - 0.03)
        if riding:
            hand = (0.06 if side < 0 else 0.14, hip - 0.02)
        elbow = (0.5 + 0.33 * side, top + 0.18)
        arm = stroke(((0.5 + 0.20 * side, top + 0.06), elbow, hand), 0.13)
        pen.fill(colour, arm, edge=edge, width=0.008)
        pen.fill(who.skin, oval(*hand, 0.075, 0.034), edge=skin_edge, width=0.006)
    pen.fill(who.skin, block(0.43, chin - 0.05, 0.57, chin + 0.04), edge=skin_edge, width=0.006)
    if who.dress:
        hem = hip + (0.06 if sitting else 0.03 if riding else 0.13)
        body: Shape = curve(
            (0.36, top),
            (0.64, top),
            (0.71, top + 0.09),
            (0.66, top + 0.20),
            (0.86, hem),
            (0.5, hem + 0.025),
            (0.14, hem),
            (0.34, top + 0.20),
            (0.29, top + 0.09),
        )
    else:
        body = curve(
            (0.36, top),
            (0.64, top),
            (0.74, top + 0.05),
            (0.73, hip - 0.10),
            (0.72, hip + 0.02),
            (0.5, hip + 0.03),
            (0.28, hip + 0.02),
            (0.27, hip - 0.10),
            (0.26, top + 0.05),
        )
    pen.fill(colour, body, edge=edge)
    light = shade(colour, 0.18) if sum(colour) < 640 else shade(colour, -0.14)
    pen.fill(
        light, curve((0.33, top + 0.05), (0.42, top + 0.04), (0.40, hip - 0.06), (0.34, hip - 0.08))
    )
    if riding:
        _riding_leg(pen, who, hip, child)
    if not who.dress and not child:
        for number in range(3):
            pen.fill(shade(colour, -0.35), oval(0.5, top + 0.09 + 0.09 * number, 0.022, 0.011))
    _head(pen, who, name, 0.5, 0.03 + ry, rx, ry)


def _legs(pen: Pen, who: _Person, hip: float, sitting: bool, child: bool) -> None:
    shoes = (66, 44, 36)
    bare = who.dress or child
    colour = who.skin if bare else who.trousers
    for side in (-1, 1):
        x = 0.5 + (0.19 if sitting else 0.14) * side
        width = 0.125 if bare else 0.17
        pen.fill(colour, stroke(((x, hip), (x, 0.955)), width), edge=shade(colour, -0.45))
        if bare and not who.dress:
            short = stroke(((x, hip), (x, hip + 0.42 * (0.955 - hip))), 0.22)
            pen.fill(who.trousers, short, edge=shade(who.trousers, -0.45))
        pen.fill(shoes, oval(x + 0.045 * side, 0.967, 0.125, 0.030), edge=INK, width=0.006)
        if sitting and not who.dress:
            knee = oval(x, hip + 0.02, 0.145, 0.055)
            pen.fill(who.trousers, knee, edge=shade(who.trousers, -0.45))


def _riding_leg(pen: Pen, who: _Person, hip: float, child: bool) -> None:
    """The leg on this side, the knee to the left."""
    bare = who.dress or child
    colour = who.skin if bare else who.trousers
    knee, foot = (0.36, hip + 0.15), (0.46, 0.945)
    pen.fill(
        colour, stroke(((0.5, hip), knee, foot), 0.15 if bare else 0.19), edge=shade(colour, -0.45)
    )
    if bare and not who.dress:
        short = stroke(((0.5, hip), knee), 0.22)
        pen.fill(who.trousers, short, edge=shade(who.trousers, -0.45))
    pen.fill((66, 44, 36), oval(foot[0] - 0.05, 0.962, 0.14, 0.034), edge=INK, width=0.006)


def _long_hair(pen: Pen, who: _Person, name: str, x: float, y: float, rx: float, ry: float) -> None:
    """What falls behind the head and shoulders."""
    edge = shade(who.hair, -0.4)
    if name == "woman":
        shape = curve(
            (x, y - 1.12 * ry),
            (x + 1.05 * rx, y - 0.5 * ry),
            (x + 1.22 * rx, y + 0.9 * ry),
            (x + 1.15 * rx, y + 1.75 * ry),
            (x + 0.5 * rx, y + 1.5 * ry),
            (x - 0.5 * rx, y + 1.5 * ry),
            (x - 1.15 * rx, y + 1.75 * ry),
            (x - 1.22 * rx, y + 0.9 * ry),
            (x - 1.05 * rx, y - 0.5 * ry),
        )
        pen.fill(who.hair, shape, edge=edge, width=0.008)
        return
    for side in (-1, 1):
        tail = stroke(
            (
                (x + 0.9 * side * rx, y - 0.1 * ry),
                (x + 1.38 * side * rx, y + 0.35 * ry),
                (x + 1.30 * side * rx, y + 1.25 * ry),
            ),
            0.55 * rx,
            0.22 * rx,
        )
        pen.fill(who.hair, tail, edge=edge, width=0.008)
        pen.fill((226, 62, 84), oval(x + 1.0 * side * rx, y - 0.02 * ry, 0.20 * rx, 0.20 * ry))


def _head(pen: Pen, who: _Person, name: str, x: float, y: float, rx: float, ry: float) -> None:
    def at(u: float, v: float) -> tuple[float, float]:
        return x + u * rx, y + v * ry

    edge, hair_edge = shade(who.skin, -0.45), shade(who.hair, -0.4)
    ears = [oval(*at(0.96 * side, 0.12), 0.20 * rx, 0.22 * ry) for side in (-1, 1)]
    if name != "woman":
        pen.fill(who.skin, *ears, edge=edge, width=0.008)
    pen.fill(who.skin, oval(x, y, 0.96 * rx, ry), edge=edge, width=0.008)
    if name in ("woman", "girl"):
        fringe = curve(
            at(-1.0, 0.18),
            at(-1.02, -0.55),
            at(-0.5, -1.06),
            at(0.0, -1.14),
            at(0.5, -1.06),
            at(1.02, -0.55),
            at(1.0, 0.18),
            at(0.80, -0.26),
            at(0.30, -0.52),
            at(-0.10, -0.56),
            at(-0.70, -0.22),
        )
    elif name == "man":
        fringe = curve(
            at(-1.0, 0.02),
            at(-1.0, -0.60),
            at(-0.5, -1.10),
            at(0.1, -1.16),
            at(0.7, -1.02),
            at(1.0, -0.60),
            at(1.0, 0.02),
            at(0.82, -0.38),
            at(0.2, -0.58),
            at(-0.72, -0.46),
        )
    else:
        fringe = curve(
            at(-1.0, 0.0),
            at(-1.06, -0.60),
            at(-0.70, -1.02),
            at(-0.5, -1.26),
            at(-0.12, -1.06),
            at(0.2, -1.30),
            at(0.5, -1.04),
            at(0.9, -1.02),
            at(1.06, -0.55),
            at(1.0, 0.0),
            at(0.72, -0.48),
            at(0.36, -0.36),
            at(0.0, -0.56),
            at(-0.40, -0.36),
            at(-0.74, -0.52),
        )
    pen.fill(who.hair, fringe, edge=hair_edge, width=0.008)
    for side in (-1, 1):
        pen.fill(_WHITE, oval(*at(0.40 * side, 0.06), 0.21 * rx, 0.20 * ry))
        pen.fill((44, 32, 32), oval(*at(0.39 * side, 0.09), 0.135 * rx, 0.155 * ry))
        pen.fill(_WHITE, oval(*at(0.39 * side + 0.05, 0.02), 0.045 * rx, 0.05 * ry))
        if name in ("boy", "girl"):
            pen.fill(
                mix(who.skin, (236, 96, 96), 0.40),
                oval(*at(0.58 * side, 0.42), 0.16 * rx, 0.12 * ry),
            )
    pen.fill(shade(who.skin, -0.22), oval(*at(0.0, 0.30), 0.10 * rx, 0.09 * ry))
    if name == "man":
        moustache = curve(
            at(0.0, 0.42),
            at(0.36, 0.44),
            at(0.46, 0.60),
            at(0.0, 0.56),
            at(-0.46, 0.60),
            at(-0.36, 0.44),
        )
        pen.fill(who.hair, moustache)
    mouth = stroke((at(-0.26, 0.62), at(0.0, 0.74), at(0.26, 0.62)), 0.09 * rx)
    pen.fill(_LIPS if name in ("woman", "girl") else shade(_LIPS, -0.2), mouth)


def _bust(pen: Pen, colour: Colour, who: _Person, name: str) -> None:
    """Head and shoulders."""
    edge = outline(colour)
    if name in ("woman", "girl"):
        _long_hair(pen, who, name, 0.5, 0.46, 0.34, 0.38)
    shoulders = curve(
        (0.5, 0.84),
        (0.68, 0.86),
        (0.90, 0.94),
        (0.98, 1.10),
        (0.02, 1.10),
        (0.10, 0.94),
        (0.32, 0.86),
    )
    pen.fill(colour, shoulders, edge=edge)
    pen.fill(
        who.skin, block(0.40, 0.76, 0.60, 0.90, 0.05), edge=shade(who.skin, -0.45), width=0.008
    )
    _head(pen, who, name, 0.5, 0.46, 0.34, 0.38)


def robot(pen: Pen, look: Look) -> None:
    """A boxy robot with an aerial, or its face."""
    colour = look.colour
    edge, dark, light = outline(colour), shade(colour, -0.25), shade(colour, 0.35)
    if look.pose == "face":
        pen.fill(dark, block(0.34, 0.88, 0.66, 1.1), edge=edge)
        _robot_head(pen, colour, 0.08, 0.16, 0.92, 0.92)
        return
    for x in (0.34, 0.66):
        pen.fill(dark, block(x - 0.075, 0.76, x + 0.075, 0.95), edge=edge)
        pen.fill(colour, block(x - 0.12, 0.91, x + 0.12, 0.99, 0.03), edge=edge)
    for side in (-1, 1):
        arm = stroke(
            ((0.5 + 0.30 * side, 0.52), (0.5 + 0.41 * side, 0.60), (0.5 + 0.42 * side, 0.72)), 0.10
        )
        pen.fill(dark, arm, edge=edge)
        pen.fill(light, oval(0.5 + 0.42 * side, 0.74, 0.075, 0.055), edge=edge, width=0.008)
    pen.fill(colour, block(0.20, 0.44, 0.80, 0.80, 0.05), edge=edge)
    pen.fill(light, block(0.24, 0.47, 0.31, 0.76, 0.03))
    pen.fill((40, 48, 62), block(0.36, 0.51, 0.70, 0.66, 0.02), edge=dark, width=0.006)
    for x, lamp in ((0.43, (240, 74, 66)), (0.53, (252, 208, 66)), (0.63, (88, 206, 110))):
        pen.fill(lamp, oval(x, 0.585, 0.036, 0.032), glows=True)
    _robot_head(pen, colour, 0.26, 0.10, 0.74, 0.43)


def _robot_head(pen: Pen, colour: Colour, x0: float, y0: float, x1: float, y1: float) -> None:
    edge, width, height = outline(colour), x1 - x0, y1 - y0
    middle = (x0 + x1) / 2
    pen.fill(
        shade(colour, -0.3),
        block(middle - 0.02 * width, y0 - 0.2 * height, middle + 0.02 * width, y0),
        edge=edge,
        width=0.006,
    )
    pen.fill(
        (240, 74, 66),
        oval(middle, y0 - 0.22 * height, 0.07 * width, 0.08 * height),
        edge=INK,
        width=0.006,
        glows=True,
    )
    for x in (x0 - 0.03 * width, x1 + 0.03 * width):
        pen.fill(
            shade(colour, -0.25),
            block(x - 0.05 * width, y0 + 0.36 * height, x + 0.05 * width, y0 + 0.68 * height),
            edge=edge,
        )
    pen.fill(colour, block(x0, y0, x1, y1, 0.10 * width), edge=edge)
    pen.fill(
        shade(colour, 0.35),
        block(
            x0 + 0.06 * width,
            y0 + 0.10 * height,
            x0 + 0.12 * width,
            y1 - 0.2 * height,
            0.02 * width,
        ),
    )
    for side in (-1, 1):
        eye = (middle + 0.20 * side * width, y0 + 0.42 * height)
        pen.fill(
            (208, 244, 252),
            oval(*eye, 0.125 * width, 0.165 * height),
            edge=INK,
            width=0.008,
            glows=True,
        )
        pen.fill((28, 62, 96), oval(*eye, 0.055 * width, 0.075 * height))
    mouth = block(
        middle - 0.22 * width, y0 + 0.70 * height, middle + 0.22 * width, y0 + 0.86 * height
    )
    pen.fill((44, 50, 62), mouth)
    for number in range(4):
        x = middle + (number - 1.5) * 0.11 * width
        pen.fill(
            (226, 230, 234),
            block(x - 0.036 * width, y0 + 0.725 * height, x + 0.036 * width, y0 + 0.835 * height),
        )


def teddy_bear(pen: Pen, look: Look) -> None:
    """A sitting teddy bear with a bow tie, or its face."""
    colour = look.colour
    edge = outline(colour)
    pale = mix(colour, (255, 236, 206), 0.62)
    if look.pose == "face":
        pen.fill(colour, oval(0.5, 1.12, 0.40, 0.26), edge=edge)
        _teddy_head(pen, colour, 0.5, 0.54, 0.40, 0.38)
        return
    for side in (-1, 1):
        pen.fill(colour, oval(0.5 + 0.33 * side, 0.60, 0.11, 0.155, -0.6 * side), edge=edge)
    pen.fill(colour, oval(0.5, 0.70, 0.29, 0.25), edge=edge)
    pen.fill(pale, oval(0.5, 0.72, 0.17, 0.16))
    for side in (-1, 1):
        pen.fill(colour, oval(0.5 + 0.27 * side, 0.885, 0.165, 0.105), edge=edge)
        pen.fill(pale, oval(0.5 + 0.30 * side, 0.89, 0.085, 0.065))
    _teddy_head(pen, colour, 0.5, 0.28, 0.29, 0.235)
    bow = (206, 44, 60)
    for side in (-1, 1):
        pen.fill(
            bow,
            curve((0.5, 0.515), (0.5 + 0.14 * side, 0.47), (0.5 + 0.14 * side, 0.565)),
            edge=shade(bow, -0.45),
            width=0.007,
        )
    pen.fill(shade(bow, -0.25), oval(0.5, 0.515, 0.034, 0.030))


def _teddy_head(pen: Pen, colour: Colour, x: float, y: float, rx: float, ry: float) -> None:
    edge, pale = outline(colour), mix(colour, (255, 236, 206), 0.62)
    for side in (-1, 1):
        pen.fill(colour, oval(x + 0.76 * side * rx, y - 0.72 * ry, 0.36 * rx, 0.38 * ry), edge=edge)
        pen.fill(pale, oval(x + 0.76 * side * rx, y - 0.70 * ry, 0.20 * rx, 0.22 * ry))
    pen.fill(colour, oval(x, y, rx, ry, 0.0, 36), edge=edge)
    pen.fill(pale, oval(x, y + 0.40 * ry, 0.48 * rx, 0.42 * ry))
    for side in (-1, 1):
        pen.fill(INK, oval(x + 0.38 * side * rx, y - 0.12 * ry, 0.115 * rx, 0.14 * ry))
        pen.fill(
            _WHITE, oval(x + 0.38 * side * rx + 0.03 * rx, y - 0.17 * ry, 0.04 * rx, 0.05 * ry)
        )
    pen.fill(INK, oval(x, y + 0.20 * ry, 0.17 * rx, 0.12 * ry))
    smile = stroke(
        ((x - 0.22 * rx, y + 0.50 * ry), (x, y + 0.62 * ry), (x + 0.22 * rx, y + 0.50 * ry)),
        0.06 * rx,
    )
    pen.fill(INK, smile, stroke(((x, y + 0.25 * ry), (x, y + 0.60 * ry)), 0.05 * rx))
