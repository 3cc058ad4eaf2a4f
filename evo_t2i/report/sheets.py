"""Sheets of pictures: the front at a glance, and what the evolution changed."""

import io
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from evo_t2i.picking.formulas import Z_CAP
from evo_t2i.picking.methods import Pick
from evo_t2i.report import style
from evo_t2i.report.different import most_different
from evo_t2i.report.style import font, plain, wrapped
from evo_t2i.runs.atomic import write_bytes
from evo_t2i.runs.directory import RunDirectory

TILE = 192
"""Longer side of a picture on the contact sheet, in pixels: three times the built-in's 64."""
LARGE = 384
MARGIN = 48
GAP = 20
MOST_PICTURES = 60
MOST_OF_A_LOOK = 4


def contact_sheet(
    images: Sequence[np.ndarray],
    labels: Sequence[Sequence[str]],
    title: str,
    out: Path,
    *,
    subtitle: str = "",
    framed: Sequence[int] = (),
    columns: int | None = None,
) -> None:
    """Write a grid of ``images`` (h, w, 3) uint8, row by row, to the PNG ``out``.

    ``labels`` gives each image its lines of text, the first in bold; ``framed`` are the positions
    to frame as picked. ``columns`` defaults to a sheet wider than high.
    """
    write_bytes(out, grid_png(images, labels, title, subtitle, framed, columns))


def front_sheet(run: RunDirectory, pick: Pick, out: Path) -> None:
    """Write the finished ``run``'s contact sheet to the PNG ``out``, see ``front_sheet_png``."""
    run.publish(out, front_sheet_png(run, pick))


def front_sheet_png(run: RunDirectory, pick: Pick) -> bytes:
    """The contact sheet of the finished ``run`` as PNG: at most 60 images of its front.

    The picked images come first and are framed; the best of each look follow, best first by the
    pick's ranking, then at most ``MOST_OF_A_LOOK`` - 1 more of each, those that differ most. Of a
    larger front, images that are worse than a typical sample of generation 0 (mean z, each at most
    3, below 0) are left out. The subtitle says so. Beneath each image: its place on the sheet, its
    value, its scores.
    """
    front = run.front()
    images = [front.image(row) for row in range(len(front))]
    rows = list(dict.fromkeys([*pick.chosen, *pick.ranking, *range(len(front))]))
    used = [column for column, name in enumerate(front.score_names) if pick.weights[name] > 0]
    typical = np.minimum(pick.z[:, used], Z_CAP).mean(axis=1) >= 0
    if len(rows) > MOST_PICTURES:
        rows = [row for row in rows if typical[row] or row in pick.chosen]
    worse = len(front) - len(rows)
    by_look = _looks_first(images, rows, front.looks)
    different = by_look != rows
    rows = list(dict.fromkeys([*pick.chosen, *by_look]))[:MOST_PICTURES]
    labels = []
    for place, row in enumerate(rows, start=1):
        scores = [f"{score:.3f}" for score in front.scores[row]]
        lines = [" ".join(scores[start : start + 4]) for start in range(0, len(scores), 4)]
        labels.append([f"{place} · {pick.value[row]:+.2f}", *lines])
    names = ", ".join(style.score_title(name) for name in front.score_names)
    shown = f"{len(front)} image{'s' if len(front) != 1 else ''}"
    if len(rows) < len(front):
        shown = f"{len(rows)} of {len(front)} images"
        shown += f", {worse} below generation 0's middle left out" if worse else ""
    order = f"best first by {pick.method}"
    if different:
        order = f"the best of each look, then others of it, {order}"
    if pick.method == "balanced" and (pick.z[rows][:, used] < 0).any():
        order += ", those with a score below generation 0's median last"
    title, seed = style.front_title(front), run.config.seed
    subtitle = f"{title}, {shown}, {order} · beneath: value, {names} · seed {seed}"
    return grid_png(
        [images[row] for row in rows],
        labels,
        run.config.caption,
        subtitle,
        range(len(pick.chosen)),
    )


def _looks_first(
    images: Sequence[np.ndarray], order: Sequence[int], looks: np.ndarray
) -> list[int]:
    """The first of each look in ``order``, then in that order at most ``MOST_OF_A_LOOK`` - 1 more
    of each, that differ most from it and one another."""
    firsts, others = [], set()
    for look in dict.fromkeys(looks[list(order)].tolist()):
        alike = [row for row in order if looks[row] == look]
        most = MOST_OF_A_LOOK if look else MOST_PICTURES  # 0 in runs that knew no looks
        first, *more = most_different(images, alike, most)
        firsts.append(first)
        others.update(more)
    return [*firsts, *(row for row in order if row in others)]


def before_after(
    images: Sequence[np.ndarray], labels: Sequence[Sequence[str]], title: str, out: Path
) -> None:
    """Write large pictures side by side, the last one framed, to the PNG ``out``.

    For a run: a typical sample, the best of generation 0, the evolved pick. ``images`` (h, w, 3)
    uint8; ``labels`` gives each its lines, the first in bold.
    """
    write_bytes(out, row_png(images, labels, title))


