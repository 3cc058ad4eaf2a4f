"""Filled polygons on a supersampled canvas, placed by unit boxes.

Every mark is a closed polygon: `oval`, `curve`, `stroke` and `block` build them in the unit
square (y down) and are cached, because the same drawing is repeated thousands of times.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Points = tuple[tuple[float, float], ...]
Shape = NDArray[np.float64]

# Objects take on a little of the light: (colour of the light, share).
_LIGHT: dict[str, tuple[Colour, float]] = {
    "day": ((255, 255, 255), 0.0),
    "sunset": ((255, 130, 60), 0.11),
    "night": ((30, 42, 112), 0.14),
}


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`first` with `share` in [0, 1] of `second`."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def shade(colour: Colour, amount: float) -> Colour:
    """Lighter for `amount` > 0 (towards white), darker for `amount` < 0 (towards near-black)."""
    return mix(colour, (255, 255, 255) if amount > 0 else (12, 10, 24), abs(amount))


@lru_cache(maxsize=4096)
def lit(colour: Colour, time: str) -> Colour:
    """A thing's colour as it looks in the light of `time`; dark colours take on less of it."""
    light, share = _LIGHT[time]
    return mix(colour, light, share * (0.3 + 0.7 * max(colour) / 255))


@lru_cache(maxsize=4096)
def oval(x: float, y: float, rx: float, ry: float, angle: float = 0.0, count: int = 28) -> Shape:
    """An ellipse around (x, y), turned by `angle` radians; (count, 2)."""
    t = np.linspace(0, 2 * np.pi, count, endpoint=False)
    u, v = rx * np.cos(t), ry * np.sin(t)
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([x + c * u - s * v, y + s * u + c * v], axis=1)


@lru_cache(maxsize=4096)
def block(x0: float, y0: float, x1: float, y1: float, radius: float = 0.0) -> Shape:
    """A rectangle with rounded corners."""
    if not radius:
        return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], dtype=np.float64)
    t = np.linspace(0, np.pi / 2, 5)
    corners = [(x1 - radius, y1 - radius, 0.0), (x0 + radius, y1 - radius, np.pi / 2)]
    corners += [(x0 + radius, y0 + radius, np.pi), (x1 - radius, y0 + radius, 1.5 * np.pi)]
    parts = [
        np.stack([x + radius * np.cos(t + a), y + radius * np.sin(t + a)], axis=1)
        for x, y, a in corners
    ]
    return np.concatenate(parts)


@lru_cache(maxsize=4096)
def sharp(*points: tuple[float, float]) -> Shape:
    """A polygon with straight sides."""
    return np.array(points, dtype=np.float64)


@lru_cache(maxsize=4096)
def curve(*points: tuple[float, float]) -> Shape:
    """A smooth closed outline through `points` (Catmull-Rom spline, 6 steps a span)."""
    p = np.array(points, dtype=np.float64)
    before, after, beyond = np.roll(p, 1, 0), np.roll(p, -1, 0), np.roll(p, -2, 0)
    return _spline(before, p, after, beyond)


@lru_cache(maxsize=4096)
def stroke(points: Points, width: float, end: float | None = None) -> Shape:
    """A smooth thick line through `points` with round caps; `end` is the width at its end."""
    p = np.array(points, dtype=np.float64)
    if len(p) > 2:
        padded = np.concatenate([p[:1], p, p[-1:]])
        line = _spline(padded[:-3], padded[1:-2], padded[2:-1], padded[3:])
        p = np.concatenate([line, p[-1:]])
    along = np.gradient(p, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    normal = np.stack([-along[:, 1], along[:, 0]], axis=1)
    half = np.linspace(width, width if end is None else end, len(p))[:, None] / 2
    caps = []
    for point, direction, radius in ((p[-1], along[-1], half[-1]), (p[0], -along[0], half[0])):
        start = np.arctan2(direction[1], direction[0]) + np.pi / 2
        t = start - np.linspace(0, np.pi, 7)
        caps.append(point + radius * np.stack([np.cos(t), np.sin(t)], axis=1))
    return np.concatenate([p + half * normal, caps[0], (p - half * normal)[::-1], caps[1]])


def _spline(before: Shape, start: Shape, end: Shape, beyond: Shape) -> Shape:
    t = (np.arange(6) / 6)[None, :, None]
    a, b, c, d = (x[:, None] for x in (before, start, end, beyond))
    points = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * (b - c) + d - a) * t**3
    )
    spans: Shape = points.reshape(-1, 2)
    return spans


