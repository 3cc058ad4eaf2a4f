"""What stands behind the things: sky, city, street, room, field, tree-tops' sky, sea, studio."""

from random import Random

from PIL import Image

from evo_t2i.world2.pen import Colour, Pen, block, gradient, mix, moved, oval, shade, sharp, stroke
from evo_t2i.world2.scenes import Scene

SKIES: dict[str, tuple[Colour, ...]] = {
    "day": ((92, 178, 244), (190, 228, 252)),
    "sunset": ((112, 58, 142), (226, 92, 98), (255, 168, 70), (255, 206, 104)),
    "night": ((12, 18, 60), (56, 72, 150)),
}
_WATER: dict[str, tuple[Colour, ...]] = {
    "day": ((66, 150, 214), (34, 104, 184)),
    "sunset": ((236, 130, 88), (120, 62, 118)),
    "night": ((24, 40, 98), (12, 20, 62)),
}
_GRASS: dict[str, tuple[Colour, ...]] = {
    "day": ((140, 206, 96), (100, 182, 76)),
    "sunset": ((156, 146, 66), (104, 102, 52)),
    "night": ((44, 98, 84), (30, 70, 66)),
}
_CLOUD = (252, 253, 255)
_SUN = (255, 226, 90)
_LOW_SUN = (255, 238, 150)
_MOON = (250, 244, 208)
_LAMPLIGHT = (255, 216, 110)


def draw_backdrop(canvas: Image.Image, scene: Scene) -> None:
    """Paint everything of `scene` but its things: one of its views, its sun or moon drifted."""
    rng = Random(f"{scene.scene} {scene.view}")
    pen = Pen(canvas, mirrored=scene.mirrored)
    _BACKDROPS[scene.scene](canvas, pen, scene, rng)


def _strip(canvas: Image.Image, top: float, bottom: float, stops: tuple[Colour, ...]) -> None:
    canvas.paste(gradient(canvas.width, top, bottom, stops), (0, round(canvas.width * top)))


def _sky(
    canvas: Image.Image, pen: Pen, scene: Scene, horizon: float, sun: float, low: float
) -> float:
    """Sky down to `horizon` with clouds and sun, moon and stars, or a setting sun at y = `low`.

    They stand around x = `sun`; returns where.
    """
    rng = Random(f"{scene.scene} {scene.view} sky")
    time, x = scene.time, sun + 0.16 * (scene.drift - 0.5)
    _strip(canvas, 0.0, horizon, SKIES[time])
    if time == "day":
        pen.fill(shade(_SUN, 0.45), oval(x, 0.13, 0.115, 0.115))
        pen.fill(_SUN, oval(x, 0.13, 0.085, 0.085))
        for _ in range(2):
            _cloud(pen, rng.uniform(0.05, 0.62), rng.uniform(0.08, 0.30), rng.uniform(0.7, 1.0))
    elif time == "sunset":
        pen.fill(mix(_LOW_SUN, (255, 170, 80), 0.6), oval(x, low, 0.20, 0.20))
        pen.fill(_LOW_SUN, oval(x, low, 0.15, 0.15))
    else:
        y = 0.15
        pen.fill(_MOON, oval(x, y, 0.10, 0.10))
        pen.fill(
            mix(SKIES["night"][0], SKIES["night"][1], 0.2), oval(x - 0.05, y - 0.03, 0.085, 0.085)
        )
        for _ in range(9):
            _star(pen, rng.random(), rng.uniform(0.02, max(0.1, horizon - 0.08)))
    return x


def _cloud(pen: Pen, x: float, y: float, size: float) -> None:
    puffs = [(0.0, 0.0, 0.10, 0.045), (0.07, -0.03, 0.07, 0.055), (0.14, 0.0, 0.08, 0.042)]
    shapes = [
        moved(oval(0.0, 0.0, a * size, b * size), x + dx * size, y + dy * size)
        for dx, dy, a, b in puffs
    ]
    pen.fill(_CLOUD, *shapes)


def _star(pen: Pen, x: float, y: float) -> None:
    pen.fill((248, 246, 224), moved(sharp((0, -0.018), (0.018, 0), (0, 0.018), (-0.018, 0)), x, y))


