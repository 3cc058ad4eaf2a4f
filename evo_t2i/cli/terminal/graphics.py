"""Pixels → what terminals draw: coloured half blocks, and two protocols for real pictures.

Sources: kitty's graphics protocol (sw.kovidgoyal.net/kitty/graphics-protocol), iTerm2's inline
images (iterm2.com/documentation-images.html). Pixels are (h, w, 4) uint8, RGBA, and either opaque
or clear.
"""

import base64
import io

import numpy as np
from PIL import Image

KITTY_CHUNK = 4096
"""Most characters of base64 in one escape sequence, by kitty's specification."""
_ESCAPE = "\x1b"
_END = "\x1b\\"
_CUBE = np.array([0, 95, 135, 175, 215, 255])
"""Levels of the 6 × 6 × 6 colours that follow the first 16 of the 256."""
_GREYS = np.arange(8, 248, 10)


def half_blocks(pixels: np.ndarray, *, true_colour: bool) -> str:
    """Lines of text, each two lines of pixels high and a character a pixel wide.

    The upper half block in the upper pixel's colour stands before the lower one's; a character
    whose upper pixel is clear is a space. In 24-bit colours, or in the nearest of 256.
    """
    colour = _true_colours if true_colour else _indexed_colours
    lines = []
    for upper, lower in zip(pixels[::2], pixels[1::2], strict=True):
        parts, coloured = [], False
        for opaque, foreground, background in zip(
            upper[:, 3] > 0, colour(upper, 38), colour(lower, 48), strict=True
        ):
            if opaque:
                parts.append(f"{_ESCAPE}[{foreground};{background}m▀")
            else:
                parts.append(f"{_ESCAPE}[0m " if coloured else " ")
            coloured = bool(opaque)
        lines.append("".join(parts) + (f"{_ESCAPE}[0m" if coloured else ""))
    return "\n".join(lines)


def kitty(pixels: np.ndarray, columns: int, rows: int) -> str:
    """A picture of so many cells at the cursor, which stays; one that was there is removed."""
    data = base64.standard_b64encode(_png(pixels)).decode()
    chunks = [data[start : start + KITTY_CHUNK] for start in range(0, len(data), KITTY_CHUNK)]
    parts = [f"{_ESCAPE}_Ga=d,d=C,q=2{_END}"]
    for number, chunk in enumerate(chunks):
        more = int(number + 1 < len(chunks))
        head = f"a=T,f=100,q=2,C=1,c={columns},r={rows},m={more}" if number == 0 else f"m={more}"
        parts.append(f"{_ESCAPE}_G{head};{chunk}{_END}")
    return "".join(parts)


def iterm2(pixels: np.ndarray, columns: int, rows: int) -> str:
    """A picture of so many cells at the cursor."""
    png = _png(pixels)
    facts = f"inline=1;size={len(png)};width={columns};height={rows};preserveAspectRatio=0"
    return f"{_ESCAPE}]1337;File={facts}:{base64.standard_b64encode(png).decode()}\x07"


def _true_colours(line: np.ndarray, kind: int) -> list[str]:
    """SGR parameters of the pixels of a line; ``kind`` is 38 (foreground) or 48 (background)."""
    return ["{};2;{};{};{}".format(kind, *pixel) for pixel in line[:, :3].tolist()]


def _indexed_colours(line: np.ndarray, kind: int) -> list[str]:
    """As ``_true_colours``, in the nearest of the 6 × 6 × 6 colours and 24 greys of the 256."""
    pixels = line[:, :3].astype(int)
    levels = np.abs(pixels[:, :, None] - _CUBE).argmin(axis=2)  # (w, 3)
    grey = np.abs(pixels.mean(axis=1)[:, None] - _GREYS).argmin(axis=1)
    to_cube = ((_CUBE[levels] - pixels) ** 2).sum(axis=1)
    to_grey = ((_GREYS[grey][:, None] - pixels) ** 2).sum(axis=1)
    codes = np.where(to_grey < to_cube, 232 + grey, 16 + levels @ np.array([36, 6, 1]))
    return [f"{kind};5;{code}" for code in codes.tolist()]


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=3)
    return buffer.getvalue()
