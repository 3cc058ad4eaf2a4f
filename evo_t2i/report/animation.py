"""A run as an animation: the best picture known by each generation, and the front as it grows."""

import io
from collections.abc import Iterator

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.ticker import MaxNLocator
from PIL import Image

from evo_t2i.picking.methods import Pick
from evo_t2i.report import style
from evo_t2i.report.figure import framed, head, lettered, new_figure
from evo_t2i.runs.directory import Front, RunDirectory

WIDTH, HEIGHT, DOTS_PER_INCH = 8.4, 4.6, 100
MOST_FRAMES = 60
FRAME_MS, LAST_FRAME_MS = 180, 2_500


def animation(run: RunDirectory, pick: Pick, file_format: str = "gif") -> bytes:
    """A GIF that repeats for ever, or an ``mp4``: a frame a generation (at most 60, evenly spaced).

    Pictures of past populations are not stored, only those of the final front. So a frame shows
    which of these were known by then: the best one by ``pick``, a line for each through its scores,
    and the hypervolume up to then. Until the first one was found there is no picture. Raises
    UsageError when MP4 is asked for and PyAV is not installed.
    """
    front = run.front()
    last = len(run.all_facts()) - 1
    numbers = np.unique(np.linspace(0, last, min(last + 1, MOST_FRAMES)).round().astype(int))
    frames = _frames(run, front, pick, numbers.tolist())
    if file_format == "mp4":
        from evo_t2i.report.video import mp4

        return mp4(frames, FRAME_MS, LAST_FRAME_MS)
    indexed = [
        Image.fromarray(pixels).quantize(256, method=Image.Quantize.MEDIANCUT) for pixels in frames
    ]
    buffer = io.BytesIO()
    indexed[0].save(
        buffer,
        format="GIF",
        save_all=True,
        append_images=indexed[1:],
        duration=[FRAME_MS] * (len(indexed) - 1) + [LAST_FRAME_MS],
        loop=0,
    )
    return buffer.getvalue()


def _frames(
    run: RunDirectory, front: Front, pick: Pick, numbers: list[int]
) -> Iterator[np.ndarray]:
    """(h, w, 3) uint8 for each generation of ``numbers``."""
    names = [style.score_title(name) for name in front.score_names]
    volumes = [facts.hypervolume for facts in run.all_facts()]
    low = front.scores.min(axis=0)
    span = np.where(np.ptp(front.scores, axis=0) > 0, np.ptp(front.scores, axis=0), 1.0)
    heights = (front.scores - low) / span
    place_of = {row: place for place, row in enumerate(pick.ranking)}
    with lettered():
        figure = new_figure(WIDTH, HEIGHT)
        figure.set_dpi(DOTS_PER_INCH)
        canvas = FigureCanvasAgg(figure)
        facts = ["best picture known of the final front, and the front as it grows"]
        head(figure, run.config.caption, facts, 0.4 / WIDTH, 1.0, [])
        picture = figure.add_axes((0.4 / WIDTH, 0.75 / HEIGHT, 2.85 / WIDTH, 2.85 / HEIGHT))
        picture.set_axis_off()
        said = figure.text(
            0.4 / WIDTH, 0.54 / HEIGHT, "", fontsize=10, fontweight="bold", color=style.INK
        )
        scored = figure.text(
            0.4 / WIDTH, 0.46 / HEIGHT, "", fontsize=7, color=style.MUTED, va="top"
        )
        trade_offs = figure.add_axes((3.75 / WIDTH, 2.0 / HEIGHT, 4.2 / WIDTH, 1.45 / HEIGHT))
        _score_axes(trade_offs, names)
        progress = figure.add_axes((3.75 / WIDTH, 0.62 / HEIGHT, 4.2 / WIDTH, 0.8 / HEIGHT))
        framed(progress)
        progress.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        progress.set_xlim(0, max(len(volumes) - 1, 1))
        progress.set_ylim(0, 1.05 * max(*volumes, 1e-9))
        progress.set_title("hypervolume", fontsize=8.5, color=style.INK, loc="left")
        progress.set_xlabel("generation", fontsize=8, color=style.INK)
        for number in numbers:
            known = np.flatnonzero(front.generations <= number)
            drawn: list[Artist] = list(
                progress.plot(volumes[: number + 1], color=style.FRONT, linewidth=1.8)
            )
            said.set_text(f"generation {number} · {len(known):,} of {len(front):,} found")
            scored.set_text("no picture of the final front yet")
            if len(known):
                best = min(known.tolist(), key=lambda row: place_of.get(row, len(front)))
                scored.set_text(_told(names, front.scores[best]))
                drawn.append(picture.imshow(front.image(best), interpolation="lanczos"))
                faint = max(0.12, min(0.8, 25 / len(front)))
                drawn.append(_lines(trade_offs, heights[known], style.FRONT, 0.8, faint))
                drawn.append(_lines(trade_offs, heights[[best]], style.INK, 3.4, 1.0))
                drawn.append(_lines(trade_offs, heights[[best]], style.PICKED, 2.0, 1.0))
            canvas.draw()
            yield np.asarray(canvas.buffer_rgba())[..., :3].copy()
            for artist in drawn:
                artist.remove()


def _told(names: list[str], scores: np.ndarray) -> str:
    """Names and scores, two on a line."""
    parts = [f"{name} {score:.3f}" for name, score in zip(names, scores, strict=True)]
    return "\n".join(" · ".join(parts[at : at + 2]) for at in range(0, len(parts), 2))


def _score_axes(axes: Axes, names: list[str]) -> None:
    axes.set_axis_off()
    axes.set_xlim(-0.02, max(len(names) - 1, 1) + 0.02)
    axes.set_ylim(-0.04, 1.04)
    for place, name in enumerate(names):
        axes.axvline(place, color=style.RULE, linewidth=1.0, zorder=0)
        ends = {0: "left", len(names) - 1: "right"}
        aligned = ends.get(place, "center") if len(names) > 1 else "center"
        axes.text(place, 1.1, name, ha=aligned, fontsize=8.5, color=style.INK, parse_math=False)


def _lines(
    axes: Axes, heights: np.ndarray, colour: str, width: float, opacity: float
) -> LineCollection:
    across = np.broadcast_to(np.arange(heights.shape[1], dtype=np.float64), heights.shape)
    if heights.shape[1] == 1:
        heights = np.repeat(heights, 2, axis=1)
        across = np.broadcast_to([-0.1, 0.1], heights.shape)
    segments = list(np.stack([across, heights], axis=-1))
    lines = LineCollection(segments, color=colour, linewidth=width, alpha=opacity)
    axes.add_collection(lines)
    return lines
