"""Tables, chairs, sofas, benches and lamps."""

from evo_t2i.world.animals import INK, outline
from evo_t2i.world.pen import Look, Pen, block, oval, shade, sharp

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


def chair(pen: Pen, look: Look) -> None:
    """A wooden chair from the front, a little from above."""
    colour = look.colour
    edge, dark = outline(colour), shade(colour, -0.28)
    for x in (0.24, 0.76):
        pen.fill(dark, block(x - 0.045, 0.58, x + 0.045, 0.88), edge=edge, width=0.008)
    for x in (0.13, 0.87):
        pen.fill(colour, block(x - 0.065, 0.03, x + 0.065, 0.60, 0.03), edge=edge)
    pen.fill(
        colour, block(0.10, 0.05, 0.90, 0.17, 0.03), block(0.10, 0.27, 0.90, 0.36, 0.02), edge=edge
    )
    pen.fill(shade(colour, 0.32), block(0.16, 0.075, 0.70, 0.105, 0.012))
    pen.fill(
        shade(colour, 0.12),
        sharp((0.13, 0.50), (0.87, 0.50), (0.99, 0.64), (0.01, 0.64)),
        edge=edge,
    )
    pen.fill(colour, block(0.01, 0.64, 0.99, 0.72, 0.01), edge=edge)
    for x in (0.085, 0.915):
        pen.fill(colour, block(x - 0.065, 0.70, x + 0.065, 0.99, 0.02), edge=edge)


def sofa(pen: Pen, look: Look) -> None:
    """A sofa with two seat cushions and round arms."""
    colour = look.colour
    edge, dark, light = outline(colour), shade(colour, -0.20), shade(colour, 0.14)
    for x in (0.10, 0.90):
        pen.fill(
            (92, 60, 40), block(x - 0.03, 0.90, x + 0.03, 0.995), edge=(56, 36, 26), width=0.007
        )
    pen.fill(dark, block(0.07, 0.03, 0.93, 0.70, 0.10), edge=edge)
    for x0, x1 in ((0.13, 0.495), (0.505, 0.87)):
        pen.fill(colour, block(x0, 0.10, x1, 0.62, 0.06), edge=edge, width=0.008)
    for x0, x1 in ((0.13, 0.495), (0.505, 0.87)):
        pen.fill(light, block(x0, 0.52, x1, 0.76, 0.05), edge=edge, width=0.008)
    pen.fill(dark, block(0.10, 0.74, 0.90, 0.92, 0.02), edge=edge)
    for x0, x1 in ((0.005, 0.145), (0.855, 0.995)):
        pen.fill(colour, block(x0, 0.34, x1, 0.93, 0.06), edge=edge)
        pen.fill(shade(colour, 0.3), block(x0 + 0.03, 0.39, x0 + 0.055, 0.62, 0.012))


def bench(pen: Pen, look: Look) -> None:
    """A park bench: slats on iron legs."""
    colour = look.colour
    edge, iron = outline(colour), (64, 66, 74)
    for x in (0.12, 0.88):
        pen.fill(iron, block(x - 0.03, 0.05, x + 0.03, 0.60), edge=INK, width=0.006)
        pen.fill(iron, block(x - 0.03, 0.60, x + 0.03, 0.985), edge=INK, width=0.006)
        pen.fill(iron, block(x - 0.065, 0.94, x + 0.065, 0.99, 0.01), edge=INK, width=0.006)
    for y in (0.03, 0.21):
        pen.fill(colour, block(0.01, y, 0.99, y + 0.13, 0.02), edge=edge)
        pen.fill(shade(colour, 0.25), block(0.04, y + 0.025, 0.96, y + 0.05))
    pen.fill(
        shade(colour, 0.14), sharp((0.04, 0.46), (0.96, 0.46), (1.0, 0.60), (0.0, 0.60)), edge=edge
    )
    pen.fill(edge, sharp((0.02, 0.525), (0.98, 0.525), (0.98, 0.54), (0.02, 0.54)))
    pen.fill(colour, block(0.0, 0.60, 1.0, 0.70, 0.01), edge=edge)


def lamp(pen: Pen, look: Look) -> None:
    """A lamp with a shade of the look's colour, or a street lamp whose post has it."""
    colour = look.colour
    edge, shines = outline(colour), look.time != "day"
    light = (255, 236, 150) if shines else (250, 246, 226)
    if look.pose == "street":
        if shines:
            for radius, opacity in ((0.50, 0.16), (0.34, 0.22)):
                pen.veil((255, 226, 120), opacity, oval(0.5, 0.14, radius, radius * 0.36))
        pen.fill(colour, block(0.42, 0.24, 0.58, 0.95), edge=edge)
        pen.fill(
            colour,
            block(0.22, 0.93, 0.78, 0.99, 0.02),
            block(0.32, 0.84, 0.68, 0.94, 0.02),
            edge=edge,
        )
        pen.fill(
            light,
            sharp((0.22, 0.07), (0.78, 0.07), (0.66, 0.23), (0.34, 0.23)),
            edge=edge,
            glows=True,
        )
        pen.fill(
            colour,
            sharp((0.5, 0.005), (0.88, 0.08), (0.12, 0.08)),
            block(0.30, 0.22, 0.70, 0.26),
            edge=edge,
        )
        pen.fill(shade(colour, 0.35), block(0.455, 0.28, 0.485, 0.82))
        return
    if shines:
        for radius, opacity in ((0.62, 0.14), (0.46, 0.18)):
            pen.veil((255, 226, 120), opacity, oval(0.5, 0.26, radius, radius * 0.56))
    wood = (120, 78, 48)
    pen.fill(wood, block(0.455, 0.44, 0.545, 0.94), edge=shade(wood, -0.45))
    pen.fill(wood, block(0.20, 0.92, 0.80, 0.99, 0.03), edge=shade(wood, -0.45))
    pen.fill(light, oval(0.5, 0.47, 0.10, 0.05), edge=None, glows=True)
    cover = sharp((0.28, 0.02), (0.72, 0.02), (0.99, 0.46), (0.01, 0.46))
    pen.fill(colour, cover, edge=edge)
    pen.fill(shade(colour, 0.35), sharp((0.32, 0.06), (0.42, 0.06), (0.28, 0.42), (0.13, 0.42)))
    pen.fill(shade(colour, -0.25), sharp((0.035, 0.41), (0.965, 0.41), (0.99, 0.46), (0.01, 0.46)))
