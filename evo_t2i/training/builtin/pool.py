"""Training data: renders of the world with latents, truth and captions, kept on disk.

Picture ``i`` of a pool is a function of (seed, i) alone, so any process renders any part of it.
"""

import hashlib
import json
import multiprocessing
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

import evo_t2i.world
from evo_t2i.errors import UsageError
from evo_t2i.world import (
    AMOUNTS,
    CHOICES,
    COLOURS,
    KINDS,
    LATENT_SIZE,
    POSES,
    Caption,
    Scene,
    Truth,
    captions,
    choices_of,
    free_scene,
    render,
    sample_scene,
    scene_from_choices,
    scene_of,
    truth_of,
)
from evo_t2i.world.synonyms import reword

CAPTIONS_PER_IMAGE = 4
IMAGE_SIZE = 128
THINGS = 3
"""The most things in one picture."""
FORMS = (
    *POSES,
    "",
    "bowl",
    "branch",
    "face",
    "growing",
    "leaping",
    "riding",
    "rock",
    "street",
    "swimming",
    "tall",
    "vase",
    "worn",
)
"""Everything that `Thing.pose` may be."""
_CHUNK = 250
_NONE = Caption("a picture")
Kind = Literal["captioned", "twins", "swaps", "free"]
"""Of pools."""


@dataclass(frozen=True)
class Layout:
    """Where the things of n pictures are and what they look like, in the order of `Scene.things`.

    kinds, colours, forms, slots: (n, 3) int8; kinds -1 where there is no thing. Forms index
        `FORMS`, poses among them.
    boxes: (n, 3, 4) float32 x0, y0, x1, y1 as fractions of the picture; 0 where there is none.
    mirrored: (n, 3) bool, of the drawing itself.
    """

    kinds: NDArray[np.int8]
    colours: NDArray[np.int8]
    forms: NDArray[np.int8]
    slots: NDArray[np.int8]
    boxes: NDArray[np.float32]
    mirrored: NDArray[np.bool_]

    def __getitem__(self, rows: NDArray[np.integer] | slice) -> "Layout":
        return Layout(*(getattr(self, field.name)[rows] for field in fields(self)))

    def middles(self, cells: int) -> NDArray[np.floating[Any]]:
        """(n, 3, 2) x and y of the things' middles, the picture ``cells`` wide and high."""
        return (self.boxes[..., :2] + self.boxes[..., 2:]) / 2 * cells

    def followed_by(self, other: "Layout") -> "Layout":
        """The pictures of both."""
        pairs = ((getattr(self, field.name), getattr(other, field.name)) for field in fields(self))
        return Layout(*map(np.concatenate, pairs))


@dataclass(frozen=True)
class Pool:
    """``n`` renders; captions are stored once each, pictures point to theirs.

    images: (n, 128, 128, 3) uint8, memory-mapped.
    latents: (n, LATENT_SIZE) float32; with the first caption they make the picture, unless it is
        a twin.
    choices: (n, choices) int8 as `choices_of` gives them; amounts: (n, 3) float32.
    views: (n,) int8; mirrored: (n,) bool, of the whole picture; layout: of its things.
    shown: what the pictures show; named: one row a text.
    caption_rows: (n, 4) int64 into ``texts``; the last two are in other words (`synonyms.py`).
    folder: where the pool lies; what is derived from it is kept there too.
    """

    images: NDArray[np.uint8]
    latents: NDArray[np.float32]
    choices: NDArray[np.int8]
    amounts: NDArray[np.float32]
    layout: Layout
    shown: Truth
    texts: list[str]
    named: Truth
    caption_rows: NDArray[np.int64]
    folder: Path

    def __len__(self) -> int:
        return len(self.images)


def layout_of(scenes: Sequence[Scene]) -> Layout:
    """The things of ``scenes`` as arrays."""
    shape = (len(scenes), THINGS)
    layout = Layout(
        np.full(shape, -1, np.int8),
        np.full(shape, -1, np.int8),
        np.full(shape, -1, np.int8),
        np.full(shape, -1, np.int8),
        np.zeros((*shape, 4), np.float32),
        np.zeros(shape, bool),
    )
    for row, scene in enumerate(scenes):
        for column, thing in enumerate(scene.things):
            layout.kinds[row, column] = KINDS.index(thing.kind)
            layout.colours[row, column] = COLOURS.index(thing.colour)
            layout.forms[row, column] = FORMS.index(thing.pose)
            layout.slots[row, column] = thing.slot
            layout.boxes[row, column] = thing.box
            layout.mirrored[row, column] = thing.mirrored
    return layout