def _grow(points: Shape, distance: float) -> Shape:
    """The outline moved outwards by `distance` pixels, with mitred corners of bounded length."""
    place = np.ascontiguousarray(points).view(np.complex128)[:, 0]
    ahead = np.empty_like(place)
    np.subtract(place[1:], place[:-1], out=ahead[:-1])
    ahead[-1] = place[0] - place[-1]
    area = np.vdot(place, ahead).imag
    normal = ahead * (-1j if area > 0 else 1j) / np.maximum(np.abs(ahead), 1e-9)
    both = normal.copy()
    both[1:] += normal[:-1]
    both[0] += normal[-1]
    squared = np.maximum(both.real**2 + both.imag**2, 0.8)
    grown: Shape = (place + distance * 2 * both / squared).view(np.float64).reshape(-1, 2)
    return grown


def moved(shape: Shape, x: float, y: float) -> Shape:
    """`shape` shifted by (x, y)."""
    shifted: Shape = shape + np.array((x, y))
    return shifted


@dataclass(frozen=True)
class Look:
    """How a thing appears: its colour, its pose and the time of day."""

    colour: Colour
    pose: str
    time: str


class Pen:
    """Draws shapes of the unit square into one box of an RGB canvas.

    canvas: square image that is drawn on.
    box: fractions of the canvas, y down; `mirrored` flips the drawing inside it.
    time: light that tints colours, or None to draw colours as they are.
    labels, label: a second, "L" canvas that receives `label` wherever the pen paints.
    """

    def __init__(
        self,
        canvas: Image.Image,
        box: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0),
        mirrored: bool = False,
        time: str | None = None,
        labels: Image.Image | None = None,
        label: int = 0,
    ) -> None:
        self._unit = canvas.width
        x0, y0, x1, y1 = box
        self._offset = np.array([x1 if mirrored else x0, y0]) * self._unit
        self._scale = np.array([x0 - x1 if mirrored else x1 - x0, y1 - y0]) * self._unit
        self._time = time
        self._canvas = canvas
        self._draw = ImageDraw.Draw(canvas)
        self._labels = ImageDraw.Draw(labels) if labels is not None else None
        self._label = label

    def fill(
        self,
        colour: Colour,
        *shapes: Shape,
        edge: Colour | None = None,
        width: float = 0.011,
        glows: bool = False,
    ) -> None:
        """Paint `shapes` as one silhouette.

        `edge` outlines it, `width` of the image thick; a silhouette that `glows` keeps its
        colour whatever the light.
        """
        if self._time is not None and not glows:
            colour = lit(colour, self._time)
            edge = lit(edge, self._time) if edge is not None else None
        placed = [shape * self._scale + self._offset for shape in shapes]
        if edge is not None:
            for points in placed:
                self._polygon(_grow(points, width * self._unit), edge)
        for points in placed:
            self._polygon(points, colour)

    def ring(
        self,
        colour: Colour,
        centre: tuple[float, float],
        outer: tuple[float, float],
        inner: tuple[float, float],
    ) -> None:
        """Paint what lies between two ovals with these radii around `centre`."""
        t = np.linspace(0, 2 * np.pi, 41)
        circle = np.stack([np.cos(t), np.sin(t)], axis=1)
        band = np.concatenate([circle * outer, circle[::-1] * inner]) + centre
        self.fill(colour, band)

    def veil(self, colour: Colour, opacity: float, *shapes: Shape) -> None:
        """Paint `shapes` half-transparently (shadows, glows); never part of a mask."""
        if self._time is not None:
            colour = lit(colour, self._time)
        draw = ImageDraw.Draw(self._canvas, "RGBA")
        for shape in shapes:
            points = (shape * self._scale + self._offset).ravel().tolist()
            draw.polygon(points, fill=(*colour, round(255 * opacity)))

    def _polygon(self, points: Shape, colour: Colour) -> None:
        flat = points.ravel().tolist()
        self._draw.polygon(flat, fill=colour)
        if self._labels is not None:
            self._labels.polygon(flat, fill=self._label)


@lru_cache(maxsize=256)
def gradient(unit: int, top: float, bottom: float, stops: Sequence[Colour]) -> Image.Image:
    """A vertical gradient strip, `unit` wide, between the fractions `top` and `bottom`."""
    height = max(1, round(unit * bottom) - round(unit * top))
    at = np.linspace(0, 1, height)
    known = np.linspace(0, 1, len(stops))
    columns = [np.interp(at, known, [stop[i] for stop in stops]) for i in range(3)]
    strip = np.stack(columns, axis=1).round().astype(np.uint8)[:, None]
    return Image.fromarray(np.ascontiguousarray(np.broadcast_to(strip, (height, unit, 3))))
