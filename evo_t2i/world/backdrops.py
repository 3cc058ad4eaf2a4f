"""What stands behind the things: everything of a scene that is not a thing."""

from functools import lru_cache
from random import Random

import numpy as np
from PIL import Image

from evo_t2i.world.pen import (
    Colour,
    Pen,
    Shape,
    block,
    curve,
    gradient,
    mix,
    moved,
    oval,
    shade,
    sharp,
    stroke,
)
from evo_t2i.world.scenes import Scene

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
    canvas: Image.Image,
    pen: Pen,
    scene: Scene,
    horizon: float,
    sun: float,
    low: float,
    reach: float = 0.16,
    big: float = 1.0,
) -> float:
    """Sky down to `horizon` with clouds and sun, moon and stars, or a setting sun at y = `low`.

    They stand around x = `sun`, at most half of `reach` aside; a setting sun is `big` times as
    large as usual. Returns where they stand.
    """
    rng = Random(f"{scene.scene} {scene.view} sky")
    time, x = scene.time, sun + reach * (scene.drift - 0.5)
    _strip(canvas, 0.0, horizon, SKIES[time])
    if time == "day":
        pen.fill(shade(_SUN, 0.45), oval(0.0, 0.0, 1.0, 1.0) * (0.115, 0.115) + (x, 0.13))
        pen.fill(_SUN, oval(0.0, 0.0, 1.0, 1.0) * (0.085, 0.085) + (x, 0.13))
        for _ in range(2):
            _cloud(pen, rng.uniform(0.05, 0.62), rng.uniform(0.08, 0.30), rng.uniform(0.7, 1.0))
    elif time == "sunset":
        for _ in range(3):
            place = (rng.random(), rng.uniform(0.06, 0.34))
            band = oval(0.0, 0.0, 1.0, 1.0) * (rng.uniform(0.14, 0.26), 0.017) + place
            pen.fill(mix(SKIES[time][1], (255, 170, 130), 0.45), band)
        for radius, share in ((0.25, 0.28), (0.20, 0.62), (0.15, 1.0)):
            glow = mix((255, 160, 76), _LOW_SUN, share)
            disc = oval(0.0, 0.0, 1.0, 1.0, 0.0, 40) * (big * radius, big * radius) + (x, low)
            if share < 0.5:
                pen.veil(glow, 0.5, disc)
            else:
                pen.fill(glow, disc)
    else:
        _moon(pen, x, 0.15, 0.10)
        for _ in range(11):
            _star(pen, rng.random(), rng.uniform(0.02, max(0.1, horizon - 0.08)))
    return x


@lru_cache(maxsize=1)
def _crescent() -> Shape:
    """A disc of radius 1 without the part that a second disc covers, up and to the left."""
    aside, radius = np.array((-0.5, -0.3)), 0.85
    towards = np.arctan2(aside[1], aside[0])
    t = towards + np.linspace(0, 2 * np.pi, 60)
    rim = np.stack([np.cos(t), np.sin(t)], axis=1)
    rim = rim[np.linalg.norm(rim - aside, axis=1) > radius]
    t = towards + np.pi + np.linspace(np.pi, -np.pi, 60)
    cut = radius * np.stack([np.cos(t), np.sin(t)], axis=1) + aside
    return np.concatenate([rim, cut[np.linalg.norm(cut, axis=1) < 1]])


def _moon(pen: Pen, x: float, y: float, radius: float) -> None:
    pen.fill(_MOON, _crescent() * (radius, radius) + (x, y))


def _cloud(pen: Pen, x: float, y: float, size: float) -> None:
    puffs = [(0.0, 0.0, 0.10, 0.045), (0.07, -0.03, 0.07, 0.055), (0.14, 0.0, 0.08, 0.042)]
    shapes = [
        moved(oval(0.0, 0.0, a * size, b * size), x + dx * size, y + dy * size)
        for dx, dy, a, b in puffs
    ]
    pen.fill(_CLOUD, *shapes)


def _star(pen: Pen, x: float, y: float) -> None:
    pen.fill((248, 246, 224), moved(sharp((0, -0.018), (0.018, 0), (0, 0.018), (-0.018, 0)), x, y))


_RIVER = 0.74
# Where each view leaves a gap between its towers, for the sun.
_GAPS = (0.42, 0.60, 0.50, 0.36)
_CITY: dict[str, tuple[Colour, Colour]] = {
    "day": ((164, 188, 214), (88, 112, 152)),
    "sunset": ((182, 84, 108), (70, 34, 84)),
    "night": ((38, 50, 108), (14, 16, 46)),
}
_LIT: dict[str, Colour] = {
    "day": (210, 232, 248),
    "sunset": (255, 202, 96),
    "night": (255, 222, 104),
}


