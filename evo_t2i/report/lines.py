"""Figures of lines: the front's trade-offs, and how a run got there."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from evo_t2i.picking.scale import robust_scale, standardise
from evo_t2i.points import usable
from evo_t2i.report import style
from evo_t2i.report.figure import (
    RIGHT,
    facts_of,
    framed,
    head,
    lettered,
    mark,
    new_figure,
    panel_at,
    round_ticks,
    saved,
)
from evo_t2i.runs.directory import RunDirectory

LEFT, TOP, BOTTOM = 0.75, 1.32, 0.62
"""Margins in inches."""
BAND = (10, 90)
"""Percentiles."""


def parallel(run: RunDirectory, picked: Sequence[int], file_format: str) -> bytes:
    """Parallel coordinates: a line an image through its scores, from the front and generation 0.

    Every axis reaches from the lowest to the highest score that either of them has.
    """
    front, history = run.front(), run.history()
    names = [style.score_title(name) for name in front.score_names]
    first = history.scores[(history.generations == 0) & usable(history.scores)]
    everything = np.concatenate([first, front.scores])
    low, high = everything.min(axis=0), everything.max(axis=0)
    span = np.where(high > low, high - low, 1.0)

    width, height = max(6.2, 1.7 * len(names) + LEFT + RIGHT), 4.9
    with lettered():
        figure = new_figure(width, height)
        side = 0.55 if len(names) > 1 else 2.0
        axes = panel_at(figure, LEFT + side, 0.35, width - LEFT - RIGHT - 2 * side, height - 2.0)
        axes.set_axis_off()
        axes.set_xlim(0, max(len(names) - 1, 1))
        axes.set_ylim(-0.03, 1.03)
        dense = max(0.12, min(0.8, 25 / max(len(front), 1)))
        layers = ((first, style.GENERATION_0, 0.3, 0.6), (front.scores, style.FRONT, dense, 0.8))
        for scores, colour, opacity, line_width in layers:
            _lines(axes, (scores - low) / span, color=colour, alpha=opacity, linewidth=line_width)
        for row in picked:
            heights = (front.scores[row] - low) / span
            for colour, line_width in ((style.INK, 3.6), (style.PICKED, 2.2)):
                _lines(axes, heights[None], color=colour, linewidth=line_width, zorder=4)
            axes.plot(
                np.arange(len(names)),
                heights,
                linestyle="none",
                marker="*",
                markersize=13,
                markerfacecolor=style.PICKED,
                markeredgecolor=style.INK,
                markeredgewidth=0.8,
                zorder=5,
                clip_on=False,
            )
        for place, name in enumerate(names):
            axes.axvline(place, color=style.INK, linewidth=0.9, zorder=3, clip_on=False)
            axes.text(
                place,
                1.085,
                name,
                ha="center",
                fontsize=10,
                fontweight="bold",
                color=style.INK,
                parse_math=False,
            )
            for value in round_ticks(low[place], low[place] + span[place]):
                level = (value - low[place]) / span[place]
                axes.annotate(
                    f"{value:g}",
                    (place, level),
                    (4, 0),
                    textcoords="offset points",
                    fontsize=7,
                    color=style.INK,
                    va="center",
                    zorder=6,
                    bbox={"facecolor": style.PAPER, "alpha": 0.75, "linewidth": 0, "pad": 0.6},
                )
        marks = [
            Line2D([], [], color=style.GENERATION_0, linewidth=1.4, label="generation 0"),
            Line2D([], [], color=style.FRONT, linewidth=1.8, label=style.front_title(front)),
        ]
        if picked:
            marks.append(
                Line2D(
                    [],
                    [],
                    color=style.PICKED,
                    linewidth=2.2,
                    marker="*",
                    markersize=10,
                    markeredgecolor=style.INK,
                    label="picked",
                )
            )
        facts = facts_of(run, history, front)
        head(figure, run.config.caption, facts, LEFT / width, TOP, marks)
        return saved(figure, file_format)


def convergence(run: RunDirectory, file_format: str) -> bytes:
    """Hypervolume, the best of every score and the size of the front, generation by generation.

    Hypervolume is in units of generation 0's box, the best scores are z against generation 0.
    """
    front, history = run.front(), run.history()
    facts_by_generation = run.all_facts()
    generations = np.arange(len(facts_by_generation))
    scored = history[usable(history.scores)]
    z = standardise(scored.scores, *robust_scale(scored.scores[scored.generations == 0]))
    best = np.array([z[scored.generations <= number].max(axis=0) for number in generations])
    panel, gap, height = 3.0, 0.85, 4.35
    width = LEFT + 3 * panel + 2 * gap + 0.5
    with lettered():
        figure = new_figure(width, height)
        panels = [
            panel_at(figure, LEFT + place * (panel + gap), BOTTOM, panel, height - BOTTOM - 1.6)
            for place in range(3)
        ]
        volumes = [facts.hypervolume for facts in facts_by_generation]
        panels[0].plot(generations, volumes, color=style.FRONT, linewidth=1.8)
        panels[0].fill_between(generations, 0, volumes, color=style.FRONT, alpha=0.12, linewidth=0)
        panels[0].set_ylim(0, None)
        marks = []
        for column, name in enumerate(front.score_names):
            panels[1].plot(generations, best[:, column], **_stroke(column))
            marks.append(Line2D([], [], label=style.score_title(name), **_stroke(column)))
        if best.max() > 30:
            panels[1].set_yscale("symlog", linthresh=3)
            panels[1].set_yticks([t for t in (0, 3, 10, 30, 100, 300, 1_000) if t < 2 * best.max()])
            panels[1].yaxis.set_major_formatter("{x:,.0f}")
            panels[1].minorticks_off()
        panels[2].plot(
            generations,
            [facts.front for facts in facts_by_generation],
            color=style.INK,
            linewidth=1.8,
        )
        panels[2].set_ylim(0, None)
        titles = ("hypervolume, in boxes of generation 0", "best so far, z", "images on the front")
        for axes, title in zip(panels, titles, strict=True):
            _generations(axes, title, len(generations))
        facts = facts_of(run, history, front)
        head(figure, run.config.caption, facts, LEFT / width, TOP, marks)
        return saved(figure, file_format)


def evolution(run: RunDirectory, picked: Sequence[int], file_format: str) -> bytes:
    """How each score's distribution moves: median, middle 80 % and best of every generation."""
    front, history = run.front(), run.history()
    finite = usable(history.scores)
    present = np.unique(history.generations[finite])
    count = len(front.score_names)
    columns = min(count, 2)
    rows = -(-count // columns)
    panel, tall, gap, between = 3.9, 2.3, 0.75, 0.62
    width = max(LEFT + columns * panel + (columns - 1) * gap + 0.4, 6.2)
    height = TOP + 0.25 + rows * tall + (rows - 1) * between + BOTTOM
    with lettered():
        figure = new_figure(width, height)
        for column, name in enumerate(front.score_names):
            down, across = divmod(column, columns)
            axes = panel_at(
                figure,
                LEFT + across * (panel + gap),
                BOTTOM + (rows - 1 - down) * (tall + between),
                panel,
                tall,
            )
            parts = [
                history.scores[finite & (history.generations == number), column]
                for number in present
            ]
            low, middle, high = np.array(
                [np.percentile(p, (BAND[0], 50, BAND[1])) for p in parts]
            ).T
            axes.fill_between(present, low, high, color=style.EVALUATED, linewidth=0)
            axes.plot(present, middle, color=style.INK, linewidth=1.6)
            axes.plot(present, [part.max() for part in parts], color=style.FRONT, linewidth=1.4)
            axes.axhline(middle[0], color=style.GENERATION_0, linewidth=0.9, linestyle=(0, (4, 3)))
            axes.scatter(
                front.generations[list(picked)],
                front.scores[list(picked), column],
                s=150,
                marker="*",
                color=style.PICKED,
                edgecolors=style.INK,
                linewidths=0.8,
                zorder=4,
                clip_on=False,
            )
            _generations(axes, style.score_title(name), int(history.generations.max()) + 1)
        marks = [
            Line2D([], [], color=style.FRONT, linewidth=1.6, label="best of the generation"),
            Line2D([], [], color=style.INK, linewidth=1.8, label="median"),
            Patch(color=style.EVALUATED, label=f"{BAND[0]}–{BAND[1]} %"),
            Line2D(
                [],
                [],
                color=style.GENERATION_0,
                linewidth=1.2,
                linestyle=(0, (4, 3)),
                label="median of generation 0",
            ),
        ]
        if picked:
            marks.append(mark("*", style.PICKED, 11, "picked", edge=style.INK))
        facts = facts_of(run, history, front)
        head(figure, run.config.caption, facts, LEFT / width, TOP, marks)
        return saved(figure, file_format)


def _stroke(number: int) -> dict[str, Any]:
    """Colour and dashes of a score's curve."""
    place = number % len(style.SERIES)
    return {"color": style.SERIES[place], "linestyle": style.DASHES[place], "linewidth": 1.6}


def _lines(axes: Axes, heights: np.ndarray, **stroke: Any) -> None:
    """A line a row of ``heights`` (n, m) at 0 … m - 1; dots when there is only one score."""
    across = np.broadcast_to(np.arange(heights.shape[1], dtype=np.float64), heights.shape)
    if heights.shape[1] == 1:
        heights, across = (
            np.repeat(heights, 2, axis=1),
            np.broadcast_to([-0.1, 0.1], (len(heights), 2)),
        )
    segments = np.stack([across, heights], axis=-1)  # (n, m, 2)
    axes.add_collection(LineCollection(list(segments), clip_on=False, **stroke))


def _generations(axes: Axes, title: str, count: int) -> None:
    framed(axes)
    axes.set_title(
        title, fontsize=10, fontweight="bold", color=style.INK, loc="left", parse_math=False
    )
    axes.set_xlabel("generation", fontsize=9, color=style.INK)
    axes.set_xlim(-0.02 * count, max(count - 1, 1) * 1.02)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    if axes.get_yscale() == "linear":
        axes.yaxis.set_major_locator(MaxNLocator(5))
