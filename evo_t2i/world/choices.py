"""How a scene is chosen: one walk over named choices, decided in three ways.

`_walk` is the only description of the world's distribution. Each step asks a decider for one of
several weighted options, or for an amount in [0, 1):

- `sample_scene` decides at random;
- `scene_of` decides by a latent: every option of every choice has one standard Gaussian number z
  of it, and the option with the largest Gumbel(Φ(z)) + log weight wins, which keeps the weights as
  frequencies (Gumbel-max); it is computed as the equivalent race, the smallest −log Φ(z) / weight;
- `scene_from_choices` decides as it is told.

A caption only removes options. An arrangement that shows more than the caption names is rarer by
`UNNAMED` for each thing left out, because captions usually name all that is there.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from evo_t2i.errors import UsageError
from evo_t2i.world.arrangements import (
    ARRANGEMENTS,
    PLACEMENTS,
    Weights,
    counts_at,
    kinds_at,
    placements_at,
    poses_at,
    scenes_at,
)
from evo_t2i.world.asked import (
    ANYTHING,
    Asked,
    Caption,
    Showing,
    asked,
    completes,
    possible_scenes,
)
from evo_t2i.world.kinds import COLOURS, KIND_COLOURS, KINDS, POSES, SCENES, TIMES, VIEWS
from evo_t2i.world.layout import Plan, place
from evo_t2i.world.scenes import Scene, Thing

UNNAMED = 0.04


@dataclass(frozen=True)
class Choice:
    """A named choice and its options, in the order of the latent's numbers."""

    name: str
    options: tuple[str, ...]


SLOTS = 3
CHOICES: tuple[Choice, ...] = (
    Choice("time", TIMES),
    Choice("arrangement", tuple(ARRANGEMENTS)),
    Choice("scene", SCENES),
    Choice("view", tuple(str(view) for view in range(VIEWS))),
    *(Choice(f"kind {slot}", KINDS) for slot in range(SLOTS)),
    Choice("count", ("1", "2", "3")),
    *(Choice(f"colour {slot}", COLOURS) for slot in range(SLOTS)),
    *(Choice(f"pose {slot}", POSES) for slot in range(SLOTS)),
    Choice("placement", PLACEMENTS),
    Choice("mirrored", ("no", "yes")),
)
"""Every choice; which of them arise, and which options they offer, depends on those before."""

AMOUNTS = ("drift", "shift", "size")
"""The continuous choices, each Φ of one number: of the sun, of the things, and their size."""


def _latent_layout() -> dict[str, slice]:
    layout, start = {}, 0
    for name, size in [*((c.name, len(c.options)) for c in CHOICES), *((a, 1) for a in AMOUNTS)]:
        layout[name] = slice(start, start + size)
        start += size
    return layout


LATENT_LAYOUT = _latent_layout()
"""Where the numbers of each choice and amount lie in a latent."""
LATENT_SIZE = max(where.stop for where in LATENT_LAYOUT.values())

_NUMBER = {choice.name: number for number, choice in enumerate(CHOICES)}
_INDEX = {c.name: {option: i for i, option in enumerate(c.options)} for c in CHOICES}
_EVEN_TIMES = tuple((time, 1.0) for time in TIMES)
_EVEN_VIEWS = tuple((str(view), 1.0) for view in range(VIEWS))

Decide = Callable[[str, Weights], str]
Amount = Callable[[str], float]


def sample_scene(rng: np.random.Generator, caption: Caption | None = None) -> Scene:
    """A random scene, one of which `caption` is true when it is given.

    Raises UsageError for a caption that the world cannot draw.
    """

    def decide(_: str, options: Weights) -> str:
        position = rng.random() * sum(weight for _, weight in options)
        for option, weight in options:
            position -= weight
            if position < 0:
                return option
        return options[-1][0]

    return _walk(decide, lambda _: rng.random(), asked(caption))