def _skyline(canvas: Image.Image, pen: Pen, scene: Scene, rng: Random) -> None:
    """Towers by a river, the sun low between them, all of it mirrored in the water."""
    time, gap = scene.time, _GAPS[scene.view]
    sun = _sky(canvas, pen, scene, _RIVER, sun=gap, low=0.54, reach=0.08, big=1.2)
    far, near = _CITY[time]
    tallest = 0.62 if not scene.things else 0.46
    if any(thing.pose == "flying" or thing.kind in _HIGH for thing in scene.things):
        tallest = 0.36
    for x, width, tall in _towers(rng, gap, 0.09, 0.14):
        high = tallest * (0.18 + 0.52 * tall)
        pen.fill(
            far, block(0.0, 0.0, 1.0, 1.0) * (width + 0.016, high) + (x - 0.004, _RIVER - high)
        )
    _strip(canvas, _RIVER, 1.0, _WATER[time])
    for x, width, tall in _towers(rng, gap, 0.11, 0.18):
        _tower(pen, x, x + width, _RIVER - tallest * tall, near, time, rng)
    if time == "sunset":
        _glitter(pen, sun, _LOW_SUN, 0.72)
    elif time == "night":
        _glitter(pen, sun, _MOON, 0.35)
    _bank(pen, time)
    _ripples(pen, time, rng, _RIVER + 0.07)


_HIGH = ("balloon", "airplane", "rocket", "bird")


def _towers(
    rng: Random, gap: float, narrow: float, wide: float
) -> list[tuple[float, float, float]]:
    """(x, width, height from 0 to 1) of the buildings of a row, low around `gap`."""
    row = []
    x, number = -0.04, rng.randrange(2)
    while x < 1.0:
        width = rng.uniform(narrow, wide)
        tall = rng.uniform(0.78, 1.0) if number % 2 else rng.uniform(0.42, 0.68)
        if x < gap + 0.13 and x + width > gap - 0.13:
            tall = rng.uniform(0.12, 0.24)
        row.append((x, width, tall))
        x += width + rng.uniform(0.0, 0.012)
        number += 1
    return row


def _tower(
    pen: Pen, x0: float, x1: float, top: float, wall: Colour, time: str, rng: Random
) -> None:
    """A tower with a roof, rows of windows, some of them lit, and its image in the water."""
    roof = rng.randrange(4)
    wall = shade(wall, rng.choice((0.0, 0.10, 0.05, -0.12)))
    unit, middle, high = block(0.0, 0.0, 1.0, 1.0), (x0 + x1) / 2, _RIVER - top
    image = mix(wall, _WATER[time][1], 0.45)
    pen.veil(image, 0.55, unit * (x1 - x0, 0.48 * high) + (x0, _RIVER))
    pen.fill(wall, unit * (x1 - x0, high) + (x0, top))
    if high > 0.16:
        if roof == 0:
            pen.fill(wall, unit * (0.016, 0.09) + (middle - 0.008, top - 0.09))
        elif roof == 1:
            pen.fill(wall, sharp((0, 0), (1, 0), (0.5, -1)) * (x1 - x0, 0.07) + (x0, top))
        elif roof == 2:
            pen.fill(wall, unit * ((x1 - x0) * 0.6, 0.035) + (x0 + 0.2 * (x1 - x0), top - 0.035))
    pen.fill(shade(wall, -0.22), unit * ((x1 - x0) * 0.16, high) + (x1 - 0.16 * (x1 - x0), top))
    share = {"day": 1.0, "sunset": 0.55, "night": 0.75}[time]
    window = _LIT[time]
    pitch = (x1 - x0) * 0.84 / 3.4
    y = top + 0.03
    while y < _RIVER - 0.05:
        for column in range(3):
            if rng.random() < share:
                spot = (x0 + pitch * (column + 0.45), y)
                pen.fill(window, unit * (pitch * 0.58, 0.032) + spot)
                if time != "day" and y > _RIVER - 0.26 and rng.random() < 0.5:
                    below = _RIVER + 0.02 + 0.5 * (_RIVER - y)
                    pen.veil(window, 0.40, unit * (pitch * 0.58, 0.022) + (spot[0], below))
        y += 0.066


