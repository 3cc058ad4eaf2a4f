"""What pictures show and captions name, as arrays, for many at once.

Pictures hold at most three kinds, so that who stands in a relation, and whom it is stood in to, say
together which pairs are related: (a, r, b) holds when r has a among its subjects and b among its
objects, and a is not b. That is twice 8 x 44 flags instead of 8 x 44 x 44.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from evo_t2i.world.asked import Caption, facts
from evo_t2i.world.kinds import COLOURS, GROUPS, KINDS, NAMES, POSES, RELATIONS, SCENES, TIMES
from evo_t2i.world.scenes import Scene

_COLUMN = {name: column for column, name in enumerate(NAMES)}
_GROUPED: dict[str, tuple[int, ...]] = {
    kind: (
        _COLUMN[kind],
        *(_COLUMN[group] for group, kinds in GROUPS.items() if kind in kinds),
    )
    for kind in KINDS
}


@dataclass(frozen=True)
class Truth:
    """What n pictures show, or n captions name; columns are `NAMES`.

    scene, time: (n,) int64, -1 where not named.
    counts: (n, names) int8, 0 to 3 as shown; -1 where a caption names nothing of it.
    colours: (n, names) int8, -1 where absent, not named or, for a group, not one colour.
    poses: (n, names) int8, -1 where there is none of `POSES`, or it is not named.
    subjects, objects: (n, relations, names) bool, who stands in a relation to another, and whom
        another stands in it to.
    """

    scene: NDArray[np.int64]
    time: NDArray[np.int64]
    counts: NDArray[np.int8]
    colours: NDArray[np.int8]
    poses: NDArray[np.int8]
    subjects: NDArray[np.bool_]
    objects: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.scene)

    def __getitem__(self, rows: NDArray[np.integer] | slice) -> "Truth":
        return Truth(
            self.scene[rows],
            self.time[rows],
            self.counts[rows],
            self.colours[rows],
            self.poses[rows],
            self.subjects[rows],
            self.objects[rows],
        )

    def followed_by(self, other: "Truth") -> "Truth":
        """The rows of both."""
        pairs = ((getattr(self, field.name), getattr(other, field.name)) for field in fields(self))
        return Truth(*map(np.concatenate, pairs))


def _blank(count: int, counts: int) -> Truth:
    names, relations = len(NAMES), len(RELATIONS)
    return Truth(
        np.full(count, -1, np.int64),
        np.full(count, -1, np.int64),
        np.full((count, names), counts, np.int8),
        np.full((count, names), -1, np.int8),
        np.full((count, names), -1, np.int8),
        np.zeros((count, relations, names), bool),
        np.zeros((count, relations, names), bool),
    )


@dataclass(frozen=True)
class Sighting:
    """One thing in one of many pictures: row, and positions in `KINDS`, `COLOURS` and `POSES`.

    pose: -1 for none of `POSES`.
    """

    row: int
    kind: int
    colour: int
    pose: int


def truth_of(items: Iterable[Scene] | Iterable[Caption]) -> Truth:
    """What scenes show, or what captions name."""
    rows: list[Scene | Caption] = list(items)
    scenes = bool(rows) and isinstance(rows[0], Scene)
    truth = _blank(len(rows), 0 if scenes else -1)
    for row, item in enumerate(rows):
        if item.scene is not None:
            truth.scene[row] = SCENES.index(item.scene)
        if item.time is not None:
            truth.time[row] = TIMES.index(item.time)
        if isinstance(item, Scene):
            _show(truth, row, item)
        else:
            _name(truth, row, item)
    return truth


def truth_of_sightings(
    scene: NDArray[np.int64],
    time: NDArray[np.int64],
    things: Iterable[Sighting],
    relations: Iterable[tuple[int, int, int, int]],
) -> Truth:
    """What n pictures show in which things were found one by one.

    scene, time: (n,). relations: row, kind, position in `RELATIONS`, kind of the other.
    """
    truth = _blank(len(scene), 0)
    truth.scene[:], truth.time[:] = scene, time
    for thing in things:
        _see(truth, thing)
    for row, subject, relation, other in relations:
        truth.subjects[row, relation, list(_GROUPED[KINDS[subject]])] = True
        truth.objects[row, relation, list(_GROUPED[KINDS[other]])] = True
    return truth


def _show(truth: Truth, row: int, scene: Scene) -> None:
    columns: dict[int, tuple[int, ...]] = {}
    for thing in scene.things:
        columns[thing.slot] = _GROUPED[thing.kind]
        pose = POSES.index(thing.pose) if thing.pose in POSES else -1
        kind, colour = KINDS.index(thing.kind), COLOURS.index(thing.colour)
        _see(truth, Sighting(row, kind, colour, pose))
    for subject, relation, other in facts(scene.arrangement, scene.mirrored):
        number = RELATIONS.index(relation)
        truth.subjects[row, number, list(columns[subject])] = True
        truth.objects[row, number, list(columns[other])] = True


def _see(truth: Truth, thing: Sighting) -> None:
    for column in _GROUPED[KINDS[thing.kind]]:
        first = truth.counts[thing.row, column] == 0
        truth.counts[thing.row, column] += 1
        for values, value in ((truth.colours, thing.colour), (truth.poses, thing.pose)):
            same = first or values[thing.row, column] == value
            values[thing.row, column] = value if same else -1


def _name(truth: Truth, row: int, caption: Caption) -> None:
    poses = caption.poses or (None,) * len(caption.things)
    columns = []
    for (kind, colour, count), pose in zip(caption.things, poses, strict=True):
        column = _COLUMN[kind]
        columns.append(column)
        truth.counts[row, column] = count
        if colour is not None:
            truth.colours[row, column] = COLOURS.index(colour)
        if pose is not None:
            truth.poses[row, column] = POSES.index(pose)
    for subject, relation, other in caption.relations:
        number = RELATIONS.index(relation)
        truth.subjects[row, number, columns[subject]] = True
        truth.objects[row, number, columns[other]] = True


def holds(shown: Truth, named: Truth) -> NDArray[np.bool_]:
    """(n, m) bool: does picture i show everything that caption j names?

    Counts are exact. A picture whose poses are not known (all -1) may have any.
    """
    missing = ~_claims(shown)
    unread = (shown.poses == -1).all(1)
    poses = _pose_columns()
    missing[np.ix_(unread, poses)] = False
    clashes = missing.astype(np.float32) @ _claims(named).astype(np.float32).T
    return np.asarray(clashes < 0.5)


def shows_own(shown: Truth, named: Truth) -> NDArray[np.bool_]:
    """(n,) bool: does picture i show everything that its own caption i names?"""
    return np.asarray(share_of_own(shown, named) == 1)


def share_of_own(shown: Truth, named: Truth) -> NDArray[np.float64]:
    """(n,) in 0..1: the share that picture i shows of what its own caption i names."""
    missing = ~_claims(shown)
    unread = (shown.poses == -1).all(1)
    missing[np.ix_(unread, _pose_columns())] = False
    asked = _claims(named)
    lost = (missing & asked).sum(1)
    return np.asarray(1 - lost / np.maximum(asked.sum(1), 1))


def _claims(truth: Truth) -> NDArray[np.bool_]:
    """(n, claims) bool: each thing that can be named, as a bit; captions ask for a subset."""
    count = len(truth)
    parts = [
        truth.scene[:, None] == np.arange(len(SCENES)),
        truth.time[:, None] == np.arange(len(TIMES)),
        truth.counts[..., None] == np.arange(1, 4),
        truth.colours[..., None] == np.arange(len(COLOURS)),
        truth.poses[..., None] == np.arange(len(POSES)),
        truth.subjects,
        truth.objects,
    ]
    return np.concatenate([part.reshape(count, -1) for part in parts], axis=1)


def _pose_columns() -> NDArray[np.int64]:
    start = len(SCENES) + len(TIMES) + len(NAMES) * (3 + len(COLOURS))
    return np.arange(start, start + len(NAMES) * len(POSES))