def _skyline(canvas: Image.Image, pen: Pen, scene: Scene, rng: Random) -> None:
    time, river = scene.time, 0.82
    sun = _sky(canvas, pen, scene, river, sun=0.62, low=0.42)
    far, near = _CITY[time]
    tallest = {"": 0.62, "in front of": 0.50, "over": 0.34}[scene.relation]
    x = -0.03
    while x < 1.0:
        width = rng.uniform(0.10, 0.16)
        top = river - tallest * rng.uniform(0.45, 0.85)
        pen.fill(far, block(0.0, 0.0, 1.0, 1.0) * (width, river - top) + (x, top))
        x += width
    x, number = -0.05, 0
    while x < 1.0:
        width = rng.uniform(0.13, 0.19)
        tall = rng.uniform(0.72, 1.0) if number % 3 == 1 else rng.uniform(0.35, 0.62)
        _tower(pen, x, x + width, river - tallest * tall, river, near, time, rng)
        x += width + rng.uniform(0.0, 0.03)
        number += 1
    _strip(canvas, river, 1.0, _WATER[time])
    _ripples(pen, time, rng, river + 0.05)
    if time == "sunset":
        pen.veil(_LOW_SUN, 0.55, oval(sun, 0.86, 0.12, 0.02), oval(sun, 0.93, 0.08, 0.016))


_CITY: dict[str, tuple[Colour, Colour]] = {
    "day": ((158, 180, 206), (92, 114, 150)),
    "sunset": ((166, 78, 108), (74, 38, 84)),
    "night": ((34, 44, 98), (16, 18, 48)),
}


def _tower(
    pen: Pen, x0: float, x1: float, top: float, ground: float, wall: Colour, time: str, rng: Random
) -> None:
    roof = rng.randrange(3)
    wall = shade(wall, rng.choice((0.0, 0.10, 0.0, -0.12)))
    unit, middle = block(0.0, 0.0, 1.0, 1.0), (x0 + x1) / 2
    pen.fill(wall, unit * (x1 - x0, ground - top) + (x0, top))
    if roof == 0:
        pen.fill(wall, unit * (0.016, 0.09) + (middle - 0.008, top - 0.09))
    elif roof == 1:
        pen.fill(wall, sharp((0, 0), (1, 0), (0.5, -1)) * (x1 - x0, 0.07) + (x0, top))
    window = {"day": (206, 228, 246), "sunset": (255, 196, 96), "night": (255, 218, 96)}[time]
    share = {"day": 1.0, "sunset": 0.45, "night": 0.8}[time]
    columns = 3
    pitch = (x1 - x0) / (columns + 0.5)
    y = top + 0.035
    while y < ground - 0.05:
        for column in range(columns):
            if rng.random() < share:
                pen.fill(window, unit * (pitch * 0.5, 0.032) + (x0 + pitch * (column + 0.5), y))
        y += 0.072


def _ripples(pen: Pen, time: str, rng: Random, top: float) -> None:
    light = shade(_WATER[time][0], 0.28)
    y = top
    while y < 0.99:
        for _ in range(2):
            x, half = rng.uniform(0.0, 1.0), rng.uniform(0.06, 0.13)
            pen.fill(light, oval(0.0, 0.0, 1.0, 1.0) * (half, 0.009) + (x, y))
        y += 0.085


_FRONTS: tuple[Colour, ...] = ((222, 196, 160), (196, 170, 150), (206, 204, 190), (178, 186, 190))
_DIM: dict[str, tuple[Colour, float]] = {
    "day": ((255, 255, 255), 0.0),
    "sunset": ((196, 78, 66), 0.42),
    "night": ((16, 20, 62), 0.70),
}


def _dim(colour: Colour, time: str) -> Colour:
    return mix(colour, *_DIM[time])


