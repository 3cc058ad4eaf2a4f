"""English captions of scenes, each with a record of what its words name."""

from dataclasses import dataclass, field

import numpy as np

from evo_t2i.world.arrangements import MOUNTS, SKY
from evo_t2i.world.asked import Caption, facts
from evo_t2i.world.kinds import GROUPS, KIND_COLOURS, POSES, members
from evo_t2i.world.scenes import Scene, Thing
from evo_t2i.world.words import (
    COUNTS,
    EMPTY,
    FILLERS,
    FRAMES,
    GROUNDS,
    JOINTS,
    LIGHTS,
    LOOKS,
    NOUNS,
    PLACES,
    RESTING,
    SCENE_FIRST,
    SIZE_WORDS,
    STREET_LAMP,
    TIME_PHRASES,
    plural,
)

NOTES_CAPTIONS: tuple[Caption, ...] = (
    Caption("skyline at sunset.", "skyline", "sunset"),
    Caption(
        "a cat is lay on the table.",
        None,
        None,
        (("cat", None, 1), ("table", None, 1)),
        ((0, "on", 1),),
        ("lying", None),
    ),
    Caption(
        "a street scene with a double-decker bus on the road.",
        "street",
        None,
        (("bus", None, 1),),
    ),
    Caption(
        "A bird that is on a tree",
        None,
        None,
        (("bird", None, 1), ("tree", None, 1)),
        ((0, "on", 1),),
    ),
    Caption(
        "A dog with goggles staring at the camera.",
        "portrait",
        None,
        (("dog", None, 1), ("goggles", None, 1)),
        ((0, "wearing", 1),),
    ),
)

CAPTION_KINDS = (
    "one thing",
    "two things",
    "counting",
    "colours",
    "position",
    "colour of each",
    "other",
)
"""The kinds of caption by which GenEval reports (Ghosh et al., 2023), and the rest."""


def kind_of_caption(caption: Caption) -> str:
    """Which of `CAPTION_KINDS` a caption is.

    One thing alone is "one thing", with a colour "colours". A numeral makes "counting"; two things
    are "colour of each" when both colours are named, else "position" when a relation is.
    """
    if any(count > 1 for _, _, count in caption.things):
        return "counting"
    coloured = [colour is not None for _, colour, _ in caption.things]
    if len(coloured) == 1:
        return "colours" if coloured[0] else "one thing"
    if len(coloured) == 2:
        if all(coloured):
            return "colour of each"
        return "position" if caption.relations else "two things"
    return "other"


def captions(scene: Scene, rng: np.random.Generator, count: int = 4) -> list[Caption]:
    """`count` random true captions of `scene`; repeats are possible."""
    return [_caption(scene, rng) for _ in range(count)]


def describes(caption: Caption, scene: Scene) -> bool:
    """Whether everything that `caption` names is in `scene`."""
    if caption.scene not in (None, scene.scene) or caption.time not in (None, scene.time):
        return False
    poses = caption.poses or (None,) * len(caption.things)
    slots = []
    for (kind, colour, count), pose in zip(caption.things, poses, strict=True):
        shown = [thing for thing in scene.things if thing.kind in members(kind)]
        if len(shown) != count:
            return False
        if any(colour not in (None, thing.colour) for thing in shown):
            return False
        if any(pose not in (None, thing.pose) for thing in shown):
            return False
        slots.append(shown[0].slot)
    known = facts(scene.arrangement, scene.mirrored)
    return all((slots[a], relation, slots[b]) in known for a, relation, b in caption.relations)


@dataclass
class _Draft:
    """A caption in the making: words so far, what they name, and whether they are a sentence.

    time: named already, so that no phrase for it follows.
    """

    text: str = ""
    scene: str | None = None
    time: str | None = None
    things: list[tuple[str, str | None, int]] = field(default_factory=list)
    poses: list[str | None] = field(default_factory=list)
    relations: list[tuple[int, str, int]] = field(default_factory=list)
    finite: bool = False


