"""Training data: renders of the world with their truth and captions, kept on disk between commands.

Scene ``i`` of a pool is a function of (seed, i) alone, so any process renders any part of it.
"""

import hashlib
import json
import multiprocessing
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import evo_t2i.world
from evo_t2i.world import (
    COLOURS,
    KINDS,
    POSES,
    SCENES,
    TIMES,
    Caption,
    Scene,
    captions,
    render,
    sample_scene,
)

CAPTIONS_PER_IMAGE = 4
IMAGE_SIZE = 64
_CHUNK = 500


@dataclass(frozen=True)
class Truth:
    """What images show or captions name; the indices are those of the world's tuples."""

    scene: np.ndarray
    """(n,) int64; -1 where a caption names none."""
    time: np.ndarray
    """(n,) int64; -1 where a caption names none."""
    colours: np.ndarray
    """(n, kinds) int64: the colour; -1 present without one, -2 absent (or not named)."""

    def __getitem__(self, rows: np.ndarray) -> "Truth":
        return Truth(self.scene[rows], self.time[rows], self.colours[rows])


@dataclass(frozen=True)
class Pool:
    """``count`` renders; captions are stored once each, images point to theirs."""

    images: np.ndarray
    """(n, 64, 64, 3) uint8, memory-mapped."""
    shown: Truth
    texts: list[str]
    named: Truth
    """One row a text."""
    caption_rows: np.ndarray
    """(n, 4) int64 into ``texts``."""
    main_kind: np.ndarray
    """(n,) int64 kind of the main thing, -1 where the scene holds none."""
    pose: np.ndarray
    """(n,) int64 of the main thing, the index of "" where there is none."""
    view: np.ndarray
    """(n,) int64: which of the scene's backdrops."""
    mirrored: np.ndarray
    """(n,) bool: the renderer drew the whole picture the other way round."""
    folder: Path
    """Where the pool lies; what is derived from it is kept there too."""

    def __len__(self) -> int:
        return len(self.images)


def holds(shown: Truth, named: Truth) -> np.ndarray:
    """(n, m) bool: does image i show everything that caption j names?"""
    scene = (named.scene < 0)[None] | (shown.scene[:, None] == named.scene[None])
    time = (named.time < 0)[None] | (shown.time[:, None] == named.time[None])
    here, said = shown.colours[:, None], named.colours[None]  # (n, m, kinds)
    kinds = (said == -2) | ((here > -2) & ((said == -1) | (here == said)))
    result: np.ndarray = scene & time & kinds.all(-1)
    return result


def truth_of(items: Iterable[Caption]) -> Truth:
    """What captions name, as arrays."""
    rows = list(items)
    colours = np.full((len(rows), len(KINDS)), -2, np.int64)
    for row, item in enumerate(rows):
        for kind, colour in item.things:
            colours[row, KINDS.index(kind)] = -1 if colour is None else COLOURS.index(colour)
    return Truth(
        np.array([-1 if r.scene is None else SCENES.index(r.scene) for r in rows], np.int64),
        np.array([-1 if r.time is None else TIMES.index(r.time) for r in rows], np.int64),
        colours,
    )


def load_pool(
    folder: Path,
    count: int,
    seed: int,
    *,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Pool:
    """Read the pool (count, seed) from ``folder``, rendering it first if it is not there.

    ``progress`` receives the number of images rendered so far.
    """
    target = folder / f"pool-{seed}-{count}-{_world_digest()}"
    if not target.exists():
        partial = target.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        _render_pool(partial, count, seed, workers, progress)
        partial.rename(target)
    meta = np.load(target / "truth.npz")
    texts = json.loads((target / "texts.json").read_text(encoding="utf-8"))
    return Pool(
        images=np.load(target / "images.npy", mmap_mode="r"),
        shown=Truth(meta["scene"], meta["time"], meta["colours"]),
        texts=texts,
        named=Truth(meta["named_scene"], meta["named_time"], meta["named_colours"]),
        caption_rows=meta["caption_rows"],
        main_kind=meta["main_kind"],
        pose=meta["pose"],
        view=meta["view"],
        mirrored=meta["mirrored"],
        folder=target,
    )


def _world_digest() -> str:
    """Of the world's source code, so that a changed world renders a new pool."""
    sources = sorted(Path(evo_t2i.world.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def _render_pool(
    target: Path, count: int, seed: int, workers: int, progress: Callable[[int], None] | None
) -> None:
    target.mkdir(parents=True)
    images = np.lib.format.open_memmap(
        target / "images.npy", "w+", np.uint8, (count, IMAGE_SIZE, IMAGE_SIZE, 3)
    )
    scenes: list[Scene] = []
    rows: dict[Caption, int] = {}
    caption_rows = np.zeros((count, CAPTIONS_PER_IMAGE), np.int64)
    tasks = [(seed, start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]
    with multiprocessing.get_context("spawn").Pool(workers) as processes:
        for (_, start, stop), (part, drawn, texts) in zip(
            tasks, processes.imap(_render_chunk, tasks), strict=True
        ):
            images[start:stop] = part
            scenes += drawn
            for index, group in enumerate(texts, start):
                caption_rows[index] = [rows.setdefault(caption, len(rows)) for caption in group]
            if progress:
                progress(stop)
    images.flush()
    shown, named = truth_of(map(_everything, scenes)), truth_of(rows)
    main = [scene.things[0] if scene.things else None for scene in scenes]
    np.savez(
        target / "truth.npz",
        scene=shown.scene,
        time=shown.time,
        colours=shown.colours,
        named_scene=named.scene,
        named_time=named.time,
        named_colours=named.colours,
        caption_rows=caption_rows,
        main_kind=np.array([KINDS.index(thing.kind) if thing else -1 for thing in main]),
        pose=np.array([POSES.index(thing.pose if thing else "") for thing in main]),
        view=np.array([scene.view for scene in scenes]),
        mirrored=np.array([scene.mirrored for scene in scenes]),
    )
    (target / "texts.json").write_text(
        json.dumps([caption.text for caption in rows], ensure_ascii=False), encoding="utf-8"
    )


def _everything(scene: Scene) -> Caption:
    """All that is in ``scene``, as if a caption named it."""
    things = tuple((thing.kind, thing.colour) for thing in scene.things)
    return Caption(text="", scene=scene.scene, time=scene.time, things=things)


def _render_chunk(
    task: tuple[int, int, int],
) -> tuple[np.ndarray, list[Scene], list[list[Caption]]]:
    seed, start, stop = task
    images, scenes, texts = [], [], []
    for index in range(start, stop):
        rng = np.random.default_rng([seed, index])
        scene = sample_scene(rng)
        images.append(render(scene, IMAGE_SIZE).image)
        scenes.append(scene)
        texts.append(captions(scene, rng, CAPTIONS_PER_IMAGE))
    return np.stack(images), scenes, texts