def numbered_row(images: Sequence[np.ndarray], side: int) -> np.ndarray:
    """``images`` (h, w, 3) uint8 side by side, their numbers from 1 above them, as one picture."""
    pictures = [_scaled(image, side) for image in images]
    band, gap = side // 8, GAP
    width = sum(picture.width for picture in pictures) + gap * (len(pictures) + 1)
    height = max(picture.height for picture in pictures) + band + 2 * gap
    row = Image.new("RGB", (width, height), style.PAPER)
    draw = ImageDraw.Draw(row)
    x = gap
    for number, picture in enumerate(pictures, start=1):
        draw.text((x, gap // 2), str(number), font=font(band, bold=True), fill=style.INK)
        row.paste(picture, (x, gap + band))
        x += picture.width + gap
    return np.asarray(row)


def grid_png(
    images: Sequence[np.ndarray],
    labels: Sequence[Sequence[str]],
    title: str,
    subtitle: str,
    framed: Sequence[int],
    columns: int | None = None,
) -> bytes:
    """The PNG of ``contact_sheet``."""
    columns = columns or _columns(len(images))
    return _sheet(images, labels, title, subtitle, framed, columns, TILE, (13, 12))


def row_png(images: Sequence[np.ndarray], labels: Sequence[Sequence[str]], title: str) -> bytes:
    """The PNG of ``before_after``."""
    return _sheet(
        images, labels, title, "", (len(images) - 1,), len(images), LARGE, (19, 16), centred=True
    )


def _sheet(
    images: Sequence[np.ndarray],
    labels: Sequence[Sequence[str]],
    title: str,
    subtitle: str,
    framed: Sequence[int],
    columns: int,
    tile: int,
    sizes: tuple[int, int],
    *,
    centred: bool = False,
) -> bytes:
    pictures = [_scaled(image, tile) for image in images]
    cell_width = max((picture.width for picture in pictures), default=tile)
    cell_height = max((picture.height for picture in pictures), default=tile)
    gap = GAP * tile // TILE if centred else GAP
    text_height = sum(_line_height(size) for size in _line_sizes(labels, sizes)) + 10
    grid_width = columns * cell_width + (columns - 1) * gap
    width = max(grid_width, 3 * TILE) + 2 * MARGIN
    title_face = font(26, bold=True, leftwards=style.runs_leftwards(title))
    subtitle_face = font(14)
    head = wrapped(title, title_face, width - 2 * MARGIN)
    foot = wrapped(subtitle, subtitle_face, width - 2 * MARGIN, lines=3)
    top = MARGIN - 8 + 36 * len(head) + 20 * len(foot) + 22
    rows = -(-len(pictures) // columns)
    height = top + rows * (cell_height + text_height) + (rows - 1) * gap + MARGIN - 10
    sheet = Image.new("RGB", (width, height), style.PAPER)
    draw = ImageDraw.Draw(sheet)
    y = MARGIN - 8
    for line in head:
        draw.text((MARGIN, y), line, font=title_face, fill=style.INK)
        y += 36
    for line in foot:
        draw.text((MARGIN, y + 4), line, font=subtitle_face, fill=style.MUTED)
        y += 20
    start = (width - grid_width) // 2 if centred else MARGIN
    for place, picture in enumerate(pictures):
        row, column = divmod(place, columns)
        x = start + column * (cell_width + gap)
        y = top + row * (cell_height + text_height + gap)
        if place in framed:
            _draw_frame(draw, x, y, picture.width, picture.height, wide=5 if centred else 4)
        sheet.paste(picture, (x, y))
        _draw_label(draw, labels[place], x, y + cell_height + 10, cell_width, sizes, centred)
    buffer = io.BytesIO()
    sheet.save(buffer, format="PNG")
    return buffer.getvalue()


def _draw_frame(
    draw: ImageDraw.ImageDraw, x: int, y: int, width: int, height: int, *, wide: int
) -> None:
    # A line of paper between the picture and its frame keeps the picture's own edge visible.
    box = (x - wide - 3, y - wide - 3, x + width + wide + 2, y + height + wide + 2)
    draw.rectangle(box, outline=style.FRONT, width=wide)


def _draw_label(
    draw: ImageDraw.ImageDraw,
    lines: Sequence[str],
    x: int,
    y: int,
    width: int,
    sizes: tuple[int, int],
    centred: bool,
) -> None:
    for number, line in enumerate(lines):
        size = sizes[min(number, 1)]
        face = _fitting(plain(line), size, width, bold=number == 0)
        offset = (width - face.getlength(plain(line))) / 2 if centred else 0
        colour = style.INK if number == 0 else style.MUTED
        draw.text((x + offset, y), plain(line), font=face, fill=colour)
        y += _line_height(size)


def _fitting(line: str, size: int, width: int, *, bold: bool) -> ImageFont.FreeTypeFont:
    face = partial(font, bold=bold, leftwards=style.runs_leftwards(line))
    return next(
        (face(smaller) for smaller in range(size, 8, -1) if face(smaller).getlength(line) <= width),
        face(8),
    )


def _line_sizes(labels: Sequence[Sequence[str]], sizes: tuple[int, int]) -> list[int]:
    most = max((len(lines) for lines in labels), default=0)
    return [sizes[min(number, 1)] for number in range(most)]


def _line_height(size: int) -> int:
    return round(size * 1.5)


def _columns(count: int) -> int:
    """As wide as a sheet of paper lying down, and no row with a lone image where avoidable."""
    if count <= 4:
        return max(count, 1)
    return min(10, int(np.ceil((count * 1.5) ** 0.5)))


def _scaled(image: np.ndarray, longer_side: int) -> Image.Image:
    picture = Image.fromarray(image)
    factor = longer_side / max(picture.size)
    size = (max(1, round(picture.width * factor)), max(1, round(picture.height * factor)))
    return picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS)
