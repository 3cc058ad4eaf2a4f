"""Captions tell the truth, and their records agree with their words."""

import re

import numpy as np
import pytest

from evo_t2i.world import (
    CAPTION_KINDS,
    COLOURS,
    GROUPS,
    HELD_OUT_WORDS,
    KIND_COLOURS,
    KINDS,
    NAMES,
    NOTES_CAPTIONS,
    RELATIONS,
    SCENES,
    TIMES,
    Caption,
    captions,
    describes,
    holds,
    kind_of_caption,
    sample_scene,
    shows_own,
    truth_of,
)
from evo_t2i.world.words import NOUNS, STREET_LAMP, plural

TIME_WORDS = {
    "day": r"\bday|daytime|daylight|sunshine|blue sky",
    "sunset": r"sunset|sundown|evening|sun goes down|sun setting",
    "night": r"night|dark|stars",
}


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(11)
    scenes = [sample_scene(rng) for _ in range(2500)]
    return [(scene, captions(scene, rng)) for scene in scenes]


def test_same_seed_gives_same_captions():
    def draw():
        rng = np.random.default_rng(5)
        return [captions(sample_scene(rng), rng) for _ in range(50)]

    assert draw() == draw()


def test_captions_name_only_what_is_drawn(samples):
    for scene, texts in samples:
        assert len(texts) == 4
        assert all(describes(caption, scene) for caption in texts)


