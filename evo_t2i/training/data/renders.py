"""Renders of the built-in world as captioned pictures of any size, drawn once and kept."""

import hashlib
import json
import multiprocessing
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from evo_t2i import world
from evo_t2i.errors import UsageError
from evo_t2i.training.data.pictures import Pictures

_SEED = 1
_CAPTIONS = 2
"""Of each picture."""
_CHUNK = 100


def render_pictures(
    size: int,
    count: int,
    out: Path,
    *,
    workers: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Pictures:
    """``count`` scenes at ``size`` pixels, each with two captions; found in ``out`` again.

    ``workers`` processes draw, 0 for one a core. Picture i is a function of i and the size alone.
    Raises UsageError for less than one picture.
    """
    if count < 1:
        raise UsageError(f"`renders` is {count}; give 1 or more.")
    digest = _digest(size, count)
    folder = out / f"world-{size}-{count}-{digest[:12]}"
    if not folder.exists():
        partial = folder.with_name(folder.name + ".part")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _draw(partial, size, count, workers or os.cpu_count() or 1, progress)
        partial.rename(folder)
    return Pictures(
        images=np.memmap(folder / "pixels.u8", np.uint8, "r", shape=(count, size, size, 3)),
        names=[f"{index:06d}" for index in range(count)],
        captions=[
            tuple(each) for each in json.loads((folder / "captions.json").read_text("utf-8"))
        ],
        problems={},
        digest=digest,
        folder=folder,
    )


def _draw(
    folder: Path,
    size: int,
    count: int,
    workers: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    tasks = [(size, start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]
    captions: list[list[str]] = []
    with (
        (folder / "pixels.u8").open("wb") as file,
        multiprocessing.get_context("spawn").Pool(workers) as processes,
    ):
        for pixels, said in processes.imap(_chunk, tasks):
            file.write(pixels.tobytes())
            captions += said
            if progress:
                progress(len(captions), count)
    text = json.dumps(captions, ensure_ascii=False)
    (folder / "captions.json").write_text(text, encoding="utf-8")


def _chunk(task: tuple[int, int, int]) -> tuple[np.ndarray, list[list[str]]]:
    size, start, stop = task
    images, said = [], []
    for index in range(start, stop):
        rng = np.random.default_rng([_SEED, index])
        scene = world.sample_scene(rng)
        images.append(world.render(scene, size).image)
        texts = (caption.text for caption in world.captions(scene, rng, _CAPTIONS))
        said.append(list(dict.fromkeys(texts)))
    return np.stack(images), said


def _digest(size: int, count: int) -> str:
    """Of the world's source code too: a changed world is drawn anew."""
    sources = sorted(Path(world.__file__).parent.glob("*.py"))
    digest = hashlib.sha256(f"{size} {count} {_SEED} {_CAPTIONS}".encode())
    for path in sources:
        digest.update(path.read_bytes())
    return digest.hexdigest()