def _bank(pen: Pen, time: str) -> None:
    """The quay between the towers and the river."""
    stone = _dim((150, 146, 142), time)
    pen.fill(stone, block(0.0, _RIVER - 0.014, 1.0, _RIVER + 0.008))
    pen.fill(shade(stone, -0.3), block(0.0, _RIVER + 0.004, 1.0, _RIVER + 0.012))


def _glitter(pen: Pen, x: float, light: Colour, opacity: float) -> None:
    """The path of light of a low sun or moon on the water, down to the lower edge."""
    for row, half in enumerate((0.150, 0.105, 0.135, 0.085, 0.110, 0.060)):
        aside = 0.012 if row % 2 else -0.012
        pen.veil(
            light,
            opacity,
            oval(0.0, 0.0, 1.0, 1.0) * (half, 0.0145) + (x + aside, _RIVER + 0.025 + 0.042 * row),
        )


def _ripples(pen: Pen, time: str, rng: Random, top: float) -> None:
    light = shade(_WATER[time][0], 0.28)
    y = top
    while y < 0.99:
        for _ in range(2):
            x, half = rng.uniform(0.0, 1.0), rng.uniform(0.05, 0.11)
            pen.fill(light, oval(0.0, 0.0, 1.0, 1.0) * (half, 0.007) + (x, y))
        y += 0.075


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
    """A wall with a window and a picture, a floor with a rug."""
    time, floor = scene.time, 0.72
    wall, paper = _WALLS[time]
    _strip(canvas, 0.0, floor, (wall, paper))
    unit = block(0.0, 0.0, 1.0, 1.0)
    if scene.view % 2:
        for number in range(7):
            pen.fill(mix(wall, paper, 0.8), unit * (0.03, floor) + (0.05 + 0.15 * number, 0.0))
    if time == "night":
        for radius, opacity in ((0.44, 0.10), (0.32, 0.12), (0.20, 0.14)):
            pen.veil(_LAMPLIGHT, opacity, oval(0.22, 0.0, radius, radius))
    _window(pen, time, rng, 0.62 + rng.uniform(-0.02, 0.03), 0.08)
    _picture(pen, time, 0.10 + rng.uniform(0.0, 0.06), 0.12 + rng.uniform(0.0, 0.04), rng)
    _strip(canvas, floor, 1.0, (_FLOORS[time], shade(_FLOORS[time], -0.16)))
    pen.fill(mix(wall, (255, 255, 255), 0.35), block(0.0, floor - 0.022, 1.0, floor + 0.004))
    for row in (0.79, 0.87):
        pen.fill(shade(_FLOORS[time], -0.14), block(0.0, row, 1.0, row + 0.006))
    rug = _dim(_RUGS[scene.view], time)
    pen.fill(rug, oval(0.5, 0.91, 0.44, 0.075), edge=shade(rug, -0.3), width=0.006)
    pen.fill(shade(rug, 0.22), oval(0.5, 0.91, 0.35, 0.054))
    pen.fill(rug, oval(0.5, 0.91, 0.31, 0.046))


_RUGS: tuple[Colour, ...] = ((122, 168, 172), (190, 132, 150), (150, 150, 196), (166, 172, 120))


def _picture(pen: Pen, time: str, x: float, y: float, rng: Random) -> None:
    """A framed landscape on the wall."""
    unit = block(0.0, 0.0, 1.0, 1.0)
    frame = _dim((150, 104, 62), time)
    pen.fill(frame, unit * (0.24, 0.20) + (x, y))
    pen.fill(_dim((206, 226, 232), time), unit * (0.20, 0.16) + (x + 0.02, y + 0.02))
    peak = rng.uniform(0.3, 0.7)
    hill = sharp((0.0, 1.0), (0.5, 0.0), (1.0, 1.0)) * (0.14, 0.09) + (
        x + 0.02 + 0.06 * peak,
        y + 0.09,
    )
    pen.fill(_dim((128, 158, 134), time), hill)
    pen.fill(_dim((158, 184, 128), time), unit * (0.20, 0.035) + (x + 0.02, y + 0.145))


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
        _moon(pen, x + 0.21, y + 0.10, 0.055)
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
    _sky(canvas, pen, scene, 1.0, sun=0.24, low=0.94)


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