def _street(canvas: Image.Image, pen: Pen, scene: Scene, rng: Random) -> None:
    time, kerb, road = scene.time, 0.66, 0.72
    _sky(canvas, pen, scene, 0.42, sun=0.74, low=0.20)
    unit = block(0.0, 0.0, 1.0, 1.0)
    x, number = -rng.uniform(0.0, 0.12), rng.randrange(len(_FRONTS))
    while x < 1.0:
        width = rng.uniform(0.28, 0.34)
        top = rng.uniform(0.24, 0.30)
        wall = _dim(_FRONTS[number % len(_FRONTS)], time)
        roof = _dim((128, 92, 88), time)
        pen.fill(wall, unit * (width, kerb - top) + (x, top))
        pen.fill(
            roof, sharp((-0.02, 0), (1.02, 0), (0.86, -1), (0.14, -1)) * (width, 0.10) + (x, top)
        )
        glass = {"day": (150, 184, 208), "sunset": (255, 190, 96), "night": (255, 214, 98)}[time]
        for column in (0.16, 0.60):
            for row in (0.06, 0.21):
                lit = time != "night" or rng.random() < 0.75
                pane = glass if lit else (38, 46, 92)
                pen.fill(pane, unit * (0.24 * width, 0.09) + (x + column * width, top + row))
        x += width
        number += 1
    _strip(canvas, kerb, road, (_dim((206, 202, 196), time),) * 2)
    _strip(canvas, road, 1.0, (_dim((112, 114, 122), time), _dim((88, 90, 98), time)))
    dash = _dim((246, 246, 240), time)
    start = rng.uniform(-0.3, 0.0)
    for index in range(4):
        x = start + index * 0.36
        pen.fill(
            dash, moved(sharp((0.0, 0.0), (0.20, 0.0), (0.18, 0.035), (-0.03, 0.035)), x, 0.93)
        )


_WALLS: dict[str, tuple[Colour, Colour]] = {
    "day": ((252, 240, 208), (240, 222, 184)),
    "sunset": ((244, 164, 104), (216, 112, 88)),
    "night": ((62, 66, 124), (38, 42, 92)),
}
_FLOORS: dict[str, Colour] = {
    "day": (206, 168, 124),
    "sunset": (172, 96, 74),
    "night": (40, 36, 70),
}


def _room(canvas: Image.Image, pen: Pen, scene: Scene, rng: Random) -> None:
    time = scene.time
    _strip(canvas, 0.0, 0.84, _WALLS[time])
    _strip(canvas, 0.84, 1.0, (_FLOORS[time],) * 2)
    lamp = 0.16 + rng.uniform(-0.03, 0.03)
    _window(pen, time, rng, 0.62 + rng.uniform(-0.02, 0.03), 0.08)
    if time == "night":
        for radius, opacity in ((0.34, 0.10), (0.25, 0.12), (0.17, 0.16)):
            pen.veil(_LAMPLIGHT, opacity, oval(lamp, 0.16, radius, radius))
    pen.fill(_dim((90, 84, 92), "day"), block(lamp - 0.006, 0.0, lamp + 0.006, 0.06))
    bulb = (255, 246, 196) if time == "night" else (226, 220, 206)
    pen.fill(bulb, oval(lamp, 0.15, 0.045, 0.04))
    cover = {"day": (120, 150, 150), "sunset": (150, 90, 84), "night": (236, 178, 84)}[time]
    pen.fill(
        cover,
        sharp((lamp - 0.04, 0.05), (lamp + 0.04, 0.05), (lamp + 0.10, 0.15), (lamp - 0.10, 0.15)),
    )


def _window(pen: Pen, time: str, rng: Random, x: float, y: float) -> None:
    width, height = 0.30, 0.38
    frame = {"day": (255, 255, 252), "sunset": (150, 84, 66), "night": (130, 130, 176)}[time]
    unit = block(0.0, 0.0, 1.0, 1.0)
    pen.fill(frame, unit * (width + 0.05, height + 0.05) + (x - 0.025, y - 0.025))
    stops = SKIES[time]
    bands = 8
    for band in range(bands):
        at = band / (bands - 1) * (len(stops) - 1)
        low = min(int(at), len(stops) - 2)
        colour = mix(stops[low], stops[low + 1], at - low)
        pen.fill(colour, unit * (width, height / bands + 0.004) + (x, y + height * band / bands))
    if time == "day":
        pen.fill(
            _CLOUD,
            moved(oval(0.0, 0.0, 0.07, 0.035), x + 0.10, y + 0.13),
            moved(oval(0.0, 0.0, 0.05, 0.035), x + 0.15, y + 0.11),
        )
    elif time == "sunset":
        pen.fill(
            _LOW_SUN,
            sharp(
                (-0.085, 0),
                (-0.073, -0.043),
                (-0.043, -0.073),
                (0, -0.085),
                (0.043, -0.073),
                (0.073, -0.043),
                (0.085, 0),
            )
            * 1.2
            + (x + 0.15, y + height),
        )
    else:
        pen.fill(_MOON, moved(oval(0.0, 0.0, 0.055, 0.055), x + 0.21, y + 0.10))
        pen.fill(stops[0], moved(oval(0.0, 0.0, 0.045, 0.045), x + 0.18, y + 0.085))
        for _ in range(4):
            _star(pen, x + rng.uniform(0.03, 0.27), y + rng.uniform(0.05, 0.34))
    pen.fill(frame, unit * (0.022, height) + (x + width / 2 - 0.011, y))
    pen.fill(frame, unit * (width, 0.022) + (x, y + height * 0.5))


