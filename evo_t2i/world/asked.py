"""Captions' records, and which arrangements can show what one names."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import permutations

from evo_t2i.errors import UsageError, near_miss
from evo_t2i.world.arrangements import (
    ARRANGEMENTS,
    counts_at,
    kind_set,
    kinds_at,
    poses_at,
    scenes_at,
)
from evo_t2i.world.kinds import (
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

    named: which of the caption's things each slot shows.
    mirrored: which way round, None where either will do. count: of slot 0.
    """

    arrangement: str
    kinds: tuple[tuple[str, ...] | None, ...]
    named: tuple[int | None, ...]
    poses: tuple[str | None, ...]
    count: int | None
    mirrored: bool | None

    def admits(self, slot: int, kind: str) -> bool:
        """Whether `kind` may fill `slot`."""
        wanted = self.kinds[slot]
        return wanted is None or kind in wanted


@dataclass(frozen=True)
class Asked:
    """What a caption asks of a picture: scene, time, and all the ways to show its things.

    colours: of each of the caption's things; None for no caption at all.
    """

    scene: str | None
    time: str | None
    colours: tuple[str | None, ...] | None
    showings: tuple[Showing, ...]

    def colour(self, showing: Showing, slot: int) -> str | None:
        """The colour that the thing in `slot` must have."""
        named = showing.named[slot]
        return None if named is None or self.colours is None else self.colours[named]


@cache
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
    _check_names(caption)
    poses = caption.poses or (None,) * len(caption.things)
    named = tuple((kind, count) for kind, _, count in caption.things)
    showings = showings_of(named, caption.relations, poses)
    if not any(possible_scenes(showings, name, caption.scene) for name in ARRANGEMENTS):
        raise UsageError(
            f"The procedural world draws no scene for the caption {caption.text!r}; "
            "name a scene, a time and things that occur together in it."
        )
    colours = tuple(colour for _, colour, _ in caption.things)
    return Asked(caption.scene, caption.time, colours, showings)


@lru_cache(maxsize=65536)
def possible_scenes(
    showings: tuple[Showing, ...], arrangement: str, scene: str | None
) -> tuple[str, ...]:
    """The scenes in which one of `showings` can be seen as `arrangement`; only `scene` if given."""
    here = [showing for showing in showings if showing.arrangement == arrangement]
    return tuple(
        name
        for name, _ in scenes_at(arrangement)
        if scene in (None, name) and any(completes(arrangement, name, (), way) for way in here)
    )


@lru_cache(maxsize=65536)
def showings_of(
    named: tuple[tuple[str, int], ...],
    relations: tuple[tuple[int, str, int], ...],
    poses: tuple[str | None, ...],
) -> tuple[Showing, ...]:
    """The ways to show things, given as kind and count, that stand in `relations`.

    Arrangements of more than one thing that is not named are left out.
    """
    return tuple(
        showing
        for arrangement, (slots, _) in ARRANGEMENTS.items()
        if slots - len(named) <= 1
        for showing in _showings(arrangement, named, relations, poses)
    )


def _check_names(caption: Caption) -> None:
    names = [(caption.scene, SCENES), (caption.time, TIMES)]
    names += [(kind, NAMES) for kind, _, _ in caption.things]
    names += [(colour, COLOURS) for _, colour, _ in caption.things]
    names += [(relation, RELATIONS) for _, relation, _ in caption.relations]
    names += [(pose, POSES) for pose in caption.poses]
    for name, known in names:
        if name is not None and name not in known:
            raise UsageError(f"The procedural world has no {name!r}; {near_miss(name, known)}")
    for kind, colour, _ in caption.things:
        if colour and not all(colour in KIND_COLOURS[member] for member in members(kind)):
            allowed = ", ".join(KIND_COLOURS[members(kind)[0]])
            raise UsageError(
                f"The procedural world has no {colour} {kind}; choose its colour from {allowed}."
            )


def _showings(
    arrangement: str,
    named: tuple[tuple[str, int], ...],
    relations: tuple[tuple[int, str, int], ...],
    poses: tuple[str | None, ...],
) -> Iterator[Showing]:
    """Every assignment of the named things to the slots of `arrangement` that may be true."""
    slots = ARRANGEMENTS[arrangement][0]
    for chosen in permutations(range(slots), len(named)):
        if any(count > 1 and slot > 0 for slot, (_, count) in zip(chosen, named, strict=True)):
            continue
        ways = [
            mirrored
            for mirrored in (False, True)
            if all(
                (chosen[a], relation, chosen[b]) in facts(arrangement, mirrored)
                for a, relation, b in relations
            )
        ]
        if not ways:
            continue
        where: list[int | None] = [None] * slots
        for number, slot in enumerate(chosen):
            where[slot] = number
        yield Showing(
            arrangement,
            tuple(None if n is None else members(named[n][0]) for n in where),
            tuple(where),
            tuple(None if n is None else poses[n] for n in where),
            None if not slots or where[0] is None else named[where[0]][1],
            None if len(ways) == 2 else ways[0],
        )


@lru_cache(maxsize=200_000)
def completes(arrangement: str, scene: str, kinds: tuple[str, ...], showing: Showing) -> bool:
    """Whether slots filled by `kinds` so far can be completed to what `showing` asks."""
    if showing.arrangement != arrangement:
        return False
    slot = len(kinds)
    if slot == ARRANGEMENTS[arrangement][0]:
        return _fits(arrangement, scene, kinds, showing)
    wanted, offered = showing.kinds[slot], kinds_at(arrangement, scene, kinds)
    options = [kind for kind, _ in offered] if wanted is None else wanted
    possible = kind_set(arrangement, scene, kinds)
    return any(
        kind in possible and completes(arrangement, scene, (*kinds, kind), showing)
        for kind in options
    )


def _fits(arrangement: str, scene: str, kinds: tuple[str, ...], showing: Showing) -> bool:
    for slot, kind in enumerate(kinds):
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


ANYTHING = Asked(None, None, None, tuple(_any_showing(name) for name in ARRANGEMENTS))
