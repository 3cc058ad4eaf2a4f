"""The built-in models' vocabulary: no false alarm, and what is near its words."""

import numpy as np
import pytest

from evo_t2i.caption_check import doubts
from evo_t2i.vocabulary import (
    MOST_UNKNOWN,
    NEAR,
    READ_AS,
    WorldVocabulary,
    canonical_captions,
    meanings,
)
from evo_t2i.world import HELD_OUT_WORDS, NAMES, NOTES_CAPTIONS, captions, sample_scene

UNRELATED = "dragon guitar pizza volcano spider banana keyboard hammer violin telescope octopus"
UNRELATED += " mushroom necklace toothbrush sandwich democracy algebra galaxy calculator justice"


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVO_T2I_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield WorldVocabulary()


def test_no_false_alarm_on_the_notes_captions_and_500_of_the_grammar():
    vocabulary = WorldVocabulary()
    spoken = [caption.text for caption in NOTES_CAPTIONS]
    for number in range(500):
        rng = np.random.default_rng([31, number])
        spoken.append(captions(sample_scene(rng), rng, 1)[0].text)
    assert [text for text in spoken if doubts(text, vocabulary)] == []
    assert "_encoder" not in vars(vocabulary)  # nothing had to be loaded for that


def test_what_is_suggested_works():
    known = canonical_captions()
    assert 180 <= len(known) == len(set(known)) <= 220
    vocabulary = WorldVocabulary()
    assert [text for text in known if doubts(text, vocabulary)] == []
    assert set(NAMES) <= set(meanings().values())


@pytest.mark.parametrize(
    ("word", "known"),
    [("cats", True), ("dog's", True), ("double-decker", True), ("snow-white", True),
     ("settee", False), ("cat-like", False), ("dragon", False)],
)  # fmt: skip
def test_forms_of_taught_words_are_known(word, known):
    assert WorldVocabulary().knows(word) is known


def test_the_threshold_tells_other_words_for_things_from_unrelated_ones(vocabulary):
    held_out = list(HELD_OUT_WORDS)[::2]
    near = vocabulary.nearest(held_out)
    assert np.mean([name is not None for name in near]) > 0.5
    right = [
        name == HELD_OUT_WORDS[word]
        for word, name in zip(held_out, near, strict=True)
        if name is not None
    ]
    assert np.mean(right) > 0.7
    far = vocabulary.nearest(UNRELATED.split())
    assert np.mean([name is not None for name in far]) < 0.25
    assert 0.3 < NEAR < 0.6


def test_real_captions(vocabulary):
    said = doubts("a dragon on a table", vocabulary)
    assert said[0] == 'Words that the generator was not taught: "dragon".'
    suggested = said[1].split('"')[1::2]
    assert len(said) == 2
    assert len(suggested) == 3
    assert set(suggested) <= set(canonical_captions())
    assert any("table" in text for text in suggested)
    assert doubts("a mug", vocabulary) == ['Not taught, but near words that were: "mug" (cup).']
    assert "cat" in doubts("five cats on a sofa", vocabulary)[1] + doubts("six cats", vocabulary)[1]
    assert "French" in doubts("un chat sur la table", vocabulary)[0]


def test_unknown_words_are_read_as_the_names_near_them(vocabulary):
    found = vocabulary.readings("A schoolgirl (red) beside two pups and a Hauler")
    texts, weights = zip(*found, strict=True)
    assert len(texts) == len(set(texts)) == READ_AS**2
    assert sum(weights) == pytest.approx(1)
    assert texts[int(np.argmax(weights))] == "A girl (red) beside two pups and a truck"
    assert all("schoolgirl" not in text and "Hauler" not in text for text in texts)


def test_a_text_of_taught_words_is_read_as_it_stands(vocabulary):
    assert vocabulary.readings("A red cat.") == [("A red cat.", 1.0)]


def test_words_that_are_near_no_name_stay(vocabulary):
    caption = "a photorealistic dog, running"
    assert vocabulary.readings(caption) == [(caption, 1.0)]


def test_of_many_unknown_words_the_first_are_read_as_others(vocabulary):
    found = vocabulary.readings("schoolgirl photorealistic hauler hare dinghy")
    assert len(found) == READ_AS**MOST_UNKNOWN
    assert all(" photorealistic " in text and text.endswith(" dinghy") for text, _ in found)