def scene_of(caption: Caption | None, latent: Sequence[float] | NDArray[np.floating]) -> Scene:
    """The scene that `latent`, (LATENT_SIZE,) standard Gaussian numbers, makes of `caption`.

    A pure function; the caption always holds of the scene. Over Gaussian latents it has the
    distribution of `sample_scene`.

    Raises UsageError for a caption that the world cannot draw and a latent of another length.
    """
    numbers = np.asarray(latent, dtype=float).ravel().tolist()
    if len(numbers) != LATENT_SIZE:
        raise UsageError(
            f"`latent` has {len(numbers)} numbers; give {LATENT_SIZE}, as LATENT_LAYOUT lists them."
        )

    def decide(name: str, options: Weights) -> str:
        if len(options) == 1:
            return options[0][0]
        start, index = LATENT_LAYOUT[name].start, _INDEX[name]
        times = [_waiting(numbers[start + index[o]]) / weight for o, weight in options]
        return options[times.index(min(times))][0]

    def amount(name: str) -> float:
        return min(0.5 * math.erfc(-numbers[LATENT_LAYOUT[name].start] / math.sqrt(2)), 1 - 1e-9)

    return _walk(decide, amount, asked(caption))


def _waiting(number: float) -> float:
    """−log Φ(number): exponentially distributed for a Gaussian number."""
    if number > 0:
        return -math.log1p(-0.5 * math.erfc(number / math.sqrt(2)))
    return -math.log(max(0.5 * math.erfc(-number / math.sqrt(2)), 1e-300))


def choices_of(scene: Scene) -> NDArray[np.int64]:
    """(len(CHOICES),) the option of each choice that led to `scene`, -1 where it did not arise."""
    return np.array(scene.choices, np.int64)


def scene_from_choices(
    choices: Sequence[int] | NDArray[np.integer], amounts: Sequence[float] = (0.5, 0.5, 0.5)
) -> Scene:
    """The scene of `choices` as `choices_of` gives them, with `amounts` in [0, 1) for `AMOUNTS`.

    Raises UsageError when an option is not among those that the choices before it leave.
    """

    def decide(name: str, options: Weights) -> str:
        number = int(choices[_NUMBER[name]])
        known = CHOICES[_NUMBER[name]].options
        chosen = known[number] if 0 <= number < len(known) else None
        if chosen is None and len(options) == 1:
            return options[0][0]
        if chosen is None or all(chosen != option for option, _ in options):
            allowed = ", ".join(option for option, _ in options)
            raise UsageError(
                f"`choices` has {chosen!r} for {name!r}, but the choices before it leave only "
                f"{allowed}; choose one of these."
            )
        return chosen

    values = dict(zip(AMOUNTS, amounts, strict=True))
    return _walk(decide, values.__getitem__, ANYTHING)


