"""Scenes and captions: what occurs, and that captions tell the truth."""

import re

import numpy as np
import pytest

from evo_t2i.errors import UsageError
from evo_t2i.world.grammar import (
    COLOURS,
    KIND_COLOURS,
    KINDS,
    NOTES_CAPTIONS,
    SCENES,
    TIMES,
    Caption,
    captions,
    describes,
    sample_scene,
    scene_for,
)

HELD_OUT = [
    "kitten",
    "puppy",
    "metropolis",
    "dusk",
    "vessel",
    "automobile",
    "downtown",
    "cottage",
    "sparrow",
    "lawn",
    "twilight",
    "midnight",
    "mug",
    "ship",
]
KIND_WORDS = {kind: rf"\b{kind}\b" for kind in KINDS} | {
    "bus": r"\b(bus|double-decker)\b",
    "boat": r"\b(boat|sailboat)\b",
}
TIME_WORDS = {
    "day": r"day|sunshine",
    "sunset": r"sunset|sundown|evening|sun goes down",
    "night": r"night|after dark",
}


@pytest.fixture(scope="module")
def samples():
    rng = np.random.default_rng(11)
    scenes = [sample_scene(rng) for _ in range(3000)]
    return [(scene, captions(scene, rng)) for scene in scenes]


def test_same_seed_gives_same_scenes_and_captions():
    def draw():
        rng = np.random.default_rng(5)
        scenes = [sample_scene(rng) for _ in range(50)]
        return [(scene, captions(scene, rng)) for scene in scenes]

    assert draw() == draw()


def test_every_scene_time_kind_and_colour_occurs(samples):
    things = [thing for scene, _ in samples for thing in scene.things]
    assert {scene.scene for scene, _ in samples} == set(SCENES)
    assert {scene.time for scene, _ in samples} == set(TIMES)
    pairs = {(kind, colour) for kind in KINDS for colour in KIND_COLOURS[kind]}
    assert {(thing.kind, thing.colour) for thing in things} == pairs
    assert {colour for _, colour in pairs} == set(COLOURS)


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_is_rare(samples, kind):
    share = np.mean([any(t.kind == kind for t in scene.things) for scene, _ in samples])
    assert share >= 0.03


def test_at_most_three_things_and_boxes_mostly_inside(samples):
    for scene, _ in samples:
        assert len(scene.things) <= 3
        for thing in scene.things:
            x0, y0, x1, y1 = thing.box
            assert -0.08 <= x0 < x1 <= 1.08
            assert -0.08 <= y0 < y1 <= 1.08


def test_captions_name_only_what_is_drawn(samples):
    for scene, texts in samples:
        assert len(texts) == 4
        assert all(describes(caption, scene) for caption in texts)


def test_record_agrees_with_the_words(samples):
    for _, texts in samples:
        for caption in texts:
            text = caption.text.lower()
            kinds = {kind for kind, words in KIND_WORDS.items() if re.search(words, text)}
            assert kinds == {kind for kind, _ in caption.things}, caption
            times = [time for time, words in TIME_WORDS.items() if re.search(words, text)]
            assert times == ([caption.time] if caption.time else []), caption
            colours = {colour for colour in COLOURS if re.search(rf"\b{colour}\b", text)}
            assert colours == {colour for _, colour in caption.things if colour}, caption


def test_captions_avoid_held_out_words_and_sides(samples):
    forbidden = re.compile(rf"\b({'|'.join([*HELD_OUT, 'left', 'right'])})s?\b", re.IGNORECASE)
    found = [c.text for _, texts in samples for c in texts if forbidden.search(c.text)]
    assert found == []


def test_captions_vary_in_what_they_name(samples):
    texts = [(scene, caption) for scene, some in samples for caption in some]
    named = [c.time is not None for _, c in texts]
    main = [
        dict(c.things).get(scene.things[0].kind) is not None for scene, c in texts if scene.things
    ]
    assert 0.55 < np.mean(named) < 0.70
    assert np.mean(main) >= 0.5
    assert 0.4 < np.mean([c.text.endswith(".") for _, c in texts]) < 0.6
    assert any(c.scene is None for _, c in texts)


@pytest.mark.parametrize("wanted", NOTES_CAPTIONS, ids=lambda caption: caption.text)
def test_notes_captions_can_come_out(wanted):
    rng = np.random.default_rng(3)
    said = wanted.text.lower().rstrip(".")
    for _ in range(40_000):
        scene = scene_for(wanted, rng)
        for caption in captions(scene, rng, 1):
            if caption.text.lower().rstrip(".") == said:
                assert (caption.scene, caption.time) == (wanted.scene, wanted.time)
                assert set(caption.things) == set(wanted.things)
                return
    pytest.fail(f"{wanted.text!r} never came out")


def test_scene_for_honours_what_the_caption_names(samples):
    rng = np.random.default_rng(4)
    for _, texts in samples[:150]:
        for caption in texts:
            assert describes(caption, scene_for(caption, rng))


def test_scene_for_honours_the_pose():
    rng = np.random.default_rng(4)
    for _ in range(10):
        assert scene_for(NOTES_CAPTIONS[1], rng).things[0].pose == "lying"


def test_scene_for_refuses_what_the_world_cannot_draw():
    rng = np.random.default_rng(4)
    with pytest.raises(UsageError, match="blue cat"):
        scene_for(Caption("a blue cat", None, None, (("cat", "blue"),)), rng)
    with pytest.raises(UsageError, match="no scene"):
        scene_for(Caption("a bus at sea", "sea", None, (("bus", None),)), rng)
