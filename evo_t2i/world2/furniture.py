"""Tables, chairs, sofas, benches and lamps."""

from evo_t2i.world2.animals import INK, outline
from evo_t2i.world2.pen import Colour, Look, Pen, block, curve, mix, oval, shade, sharp, stroke

_WHITE = (252, 250, 246)


def table(pen: Pen, look: Look) -> None:
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