def _walk(decide: Decide, amount: Amount, wish: Asked) -> Scene:
    """Choose a scene step by step, keeping only options with which `wish` can still be met."""
    made = [-1] * len(CHOICES)

    def choose(name: str, options: Weights) -> str:
        option = decide(name, options)
        made[_NUMBER[name]] = _INDEX[name][option]
        return option

    time = choose("time", _EVEN_TIMES if wish.time is None else ((wish.time, 1.0),))
    named = None if wish.colours is None else len(wish.colours)
    arrangement = choose("arrangement", _arrangements(wish.showings, wish.scene, named))
    scene = choose("scene", _scenes(wish.showings, arrangement, wish.scene))
    view = int(choose("view", _EVEN_VIEWS))
    ways = _ways(wish.showings, arrangement, scene)
    kinds: tuple[str, ...] = ()
    for slot in range(ARRANGEMENTS[arrangement][0]):
        kind = choose(f"kind {slot}", _kinds(arrangement, scene, kinds, ways))
        kinds = (*kinds, kind)
        ways = _still(arrangement, scene, kinds, ways)
    counts = counts_at(arrangement, scene, kinds)
    count = 1
    if len(counts) > 1:
        count = int(choose("count", _left(counts, {w.count for w in ways}, str)))
        ways = tuple(w for w in ways if w.count in (None, count))
    colours: tuple[str, ...] = ()
    poses: tuple[str, ...] = ()
    for slot, kind in enumerate(kinds):
        offered = _colours(kind)
        colour = choose(f"colour {slot}", _left(offered, {wish.colour(w, slot) for w in ways}))
        ways = tuple(w for w in ways if wish.colour(w, slot) in (None, colour))
        colours = (*colours, colour)
    for slot in range(len(kinds)):
        stances = poses_at(arrangement, scene, kinds, slot)
        pose = stances[0][0]
        if len(stances) > 1:
            pose = choose(f"pose {slot}", _left(stances, {w.poses[slot] for w in ways}))
        ways = tuple(w for w in ways if w.poses[slot] in (None, pose))
        poses = (*poses, pose)
    spots = placements_at(arrangement, scene, count)
    placement = choose("placement", spots) if len(spots) > 1 else spots[0][0]
    sides = {None if w.mirrored is None else ("no", "yes")[w.mirrored] for w in ways}
    mirrored = choose("mirrored", _left((("no", 1.0), ("yes", 1.0)), sides)) == "yes"
    plan = Plan(
        arrangement, scene, kinds, colours, poses, count, placement, amount("shift"), amount("size")
    )
    things = place(plan)
    if mirrored:
        things = tuple(_mirror(thing) for thing in things)
    return Scene(scene, time, arrangement, things, view, mirrored, amount("drift"), tuple(made))


@cache
def _colours(kind: str) -> Weights:
    return tuple((colour, 1.0) for colour in KIND_COLOURS[kind])


def _left(options: Weights, wanted: set, written: Callable[[object], str] | None = None) -> Weights:
    """The options that some way to meet the wish wants; all of them when one wants none."""
    if None in wanted:
        return options
    names = {written(name) for name in wanted} if written else wanted
    return tuple(item for item in options if item[0] in names)


@lru_cache(maxsize=65536)
def _arrangements(showings: tuple[Showing, ...], scene: str | None, named: int | None) -> Weights:
    """Arrangements that can meet a wish, rarer the more they show that it does not name."""
    return tuple(
        (name, weight * UNNAMED ** (0 if named is None else slots - named))
        for name, (slots, weight) in ARRANGEMENTS.items()
        if possible_scenes(showings, name, scene)
    )


@lru_cache(maxsize=65536)
def _scenes(showings: tuple[Showing, ...], arrangement: str, scene: str | None) -> Weights:
    possible = possible_scenes(showings, arrangement, scene)
    return tuple(item for item in scenes_at(arrangement) if item[0] in possible)


@lru_cache(maxsize=65536)
def _ways(showings: tuple[Showing, ...], arrangement: str, scene: str) -> tuple[Showing, ...]:
    return tuple(w for w in showings if completes(arrangement, scene, (), w))


@lru_cache(maxsize=65536)
def _kinds(
    arrangement: str, scene: str, before: tuple[str, ...], ways: tuple[Showing, ...]
) -> Weights:
    slot = len(before)
    return tuple(
        (kind, weight)
        for kind, weight in kinds_at(arrangement, scene, before)
        if any(
            w.admits(slot, kind) and completes(arrangement, scene, (*before, kind), w) for w in ways
        )
    )


@lru_cache(maxsize=65536)
def _still(
    arrangement: str, scene: str, kinds: tuple[str, ...], ways: tuple[Showing, ...]
) -> tuple[Showing, ...]:
    """The ways that remain once the last of `kinds` is chosen."""
    slot = len(kinds) - 1
    return tuple(
        w for w in ways if w.admits(slot, kinds[-1]) and completes(arrangement, scene, kinds, w)
    )


def _mirror(thing: Thing) -> Thing:
    x0, y0, x1, y1 = thing.box
    box = (1 - x1, y0, 1 - x0, y1)
    return Thing(thing.kind, thing.colour, box, not thing.mirrored, thing.pose, thing.slot)