class _Speaker:
    """Words for one scene, chosen by a generator."""

    def __init__(self, scene: Scene, rng: np.random.Generator) -> None:
        self.scene = scene
        self.rng = rng
        self.draft = _Draft()
        slots: dict[int, list[Thing]] = {}
        for thing in scene.things:
            slots.setdefault(thing.slot, []).append(thing)
        self.slots = [slots[slot] for slot in sorted(slots)]

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def pick(self, items: tuple[str, ...] | list[str]) -> str:
        return items[int(self.rng.random() * len(items))]

    def name(self, slot: int, article: str = "a") -> str:
        """Words for the things of `slot`, which the draft notes as named."""
        things = self.slots[slot]
        kind, colour = things[0].kind, things[0].colour
        said = colour if self.chance(self._colour_share(kind, slot)) else None
        called = kind
        for group, kinds in GROUPS.items():
            alone = sum(t.kind in kinds for some in self.slots for t in some) == len(things)
            if kind in kinds and alone and self.chance(0.06):
                called = group
        self.draft.things.append((called, said, len(things)))
        self.draft.poses.append(None)
        names = NOUNS[called]
        if kind == "lamp":
            names = STREET_LAMP if things[0].pose == "street" else NOUNS["lamp"]
        noun = self.pick(names)
        person = kind in GROUPS["person"]
        if said and not person:
            for word in SIZE_WORDS:
                noun = noun.removeprefix(word)
            shade = "gray" if said == "grey" and self.chance(0.3) else said
            noun = f"{shade} {noun}"
            if "pair of " in noun:
                noun = f"pair of {shade} goggles"
        elif self.chance(0.04) and not noun.startswith((*SIZE_WORDS, "pair")):
            noun = f"{self.pick(FILLERS)} {noun}"
        if len(things) > 1:
            words = f"{self.pick(COUNTS[len(things)])} {plural(noun)}"
        elif noun.endswith("goggles") and not noun.startswith("pair"):
            words = noun
        elif self.chance(0.03) and article == "a":
            words = f"one {noun}"
        else:
            words = _article(noun, article)
        return words + (self._dress(kind, said, len(things)) if said and person else "")

    def _dress(self, kind: str, colour: str, count: int) -> str:
        shade = "gray" if colour == "grey" else colour
        if count > 1:
            return self.pick((f" in {shade}", f" dressed in {shade}", f" in {shade} clothes"))
        garment = "dress" if kind in ("woman", "girl") and self.chance(0.5) else "shirt"
        if self.scene.arrangement.startswith("wearing"):
            return f" in a {shade} {garment}" if shade != "orange" else f" in an orange {garment}"
        dressed = f"{_article(f'{shade} {garment}')}"
        return self.pick(
            (f" in {dressed}", f" in {shade}", f" wearing {dressed}", f" in {dressed}")
        )

    def _colour_share(self, kind: str, slot: int) -> float:
        if len(KIND_COLOURS[kind]) == 1:
            return 0.12
        return 0.58 if slot == 0 else 0.5

    def relate(self, subject: int, relation: str, other: int) -> None:
        self.draft.relations.append((subject, relation, other))

    def verb(self, slot: int, index: int) -> str:
        """A verb for the pose of `slot`, with a space after it, or nothing."""
        pose = self.slots[slot][0].pose
        if pose not in POSES or self.chance(0.5):
            return self._unposed(slot)
        words = self.pick(RESTING[pose])
        if len(self.slots[slot]) > 1:
            words = words.replace("is ", "are ").replace("sits", "sit").replace("lies", "lie")
            words = words.replace("stands", "stand")
        if words.split()[0] in ("is", "are", "sits", "sit", "lies", "lie", "stands", "stand"):
            self.draft.finite = True
        self.draft.poses[index] = pose
        return f"{words} "

    def _unposed(self, slot: int) -> str:
        kind, several = self.slots[slot][0].kind, len(self.slots[slot]) > 1
        if self.chance(0.2):
            share = self.pick(("is", "that is"))
            self.draft.finite = self.draft.finite or share == "is"
            return (share.replace("is", "are") if several else share) + " "
        if self.chance(0.25):
            if kind in ("bus", "car", "truck") and self.scene.scene == "street":
                return "driving "
            if kind == "boat":
                return "sailing "
            if kind in ("horse", "cow", "sheep") and self.scene.scene == "field":
                return "grazing "
            if kind == "duck" and self.scene.scene == "sea":
                return "swimming "
        return ""


def _article(words: str, article: str = "a") -> str:
    if article == "a" and words[0] in "aeio":
        article = "an"
    if article == "a" and words.startswith("umbrella"):
        article = "an"
    return f"{article} {words}"


