"""Captions' records, and which arrangements can show what one names."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

from evo_t2i.errors import UsageError, near_miss
from evo_t2i.world2.arrangements import ARRANGEMENTS, counts_at, kinds_at, poses_at, scenes_at
from evo_t2i.world2.kinds import (
    COLOURS,
    KIND_COLOURS,
    NAMES,
    POSES,
    RELATIONS,
    SCENES,
    TIMES,
    members,
)


@dataclass(frozen=True)
class Caption:
    """A text and what it names, so that a picture can be checked against it.

    scene, time: None where the text leaves them open.
    things: (kind or group, colour, count) of each thing named; colour None where left open.
        A count is exact: "a cat" is true of pictures of one cat.
    relations: (subject, relation, object), the indices being those of `things`.
    poses: for each of `things` a pose of `POSES` or None; () where none is named.
    """

    text: str
    scene: str | None = None
    time: str | None = None
    things: tuple[tuple[str, str | None, int], ...] = ()
    relations: tuple[tuple[int, str, int], ...] = ()
    poses: tuple[str | None, ...] = ()


@dataclass(frozen=True, eq=False)
class Showing:
    """One way to show a caption: what each slot of an arrangement must hold; None is free.

    mirrored: which way round, None where either will do. count: of slot 0.
    """

    arrangement: str
    kinds: tuple[tuple[str, ...] | None, ...]
    colours: tuple[str | None, ...]
    poses: tuple[str | None, ...]
    count: int | None
    mirrored: bool | None

    def admits(self, slot: int, kind: str) -> bool:
        """Whether `kind` may fill `slot`."""
        wanted = self.kinds[slot]
        return wanted is None or kind in wanted


@dataclass(frozen=True, eq=False)
class Asked:
    """What a caption asks of a picture: scene, time, and all the ways to show its things.

    named: how many slots the caption speaks of; None for no caption at all.
    """

    scene: str | None
    time: str | None
    showings: tuple[Showing, ...]
    named: int | None


def facts(arrangement: str, mirrored: bool) -> frozenset[tuple[int, str, int]]:
    """What holds between the slots of an arrangement: (subject, relation, object)."""
    slots = ARRANGEMENTS[arrangement][0]
    if arrangement in ("beside", "row"):
        pairs = [(a, b) for a in range(slots) for b in range(slots) if a != b]
        sides = {(a, "left of" if (a < b) != mirrored else "right of", b) for a, b in pairs}
        near = {(a, "next to", b) for a, b in pairs} if slots == 2 else set()
        return frozenset(sides | near)
    if arrangement.startswith("wearing"):
        return frozenset((0, "wearing", slot) for slot in range(1, slots))
    return frozenset([(0, arrangement, 1)] if slots == 2 else [])


def asked(caption: Caption | None) -> Asked:
    """What `caption` asks for; None asks for nothing.

    Raises UsageError for names that the world has not, and for things that it never shows
    together.
    """
    if caption is None:
        return ANYTHING
    poses = caption.poses or (None,) * len(caption.things)
    wish = _asked(caption.scene, caption.time, caption.things, caption.relations, poses)
    if not wish.showings:
        raise UsageError(
            f"The procedural world draws no scene for the caption {caption.text!r}; "
            "name a scene, a time and things that occur together in it."
        )
    return wish


@lru_cache(maxsize=16384)
def _asked(
    scene: str | None,
    time: str | None,
    things: tuple[tuple[str, str | None, int], ...],
    relations: tuple[tuple[int, str, int], ...],
    poses: tuple[str | None, ...],
) -> Asked:
    _check_names(scene, time, things, relations, poses)
    showings = tuple(
        showing
        for arrangement in ARRANGEMENTS
        for showing in _showings(arrangement, things, relations, poses)
        if any(
            scene in (None, name) and completes(arrangement, name, (), showing)
            for name, _ in scenes_at(arrangement)
        )
    )
    return Asked(scene, time, showings, len(things))


def _check_names(
    scene: str | None,
    time: str | None,
    things: tuple[tuple[str, str | None, int], ...],
    relations: tuple[tuple[int, str, int], ...],
    poses: tuple[str | None, ...],
) -> None:
    names = [(scene, SCENES), (time, TIMES)]
    names += [(kind, NAMES) for kind, _, _ in things]
    names += [(colour, COLOURS) for _, colour, _ in things]
    names += [(relation, RELATIONS) for _, relation, _ in relations]
    names += [(pose, POSES) for pose in poses]
    for name, known in names:
        if name is not None and name not in known:
            raise UsageError(f"The procedural world has no {name!r}; {near_miss(name, known)}")
    for kind, colour, _ in things:
        if colour and not any(colour in KIND_COLOURS[member] for member in members(kind)):
            allowed = ", ".join(KIND_COLOURS[members(kind)[0]])
            raise UsageError(
                f"The procedural world has no {colour} {kind}; choose its colour from {allowed}."
            )


def _showings(
    arrangement: str,
    things: tuple[tuple[str, str | None, int], ...],
    relations: tuple[tuple[int, str, int], ...],
    poses: tuple[str | None, ...],
) -> Iterator[Showing]:
    """Every assignment of the named things to the slots of `arrangement` that can be true."""
    slots = ARRANGEMENTS[arrangement][0]
    for chosen in permutations(range(slots), len(things)):
        count = None
        if any(
            number > 1 and slot > 0 for slot, (_, _, number) in zip(chosen, things, strict=True)
        ):
            continue
        kinds: list[tuple[str, ...] | None] = [None] * slots
        colours: list[str | None] = [None] * slots
        stances: list[str | None] = [None] * slots
        for slot, (kind, colour, number), pose in zip(chosen, things, poses, strict=True):
            kinds[slot], colours[slot], stances[slot] = members(kind), colour, pose
            count = number if slot == 0 else count
        ways = [
            mirrored
            for mirrored in (False, True)
            if all(
                (chosen[a], r, chosen[b]) in facts(arrangement, mirrored) for a, r, b in relations
            )
        ]
        if ways:
            mirrored = None if len(ways) == 2 else ways[0]
            yield Showing(
                arrangement, tuple(kinds), tuple(colours), tuple(stances), count, mirrored
            )


@lru_cache(maxsize=200_000)
def completes(arrangement: str, scene: str, kinds: tuple[str, ...], showing: Showing) -> bool:
    """Whether slots filled by `kinds` so far can be completed to what `showing` asks."""
    if showing.arrangement != arrangement:
        return False
    slot = len(kinds)
    if slot == ARRANGEMENTS[arrangement][0]:
        return _fits(arrangement, scene, kinds, showing)
    return any(
        showing.admits(slot, kind) and completes(arrangement, scene, (*kinds, kind), showing)
        for kind, _ in kinds_at(arrangement, scene, kinds)
    )


def _fits(arrangement: str, scene: str, kinds: tuple[str, ...], showing: Showing) -> bool:
    for slot, kind in enumerate(kinds):
        if showing.colours[slot] not in (None, *KIND_COLOURS[kind]):
            return False
        poses = {pose for pose, _ in poses_at(arrangement, scene, kinds, slot)}
        if showing.poses[slot] not in (None, *poses):
            return False
        # A kind that the caption names elsewhere, or as part of a group, fills no free slot:
        # counts are exact.
        if showing.kinds[slot] is None and any(kind in (named or ()) for named in showing.kinds):
            return False
    counts = {int(count) for count, _ in counts_at(arrangement, scene, kinds)}
    return showing.count in (None, *counts)


def _any_showing(arrangement: str) -> Showing:
    free = (None,) * ARRANGEMENTS[arrangement][0]
    return Showing(arrangement, free, free, free, None, None)


ANYTHING = Asked(None, None, tuple(_any_showing(name) for name in ARRANGEMENTS), None)