def _beach(canvas: Image.Image, pen: Pen, scene: Scene, rng: Random) -> None:
    """Sea behind, sand before, foam between, shells on the sand."""
    time, horizon, shore = scene.time, 0.46, 0.66
    sun = _sky(
        canvas, pen, scene, horizon, sun=(0.74, 0.66, 0.80, 0.58)[scene.view], low=horizon - 0.02
    )
    _strip(canvas, horizon, shore + 0.04, _WATER[time])
    if time != "day":
        glow, opacity = (_LOW_SUN, 0.6) if time == "sunset" else (_MOON, 0.35)
        for row, half in enumerate((0.12, 0.09, 0.07)):
            pen.veil(
                glow,
                opacity,
                oval(0.0, 0.0, 1.0, 1.0) * (half, 0.012) + (sun, horizon + 0.03 + 0.05 * row),
            )
    light = shade(_WATER[time][0], 0.30)
    for row in range(3):
        for _ in range(2):
            place = (rng.random(), horizon + 0.045 + 0.05 * row)
            pen.fill(light, oval(0.0, 0.0, 1.0, 1.0) * (0.07, 0.006) + place)
    sand, foam = _SAND[time], mix(_WATER[time][0], (255, 255, 255), 0.72)
    bay = rng.uniform(-0.03, 0.03)
    line = (
        (-0.1, shore + bay),
        (0.2, shore + 0.025),
        (0.45, shore - 0.01),
        (0.7, shore + 0.02),
        (1.1, shore - bay),
    )
    edge = [(x, y) for x, y in line]
    pen.fill(
        foam,
        curve(
            (-0.3, 1.2), (-0.2, shore), *[(x, y - 0.022) for x, y in edge], (1.2, shore), (1.3, 1.2)
        ),
    )
    pen.fill(
        mix(sand, _WATER[time][1], 0.30),
        curve((-0.3, 1.2), (-0.2, shore), *edge, (1.2, shore), (1.3, 1.2)),
    )
    pen.fill(
        sand,
        curve(
            (-0.3, 1.25),
            (-0.2, shore + 0.04),
            *[(x, y + 0.035) for x, y in edge],
            (1.2, shore + 0.04),
            (1.3, 1.25),
        ),
    )
    for _ in range(9):
        place = (rng.random(), rng.uniform(shore + 0.08, 0.98))
        pen.fill(shade(sand, -0.13), oval(0.0, 0.0, 1.0, 1.0) * (0.030, 0.006) + place)
    for _ in range(3):
        x, y = rng.random(), rng.uniform(shore + 0.10, 0.96)
        shell = _dim((246, 222, 214), time)
        pen.fill(
            shell,
            oval(0.0, 0.0, 1.0, 1.0) * (0.018, 0.013) + (x, y),
            edge=shade(shell, -0.3),
            width=0.003,
        )


_SAND: dict[str, Colour] = {
    "day": (246, 222, 160),
    "sunset": (222, 150, 104),
    "night": (84, 84, 118),
}
_ROCK: dict[str, tuple[Colour, Colour]] = {
    "day": ((142, 158, 188), (104, 116, 146)),
    "sunset": ((160, 92, 124), (104, 56, 100)),
    "night": ((48, 60, 112), (32, 40, 84)),
}
_CAPS: dict[str, Colour] = {
    "day": (250, 252, 255),
    "sunset": (255, 206, 176),
    "night": (150, 166, 214),
}
# Peaks of each view: x, y of the top, half the width at the foot.
_PEAKS: tuple[tuple[tuple[float, float, float], ...], ...] = (
    ((0.24, 0.20, 0.40), (0.80, 0.30, 0.36), (0.54, 0.42, 0.30)),
    ((0.70, 0.17, 0.42), (0.16, 0.32, 0.34), (0.42, 0.40, 0.28)),
    ((0.46, 0.19, 0.40), (0.06, 0.34, 0.30), (0.92, 0.28, 0.34)),
    ((0.12, 0.24, 0.36), (0.62, 0.22, 0.36), (0.98, 0.38, 0.28)),
)


def _mountains(canvas: Image.Image, pen: Pen, scene: Scene, rng: Random) -> None:
    """Snow-capped peaks behind a green valley."""
    time, foot = scene.time, 0.74
    _sky(canvas, pen, scene, foot, sun=(0.54, 0.40, 0.74, 0.36)[scene.view], low=0.40, reach=0.12)
    far, near = _ROCK[time]
    ridge = [(-0.1, foot), (-0.1, 0.52)]
    ridge += [(0.1 * number, rng.uniform(0.46, 0.58)) for number in range(1, 10)]
    pen.fill(mix(far, SKIES[time][-1], 0.45), sharp(*ridge, (1.1, 0.52), (1.1, foot)))
    for x, top, half in _PEAKS[scene.view]:
        _peak(pen, x, top, half, foot, far, near, _CAPS[time])
    grass, low = _GRASS[time]
    pen.fill(
        mix(grass, far, 0.35),
        curve(
            (-0.3, 1.0),
            (-0.2, foot - 0.03),
            (0.2, foot - 0.06),
            (0.6, foot - 0.01),
            (1.2, foot - 0.07),
            (1.3, 1.0),
        ),
    )
    _strip(canvas, foot, 1.0, (grass, low))
    for _ in range(8):
        x, y = rng.random(), rng.uniform(foot + 0.05, 0.98)
        pen.fill(shade(low, -0.16), moved(_TUFT, x, y))


