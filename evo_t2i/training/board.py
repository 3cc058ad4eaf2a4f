"""A training's metrics and grids for TensorBoard (the extra ``tensorboard``)."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from evo_t2i.errors import UsageError


class Board:
    """Called at each report of a training in ``out``; writes ``out/tensorboard``.

    The step of each number is the images seen. Raises UsageError without TensorBoard.
    """

    def __init__(self, out: Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise UsageError(
                "TensorBoard is not installed; run `pip install 'evo-t2i[tensorboard]'`."
            ) from error
        self._out = out
        self._writer: Any = SummaryWriter(str(out / "tensorboard"))

    def __call__(self, images: int, total: int, line: dict[str, float]) -> None:  # noqa: ARG002
        """``line`` of the metrics, and the grid of that moment where there is one."""
        for name, value in line.items():
            if name != "images":
                self._writer.add_scalar(name.replace(".", "/"), value, images)
        path = self._out / f"grid-{images:08d}.png"
        if path.is_file():
            with Image.open(path) as grid:
                pixels = np.asarray(grid.convert("RGB"))
            self._writer.add_image("held-out captions", pixels, images, dataformats="HWC")
        self._writer.flush()