def test_every_scene_time_kind_colour_relation_and_count_occurs(samples):
    things = [thing for scene, _ in samples for thing in scene.things]
    assert {scene.scene for scene, _ in samples} == set(SCENES)
    assert {scene.time for scene, _ in samples} == set(TIMES)
    assert {thing.kind for thing in things} == set(KINDS)
    assert {colour for _, colour in {(t.kind, t.colour) for t in things}} == set(COLOURS)
    said = [caption for _, texts in samples for caption in texts]
    assert {relation for c in said for _, relation, _ in c.relations} == set(RELATIONS)
    assert {kind for c in said for kind, _, _ in c.things} == set(NAMES)
    assert {count for c in said for _, _, count in c.things} == {1, 2, 3}
    assert {kind_of_caption(c) for c in said} == set(CAPTION_KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_is_rare(samples, kind):
    share = np.mean([any(t.kind == kind for t in scene.things) for scene, _ in samples])
    assert share >= 0.01


def _kinds_in(text: str) -> set[str]:
    """The names whose words stand in `text`; longer names first, each word counts once."""
    words = {}
    for name, nouns in NOUNS.items():
        for noun in (*nouns, *(STREET_LAMP if name == "lamp" else ())):
            words[noun] = words[plural(noun)] = name
    found = set()
    for noun in sorted(words, key=len, reverse=True):
        if re.search(rf"\b{noun}\b", text):
            found.add(words[noun])
            text = re.sub(rf"\b{noun}\b", "#", text)
    return found


def test_record_agrees_with_the_words(samples):
    for _, texts in samples:
        for caption in texts:
            text = caption.text.lower()
            for phrase in ("by the river", "in front of mountains", "row of houses"):
                text = text.replace(phrase, "")
            assert _kinds_in(text) == {kind for kind, _, _ in caption.things}, caption
            times = [time for time, words in TIME_WORDS.items() if re.search(words, text)]
            assert times == ([caption.time] if caption.time else []), caption
            plain = re.sub(r"green field|blue sky", "", text).replace("gray", "grey")
            colours = {colour for colour in COLOURS if re.search(rf"\b{colour}\b", plain)}
            assert colours == {colour for _, colour, _ in caption.things if colour}, caption


def test_sides_are_the_viewers(samples):
    checked = 0
    for scene, texts in samples:
        for caption in texts:
            for subject, relation, other in caption.relations:
                if relation not in ("left of", "right of"):
                    continue
                middles = []
                for index in (subject, other):
                    kinds = GROUPS.get(caption.things[index][0], (caption.things[index][0],))
                    x0, _, x1, _ = next(t.box for t in scene.things if t.kind in kinds)
                    middles.append(x0 + x1)
                assert (middles[0] < middles[1]) == (relation == "left of"), caption
                checked += 1
    assert checked > 300


def test_captions_never_use_held_out_words(samples):
    held = re.compile(rf"\b({'|'.join(HELD_OUT_WORDS)})(s|es)?\b", re.IGNORECASE)
    assert [c.text for _, texts in samples for c in texts if held.search(c.text)] == []


def test_held_out_words_stand_for_what_the_world_has():
    known = {*KINDS, *COLOURS, *SCENES, *TIMES}
    assert set(HELD_OUT_WORDS.values()) <= known
    assert set(KINDS) <= set(HELD_OUT_WORDS.values())


def test_captions_vary(samples):
    texts = [caption for _, some in samples for caption in some]
    assert 0.5 < np.mean([c.time is not None for c in texts]) < 0.65
    assert 0.4 < np.mean([c.text.endswith(".") for c in texts]) < 0.6
    assert len({c.text for c in texts}) > 0.9 * len(texts)
    named = [c.scene is not None for c in texts]
    assert 0.3 < np.mean(named) < 0.8


@pytest.mark.parametrize("wanted", NOTES_CAPTIONS, ids=lambda caption: caption.text)
def test_notes_captions_can_come_out(wanted):
    rng = np.random.default_rng(3)
    said = wanted.text.lower().rstrip(".")
    for _ in range(40_000):
        (caption,) = captions(sample_scene(rng, wanted), rng, 1)
        if caption.text.lower().rstrip(".") == said:
            return
    pytest.fail(f"{wanted.text!r} never came out")


def test_colours_are_those_of_the_kind(samples):
    for scene, _ in samples:
        assert all(thing.colour in KIND_COLOURS[thing.kind] for thing in scene.things)


def named(*things: tuple[str, str | None, int], relations=()) -> Caption:
    return Caption("", things=things, relations=relations)


@pytest.mark.parametrize(
    ("caption", "kind"),
    [
        (named(("cat", None, 1)), "one thing"),
        (named(("cat", "white", 1)), "colours"),
        (named(("cat", "white", 2)), "counting"),
        (named(("cat", None, 1), ("dog", None, 1)), "two things"),
        (named(("cat", None, 1), ("dog", None, 1), relations=((0, "left of", 1),)), "position"),
        (named(("cat", "white", 1), ("dog", "black", 1)), "colour of each"),
        (named(("cat", None, 1), ("dog", None, 1), ("cup", None, 1)), "other"),
        (named(), "other"),
    ],
)
def test_kinds_of_caption(caption, kind):
    assert kind_of_caption(caption) == kind


def test_arrays_say_what_describes_says(samples):
    scenes = [scene for scene, _ in samples[:300]]
    said = [texts[0] for _, texts in samples[:300]]
    shown, asked = truth_of(scenes), truth_of(said)
    table = holds(shown, asked)
    for row in range(0, 300, 7):
        for column in range(300):
            assert table[row, column] == describes(said[column], scenes[row])
    assert table.diagonal().all()
    assert shows_own(shown, asked).all()
    assert table.mean() < 0.05


def test_truth_counts_groups(samples):
    for scene, _ in samples[:300]:
        shown = truth_of([scene])
        for group, kinds in GROUPS.items():
            count = sum(thing.kind in kinds for thing in scene.things)
            assert shown.counts[0, NAMES.index(group)] == count


def test_unknown_poses_may_be_any(samples):
    scene, caption = next(
        (scene, c) for scene, texts in samples for c in texts if "lying" in c.poses
    )
    shown, asked = truth_of([scene]), truth_of([caption])
    shown.poses[:] = -1
    assert holds(shown, asked)[0, 0]
    shown.poses[:, NAMES.index("cat")] = 0
    assert not holds(shown, asked)[0, 0]