def _field(canvas: Image.Image, pen: Pen, scene: Scene, rng: Random) -> None:
    time, horizon = scene.time, 0.66
    _sky(canvas, pen, scene, horizon, sun=0.76, low=horizon - 0.05)
    top, bottom = _GRASS[time]
    height = rng.uniform(0.06, 0.11)
    peak = rng.uniform(0.15, 0.35)
    pen.fill(
        mix(top, SKIES[time][-1], 0.25),
        oval(peak, horizon + 0.03, 0.48, height + 0.03),
        oval(peak + 0.72, horizon + 0.04, 0.42, height),
    )
    _strip(canvas, horizon, 1.0, (top, bottom))
    dark = shade(bottom, -0.16)
    for _ in range(7):
        x, y = rng.random(), rng.uniform(horizon + 0.05, 0.98)
        pen.fill(
            dark,
            moved(
                sharp((-0.025, 0), (-0.018, -0.035), (0, -0.008), (0.018, -0.035), (0.025, 0)), x, y
            ),
        )


def _tree(canvas: Image.Image, pen: Pen, scene: Scene, _: Random) -> None:
    _sky(canvas, pen, scene, 1.0, sun=0.22, low=0.95)


def _sea(canvas: Image.Image, pen: Pen, scene: Scene, rng: Random) -> None:
    time, horizon = scene.time, 0.60
    sun = _sky(canvas, pen, scene, horizon, sun=0.74, low=horizon - 0.05)
    _strip(canvas, horizon, 1.0, _WATER[time])
    if time != "day":
        glow = _LOW_SUN if time == "sunset" else _MOON
        for index, half in enumerate((0.14, 0.11, 0.09, 0.06)):
            pen.veil(
                glow,
                0.55 if time == "sunset" else 0.35,
                oval(sun, horizon + 0.03 + 0.06 * index, half, 0.013),
            )
    light = shade(_WATER[time][0], 0.30)
    for row in range(5):
        y = horizon + 0.07 + 0.08 * row
        for _ in range(2):
            x, half = rng.random(), 0.05 + 0.012 * row
            wave = stroke(((-1.0, 0.0), (-0.5, -0.5), (0.0, 0.0), (0.5, -0.5), (1.0, 0.0)), 0.5)
            pen.fill(light, wave * (half, 0.026) + (x, y))


def _portrait(canvas: Image.Image, pen: Pen, scene: Scene, rng: Random) -> None:
    time = scene.time
    _strip(canvas, 0.0, 1.0, SKIES[time])
    if time == "day":
        _cloud(pen, rng.uniform(0.02, 0.06), rng.uniform(0.12, 0.20), 1.1)
        _cloud(pen, rng.uniform(0.78, 0.82), rng.uniform(0.06, 0.14), 1.1)
    elif time == "sunset":
        pen.fill(mix(_LOW_SUN, (255, 170, 80), 0.6), oval(0.86, 0.74, 0.26, 0.26))
        pen.fill(_LOW_SUN, oval(0.86, 0.74, 0.20, 0.20))
    else:
        x = 0.88 + rng.uniform(-0.02, 0.02)
        pen.fill(_MOON, oval(x, 0.12, 0.09, 0.09))
        pen.fill(SKIES["night"][0], oval(x - 0.045, 0.095, 0.075, 0.075))
        for _ in range(10):
            _star(pen, rng.random(), rng.random())


_BACKDROPS = {
    "skyline": _skyline,
    "street": _street,
    "room": _room,
    "field": _field,
    "tree": _tree,
    "sea": _sea,
    "portrait": _portrait,
}