def _caption(scene: Scene, rng: np.random.Generator) -> Caption:
    speaker = _Speaker(scene, rng)
    _PHRASES[scene.arrangement](speaker)
    draft = speaker.draft
    text = draft.text
    if not draft.finite and speaker.chance(0.25):
        several = any(count > 1 for _, _, count in draft.things[:1])
        frame = speaker.pick(FRAMES)
        text = (frame.replace(" is ", " are ") if several else frame).format(text)
    time = draft.time or (scene.time if speaker.chance(0.55) else None)
    if time is not None and draft.time is None:
        phrase = speaker.pick(TIME_PHRASES[time])
        first = speaker.chance(0.15) and not text.startswith("on the left")
        text = f"{phrase}, {text}" if first else f"{text} {phrase}"
    if speaker.chance(0.05):
        text = _telegraphic(text)
    if speaker.chance(0.5):
        text = text[0].upper() + text[1:]
    if speaker.chance(0.5):
        text += "."
    poses = tuple(draft.poses) if any(draft.poses) else ()
    relations = tuple(draft.relations)
    return Caption(text, draft.scene, time, tuple(draft.things), relations, poses)


def _telegraphic(text: str) -> str:
    """Without articles."""
    return " ".join(word for word in text.split() if word not in ("a", "an", "the")) or text


def _place(speaker: _Speaker, share: float = 0.6) -> str:
    """Where it is, with a space before it; noted as named."""
    scene = speaker.scene.scene
    if scene not in PLACES or not speaker.chance(share):
        return ""
    speaker.draft.scene = scene
    return f" {speaker.pick(PLACES[scene])}"


def _empty(speaker: _Speaker) -> None:
    draft, scene = speaker.draft, speaker.scene.scene
    draft.scene = scene
    time = speaker.scene.time
    if time in LIGHTS and speaker.chance(0.2):
        draft.time = time
        draft.text = f"{speaker.pick(LIGHTS[time])} {speaker.pick(GROUNDS[scene])}"
    else:
        draft.text = speaker.pick(EMPTY[scene])


def _one(speaker: _Speaker) -> None:
    draft, scene = speaker.draft, speaker.scene.scene
    thing = speaker.slots[0][0]
    noun = speaker.name(0)
    if scene == "portrait":
        _face(speaker, noun)
    elif thing.kind in SKY and thing.pose != "perched":
        if speaker.chance(0.2):
            draft.text = noun + speaker.pick(("", " in the sky"))
            return
        draft.scene = scene
        verb = speaker.verb(0, 0)
        draft.text = (
            f"{noun} {verb}{speaker.pick(('over', 'above'))} {speaker.pick(GROUNDS[scene])}"
        )
    elif scene == "skyline":
        draft.scene = scene
        draft.text = f"{noun} in front of {speaker.pick(GROUNDS[scene])}"
    elif scene in SCENE_FIRST and speaker.chance(0.12):
        draft.scene = scene
        road = speaker.pick(("", " on the road")) if scene == "street" else ""
        draft.text = f"{speaker.pick(SCENE_FIRST[scene])} {noun}{road}"
    else:
        place = _place(speaker, 0.62)
        verb = speaker.verb(0, 0) if place or speaker.chance(0.3) else ""
        if verb.strip() in ("is", "are", "that is", "that are") and not place:
            verb, draft.finite = "", False
        draft.text = f"{noun} {verb}{place.strip()}".strip()


def _face(speaker: _Speaker, noun: str) -> None:
    draft = speaker.draft
    draft.scene = "portrait"
    if speaker.chance(0.25):
        draft.text = f"the face of {noun}"
    elif speaker.chance(0.35):
        draft.text = f"{speaker.pick(('a portrait of', 'a close-up of'))} {noun}"
    else:
        draft.text = f"{noun} {speaker.pick(LOOKS)}"


def _beside(speaker: _Speaker) -> None:
    draft = speaker.draft
    if speaker.chance(0.08):
        draft.text = speaker.name(int(speaker.chance(0.5))) + _place(speaker)
        return
    left, right = (1, 0) if speaker.scene.mirrored else (0, 1)
    turned = speaker.chance(0.5)
    first, second = (right, left) if turned else (left, right)
    way = speaker.rng.random()
    one = speaker.name(first)
    if way < 0.45:
        relation = "right of" if turned else "left of"
        verb = speaker.verb(first, 0) if speaker.chance(0.4) else ""
        joint = speaker.pick(JOINTS[relation])
        draft.text = f"{one} {verb}{joint} {speaker.name(second)}"
        speaker.relate(0, relation, 1)
    elif way < 0.55:
        sides = ("right", "left") if turned else ("left", "right")
        speaker.relate(0, "right of" if turned else "left of", 1)
        other = speaker.name(second)
        draft.text = speaker.pick(
            (
                f"{one} on the {sides[0]} and {other} on the {sides[1]}",
                f"on the {sides[0]} {one}, on the {sides[1]} {other}",
            )
        )
    elif way < 0.75:
        draft.text = f"{one} {speaker.pick(JOINTS['next to'])} {speaker.name(second)}"
        speaker.relate(0, "next to", 1)
    else:
        draft.text = f"{one} and {speaker.name(second)}"
        if speaker.chance(0.2):
            draft.text += " side by side"
            speaker.relate(0, "next to", 1)
    draft.text += _place(speaker, 0.45)


