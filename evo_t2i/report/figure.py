"""What all figures drawn with matplotlib share: lettering, the head, and the file formats."""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from evo_t2i.points import Points
from evo_t2i.report import style
from evo_t2i.runs.directory import RunDirectory
from evo_t2i.runs.result import Front

FORMATS = ("png", "svg", "pdf")
DOTS_PER_INCH = 150
RIGHT = 0.65
"""Margin in inches."""
_LETTERING = {
    "font.family": ["DejaVu Sans"],
    "font.size": 8.5,
    "text.usetex": False,
    "axes.unicode_minus": True,
    "path.simplify": True,
    "agg.path.chunksize": 0,
    "svg.hashsalt": "evo-t2i",
    "pdf.fonttype": 42,  # TrueType, which journals accept and editors can edit
}
_NO_DATES = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


@contextmanager
def lettered() -> Iterator[None]:
    """The settings under which figures are made and saved; missing glyphs are no warnings."""
    with matplotlib.rc_context(_LETTERING), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of so many inches."""
    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, facecolor=style.PAPER)
    FigureCanvasAgg(figure)
    return figure


def saved(figure: Figure, file_format: str) -> bytes:
    """The file, ``png``, ``svg`` or ``pdf``; equal figures give equal bytes."""
    buffer = io.BytesIO()
    figure.savefig(
        buffer,
        format=file_format,
        dpi=DOTS_PER_INCH if file_format == "png" else 2 * DOTS_PER_INCH,
        facecolor=style.PAPER,
        metadata=_NO_DATES[file_format],
    )
    return buffer.getvalue()


def facts_of(run: RunDirectory, history: Points, front: Front) -> list[str]:
    """What stands beneath a figure's title."""
    beside = len(front) - front.led
    others = f", {beside:,} of other looks" if beside else ""
    evolved = int(history.generations.max())
    return [
        f"{evolved} generation{'s' if evolved != 1 else ''}",
        f"{len(history.ids):,} images evaluated",
        f"{front.led:,} on the front{others}",
        f"seed {run.config.seed}",
    ]


def head(
    figure: Figure,
    caption: str,
    facts: Sequence[str],
    left: float,
    top: float,
    marks: Sequence[Artist],
) -> None:
    """Title, facts and legend in the uppermost ``top`` inches; ``left`` is a share of the width."""
    width, height = figure.get_size_inches()
    right = 1 - RIGHT / width
    room = (right - left) * width * DOTS_PER_INCH
    leftwards = style.runs_leftwards(caption)
    face = style.font(round(15 * DOTS_PER_INCH / 72), bold=True, leftwards=leftwards)
    title = figure.text(
        left,
        1 - 0.32 / height,
        "".join(style.wrapped(caption, face, room, lines=1)),
        fontsize=15,
        fontweight="bold",
        color=style.INK,
        va="top",
        parse_math=False,
    )
    while title.get_window_extent().width > room:  # the two libraries measure a little differently
        title.set_text(title.get_text().rstrip("…")[:-1].rstrip() + "…")
    figure.text(
        left,
        1 - 0.68 / height,
        " · ".join(facts),
        fontsize=9,
        color=style.MUTED,
        va="top",
        parse_math=False,
    )
    if marks:
        figure.legend(
            handles=marks,
            loc="lower left",
            bbox_to_anchor=(left, 1 - (top - 0.13) / height),
            ncols=len(marks),
            frameon=False,
            fontsize=9,
            labelcolor=style.INK,
            borderaxespad=0,
            borderpad=0,
            handletextpad=0.3,
            columnspacing=1.6,
            handlelength=1.0 if all(_is_dot(handle) for handle in marks) else 1.9,
        )


def _is_dot(handle: Artist) -> bool:
    return isinstance(handle, Line2D) and handle.get_linestyle() == "None"


def mark(marker: str, colour: str, size: float, label: str, edge: str | None = None) -> Line2D:
    """A dot or a star for the legend."""
    return Line2D(
        [],
        [],
        linestyle="none",
        marker=marker,
        markersize=size,
        markerfacecolor=colour,
        markeredgecolor=edge or "none",
        markeredgewidth=0.8,
        label=label,
    )


def panel_at(figure: Figure, x: float, y: float, width: float, height: float) -> Axes:
    """Axes at so many inches from the lower left."""
    across, up = figure.get_size_inches()
    return figure.add_axes((x / across, y / up, width / across, height / up))


def framed(axes: Axes) -> None:
    """Thin lines and quiet ticks."""
    axes.set_facecolor("white")
    for spine in axes.spines.values():
        spine.set_color(style.RULE)
        spine.set_linewidth(0.8)
    axes.tick_params(length=2.5, width=0.6, color=style.MUTED, labelcolor=style.MUTED, labelsize=7)


def round_ticks(low: float, high: float) -> list[float]:
    """Round values well inside a panel, so that neighbouring panels' labels do not meet."""
    inset = 0.06 * (high - low)
    values = np.asarray(MaxNLocator(4).tick_values(low, high))
    inside: list[float] = values[(values > low + inset) & (values < high - inset)].tolist()
    return inside
