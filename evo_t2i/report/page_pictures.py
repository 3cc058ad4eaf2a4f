"""Pictures inside the page: as large and as good as all of them together may weigh."""

import base64
import io
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image

from evo_t2i.runs.directory import Front

PICTURES_BYTES = 1_650_000
"""All pictures together, as files; in the page they weigh a third more."""
SMALL = 96
"""Pictures of at most so many pixels on the longest side are kept without loss where that fits."""
_SAMPLE = 16
"""Pictures that are tried before all are encoded."""


@dataclass(frozen=True)
class Encoding:
    """``side``: the longest side in pixels, at most. ``quality`` of WebP, None for lossless."""

    side: int
    quality: int | None


LOSSLESS = Encoding(SMALL, None)
ENCODINGS = (
    *(Encoding(side, 86) for side in (512, 448, 384, 320, 256)),
    *(Encoding(side, 80) for side in (256, 224, 192, 160, 128)),
    *(Encoding(side, 72) for side in (128, 112, 96, 80, 64, 48)),
    Encoding(48, 50),
    Encoding(32, 50),
)
"""From the best to the smallest. The size gives way first, down to that of a tile in the gallery:
the files beside the page make up for it."""


def page_pictures(front: Front) -> tuple[list[str], int]:
    """Every picture of ``front`` as a data: address, and the longest side that they have.

    They share one encoding, the best of ``ENCODINGS`` with which all pictures together stay below
    ``PICTURES_BYTES``; the smallest one for a front of many thousands, whatever it weighs.
    """
    if len(front) == 0:
        return [], 1
    largest = max(front.image(0).shape[:2])
    choices = ([LOSSLESS] if largest <= SMALL else []) + list(ENCODINGS)
    sample = np.unique(np.linspace(0, len(front) - 1, _SAMPLE).astype(int)).tolist()
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # Pillow lets other threads go on meanwhile
        for encoding in choices:
            last = encoding == choices[-1]

            def file(row: int, encoding: Encoding = encoding) -> bytes:
                return encoded(front.image(row), encoding)

            tried = sum(map(len, pool.map(file, sample)))
            if tried * len(front) / len(sample) > PICTURES_BYTES and not last:
                continue
            files = list(pool.map(file, range(len(front))))
            if sum(map(len, files)) <= PICTURES_BYTES or last:
                break
    return [data_uri("image/webp", file) for file in files], min(encoding.side, largest)


def encoded(image: np.ndarray, encoding: Encoding) -> bytes:
    """``image`` (h, w, 3) uint8 as WebP."""
    picture = Image.fromarray(image)
    picture.thumbnail((encoding.side, encoding.side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    if encoding.quality is None:
        picture.save(buffer, format="WEBP", lossless=True, method=4)
    else:
        picture.save(buffer, format="WEBP", quality=encoding.quality, method=4)
    return buffer.getvalue()


def data_uri(media_type: str, data: bytes) -> str:
    """``data`` as an address that an image element takes."""
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"
