"""A run's pictures on disk: PNGs that say where they come from."""

import hashlib
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

from evo_t2i.config import RunConfig
from evo_t2i.errors import RunDataError
from evo_t2i.runs.atomic import write_bytes
from evo_t2i.version import VERSION

MAX_METADATA_BYTES = 64 * 1024


def save_png(path: Path, image: np.ndarray, metadata: Mapping[str, str] | None = None) -> None:
    """Write ``image`` (h, w, 3) uint8 as PNG, atomically; equal arguments give equal bytes.

    ``metadata`` becomes text chunks, together at most 64 KiB (ValueError).
    """
    write_bytes(path, png_bytes(image, metadata))


def png_bytes(image: np.ndarray, metadata: Mapping[str, str] | None = None) -> bytes:
    """The file that ``save_png`` writes."""
    texts = dict(metadata or {})
    size = sum(len(key.encode()) + len(text.encode()) for key, text in texts.items())
    if size > MAX_METADATA_BYTES:
        raise ValueError(f"metadata takes {size:,} bytes, more than {MAX_METADATA_BYTES:,}")
    chunks = PngImagePlugin.PngInfo()
    for key, text in texts.items():
        chunks.add_itxt(key, text) if not text.isascii() else chunks.add_text(key, text)
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG", pnginfo=chunks)
    return buffer.getvalue()


def provenance(
    config: RunConfig,
    *,
    individual: int,
    generation: int,
    parents: tuple[int, int],
    scores: Mapping[str, float],
    latent: np.ndarray,
    size: tuple[int, int],
    models: Mapping[str, str],
) -> dict[str, str]:
    """Text chunks for one picture of a run.

    ``parameters`` is the line that other image programs show and take apart, so values with a
    comma, a colon or a line break are JSON strings there, as AUTOMATIC1111's are. ``evo_t2i`` is
    JSON. The seed alone does not make an evolved picture again: its latent is in the run's archive,
    under the digest given here. ``size`` is (height, width). No text holds a path: of a generator
    from a file or folder there are its last name and the digest in ``models``.
    """
    record: dict[str, Any] = {
        "version": VERSION,
        "caption": config.caption,
        "seed": config.seed,
        "individual": individual,
        "generation": generation,
        "parents": [parent for parent in parents if parent >= 0],
        "scores": dict(scores),
        "latent_sha256": hashlib.sha256(np.ascontiguousarray(latent).tobytes()).hexdigest(),
        "models": dict(models),
    }
    settings = {
        "Steps": generation,
        "Sampler": config.sampler,
        "Seed": config.seed,
        "Size": f"{size[1]}x{size[0]}",
        "Model": _without_folders(config.generator),
        "Model hash": models.get("generator", "")[:10],
        "Individual": individual,
        "Version": f"evo-t2i {VERSION}",
    }
    line = ", ".join(f"{key}: {_quoted(value)}" for key, value in settings.items() if value != "")
    return {
        "parameters": f"{config.caption}\n{line}",
        "evo_t2i": json.dumps(record, ensure_ascii=False, separators=(",", ":")),
    }


def _quoted(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r"[,:\n]", text) else text


def _without_folders(generator: str) -> str:
    """``diffusers:/home/ann/sd-turbo,steps=1`` → ``diffusers:sd-turbo,steps=1``."""
    name, colon, argument = generator.partition(":")
    source, *options = re.split(r",(?=\w+=)", argument)
    last = re.split(r"[/\\]", source.rstrip("/\\"))[-1]
    return ",".join([f"{name}{colon}{last}", *options])


def decode_png(data: bytes, path: Path) -> np.ndarray:
    """``data`` as (h, w, 3) uint8; ``path`` names it in the RunDataError for damage."""
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
            return np.array(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise RunDataError(
            f"{path} is not a readable PNG; write it again with `evo-t2i resume RUN`."
        ) from error
