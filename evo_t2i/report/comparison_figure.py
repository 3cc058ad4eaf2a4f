"""Several fronts in one figure: their picks, their distributions, and what each attains."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from evo_t2i.comparison import Comparison
from evo_t2i.report import style
from evo_t2i.report.figure import (
    framed,
    head,
    lettered,
    new_figure,
    panel_at,
    round_ticks,
    saved,
)

WIDTH = 10.2
LEFT, RIGHT, TOP, BOTTOM = 0.75, 0.4, 1.32, 0.62
"""Margins in inches."""
PICTURE, PICTURE_CELL, TITLE, TALL, GAP, SPREAD_GAP = 1.55, 2.05, 0.35, 2.3, 0.7, 0.35
COLUMNS = 3
MOST_PICTURES_ACROSS = 6

Stroke = dict[str, Any]
"""Colour and, for lines, dashes of an entrant."""


def comparison_figure(
    comparison: Comparison, file_format: str = "png", *, pictures: bool = True
) -> bytes:
    """The picks in a row (unless not ``pictures``); the spread of every score on every front; for
    every pair of scores the region that each front attains.

    A curve bounds the values that some image of a front reaches in both scores at once, whatever
    its other scores are.
    """
    entrants = comparison.entrants
    pairs = len(comparison.names) * (len(comparison.names) - 1) // 2
    across = min(len(entrants), MOST_PICTURES_ACROSS)
    pictures_tall = -(-len(entrants) // across) * PICTURE_CELL if pictures else 0.0
    spread_tall = 0.5 + 0.26 * len(entrants)
    pairs_tall = -(-pairs // COLUMNS) * (TALL + GAP) - GAP + BOTTOM if pairs else 0.0
    height = TOP + pictures_tall + TITLE + spread_tall + SPREAD_GAP + pairs_tall
    strokes: list[Stroke] = [
        {"color": style.SERIES[number % 6], "linestyle": style.DASHES[number % 6]}
        for number in range(len(entrants))
    ]
    with lettered():
        figure = new_figure(WIDTH, height)
        if pictures:
            _draw_picks(figure, height - TOP, comparison, strokes)
        y = height - TOP - pictures_tall - TITLE - spread_tall
        _draw_spreads(figure, y, spread_tall, comparison, strokes)
        _draw_pairs(figure, y - SPREAD_GAP, comparison, strokes)
        marks = [
            Line2D([], [], **stroke, linewidth=2.0, label=_fitted(one.label))
            for stroke, one in zip(strokes, entrants, strict=True)
        ][:6]
        facts = ["spread of the fronts (bar: middle 80 %, line: median, star: pick)"]
        if pairs:
            facts.append("what each front attains")
        if pictures:
            facts.insert(0, "picks")
        head(figure, comparison.caption, facts, LEFT / WIDTH, TOP, marks)
        return saved(figure, file_format)


def _draw_picks(
    figure: Figure, y: float, comparison: Comparison, strokes: Sequence[Stroke]
) -> None:
    for number, one in enumerate(comparison.entrants):
        down, place = divmod(number, MOST_PICTURES_ACROSS)
        corner = (LEFT + place * (PICTURE + 0.12), y - down * PICTURE_CELL - PICTURE)
        axes = panel_at(figure, *corner, PICTURE, PICTURE)
        axes.imshow(one.front.image(one.picked), interpolation="lanczos", aspect="equal")
        axes.set(xticks=[], yticks=[])
        for spine in axes.spines.values():
            spine.set(color=strokes[number]["color"], linewidth=2.5)
        axes.set_xlabel(
            _fitted(one.label), fontsize=8, color=style.INK, labelpad=5, parse_math=False
        )


def _draw_spreads(
    figure: Figure, y: float, tall: float, comparison: Comparison, strokes: Sequence[Stroke]
) -> None:
    count = len(comparison.names)
    wide = (WIDTH - LEFT - RIGHT - (count - 1) * 0.3) / count
    for column, name in enumerate(comparison.names):
        axes = panel_at(figure, LEFT + column * (wide + 0.3), y + 0.25, wide, tall - 0.25)
        fronts = [one.scores([name])[:, 0] for one in comparison.entrants]
        picks = [float(one.picked_scores([name])[0]) for one in comparison.entrants]
        spreads(axes, fronts, picks, strokes)
        axes.margins(x=0.06)
        axes.set_xticks(round_ticks(*axes.get_xlim()))
        axes.set_title(
            style.score_title(name),
            fontsize=10,
            fontweight="bold",
            color=style.INK,
            loc="left",
            parse_math=False,
        )


def _draw_pairs(
    figure: Figure, y: float, comparison: Comparison, strokes: Sequence[Stroke]
) -> None:
    wide = (WIDTH - LEFT - RIGHT - (COLUMNS - 1) * GAP) / COLUMNS
    for number, pair in enumerate(combinations(comparison.names, 2)):
        down, place = divmod(number, COLUMNS)
        corner = (LEFT + place * (wide + GAP), y - TALL - down * (TALL + GAP))
        axes = panel_at(figure, *corner, wide, TALL)
        _attainment(axes, [one.scores(pair) for one in comparison.entrants], strokes)
        picks = np.array([one.picked_scores(pair) for one in comparison.entrants])
        axes.scatter(
            picks[:, 0],
            picks[:, 1],
            s=130,
            marker="*",
            color=[stroke["color"] for stroke in strokes],
            edgecolors=style.INK,
            linewidths=0.8,
            zorder=4,
        )
        first, second = map(style.score_title, pair)
        axes.set_xlabel(first, fontsize=9, color=style.INK, parse_math=False)
        axes.set_ylabel(second, fontsize=9, color=style.INK, parse_math=False)


def attainment_line(points: np.ndarray) -> np.ndarray:
    """(k, 2) corners of the staircase that bounds what ``points`` (n, 2), maximised, attain, from
    its upper left to its lower right."""
    order = np.lexsort((-points[:, 1], points[:, 0]))[::-1]  # by the first score, descending
    x, y = points[order].T
    highest = np.maximum.accumulate(y)
    steps = np.flatnonzero(np.diff(highest, prepend=-np.inf) > 0)
    x, y = x[steps][::-1], highest[steps][::-1]  # ascending in x, descending in y
    corners = np.empty((2 * len(x) - 1, 2))
    corners[::2] = np.stack([x, y], axis=1)
    corners[1::2] = np.stack([x[:-1], y[1:]], axis=1)
    return corners


def _attainment(axes: Axes, fronts: Sequence[np.ndarray], strokes: Sequence[Stroke]) -> None:
    everything = np.concatenate(fronts)
    low, high = everything.min(axis=0), everything.max(axis=0)
    margin = np.where(high > low, 0.06 * (high - low), 0.5)
    floor, ceiling = low - margin, high + margin
    for front, stroke in zip(fronts, strokes, strict=True):
        axes.scatter(
            front[:, 0], front[:, 1], s=3, color=stroke["color"], alpha=0.25, linewidths=0, zorder=2
        )
        corners = attainment_line(front)
        ends = [[floor[0], corners[0, 1]], *corners, [corners[-1, 0], floor[1]]]
        axes.plot(*np.transpose(ends), linewidth=1.5, zorder=3, **stroke)
    framed(axes)
    axes.set(xlim=(floor[0], ceiling[0]), ylim=(floor[1], ceiling[1]))
    axes.set_xticks(round_ticks(floor[0], ceiling[0]))
    axes.set_yticks(round_ticks(floor[1], ceiling[1]))


def spreads(
    axes: Axes, columns: Sequence[np.ndarray], picks: Sequence[float], strokes: Sequence[Stroke]
) -> None:
    """A line a front: from lowest to highest, its middle 80 % as a bar, median and pick."""
    for number, (scores, stroke) in enumerate(zip(columns, strokes, strict=True)):
        low, left, middle, right, high = np.percentile(scores, (0, 10, 50, 90, 100))
        colour = stroke["color"]
        axes.plot([low, high], [number, number], color=colour, linewidth=0.9, zorder=1)
        axes.barh(number, right - left, 0.5, left, color=colour, alpha=0.45, zorder=2)
        axes.plot([middle, middle], [number - 0.25, number + 0.25], color=colour, linewidth=2)
        axes.scatter(
            picks[number],
            number,
            s=70,
            marker="*",
            color=colour,
            edgecolors=style.INK,
            linewidths=0.7,
            zorder=4,
        )
    framed(axes)
    axes.set(yticks=[], ylim=(len(columns) - 0.4, -0.6))


def _fitted(label: str) -> str:
    """At most 26 characters, the end kept: it holds the seed."""
    text = style.plain(label)
    return text if len(text) <= 26 else "…" + text[-25:]
