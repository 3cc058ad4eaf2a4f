"""The scatter matrix of a run's scores: the front before everything that it came from."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from evo_t2i.points import Points, usable
from evo_t2i.report import style
from evo_t2i.report.figure import (
    RIGHT,
    facts_of,
    framed,
    head,
    lettered,
    mark,
    new_figure,
    round_ticks,
    saved,
)
from evo_t2i.report.panel_pictures import place_pictures
from evo_t2i.runs.directory import Front, RunDirectory

PANEL_INCHES = {1: 5.0, 2: 3.4, 3: 2.7}
SMALLEST_PANEL_INCHES = 2.3
LEFT = 0.95
"""Margin in inches, for the ticks of every row."""


def pareto(run: RunDirectory, out: Path, *, picked: Sequence[int] = ()) -> None:
    """Draw the finished ``run``'s scatter matrix and publish it as the PNG ``out``.

    Every pair of scores, with the front in colour, generation 0 in grey and everything else that
    was evaluated in light grey behind it; histograms of generation 0 and of the front on the
    diagonal. ``picked`` are rows of the front to mark with a star. Equal runs give equal bytes.
    """
    front, history = run.front(), run.history()
    facts = facts_of(run, history, front)
    run.publish(out, scatter_matrix(front, history, run.config.caption, facts, picked))


def pairs(run: RunDirectory, picked: Sequence[int], file_format: str) -> bytes:
    """The scatter matrix with pictures of the front at their places in the lower panels."""
    front, history = run.front(), run.history()
    facts = [*facts_of(run, history, front), "pictures of the front at their scores"]
    return scatter_matrix(
        front, history, run.config.caption, facts, picked, pictures=True, file_format=file_format
    )


def scatter_matrix(
    front: Front,
    history: Points,
    caption: str,
    facts: Sequence[str],
    picked: Sequence[int],
    *,
    pictures: bool = False,
    file_format: str = "png",
) -> bytes:
    """The file of ``pareto``, from arrays; ``pictures`` makes it that of ``pairs``."""
    names = [style.score_title(name) for name in front.score_names]
    count = len(names)
    panel = PANEL_INCHES.get(count, SMALLEST_PANEL_INCHES)
    left, right, top, bottom, gap = LEFT, RIGHT, 1.32, 0.7, 0.14
    width = max(left + right + count * panel + (count - 1) * gap, 6.2)
    height = top + bottom + count * panel + (count - 1) * gap
    side = width - left - right - (count - 1) * gap
    layers = _layers(front, history)
    with lettered():
        figure = new_figure(width, height)
        for row in range(count):
            for column in range(count):
                axes = figure.add_axes(
                    (
                        (left + column * (side / count + gap)) / width,
                        (bottom + (count - 1 - row) * (panel + gap)) / height,
                        side / count / width,
                        panel / height,
                    )
                )
                if row == column:
                    _histograms(axes, layers, column, "" if count == 1 else names[column], picked)
                else:
                    _scatter(axes, layers, front.leading, column, row, picked)
                _limits(axes, layers, column, None if row == column else row)
                _frame(axes, names, row, column, side / count)
                if pictures and row > column:
                    place_pictures(axes, front, front.scores[:, [column, row]], picked)
        marks = [
            mark("o", style.GENERATION_0, 4.5, "generation 0"),
            mark("o", style.EVALUATED, 4.5, "evaluated later"),
            mark("o", style.FRONT, 5.5, "Pareto front"),
        ]
        if not front.leading.all():
            marks.append(mark("o", style.PAPER, 4.5, "other looks", edge=style.FRONT))
        if picked:
            marks.append(mark("*", style.PICKED, 11, "picked", edge=style.INK))
        head(figure, caption, facts, left / width, top, marks)
        return saved(figure, file_format)


def _layers(front: Front, history: Points) -> dict[str, np.ndarray]:
    finite = usable(history.scores)
    first = history.generations == 0
    return {
        "evaluated": history.scores[finite & ~first],
        "generation 0": history.scores[finite & first],
        "front": front.scores,
    }


def _scatter(
    axes: Axes,
    layers: dict[str, np.ndarray],
    leading: np.ndarray,
    x: int,
    y: int,
    picked: Sequence[int],
) -> None:
    dense = max(0.35, min(1.0, (60 / max(len(layers["front"]), 1)) ** 0.5))
    later, first, front = (layers[name] for name in ("evaluated", "generation 0", "front"))
    axes.scatter(
        later[:, x],
        later[:, y],
        s=4,
        color=style.EVALUATED,
        linewidths=0,
        zorder=1,
        rasterized=True,  # thousands of dots a panel; the other layers stay vectors
    )
    axes.scatter(
        first[:, x],
        first[:, y],
        s=8,
        color=style.GENERATION_0,
        alpha=0.75,
        linewidths=0,
        zorder=2,
    )
    axes.scatter(
        front[leading, x],
        front[leading, y],
        s=22 * dense,
        color=style.FRONT,
        edgecolors=style.PAPER,
        linewidths=0.4 * dense,
        zorder=3,
    )
    axes.scatter(
        front[~leading, x],
        front[~leading, y],
        s=16 * dense,
        color=style.PAPER,
        edgecolors=style.FRONT,
        linewidths=0.9 * dense,
        zorder=2.5,
    )
    if picked:
        axes.scatter(
            front[list(picked), x],
            front[list(picked), y],
            s=150,
            marker="*",
            color=style.PICKED,
            edgecolors=style.INK,
            linewidths=0.8,
            zorder=4,
        )


def _histograms(
    axes: Axes, layers: dict[str, np.ndarray], column: int, name: str, picked: Sequence[int]
) -> None:
    """Shares of generation 0 and of the front in common bins, and where the pick lies."""
    grey, red = layers["generation 0"][:, column], layers["front"][:, column]
    everything = np.concatenate([grey, red])
    low, high = everything.min(), everything.max()
    edges = np.linspace(low, high, 25) if high > low else np.array([low - 0.5, low + 0.5])
    highest = 0.0
    for values, colour, opacity in ((grey, style.GENERATION_0, 0.6), (red, style.FRONT, 0.75)):
        if len(values):
            heights = np.histogram(values, edges)[0] / len(values)
            highest = max(highest, float(heights.max()))
            axes.stairs(heights, edges, fill=True, color=colour, alpha=opacity, linewidth=0)
    axes.set_ylim(0, highest * 1.45 or 1)
    axes.scatter(
        red[list(picked)],
        np.full(len(picked), 0.05),
        transform=axes.get_xaxis_transform(),
        s=110,
        marker="*",
        color=style.PICKED,
        edgecolors=style.INK,
        linewidths=0.8,
        zorder=4,
    )
    axes.text(
        0.5,
        0.95,
        name,
        transform=axes.transAxes,
        ha="center",
        va="top",
        fontsize=11,
        fontweight="bold",
        color=style.INK,
        parse_math=False,
    )


def _limits(axes: Axes, layers: dict[str, np.ndarray], x: int, y: int | None) -> None:
    """The same range for a score in every panel, with a margin of 5 %."""
    everything = np.concatenate(list(layers.values()))
    for column, setter in ((x, axes.set_xlim), (y, axes.set_ylim)):
        if column is None:
            continue
        low, high = everything[:, column].min(), everything[:, column].max()
        margin = 0.05 * (high - low) or 0.05 * abs(low) or 0.5
        setter(low - margin, high + margin)


def _frame(axes: Axes, names: Sequence[str], row: int, column: int, panel_width: float) -> None:
    """Lines, ticks and names; ``panel_width`` in inches."""
    count = len(names)
    framed(axes)
    for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        axis.set_major_locator(FixedLocator(round_ticks(*limits)))
    if row == count - 1:
        axes.set_xlabel(names[column], fontsize=9, color=style.INK, parse_math=False)
    else:
        axes.tick_params(labelbottom=False)
    if row == column:
        axes.tick_params(left=False, labelleft=False)
    if column == 0:
        label = names[row] if count > 1 else "share of images"
        axes.set_ylabel(label, fontsize=9, color=style.INK, parse_math=False)
        axes.yaxis.set_label_coords(-0.62 / panel_width, 0.5)
    elif row == 0 and column == count - 1:
        # The first panel of this row counts images, so the scores' ticks stand at the other end.
        axes.tick_params(left=False, labelleft=False, right=True, labelright=True)
    else:
        axes.tick_params(left=False, labelleft=False)
