"""The page of a run that still goes on: the interactive page, with some of the front, rewritten.

Its pictures are thumbnails of at most ``MOST_PICTURES`` individuals, kept from one page to the
next, so that each is drawn once. The page says when it was written, and reloads itself; the
finished run's page takes its place.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evo_t2i.picking.methods import Pick
from evo_t2i.points import Points
from evo_t2i.report.page_pictures import Encoding, data_uri, encoded
from evo_t2i.report.run_page import PAGE, described, is_live, page_html
from evo_t2i.runs.atomic import write_bytes
from evo_t2i.runs.directory import RunDirectory

MOST_PICTURES = 60
ENCODING = Encoding(side=256, quality=86)
DRAWN_AT_ONCE = 6


class LivePage:
    """Writes ``report.html`` into the folder of a run that goes on."""

    def __init__(self, run: Path) -> None:
        self.file = run / PAGE
        self._run = run
        self._thumbnails: dict[int, str] = {}
        self._size = [1, 1]
        self._data: dict[str, Any] | None = None
        self.doubts: tuple[str, ...] = ()
        """What the generator says of the caption, see ``evo_t2i.events.Event``."""

    def write(
        self,
        front: Points,
        picked: Pick,
        draw: Callable[[Sequence[int]], np.ndarray],
        *,
        interval: float,
        enough: Callable[[], bool] = lambda: False,
    ) -> None:
        """Write the page as the newest committed generation left the run.

        ``picked`` ranks ``front``; those that it chose come first, then the best of each score,
        together at most ``MOST_PICTURES``. ``draw`` gives the pictures (n, h, w, 3) uint8 of rows
        of ``front``; it is called for a few at a time until ``enough`` says that no more should be
        drawn now, and the pictures without one are left out. ``interval`` is the number of seconds
        until the next page, as far as is known. Raises EvoError when the file cannot be written.
        """
        best = [int(row) for row in front.scores.argmax(axis=0)]
        rows = list(dict.fromkeys([*picked.chosen, *best]))[:MOST_PICTURES]
        self._draw(front, rows, draw, enough)
        rows = sorted(row for row in rows if int(front.ids[row]) in self._thumbnails)
        shown = front[np.array(rows, dtype=np.int64)]
        run = RunDirectory.open(self._run)
        volumes = [facts.hypervolume for facts in run.all_facts()]
        data = described(run, shown, run.history(), volumes, doubts=self.doubts)
        ids = shown.ids.tolist()
        data["front"] |= {
            "file": [f"picture {individual}" for individual in ids],
            "thumbnail": [self._thumbnails[individual] for individual in ids],
            "size": self._size,
            "embedded_side": max(self._size),
        }
        data["live"] = {
            "generation": len(volumes) - 1,
            "generations": run.config.last_generation,
            "shown": len(ids),
            "front": front.led,
            "written": time.time(),
            "interval": interval,
        }
        self._data = data
        write_bytes(self.file, page_html(data))

    def end(self, said: str) -> None:
        """Write the last page once more, without reloading: ``said`` tells how the run ended.

        A finished run's page is left alone.
        """
        if self._data is not None and is_live(self.file):
            self._data["live"]["ended"] = said
            write_bytes(self.file, page_html(self._data))

    def _draw(
        self,
        front: Points,
        rows: Sequence[int],
        draw: Callable[[Sequence[int]], np.ndarray],
        enough: Callable[[], bool],
    ) -> None:
        ids = front.ids.tolist()
        kept = {ids[row] for row in rows}
        self._thumbnails = {key: text for key, text in self._thumbnails.items() if key in kept}
        new = [row for row in rows if ids[row] not in self._thumbnails]
        for start in range(0, len(new), DRAWN_AT_ONCE):
            if start and enough():
                return
            some = new[start : start + DRAWN_AT_ONCE]
            for row, picture in zip(some, draw(some), strict=True):
                small = encoded(picture, ENCODING)
                self._thumbnails[ids[row]] = data_uri("image/webp", small)
                height, width = picture.shape[:2]
                shrink = min(1.0, ENCODING.side / max(height, width))
                self._size = [round(width * shrink), round(height * shrink)]
