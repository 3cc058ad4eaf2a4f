"""Train and use the judge: does a picture show everything that a caption names?"""

from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from evo_t2i.models.judge import CELLS, Judge, Looked
from evo_t2i.training.builtin.pool import FORMS, THINGS, Layout, Pool
from evo_t2i.training.supervised import FitSettings, Progress, degrade, fit, to_batch
from evo_t2i.world import (
    COLOURS,
    KINDS,
    NAMES,
    POSES,
    RELATIONS,
    SCENES,
    TIMES,
    Sighting,
    Truth,
    shows_own,
    truth_of_sightings,
)
from evo_t2i.world.kinds import members

SIZE = 128
"""Pixels a side that the judge sees."""
SPREAD = 0.8
"""Of the bell around a centre within which finding it too is forgiven, in cells."""
SURE, POSSIBLE = 0.5, 0.02
"""How likely a centre must be for a thing to count, and to be considered."""
_FAINT, _NEAR, _SHRUNK, _NEWTON = -4.0, 1.6, 1e-4, 60
"""Of the calibration: the logit of the faintest peak that it sees, how far in cells a peak may be
from a thing's centre to be its, the weight of the numbers' own squares, and steps."""


def build_judge(eyes: str = "residual") -> Judge:
    """A judge of the world, randomly initialised."""
    return Judge(
        len(SCENES), len(TIMES), len(KINDS), len(COLOURS), len(POSES), len(RELATIONS), eyes
    )


