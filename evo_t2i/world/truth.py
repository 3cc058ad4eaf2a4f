"""What pictures show and captions name, as arrays, for many at once.

A judge that reads pictures into a `Truth` needs these heads, all from one feature vector:

- scene: a softmax over `SCENES`; time: a softmax over `TIMES`;
- counts: for each of `NAMES` a softmax over 0, 1, 2, 3 (the last two columns are groups, "person"
  and "child", whose counts are sums; they may be read like kinds or added up);
- colours: for each of `NAMES` a softmax over `COLOURS`, trained where the count is not 0;
- poses (may be left out, all -1): for each of `NAMES` a softmax over `POSES`, trained where >= 0;
- subjects and objects: for each of `RELATIONS` and `NAMES` a logit each, of the name standing in
  the relation to something and of something standing in it to the name. Pictures hold at most
  three kinds, so that these two say which pairs are related: (a, r, b) holds when r has a among
  its subjects and b among its objects, and a is not b. That is 8 x 44 logits twice instead of
  8 x 44 x 44.
"""

from collections.abc import Iterable
from dataclasses import dataclass

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


def _show(truth: Truth, row: int, scene: Scene) -> None:
    columns: dict[int, tuple[int, ...]] = {}
    for thing in scene.things:
        columns[thing.slot] = _GROUPED[thing.kind]
        colour = COLOURS.index(thing.colour)
        pose = POSES.index(thing.pose) if thing.pose in POSES else -1
        for column in columns[thing.slot]:
            first = truth.counts[row, column] == 0
            truth.counts[row, column] += 1
            for values, value in ((truth.colours, colour), (truth.poses, pose)):
                same = first or values[row, column] == value
                values[row, column] = value if same else -1
    for subject, relation, other in facts(scene.arrangement, scene.mirrored):
        number = RELATIONS.index(relation)
        truth.subjects[row, number, list(columns[subject])] = True
        truth.objects[row, number, list(columns[other])] = True


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
    missing = ~_claims(shown)
    unread = (shown.poses == -1).all(1)
    missing[np.ix_(unread, _pose_columns())] = False
    return np.asarray(~(missing & _claims(named)).any(1))


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
