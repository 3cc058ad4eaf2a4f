"""Several fronts in one figure: their picks, their distributions, and what each attains."""

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

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

if TYPE_CHECKING:
    from evo_t2i.compare import Comparison

WIDTH = 10.2
LEFT, RIGHT, TOP, BOTTOM = 0.75, 0.4, 1.32, 0.62
"""Margins in inches."""
PICTURE, TALL, GAP, SPREAD_GAP = 1.55, 2.3, 0.7, 0.35
COLUMNS = 3


def comparison_figure(comparison: "Comparison", file_format: str = "png") -> bytes:
    """The picks in a row; the spread of every score on every front; for every pair of scores the
    region that each front attains.

    A curve bounds the values that some image of a front reaches in both scores at once, whatever
    its other scores are.
    """
    titles = [style.score_title(name) for name in comparison.names]
    entrants = comparison.entrants
    fronts = [one.scores(comparison.names) for one in entrants]
    picks = np.array([one.picked_scores(comparison.names) for one in entrants])
    pairs = list(combinations(range(len(titles)), 2))
    rows = -(-len(pairs) // COLUMNS)
    spread_tall = 0.5 + 0.26 * len(entrants)
    across = min(len(entrants), 6)
    picture_rows = -(-len(entrants) // across)
    picture_cell = PICTURE + 0.5
    height = (
        TOP
        + picture_rows * picture_cell
        + 0.35
        + spread_tall
        + SPREAD_GAP
        + rows * (TALL + GAP)
        + (BOTTOM - GAP if rows else 0)
    )
    looks: list[dict[str, Any]] = [
        {"color": style.SERIES[number % 6], "linestyle": style.DASHES[number % 6]}
        for number in range(len(entrants))
    ]
    with lettered():
        figure = new_figure(WIDTH, height)
        y = height - TOP
        for number, one in enumerate(entrants):
            down, place = divmod(number, across)
            corner = (LEFT + place * (PICTURE + 0.12), y - down * picture_cell - PICTURE)
            axes = panel_at(figure, *corner, PICTURE, PICTURE)
            axes.imshow(one.run.arrays.image(one.picked), interpolation="lanczos", aspect="equal")
            axes.set(xticks=[], yticks=[])
            for spine in axes.spines.values():
                spine.set(color=looks[number]["color"], linewidth=2.5)
            axes.set_xlabel(
                _fitted(one.label), fontsize=8, color=style.INK, labelpad=5, parse_math=False
            )
        y -= picture_rows * picture_cell + 0.35 + spread_tall
        count = len(titles)
        wide = (WIDTH - LEFT - RIGHT - (count - 1) * 0.3) / count
        for column, title in enumerate(titles):
            axes = panel_at(
                figure, LEFT + column * (wide + 0.3), y + 0.25, wide, spread_tall - 0.25
            )
            _spread(axes, [front[:, column] for front in fronts], picks[:, column], looks)
            axes.set_title(
                title, fontsize=10, fontweight="bold", color=style.INK, loc="left", parse_math=False
            )
        y -= SPREAD_GAP
        wide = (WIDTH - LEFT - RIGHT - (COLUMNS - 1) * GAP) / COLUMNS
        for number, (first, second) in enumerate(pairs):
            down, place = divmod(number, COLUMNS)
            corner = (LEFT + place * (wide + GAP), y - TALL - down * (TALL + GAP))
            axes = panel_at(figure, *corner, wide, TALL)
            _attainment(axes, [front[:, [first, second]] for front in fronts], looks)
            axes.scatter(
                picks[:, first],
                picks[:, second],
                s=130,
                marker="*",
                color=[look["color"] for look in looks],
                edgecolors=style.INK,
                linewidths=0.8,
                zorder=4,
            )
            axes.set_xlabel(titles[first], fontsize=9, color=style.INK, parse_math=False)
            axes.set_ylabel(titles[second], fontsize=9, color=style.INK, parse_math=False)
        marks = [
            Line2D([], [], **look, linewidth=2.0, label=_fitted(one.label))
            for look, one in zip(looks, entrants, strict=True)
        ][:6]
        facts = ["picks, spread of the fronts (bar: middle 80 %, line: median, star: pick)"]
        if pairs:
            facts.append("what each front attains")
        head(figure, comparison.caption, facts, LEFT / WIDTH, TOP, marks)
        return saved(figure, file_format)


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


def _attainment(axes: Axes, fronts: Sequence[np.ndarray], looks: Sequence[dict[str, Any]]) -> None:
    everything = np.concatenate(fronts)
    low, high = everything.min(axis=0), everything.max(axis=0)
    margin = np.where(high > low, 0.06 * (high - low), 0.5)
    floor, ceiling = low - margin, high + margin
    for front, look in zip(fronts, looks, strict=True):
        axes.scatter(
            front[:, 0], front[:, 1], s=3, color=look["color"], alpha=0.25, linewidths=0, zorder=2
        )
        corners = attainment_line(front)
        ends = [[floor[0], corners[0, 1]], *corners, [corners[-1, 0], floor[1]]]
        axes.plot(*np.transpose(ends), linewidth=1.5, zorder=3, **look)
    framed(axes)
    axes.set(xlim=(floor[0], ceiling[0]), ylim=(floor[1], ceiling[1]))
    axes.set_xticks(round_ticks(floor[0], ceiling[0]))
    axes.set_yticks(round_ticks(floor[1], ceiling[1]))


def _spread(
    axes: Axes, columns: Sequence[np.ndarray], picks: np.ndarray, looks: Sequence[dict[str, Any]]
) -> None:
    """A line a front: from lowest to highest, its middle 80 % as a bar, median and pick."""
    for number, (scores, look) in enumerate(zip(columns, looks, strict=True)):
        low, left, middle, right, high = np.percentile(scores, (0, 10, 50, 90, 100))
        colour = look["color"]
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
    axes.margins(x=0.06)
    axes.set_xticks(round_ticks(*axes.get_xlim()))


def _fitted(label: str) -> str:
    """At most 26 characters, the end kept: it holds the seed."""
    text = style.plain(label)
    return text if len(text) <= 26 else "…" + text[-25:]
