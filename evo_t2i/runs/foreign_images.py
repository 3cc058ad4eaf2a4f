"""Pictures of other people: PNG, JPEG and WEBP files from anywhere, as upright sRGB pixels.

Only what decides the pixels is read. A PNG's texts, times and other ancillary chunks never reach
the decoder, so neither their size nor their damage matters.
"""

import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np
from PIL import Image, ImageCms

from evo_t2i.errors import UsageError, first_line

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_FILE_BYTES = 512 * 2**20
MAX_PROFILE_BYTES = 16 * 2**20
"""A PNG's colour profile is inflated up to here."""

_READ_AT_ONCE = 2**20
_PNG_START = b"\x89PNG\r\n\x1a\n"
_GREY = (0, 4)
"""Colour types of the PNG specification: grey, and grey with alpha."""
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What turns a picture upright, by its EXIF orientation."""
_MODE_OF_SPACE = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_FITTING = {
    "RGB": ("1", "L", "LA", "P", "PA", "RGB", "RGBA"),
    "L": ("1", "L", "LA"),
    "CMYK": ("CMYK",),
}
"""Pillow's mode for the colours of a profile, and the modes of pictures that it may belong to."""
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error)


@dataclass(frozen=True, eq=False)
class ForeignImage:
    """``pixels`` (h, w, 3) uint8 sRGB; ``notes``: sentences about what was not taken as it is."""

    pixels: np.ndarray
    notes: tuple[str, ...]