def train_judge(
    pool: Pool,
    settings: FitSettings,
    out: Path,
    device: torch.device,
    progress: Progress | None = None,
    *,
    eyes: str = "residual",
    free: Pool | None = None,
) -> Judge:
    """Fit a judge on renders; the returned model is in eval mode.

    With ``free`` compositions half of each batch are these, of whose relations it learns nothing.
    """
    torch.manual_seed(settings.seed)
    model = build_judge(eyes).to(device).to(memory_format=torch.channels_last)

    def loss(rows: np.ndarray, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        told = rows if free is None else rows[: len(rows) // 2]
        told = np.sort(told)
        images, layout, shown = pool.images[told], pool.layout[told], pool.shown[told]
        if free is not None:
            others = np.sort(rows[len(told) :] % len(free))
            images = np.concatenate([images, free.images[others]])
            layout = layout.followed_by(free.layout[others])
            shown = shown.followed_by(free.shown[others])
        batch = degrade(to_batch(images, device), generator, reach=0)
        return misread(model, batch, layout, shown, related=len(told))

    fit(model, loss, pool, settings, out, progress)
    calibrate(model, pool, settings.seed)
    return model


def misread(
    model: Judge, batch: Tensor, layout: Layout, shown: Truth, related: int
) -> tuple[Tensor, dict[str, float]]:
    """Sum of the errors of each question, and each; means over pictures, things or pairs.

    Colours, poses and relations are asked where the things are, of their true kinds, and relations
    of the first ``related`` pictures alone.
    """
    with torch.autocast(batch.device.type, torch.bfloat16):
        looked = model(batch)

    def tensor(values: np.ndarray) -> Tensor:
        return torch.from_numpy(values.astype(np.int64)).to(batch.device)

    errors = {
        "scene": F.cross_entropy(looked.scene, tensor(shown.scene)),
        "time": F.cross_entropy(looked.time, tensor(shown.time)),
    }
    rows, columns = np.nonzero(layout.kinds >= 0)
    middles = layout.middles(CELLS)
    places = middles.astype(int).clip(0, CELLS - 1)
    errors["centres"] = unfound(looked.centres, layout, middles)
    kinds = layout.kinds[rows, columns]
    at = places[rows, columns]
    colours, poses = model.things(_taken(looked, rows, at), tensor(kinds))
    errors["colours"] = F.cross_entropy(colours, tensor(layout.colours[rows, columns]))
    forms = layout.forms[rows, columns]
    assert FORMS[: len(POSES)] == POSES
    errors["poses"] = F.cross_entropy(poses, tensor(np.minimum(forms, len(POSES))))
    pairs = _pairs(layout)
    pairs = pairs[pairs[:, 0] < related]
    true = shown.subjects[pairs[:, 0], :, layout.kinds[pairs[:, 0], pairs[:, 1]]]
    true = true & shown.objects[pairs[:, 0], :, layout.kinds[pairs[:, 0], pairs[:, 2]]]
    told = _related(model, looked, pairs[:, 0], *(
        (layout.kinds[pairs[:, 0], pairs[:, column]], places[pairs[:, 0], pairs[:, column]])
        for column in (1, 2)
    ))  # fmt: skip
    errors["relations"] = F.binary_cross_entropy_with_logits(told, tensor(true).float()) * 4
    metrics = {name: float(error.detach()) for name, error in errors.items()}
    return torch.stack(list(errors.values())).sum(), metrics


def unfound(logits: Tensor, layout: Layout, middles: np.ndarray) -> Tensor:
    """The focal loss of "Objects as Points" (Zhou et al., 2019), a mean over things.

    logits: (n, kinds, 16, 16); middles: (n, things, 2) x and y in cells.
    """
    rows, columns = np.nonzero(layout.kinds >= 0)
    axis = np.arange(CELLS) + 0.5
    bells = np.exp(-((middles[..., None] - axis) ** 2) / (2 * SPREAD**2))  # (n, things, 2, 16)
    forgiven = np.zeros(logits.shape, np.float32)
    there = np.zeros(logits.shape, bool)
    places = middles.astype(int).clip(0, CELLS - 1)
    for row, column in zip(rows, columns, strict=True):
        kind, (across, down) = layout.kinds[row, column], bells[row, column]
        np.maximum(forgiven[row, kind], np.outer(down, across), out=forgiven[row, kind])
        x, y = places[row, column]
        there[row, kind, y, x] = True
    found = torch.from_numpy(there).to(logits.device)
    weight = torch.from_numpy((1 - forgiven) ** 4).to(logits.device)
    likely = logits.sigmoid()
    hits = F.softplus(-logits[found]) * (1 - likely[found]) ** 2
    inventions = (F.softplus(logits) * likely**2 * weight).masked_fill(found, 0)
    return (hits.sum() + inventions.sum()) / max(1, len(rows))


@torch.no_grad()
def calibrate(model: Judge, pool: Pool, seed: int, count: int = 2_000) -> None:
    """Fit the calibration of peaks to the first ``count`` pictures, with noise and blur."""
    logits, true = [], []
    device = next(model.parameters()).device
    for start in range(0, min(count, len(pool)), 200):
        rows = np.arange(start, min(start + 200, len(pool)))
        generator = torch.Generator().manual_seed(seed + start)
        centres = model(degrade(to_batch(pool.images[rows], device), generator, reach=0)).centres
        peaks = _peaks(centres) & (centres > _FAINT)
        layout = pool.layout[rows]
        middles = layout.middles(CELLS)
        row, kind, down, across = peaks.nonzero().cpu().numpy().T
        away = np.abs(middles[row] - np.stack([across, down], axis=1)[:, None] - 0.5).max(axis=2)
        true.append(((layout.kinds[row] == kind[:, None]) & (away < _NEAR)).any(axis=1))
        logits.append(centres[peaks].cpu())
    if not any(map(len, logits)):
        return  # it finds nothing yet
    line = logistic(torch.cat(logits).numpy(), np.concatenate(true))
    model.calibration.copy_(torch.from_numpy(line))


def logistic(found: np.ndarray, there: np.ndarray) -> NDArray[np.float64]:
    """Scale and shift (2,) with which the sigmoid of ``found`` (n,) is likeliest to give ``there``
    (n,) bool: logistic regression by Newton's method, held near 0 by ``_SHRUNK``."""
    inputs = np.stack([found, np.ones_like(found)], axis=1).astype(np.float64)
    line = np.array([1.0, 0.0])
    for _ in range(_NEWTON):
        likely = 1 / (1 + np.exp(-inputs @ line))
        slope = inputs.T @ (likely - there) / len(inputs) + 2 * _SHRUNK * line
        bend = (inputs * (likely * (1 - likely))[:, None]).T @ inputs / len(inputs)
        step = np.linalg.solve(bend + 2 * _SHRUNK * np.eye(2), slope)
        line = line - step / max(1.0, float(np.abs(step).max()))
    return line


def _peaks(centres: Tensor) -> Tensor:
    """(n, kinds, 16, 16) bool: no neighbour is larger."""
    return centres == F.max_pool2d(centres, 3, 1, 1)


def _pairs(layout: Layout) -> np.ndarray:
    """(m, 3) row and columns of two things of different kinds, in both orders."""
    present = layout.kinds >= 0
    found = [
        np.stack([rows, np.full_like(rows, first), np.full_like(rows, second)], axis=1)
        for first, second in permutations(range(THINGS), 2)
        for different in [layout.kinds[:, first] != layout.kinds[:, second]]
        for rows in [np.flatnonzero(present[:, first] & present[:, second] & different)]
    ]
    return np.concatenate(found)


def _taken(looked: Looked, rows: np.ndarray, places: np.ndarray) -> Tensor:
    """(m, width) cells of rows at places (m, 2) x and y."""
    return looked.cells[rows, :, places[:, 1], places[:, 0]]


def _related(
    model: Judge,
    looked: Looked,
    rows: np.ndarray,
    first: tuple[np.ndarray, np.ndarray],
    second: tuple[np.ndarray, np.ndarray],
) -> Tensor:
    """Logits of the relations of pairs; each half is (m,) kinds and (m, 2) places."""
    device = looked.cells.device
    cells = torch.stack([_taken(looked, rows, places) for _, places in (first, second)], dim=1)
    kinds = torch.from_numpy(np.stack([first[0], second[0]], axis=1).astype(np.int64)).to(device)
    places = torch.from_numpy(np.stack([first[1], second[1]], axis=1)).to(device)
    return model.relations(cells, kinds, places)


@dataclass(frozen=True)
class Seen:
    """Things that may be in n pictures.

    rows, kinds: (m,) int64; places: (m, 2) cells x and y; likely: (m,) in [0, 1].
    colours, poses: (m, colours) and (m, poses + 1) probabilities, of being there given the thing.
    """

    looked: Looked
    rows: NDArray[np.int64]
    kinds: NDArray[np.int64]
    places: NDArray[np.int64]
    likely: NDArray[np.float32]
    colours: NDArray[np.float32]
    poses: NDArray[np.float32]


def things_in(model: Judge, batch: Tensor, least: float) -> Seen:
    """The peaks of pictures (n, 3, 128, 128) that are likelier than ``least``."""
    looked = model(batch)
    likely = model.calibrated(looked.centres)
    peaks = _peaks(looked.centres) & (likely > least)
    rows, kinds, down, across = peaks.nonzero().cpu().numpy().T
    places = np.stack([across, down], axis=1)
    colours, poses = model.things(
        _taken(looked, rows, places), torch.from_numpy(kinds).to(batch.device)
    )
    return Seen(
        looked,
        rows,
        kinds,
        places,
        likely[peaks].numpy(force=True),
        colours.softmax(1).numpy(force=True),
        poses.softmax(1).numpy(force=True),
    )


@torch.inference_mode()
def read(model: Judge, images: np.ndarray, batch: int = 250) -> Truth:
    """What the judge sees in (n, 128, 128, 3) uint8 images."""
    device = next(model.parameters()).device
    scenes, times = [], []
    things: list[Sighting] = []
    relations: list[tuple[int, int, int, int]] = []
    for start in range(0, len(images), batch):
        seen = things_in(model, to_batch(images[start : start + batch], device), SURE)
        scenes.append(seen.looked.scene.argmax(1).numpy(force=True))
        times.append(seen.looked.time.argmax(1).numpy(force=True))
        rows, kinds = seen.rows, seen.kinds
        pose = seen.poses.argmax(1)
        pose[pose == len(POSES)] = -1
        found = zip(rows + start, kinds, seen.colours.argmax(1), pose, strict=True)
        things += [Sighting(*map(int, one)) for one in found]
        first, second = np.nonzero((rows[:, None] == rows) & (kinds[:, None] != kinds))
        halves = [(kinds[half], seen.places[half]) for half in (first, second)]
        told = _related(model, seen.looked, rows[first], *halves) > 0
        for pair, relation in told.nonzero().tolist():
            one, other = first[pair], second[pair]
            relations.append((int(rows[one]) + start, int(kinds[one]), relation, int(kinds[other])))
    return truth_of_sightings(np.concatenate(scenes), np.concatenate(times), things, relations)


@torch.inference_mode()
def believed(model: Judge, images: np.ndarray, named: Truth, batch: int = 250) -> np.ndarray:
    """(n,) how likely it is that picture i shows all that caption i of ``named`` names.

    The product of the probabilities of scene, time, each count, the colour and pose of each thing
    that it counts, and each relation, taken as independent.
    """
    device = next(model.parameters()).device
    parts = []
    for start in range(0, len(images), batch):
        seen = things_in(model, to_batch(images[start : start + batch], device), POSSIBLE)
        asked = named[slice(start, start + batch)]
        chance = np.ones(len(asked))
        for logits, wanted in ((seen.looked.scene, asked.scene), (seen.looked.time, asked.time)):
            likely = logits.softmax(1).numpy(force=True)[np.arange(len(asked)), wanted]
            chance *= np.where(wanted >= 0, likely, 1.0)
        for row in range(len(asked)):
            chance[row] *= _believed(model, seen, asked, row)
        parts.append(chance)
    return np.concatenate(parts)


def _believed(model: Judge, seen: Seen, asked: Truth, row: int) -> float:
    """Of the things of one picture."""
    chance = 1.0
    here = np.flatnonzero(seen.rows == row)
    foremost: dict[int, int] = {}
    for column in np.flatnonzero(asked.counts[row] > 0).tolist():
        kinds = [KINDS.index(kind) for kind in members(NAMES[column])]
        those = here[np.isin(seen.kinds[here], kinds)]
        those = those[np.argsort(-seen.likely[those], kind="stable")]
        count = int(asked.counts[row, column])
        chance *= _exactly(count, seen.likely[those])
        if len(those) < count:
            return 0.0
        foremost[column] = int(those[0])
        for values, likely in ((asked.colours, seen.colours), (asked.poses, seen.poses)):
            if values[row, column] >= 0:
                chance *= float(likely[those[:count], values[row, column]].prod())
    for relation in range(len(RELATIONS)):
        for one in np.flatnonzero(asked.subjects[row, relation]).tolist():
            for other in np.flatnonzero(asked.objects[row, relation]).tolist():
                if one != other:
                    chance *= _stands(model, seen, foremost[one], foremost[other], relation)
    return chance


def _exactly(count: int, likely: np.ndarray) -> float:
    """How likely it is that ``count`` of independent things are there."""
    chances = np.ones(1)
    for each in likely.astype(float):
        chances = np.convolve(chances, [1 - each, each])
    return float(chances[count]) if count < len(chances) else 0.0


def _stands(model: Judge, seen: Seen, one: int, other: int, relation: int) -> float:
    halves = [(seen.kinds[[each]], seen.places[[each]]) for each in (one, other)]
    told = _related(model, seen.looked, seen.rows[[one]], *halves)
    return float(told[0, relation].sigmoid())


def evaluate(model: Judge, pool: Pool) -> dict[str, float]:
    """Share of renders of which the judge sees all that a caption names, and all there is."""
    seen = read(model, np.asarray(pool.images))
    shown = pool.shown
    right = {
        "scenes": seen.scene == shown.scene,
        "times": seen.time == shown.time,
        "counts": (seen.counts == shown.counts).all(1),
        "colours": ((shown.colours < 0) | (seen.colours == shown.colours)).all(1),
        "poses": ((shown.poses < 0) | (seen.poses == shown.poses)).all(1),
        "relations": ((seen.subjects == shown.subjects) & (seen.objects == shown.objects)).all(
            (1, 2)
        ),
    }
    scores = {
        "caption_agreement": float(shows_own(seen, pool.named[pool.caption_rows[:, 0]]).mean())
    }
    scores |= {name: float(hits.mean()) for name, hits in right.items()}
    return scores | {"full_truth": float(np.all(list(right.values()), axis=0).mean())}
