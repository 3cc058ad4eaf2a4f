"""What a scene may hold, and English captions that each record what their words name.

The scenes themselves (things, colours, layouts) are in `evo_t2i.world.scenes` and are offered
here too.
"""

import re
from dataclasses import dataclass, replace

import numpy as np

from evo_t2i.errors import UsageError
from evo_t2i.world.scenes import (
    COLOURS,
    KIND_COLOURS,
    KINDS,
    PALETTE,
    POSES,
    SCENES,
    TIMES,
    VIEWS,
    Scene,
    Thing,
    pick,
    sample_scene,
)

__all__ = [
    "COLOURS",
    "KINDS",
    "KIND_COLOURS",
    "NOTES_CAPTIONS",
    "PALETTE",
    "POSES",
    "SCENES",
    "TIMES",
    "VIEWS",
    "Caption",
    "Scene",
    "Thing",
    "captions",
    "describes",
    "sample_scene",
    "scene_for",
]


@dataclass(frozen=True)
class Caption:
    """A text and what it names, so that a picture can be checked against it.

    scene, time: None where the text leaves them open.
    things: (kind, colour) of every thing that is named, colour None where left open.
    """

    text: str
    scene: str | None
    time: str | None
    things: tuple[tuple[str, str | None], ...]


NOTES_CAPTIONS: tuple[Caption, ...] = (
    Caption("skyline at sunset.", "skyline", "sunset", ()),
    Caption("a cat is lay on the table.", "room", None, (("cat", None), ("table", None))),
    Caption(
        "a street scene with a double-decker bus on the road.", "street", None, (("bus", None),)
    ),
    Caption("A bird that is on a tree", "tree", None, (("bird", None), ("tree", None))),
    Caption(
        "A dog with goggles staring at the camera.",
        "portrait",
        None,
        (("dog", None), ("goggles", None)),
    ),
)

_NAMES: dict[str, tuple[str, ...]] = {
    "bus": ("bus", "bus", "double-decker bus", "double-decker bus", "double-decker"),
    "boat": ("boat", "boat", "sailing boat", "sailboat"),
    "balloon": ("balloon", "hot-air balloon", "hot-air balloon"),
    "tree": ("tree", "tree", "big tree"),
    "house": ("house", "house", "little house"),
    "cup": ("cup", "cup", "tea cup"),
    "table": ("table", "table", "wooden table"),
}
_TIME_PHRASES: dict[str, tuple[str, ...]] = {
    "day": (
        "by day",
        "during the day",
        "in the daytime",
        "in daylight",
        "on a sunny day",
        "in the sunshine",
    ),
    "sunset": (
        "at sunset",
        "at sunset",
        "at sundown",
        "in the evening sun",
        "as the sun goes down",
        "in the glow of the sunset",
    ),
    "night": ("at night", "at night", "by night", "after dark", "in the dark of night"),
}
_SCENE_NOUNS: dict[str, tuple[str, ...]] = {
    "skyline": (
        "skyline",
        "a skyline",
        "a city skyline",
        "the city skyline",
        "tall buildings",
        "the city",
        "a city with tall buildings",
    ),
    "sea": ("the sea", "the open sea", "the ocean", "the sea and the sky", "calm water"),
}
_PLACES: dict[str, tuple[str, ...]] = {
    "street": ("on the road", "on the street", "in the street", "on a road", "in a street"),
    "field": ("in a field", "in the field", "in a meadow", "on the grass", "in a grassy meadow"),
    "sea": ("on the sea", "on the water", "at sea", "on the ocean", "out on the sea"),
    "room": ("in a room", "in the room", "in a living room", "indoors"),
}
_GROUNDS: dict[str, tuple[str, ...]] = {
    "skyline": ("the city", "a city skyline", "the skyline", "tall buildings", "a skyline"),
    "field": ("a field", "the meadow", "the fields", "a grassy field"),
    "sea": ("the sea", "the water", "the ocean", "the open sea"),
}
_OVER = ("over", "above", "high over")
_BESIDE = ("next to", "next to", "beside", "by")
_FINITE_VERB = re.compile(r"(?<!that) (is|lies|sits) ")
_FRAMES = ("a picture of {}", "there is {}", "a drawing of {}", "here is {}", "we see {}")