def read_image(path: Path) -> ForeignImage:
    """A picture file of a person; it is read once, so it may be a pipe.

    Upright by its EXIF orientation, in sRGB by its ICC profile, transparency over white. A note
    tells when that is the first of several pictures, when 16 bits a channel were cut to the upper
    8, and when a profile cannot be used. Pixels without a profile, and those that sRGB would show
    alike, stay as they are.

    Raises UsageError for a missing, damaged, foreign or oversized file (512 MiB; Pillow's limit of
    about 89 megapixels), and for grey with more than 8 bits, whose values need not be brightness.
    """
    data = _content(path)
    notes: list[str] = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return ForeignImage(_pixels(data, path, notes), tuple(notes))
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise UsageError(
            f"{path} has more than {Image.MAX_IMAGE_PIXELS:,} pixels; make it smaller first."
        ) from error
    except _UNREADABLE as error:
        raise UsageError(
            f"{path} is not a readable PNG, JPEG or WEBP ({type(error).__name__}); "
            "open and save it again with an image program."
        ) from error


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = bytearray()
            while part := file.read(_READ_AT_ONCE):
                content += part
                if len(content) > MAX_FILE_BYTES:
                    raise UsageError(
                        f"{path} has more than {MAX_FILE_BYTES // 2**20} MiB; make it smaller."
                    )
            return bytes(content)
    except FileNotFoundError as error:
        raise UsageError(f"{path} does not exist; give the path of a PNG, JPEG or WEBP.") from error
    except IsADirectoryError as error:
        raise UsageError(
            f"{path} is a folder, not a readable PNG, JPEG or WEBP; give the files in it."
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise UsageError(
            f"{path} cannot be read ({first_line(error)}); give the path of a PNG, JPEG or WEBP."
        ) from error


def _pixels(data: bytes, path: Path, notes: list[str]) -> np.ndarray:
    """(h, w, 3) uint8 of the file ``data``; adds to ``notes``."""
    png = _Png.read(data, path, notes) if data.startswith(_PNG_START) else None
    with Image.open(io.BytesIO(data if png is None else png.data), formats=FORMATS) as picture:
        picture.load()
        if png is None:
            profile = picture.info.get("icc_profile")
            turn = _turn(picture.getexif)
            several = picture.format == "WEBP" and getattr(picture, "n_frames", 1) > 1
        else:
            profile, turn, several = png.profile, png.turn, png.animated
        upright = picture.copy() if turn is None else picture.transpose(turn)
    if several:
        notes.append("It holds several pictures; this is the first one.")
    alpha = upright.convert("RGBA").getchannel("A") if upright.has_transparency_data else None
    colours = _in_srgb(upright, profile, notes)
    if alpha is not None:
        paper = Image.new("RGBA", colours.size, "white")
        colours.putalpha(alpha)
        colours = Image.alpha_composite(paper, colours).convert("RGB")
    return np.array(colours)


def _turn(exif: Callable[[], Image.Exif]) -> Image.Transpose | None:
    """What turns a picture upright; None for nothing, and for damaged EXIF."""
    try:
        return _UPRIGHT.get(exif().get(_ORIENTATION, 1))
    except (*_UNREADABLE, LookupError, TypeError, AttributeError):
        return None


def _in_srgb(picture: Image.Image, profile: bytes | None, notes: list[str]) -> Image.Image:
    """``picture`` as RGB without alpha, its colours as ``profile`` means them."""
    plain = picture.convert("RGB")
    if not profile:
        return plain
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _MODE_OF_SPACE.get(source.profile.xcolor_space.strip())
        if mode is None or picture.mode not in _FITTING[mode]:
            raise ValueError("it is for another kind of colours")
        to_srgb = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if mode == "RGB" and _changes_nothing(to_srgb):
            return plain
        converted = ImageCms.applyTransform(picture.convert(mode), to_srgb)
    except (ImageCms.PyCMSError, *_UNREADABLE) as error:
        notes.append(f"Its colour profile cannot be used ({first_line(error)}) and was ignored.")
        return plain
    assert converted is not None  # None is for transforms in place
    return converted


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether no colour moves by more than a level: sRGB under whatever name."""
    levels = np.linspace(0, 255, 16).astype(np.uint8)
    colours = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(64, 64, 3)
    moved = ImageCms.applyTransform(Image.fromarray(colours), transform)
    return bool(np.abs(np.asarray(moved).astype(int) - colours).max() <= 1)


@dataclass(frozen=True)
class _Png:
    """A PNG's ``data`` without ancillary chunks but its transparency, and what these told."""

    data: bytes
    profile: bytes | None
    turn: Image.Transpose | None
    animated: bool

    @classmethod
    def read(cls, data: bytes, path: Path, notes: list[str]) -> Self:
        kept = [_PNG_START]
        profile: bytes | None = None
        turn: Image.Transpose | None = None
        animated = False
        for kind, content, chunk in _chunks(data):
            if kind == b"IHDR" and len(content) == 13:
                _check_depth(content, path, notes)
            if kind[:1].isupper() or kind == b"tRNS":
                kept.append(chunk)
            elif kind == b"iCCP" and profile is None:
                profile = _inflated_profile(content, notes)
            elif kind == b"eXIf":
                turn = _turn(partial(_exif_of, content))
            animated = animated or kind == b"acTL"
            if kind == b"IEND":
                break
        return cls(b"".join(kept), profile, turn, animated)


def _exif_of(content: bytes) -> Image.Exif:
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + content)
    return exif


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Kind, content and the whole of each chunk; the last one may be cut off."""
    at = len(_PNG_START)
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        end = at + 12 + length
        yield data[at + 4 : at + 8], data[at + 8 : end - 4], data[at:end]
        at = end


def _check_depth(header: bytes, path: Path, notes: list[str]) -> None:
    depth, colour_type = header[8], header[9]
    if depth <= 8:
        return
    if colour_type in _GREY:
        raise UsageError(
            f"{path} is grey with more than 8 bits, which need not be brightness; "
            "save it as an 8-bit PNG first."
        )
    notes.append(f"Of its {depth} bits a channel the upper 8 are used.")


def _inflated_profile(content: bytes, notes: list[str]) -> bytes | None:
    """The profile of an iCCP chunk: name, 0, method 0, zlib data."""
    inflater = zlib.decompressobj()
    try:
        compressed = content[content.index(0) + 2 :]
        profile = inflater.decompress(compressed, MAX_PROFILE_BYTES)
    except (ValueError, zlib.error):
        notes.append("Its colour profile is damaged and was ignored.")
        return None
    if not inflater.eof:
        notes.append("Its colour profile is cut off or too large and was ignored.")
        return None
    return profile