def load_pool(
    folder: Path,
    count: int,
    seed: int,
    *,
    kind: Kind = "captioned",
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Pool:
    """Read the pool (count, seed) from ``folder``, rendering it first if it is not there.

    Of "twins" every other picture is the one before with one choice made otherwise: a colour, a
    kind, a count, a side; or, of those with several things, every fourth has only one of them left.
    "swaps" are twins of which half have two or three kinds of thing, and two of these have most
    often exchanged their colours or their places. "free" ones are `free_scene`s, without latents,
    captions and relations that count. ``progress`` receives the number of pictures rendered so far.
    """
    target = (
        folder / f"pool-{seed}-{count}{'' if kind == 'captioned' else f'-{kind}'}-{_world_digest()}"
    )
    if not target.exists():
        partial = target.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        _render_pool(partial, count, seed, kind, workers, progress)
        partial.rename(target)
    return read_pool(target)


def read_pool(folder: Path) -> Pool:
    """The pool that lies in ``folder``."""
    meta = np.load(folder / "truth.npz")

    def group(kind: type, prefix: str) -> dict[str, np.ndarray]:
        return {field.name: meta[f"{prefix}_{field.name}"] for field in fields(kind)}

    return Pool(
        images=np.load(folder / "images.npy", mmap_mode="r"),
        latents=meta["latents"],
        choices=meta["choices"],
        amounts=meta["amounts"],
        layout=Layout(**group(Layout, "layout")),
        shown=Truth(**group(Truth, "shown")),
        texts=json.loads((folder / "texts.json").read_text(encoding="utf-8")),
        named=Truth(**group(Truth, "named")),
        caption_rows=meta["caption_rows"],
        folder=folder,
    )


def amounts_of(latents: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, LATENT_SIZE) latents → (n, 3) amounts in [0, 1], Φ of their last numbers."""
    numbers = torch.from_numpy(latents[:, -len(AMOUNTS) :])
    result: NDArray[np.float32] = torch.special.ndtr(numbers).numpy()
    return result


def _world_digest() -> str:
    """Of the world's source code and words and this file, so that what changes is rendered anew."""
    home = Path(evo_t2i.world.__file__).parent
    sources = [*sorted([*home.glob("*.py"), *home.glob("*.json")]), Path(__file__)]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def _render_pool(
    target: Path,
    count: int,
    seed: int,
    kind: Kind,
    workers: int,
    progress: Callable[[int], None] | None,
) -> None:
    target.mkdir(parents=True)
    images = np.lib.format.open_memmap(
        target / "images.npy", "w+", np.uint8, (count, IMAGE_SIZE, IMAGE_SIZE, 3)
    )
    latents = np.zeros((count, LATENT_SIZE), np.float32)
    scenes: list[Scene] = []
    rows: dict[Caption, int] = {}
    caption_rows = np.zeros((count, CAPTIONS_PER_IMAGE), np.int64)
    tasks = [(seed, kind, start, min(start + _CHUNK, count)) for start in range(0, count, _CHUNK)]
    with multiprocessing.get_context("spawn").Pool(workers) as processes:
        for (_, _, start, stop), (part, drawn, noise, texts) in zip(
            tasks, processes.imap(_render_chunk, tasks), strict=True
        ):
            images[start:stop], latents[start:stop] = part, noise
            scenes += drawn
            for index, group in enumerate(texts, start):
                caption_rows[index] = [rows.setdefault(caption, len(rows)) for caption in group]
            if progress:
                progress(stop)
    images.flush()
    groups: dict[str, Any] = {
        "layout": layout_of(scenes),
        "shown": truth_of(scenes),
        "named": truth_of(rows),
    }
    np.savez(
        target / "truth.npz",
        latents=latents,
        choices=np.stack([choices_of(scene) for scene in scenes]).astype(np.int8),
        amounts=amounts_of(latents),
        caption_rows=caption_rows,
        **{
            f"{prefix}_{field.name}": getattr(group, field.name)
            for prefix, group in groups.items()
            for field in fields(group)
        },
    )
    (target / "texts.json").write_text(
        json.dumps([caption.text for caption in rows], ensure_ascii=False), encoding="utf-8"
    )


def _render_chunk(
    task: tuple[int, Kind, int, int],
) -> tuple[np.ndarray, list[Scene], np.ndarray, list[list[Caption]]]:
    """A scene gives a caption, that and a latent the scene that is drawn."""
    seed, kind, start, stop = task
    images, texts = [], []
    scenes: list[Scene] = []
    latents: list[np.ndarray] = []
    for index in range(start, stop):
        rng = np.random.default_rng([seed, index])
        if kind == "free":
            latent, scene, caption = np.zeros(LATENT_SIZE, np.float32), free_scene(rng), _NONE
        elif kind in ("twins", "swaps") and index % 2:
            latent, before = latents[-1], scenes[-1]
            if kind == "swaps" and _slots(before) > 1 and rng.random() < 0.7:
                change = _swapped
            elif len(before.things) > 1 and rng.random() < 0.25:
                change = _alone
            else:
                change = _twin
            scene = change(before, latent, rng)
            caption = captions(scene, rng, 1)[0]
        else:
            crowded = kind == "swaps" and rng.random() < 0.5
            caption = captions((_crowded if crowded else sample_scene)(rng), rng, 1)[0]
            latent = rng.standard_normal(LATENT_SIZE).astype(np.float32)
            scene = scene_of(caption, latent)
        images.append(render(scene, IMAGE_SIZE).image)
        scenes.append(scene)
        latents.append(latent)
        others = [_NONE] * 3 if kind == "free" else captions(scene, rng, CAPTIONS_PER_IMAGE - 1)
        texts.append([caption, others[0], *(reword(other, rng) for other in others[1:])])
    return np.stack(images), scenes, np.stack(latents), texts


def _alone(scene: Scene, latent: np.ndarray, rng: np.random.Generator) -> Scene:
    """What the latent makes of the same scene and time with but one of the things of ``scene``."""
    kept = scene.things[int(rng.integers(len(scene.things)))]
    count = sum(thing.kind == kept.kind for thing in scene.things)
    asked = ((kept.kind, kept.colour, count),)
    return scene_of(Caption("", things=asked, scene=scene.scene, time=scene.time), latent)


def _slots(scene: Scene) -> int:
    """How many slots hold things; two of a kind share one."""
    return scene.things[-1].slot + 1 if scene.things else 0


def _crowded(rng: np.random.Generator) -> Scene:
    """A random scene with two kinds of thing at least, or, as often, with three."""
    wanted = 2 + int(rng.random() < 0.5)
    while _slots(scene := sample_scene(rng)) < wanted:
        pass
    return scene


def _swapped(scene: Scene, latent: np.ndarray, rng: np.random.Generator) -> Scene:
    """``scene`` with two of its slots' colours or all they hold exchanged; its twin where neither
    can be."""
    choices = choices_of(scene)
    amounts = amounts_of(latent[None])[0].astype(float).tolist()
    number = {choice.name: index for index, choice in enumerate(CHOICES)}
    for _ in range(10):
        first, second = rng.permutation(_slots(scene))[:2]
        changed = choices.copy()
        for what in ("colour",) if rng.random() < 0.6 else ("kind", "colour", "pose"):
            ours, theirs = number[f"{what} {first}"], number[f"{what} {second}"]
            changed[[ours, theirs]] = choices[[theirs, ours]]
        if (changed == choices).all():
            continue
        try:
            return scene_from_choices(changed, amounts)
        except UsageError:
            continue
    return _twin(scene, latent, rng)


def _twin(scene: Scene, latent: np.ndarray, rng: np.random.Generator) -> Scene:
    """``scene`` with one of its choices made otherwise; a new scene where none can be."""
    choices = choices_of(scene)
    amounts = amounts_of(latent[None])[0].astype(float).tolist()
    for _ in range(20):
        number = int(rng.integers(len(CHOICES)))
        if choices[number] < 0 or CHOICES[number].name in ("view", "placement", "arrangement"):
            continue
        changed = choices.copy()
        changed[number] = rng.integers(len(CHOICES[number].options))
        if changed[number] == choices[number]:
            continue
        try:
            return scene_from_choices(changed, amounts)
        except UsageError:
            continue
    return sample_scene(rng)