def captions(scene: Scene, rng: np.random.Generator, count: int = 4) -> list[Caption]:
    """`count` random true captions of `scene`; repeats are possible."""
    return [_caption(scene, rng) for _ in range(count)]


def scene_for(caption: Caption, rng: np.random.Generator) -> Scene:
    """A random scene of which `caption` is true.

    Raises UsageError when the world has no such scene.
    """
    _check_names(caption)
    for _ in range(20_000):
        scene = sample_scene(rng, caption.scene, caption.time)
        matched = _with_named_colours(scene, caption)
        if matched is not None and _words_fit(caption.text, matched):
            return matched
    raise UsageError(
        f"The procedural world draws no scene for the caption {caption.text!r}; "
        "name a scene, a time and things that occur together in it."
    )


def describes(caption: Caption, scene: Scene) -> bool:
    """Whether everything that `caption` names is in `scene`."""
    if caption.scene not in (None, scene.scene) or caption.time not in (None, scene.time):
        return False
    drawn = {thing.kind: thing.colour for thing in scene.things}
    return all(kind in drawn and colour in (None, drawn[kind]) for kind, colour in caption.things)


def _check_names(caption: Caption) -> None:
    for name, known in ((caption.scene, SCENES), (caption.time, TIMES)):
        if name is not None and name not in known:
            raise UsageError(f"The procedural world has no {name!r}; choose from {known}.")
    for kind, colour in caption.things:
        if kind not in KIND_COLOURS or colour not in (None, *KIND_COLOURS[kind]):
            allowed = KIND_COLOURS.get(kind, tuple(KIND_COLOURS))
            raise UsageError(
                f"The procedural world has no {colour or ''} {kind}; choose from {allowed}."
            )


def _with_named_colours(scene: Scene, caption: Caption) -> Scene | None:
    """`scene` recoloured as `caption` names it; None when a named kind is not in it."""
    named = dict(caption.things)
    if not named.keys() <= {thing.kind for thing in scene.things}:
        return None
    things = tuple(
        replace(thing, colour=named.get(thing.kind) or thing.colour) for thing in scene.things
    )
    return replace(scene, things=things)


def _words_fit(text: str, scene: Scene) -> bool:
    """Whether pose and relation words of `text` hold in `scene`."""
    poses = {thing.pose for thing in scene.things}
    if re.search(r"\b(lying|lies|lay)\b", text) and "lying" not in poses:
        return False
    if re.search(r"\b(sitting|sits)\b", text) and not poses & {"sitting", "perched"}:
        return False
    return "in front of" not in text or scene.relation == "in front of"


def _caption(scene: Scene, rng: np.random.Generator) -> Caption:
    colours = [
        thing.colour if rng.random() < _colour_share(thing, index) else None
        for index, thing in enumerate(scene.things)
    ]
    things: list[tuple[str, str | None]] = []
    if not scene.things:
        text, named = _scene_phrase(scene, rng), True
    elif len(scene.things) == 2:
        text, named, things = _pair_phrase(scene, colours, rng)
    else:
        text, named = _single_phrase(scene, colours[0], rng)
        things = [(scene.things[0].kind, colours[0])]
    if rng.random() < 0.25 and not _FINITE_VERB.search(text):
        text = pick(rng, _FRAMES).format(text)
    time = scene.time if rng.random() < 0.62 else None
    if time is not None:
        phrase = pick(rng, _TIME_PHRASES[time])
        text = f"{phrase}, {text}" if rng.random() < 0.15 else f"{text} {phrase}"
    if rng.random() < 0.5:
        text = text[0].upper() + text[1:]
    if rng.random() < 0.5:
        text += "."
    return Caption(text, scene.scene if named else None, time, tuple(things))


def _colour_share(thing: Thing, index: int) -> float:
    """How often a thing's colour is named: rarely where the kind has only one."""
    if len(KIND_COLOURS[thing.kind]) == 1:
        return 0.15
    return 0.62 if index == 0 else 0.5


def _noun(thing: Thing, colour: str | None, rng: np.random.Generator, article: str = "a") -> str:
    words = f"{colour} " if colour else ""
    words += pick(rng, _NAMES.get(thing.kind, (thing.kind,)))
    if colour:
        words = words.replace("big ", "").replace("little ", "").replace("wooden ", "")
    if thing.kind == "goggles":
        return words
    return _article(words, article)