def _row(speaker: _Speaker) -> None:
    draft = speaker.draft
    order = [2, 1, 0] if speaker.scene.mirrored else [0, 1, 2]
    way = speaker.rng.random()
    if way < 0.3:
        one, two, three = (speaker.name(slot) for slot in order)
        draft.text = speaker.pick(
            (
                f"from left to right: {one}, {two} and {three}",
                f"{one}, {two}, {three}, left to right",
            )
        )
        speaker.relate(0, "left of", 1)
        speaker.relate(1, "left of", 2)
    elif way < 0.8:
        shuffled = [order[i] for i in speaker.rng.permutation(3)]
        one, two, three = (speaker.name(slot) for slot in shuffled)
        draft.text = f"{one}, {two} and {three}" + speaker.pick(("", "", " in a row"))
    else:
        first, second = sorted(int(i) for i in speaker.rng.permutation(3)[:2])
        one = speaker.name(order[first])
        draft.text = f"{one} {speaker.pick(JOINTS['left of'])} {speaker.name(order[second])}"
        speaker.relate(0, "left of", 1)
    draft.text += _place(speaker, 0.4)


def _related(speaker: _Speaker) -> None:
    """A thing on, under, in front of or over another."""
    draft, relation = speaker.draft, speaker.scene.arrangement
    if speaker.chance(0.07):
        draft.text = speaker.name(0) + (_place(speaker) if relation != "over" else "")
        return
    if relation == "on" and speaker.chance(0.12) and speaker.slots[1][0].kind not in MOUNTS:
        base = speaker.name(1)
        it = speaker.pick(("on it", "on top"))
        draft.text = f"{base} with {speaker.name(0)} {it}"
        speaker.relate(1, "on", 0)
    elif relation in ("in front of", "under") and speaker.chance(0.12):
        base = speaker.name(1)
        joint = "behind" if relation == "in front of" else "above"
        draft.text = f"{base} {joint} {speaker.name(0)}"
        speaker.relate(1, relation, 0)
    else:
        noun = speaker.name(0)
        verb = speaker.verb(0, 0)
        joint = speaker.pick(JOINTS[relation])
        if speaker.slots[1][0].kind == "tree" and relation == "on":
            joint = speaker.pick(("on", "on", "in", "on the branch of"))
        if relation == "on" and speaker.slots[1][0].kind in MOUNTS:
            verb, draft.finite = "", False
            joint = speaker.pick(("riding", "riding", "riding on", "on", "that is riding"))
        article = speaker.pick(("a", "a", "the"))
        draft.text = f"{noun} {verb}{joint} {speaker.name(1, article)}"
        speaker.relate(0, relation, 1)
    draft.text += _place(speaker, 0.0 if relation == "over" else 0.3)


def _wearing(speaker: _Speaker) -> None:
    draft = speaker.draft
    noun = speaker.name(0)
    if speaker.chance(0.05):
        _face(speaker, noun)
        return
    joint = speaker.pick(JOINTS["wearing"])
    worn = list(range(1, len(speaker.slots)))
    if speaker.chance(0.5):
        worn.reverse()
    names = []
    for number, slot in enumerate(worn):
        names.append(speaker.name(slot))
        speaker.relate(0, "wearing", number + 1)
    draft.text = f"{noun} {joint} {' and '.join(names)}"
    if speaker.chance(0.35):
        draft.scene = "portrait"
        draft.text += f" {speaker.pick(LOOKS)}"


_PHRASES = {
    "empty": _empty,
    "one": _one,
    "beside": _beside,
    "row": _row,
    "on": _related,
    "under": _related,
    "in front of": _related,
    "over": _related,
    "wearing": _wearing,
    "wearing both": _wearing,
}