def _peak(
    pen: Pen,
    x: float,
    top: float,
    half: float,
    foot: float,
    light: Colour,
    dark: Colour,
    cap: Colour,
) -> None:
    high = foot - top
    pen.fill(light, sharp((0.0, 0.0), (1.0, 1.0), (-1.0, 1.0)) * (half, high) + (x, top))
    pen.fill(
        dark,
        sharp((0.0, 0.0), (1.0, 1.0), (0.10, 1.0), (-0.10, 0.55), (0.06, 0.30)) * (half, high)
        + (x, top),
    )
    snow = sharp(
        (0.0, 0.0),
        (0.34, 0.34),
        (0.20, 0.28),
        (0.10, 0.38),
        (-0.02, 0.28),
        (-0.14, 0.40),
        (-0.20, 0.30),
        (-0.34, 0.34),
    )
    pen.fill(cap, snow * (half, high) + (x, top))
    pen.fill(
        mix(cap, dark, 0.25),
        sharp((0.0, 0.0), (0.34, 0.34), (0.20, 0.28), (0.10, 0.38), (0.03, 0.20)) * (half, high)
        + (x, top),
    )


_TUFT = sharp((-0.025, 0), (-0.018, -0.035), (0, -0.008), (0.018, -0.035), (0.025, 0))
_SNOW: dict[str, tuple[Colour, Colour]] = {
    "day": ((250, 252, 255), (214, 228, 244)),
    "sunset": ((252, 206, 184), (206, 150, 168)),
    "night": ((126, 142, 196), (84, 98, 156)),
}
_WINTER: dict[str, tuple[Colour, ...]] = {
    "day": ((156, 190, 222), (222, 232, 240)),
    "sunset": SKIES["sunset"],
    "night": SKIES["night"],
}


def _snow(canvas: Image.Image, pen: Pen, scene: Scene, rng: Random) -> None:
    """White hills and flakes in the air."""
    time, horizon = scene.time, 0.64
    if time == "day":
        _strip(canvas, 0.0, horizon, _WINTER[time])
        disc = oval(0.0, 0.0, 1.0, 1.0) * (0.085, 0.085)
        pen.fill((250, 244, 214), moved(disc, 0.74 + 0.16 * (scene.drift - 0.5), 0.14))
        for _ in range(2):
            _cloud(pen, rng.uniform(0.02, 0.62), rng.uniform(0.08, 0.26), rng.uniform(0.8, 1.1))
    else:
        _sky(canvas, pen, scene, horizon, sun=0.72, low=horizon - 0.06)
    top, bottom = _SNOW[time]
    far = mix(top, SKIES[time][1], 0.30)
    peak = rng.uniform(0.10, 0.40)
    hill = oval(0.0, 0.0, 1.0, 1.0, 0.0, 40)
    pen.fill(far, hill * (0.50, rng.uniform(0.12, 0.17)) + (peak, horizon + 0.04))
    pen.fill(
        mix(far, top, 0.5), hill * (0.50, rng.uniform(0.08, 0.13)) + (peak + 0.62, horizon + 0.04)
    )
    _strip(canvas, horizon, 1.0, (top, bottom))
    for _ in range(4):
        place = (rng.random(), rng.uniform(horizon + 0.06, 0.96))
        pen.fill(
            mix(bottom, (120, 140, 190), 0.22),
            oval(0.0, 0.0, 1.0, 1.0) * (rng.uniform(0.10, 0.18), 0.010) + place,
        )
    flake = oval(0.0, 0.0, 0.011, 0.011, 0.0, 8)
    for _ in range(26):
        pen.fill((255, 255, 255), moved(flake, rng.random(), rng.uniform(0.0, horizon + 0.02)))


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
        _moon(pen, x, 0.12, 0.09)
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
    "beach": _beach,
    "mountains": _mountains,
    "snow": _snow,
}
