"""Pictures as training reads them: decoded once, cropped and resized, in one file of raw pixels.

Reading a row of that file costs next to nothing beside a training step, so no step waits for data,
and what cannot be used is known, counted and named before the training begins.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from evo_t2i.errors import DiskFullError, UsageError, first_line
from evo_t2i.training.data.sources import Listed, list_labelled, list_pictures

Progress = Callable[[int, int], None]
"""(pictures read, pictures in all)."""
UNREADABLE, SMALL, SILENT = "unreadable pictures", "pictures too small", "pictures without caption"
UNLABELLED = "pictures without label"
_FORMAT = 1
_BATCH = 256
_BACKGROUND = (255, 255, 255)


@dataclass(frozen=True)
class Pictures:
    """Pictures of one size with their captions."""

    images: np.ndarray
    """(n, size, size, 3) uint8, memory-mapped."""
    names: list[str]
    captions: list[tuple[str, ...]]
    """Of each picture; empty where it has none."""
    problems: dict[str, list[str]]
    """What was left out, or found beside the pictures: kind of problem → names and reasons."""
    digest: str
    """Of names, files and captions."""
    folder: Path
    """Where they are kept; what is derived from them may be kept there too."""

    def __len__(self) -> int:
        return len(self.images)

    def held_out(self, share: float) -> np.ndarray:
        """(n,) bool: which pictures are kept aside, by a hash of their names.

        So a picture's side does not change when others come or go.
        """
        hashes = [int.from_bytes(hashlib.sha256(n.encode()).digest()[:4]) for n in self.names]
        return np.array(hashes) < share * 2**32

    def report(self) -> str:
        """In one line a kind: how many pictures there are, and what was left out, with names."""
        captions = sum(len(each) for each in self.captions)
        lines = [f"{len(self):,} pictures with {captions:,} captions"]
        for kind, names in self.problems.items():
            shown = "; ".join(names[:3])
            more = f"; and {len(names) - 3} more" if len(names) > 3 else ""
            lines.append(f"{len(names)} {kind}: {shown}{more}")
        return "\n".join(lines)


def prepare(
    source: Path,
    size: int,
    out: Path,
    *,
    captioned: bool = True,
    label: str | None = None,
    workers: int = 0,
    progress: Progress | None = None,
) -> Pictures:
    """Read every picture of a source once, or find in ``out`` what an earlier call wrote.

    The largest square in the middle is resized to ``size`` pixels with antialiasing; transparency
    becomes white; of an animation the first picture counts. Left out and named: what cannot be
    decoded, what is smaller than ``size`` and, with ``captioned``, what has no caption. With
    ``label``, the column of ``list_labelled``, captions are labels. All names stand in
    ``problems.json`` beside the pixels. ``workers`` threads decode, 0 for one a core.

    Raises UsageError when nothing is left, DiskFullError when the pixels would not fit.
    """
    listing = list_pictures(source) if label is None else list_labelled(source, label)
    digest = _digest(listing.pictures, size, captioned)
    folder = out / f"pictures-{size}-{digest[:12]}"
    if not _is_whole(folder, size):
        room = len(listing.pictures) * size * size * 3
        out.mkdir(parents=True, exist_ok=True)
        if (free := shutil.disk_usage(out).free) < room:
            raise DiskFullError(
                f"The pictures of {source} take {room / 1e9:.1f} GB at {size} pixels and {out} has "
                f"{free / 1e9:.1f} GB free; free some, or give a smaller `size`."
            )
        silent = (SILENT if label is None else UNLABELLED) if captioned else None
        _write(folder, listing.pictures, listing.problems, size, silent, workers, progress)
    kept = json.loads((folder / "pictures.json").read_text("utf-8"))
    problems = json.loads((folder / "problems.json").read_text("utf-8"))
    names = kept["names"]
    if not names:
        raise UsageError(
            f"Not one picture of {source} can be used ({_counts(problems)}); see "
            f"{folder / 'problems.json'}."
        )
    images = np.memmap(folder / "pixels.u8", np.uint8, "r", shape=(len(names), size, size, 3))
    captions = [tuple(each) for each in kept["captions"]]
    return Pictures(images, names, captions, problems, digest, folder)


def _is_whole(folder: Path, size: int) -> bool:
    """Whether all files are there, and as many pixels as there are names."""
    try:
        names = json.loads((folder / "pictures.json").read_text("utf-8"))["names"]
        json.loads((folder / "problems.json").read_text("utf-8"))
        return (folder / "pixels.u8").stat().st_size == len(names) * size * size * 3
    except (OSError, ValueError, KeyError, TypeError):
        return False


def square(data: bytes, size: int) -> np.ndarray:
    """An encoded picture → (size, size, 3) uint8, as ``prepare`` says.

    Raises ValueError for what cannot be decoded, and ``TooSmall``.
    """
    try:
        with Image.open(BytesIO(data)) as opened:
            if min(opened.size) < size:
                raise TooSmall(*opened.size)
            upright = ImageOps.exif_transpose(opened)
            clear = upright.convert("RGBA") if _transparent(upright) else upright.convert("RGB")
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ValueError(_reason(error)) from error
    except (OSError, SyntaxError, EOFError) as error:
        raise ValueError(first_line(error)) from error
    if clear.mode == "RGBA":
        behind = Image.new("RGBA", clear.size, _BACKGROUND)
        clear = Image.alpha_composite(behind, clear).convert("RGB")
    fitted = ImageOps.fit(clear, (size, size), Image.Resampling.LANCZOS)
    return np.asarray(fitted)


class TooSmall(ValueError):
    """A picture has fewer pixels than training needs."""

    def __init__(self, width: int, height: int):
        super().__init__(f"{width}x{height}")


def _transparent(image: Image.Image) -> bool:
    return "A" in image.getbands() or "transparency" in image.info


def _reason(error: Exception) -> str:
    bomb = isinstance(error, Image.DecompressionBombError)
    return "more pixels than a picture may have" if bomb else "not a picture"


def _write(
    folder: Path,
    listed: Sequence[Listed],
    found: dict[str, list[str]],
    size: int,
    silent: str | None,
    workers: int,
    progress: Progress | None,
) -> None:
    """All files of the folder, which appears when they are whole."""
    problems = {kind: list(names) for kind, names in found.items()}
    partial = folder.with_name(folder.name + ".part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    names, captions = [], []
    with (partial / "pixels.u8").open("wb") as file:
        for done, (picture, pixels) in enumerate(_decoded(listed, size, silent, workers), 1):
            if isinstance(pixels, tuple):
                kind, reason = pixels
                problems.setdefault(kind, []).append(picture.name + reason)
            else:
                file.write(pixels.tobytes())
                names.append(picture.name)
                captions.append(picture.captions)
            if progress and (done % _BATCH == 0 or done == len(listed)):
                progress(done, len(listed))
        file.flush()
        os.fsync(file.fileno())
    content = {"names": names, "captions": captions}
    for name, value in (("problems.json", problems), ("pictures.json", content)):
        text = json.dumps(value, ensure_ascii=False, indent=0)
        (partial / name).write_text(text, encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _decoded(
    listed: Sequence[Listed], size: int, silent: str | None, workers: int
) -> Iterator[tuple[Listed, np.ndarray | tuple[str, str]]]:
    """Each picture in order with its pixels, or with a kind of problem and a reason.

    Threads suffice: Pillow decodes and resizes without holding Python's lock. ``silent`` is what a
    picture without caption is called; without it, it will do.
    """

    def read(picture: Listed) -> np.ndarray | tuple[str, str]:
        if silent is not None and not picture.captions:
            return silent, ""
        try:
            return square(picture.read(), size)
        except TooSmall as error:
            return SMALL, f" ({error})"
        except (ValueError, OSError) as error:
            return UNREADABLE, f" ({first_line(error)})"

    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as threads:
        for start in range(0, len(listed), _BATCH):
            part = listed[start : start + _BATCH]
            yield from zip(part, threads.map(read, part), strict=True)


def _counts(problems: dict[str, list[str]]) -> str:
    return ", ".join(f"{len(names)} {kind}" for kind, names in problems.items())


def _digest(listed: Sequence[Listed], size: int, captioned: bool) -> str:
    digest = hashlib.sha256(f"{_FORMAT} {size} {captioned}".encode())
    for picture in listed:
        digest.update(repr((picture.name, picture.stamp, picture.captions)).encode())
    return digest.hexdigest()