def _article(words: str, article: str = "a") -> str:
    if article == "a" and words[0] in "aeio":
        article = "an"
    return f"{article} {words}"


def _scene_phrase(scene: Scene, rng: np.random.Generator) -> str:
    return pick(rng, _SCENE_NOUNS[scene.scene])


def _single_phrase(scene: Scene, colour: str | None, rng: np.random.Generator) -> tuple[str, bool]:
    """Words for a scene with one thing, and whether they name the scene."""
    thing = scene.things[0]
    noun = _noun(thing, colour, rng)
    if rng.random() < 0.15:
        return noun, False
    if scene.relation == "over":
        ground = pick(rng, _GROUNDS[scene.scene])
        verb = pick(rng, ("", "flying ", "floating " if thing.kind == "balloon" else "in flight "))
        return f"{noun} {verb}{pick(rng, _OVER)} {ground}", True
    if scene.relation == "in front of":
        return f"{noun} in front of {pick(rng, _GROUNDS[scene.scene])}", True
    if scene.scene == "portrait":
        looks = pick(rng, ("staring at", "looking at", "looking into", "facing"))
        if rng.random() < 0.25:
            return f"the face of {noun}", True
        if rng.random() < 0.25:
            return f"a portrait of {noun}", True
        return f"{noun} {looks} the camera", True
    if scene.scene == "street" and rng.random() < 0.25:
        tail = pick(rng, (" on the road", "", " in the street"))
        return f"{pick(rng, ('a street scene', 'a street'))} with {noun}{tail}", True
    if scene.scene == "field" and rng.random() < 0.15:
        return f"{pick(rng, ('a field', 'a meadow'))} with {noun}", True
    verbs = [""]
    if thing.pose in ("sitting", "standing"):
        verbs += [f"{thing.pose} ", f"is {thing.pose} ", f"that is {thing.pose} "]
    elif thing.kind in ("bus", "car"):
        verbs += ["driving ", "is "]
    elif thing.kind == "boat":
        verbs += ["sailing ", "is sailing "]
    elif thing.kind == "ball" and scene.scene == "sea":
        verbs += ["floating "]
    place = pick(rng, _PLACES[scene.scene])
    return f"{noun} {pick(rng, verbs)}{place}", True


def _pair_phrase(
    scene: Scene, colours: list[str | None], rng: np.random.Generator
) -> tuple[str, bool, list[tuple[str, str | None]]]:
    """Words for a scene with two things, whether they name the scene, and what they name."""
    first, second = scene.things
    one = (first.kind, colours[0])
    two = (second.kind, colours[1])
    noun = _noun(first, colours[0], rng)
    if rng.random() < 0.10:
        return noun, False, [one]
    if scene.relation == "wearing":
        joined = f"{noun} {pick(rng, ('wearing', 'with', 'in', 'that is wearing'))} "
        joined += _noun(second, colours[1], rng)
        if rng.random() < 0.5:
            joined += f" {pick(rng, ('staring at', 'looking at', 'facing'))} the camera"
        return joined, True, [one, two]
    if scene.relation == "on":
        base = _noun(second, colours[1], rng, pick(rng, ("a", "the")))
        text = f"{noun} {pick(rng, _resting(first))}on {base}"
        if scene.scene == "room" and rng.random() < 0.2:
            text += f" {pick(rng, _PLACES['room'])}"
        return text, True, [one, two]
    place = ""
    if rng.random() < 0.6:
        place = " " + pick(rng, _PLACES[scene.scene])
    if scene.relation == "in front of":
        verb = pick(rng, ("", f"{first.pose} " if first.pose else "", "is "))
        text = f"{noun} {verb}in front of {_noun(second, colours[1], rng)}"
    else:
        other = _noun(second, colours[1], rng)
        if rng.random() < 0.4:
            noun, other, one, two = other, noun, two, one
        joint = pick(rng, (*_BESIDE, "and"))
        text = f"{noun} {joint} {other}"
    return f"{text}{place}", bool(place), [one, two]


def _resting(thing: Thing) -> tuple[str, ...]:
    if thing.pose == "lying":
        return ("lying ", "is lying ", "is lay ", "that is lying ", "lies ", "")
    if thing.pose in ("sitting", "perched"):
        return ("sitting ", "is sitting ", "that is ", "sits ", "that sits ", "")
    return ("", "", "is ", "that is ")
