"""What is said before the search, with a small vocabulary of its own."""

import pytest

from evo_t2i.caption_check import (
    counts_above,
    doubts,
    foreign_script,
    language_of,
    unknown_words,
)


class Small:
    """Knows ten words; "mug" is near "cup"."""

    most = 3
    taught = frozenset(["cat", "dog", "table", "bus", "red", "two", "three", "sunset", "cup"])

    def __init__(self):
        self.asked = []

    def knows(self, word):
        return word in self.taught

    def nearest(self, words):
        self.asked += words
        return ["cup" if word == "mug" else None for word in words]

    def captions_near(self, caption, count):
        self.asked.append(caption)
        return ["a cat", "a dog", "a bus"][:count]


NEAR = 'Captions near this one that work: "a cat", "a dog", "a bus".'
ANY = NEAR.replace("near this one ", "")


@pytest.mark.parametrize(
    ("caption", "said"),
    [
        ("a dragon on the table", ['Words that the generator was not taught: "dragon".', NEAR]),
        (
            "A Dragon, a dragon and a cat",
            ['Words that the generator was not taught: "dragon".', NEAR],
        ),
        ("five cat", ['Up to three of a thing can be drawn, not "five".', NEAR]),
        ("12 red cat", ['Up to three of a thing can be drawn, not "12".', NEAR]),
        ("a mug on a table", ['Not taught, but near words that were: "mug" (cup).']),
        (
            "four mug and a dragon",
            [
                'Words that the generator was not taught: "dragon".',
                'Up to three of a thing can be drawn, not "four".',
                'Not taught, but near words that were: "mug" (cup).',
                NEAR,
            ],
        ),
        (
            "ornithopter zeugma flumph",
            ["The generator was taught few of these words; it reads plain English.", NEAR],
        ),
        ("un chat sur la table", ["The generator reads English; this looks like French.", NEAR]),
        (
            "una gatta la casa",
            ["The generator reads English; this looks like another language.", NEAR],
        ),
        ("кот на столе", ["The generator reads English; this is written in another script.", ANY]),
        ("猫 cat", ['Words that the generator was not taught: "猫".', NEAR]),
        (
            "☀ !",
            ["There is no word in this caption; describe a picture in plain English.", ANY],
        ),
    ],
)
def test_sentences(caption, said):
    assert doubts(caption, Small()) == said


@pytest.mark.parametrize(
    "caption", ["a red cat and two dog at sunset.", "3 dog", "The photo of a bus", "one cat", "the"]
)
def test_taught_words_raise_no_doubt_and_ask_nothing(caption):
    vocabulary = Small()
    assert doubts(caption, vocabulary) == []
    assert vocabulary.asked == []


def test_a_sentence_quotes_five_words():
    words = "cat dog bus red cup two three sunset table a b1 b2 b3 b4 b5 b6 b7"
    assert doubts(words, Small())[0].endswith('"b1", "b2", "b3", "b4", "b5" and 2 more.')
    assert unknown_words(["dragon", "cat", "dragon", "of", "7"], Small()) == ["dragon"]


def test_numbers_in_words_and_digits():
    words = ["a", "two", "3", "four", "dozens", "four", "007", "²"]
    assert counts_above(words, 3) == ["four", "dozens", "007"]


def test_languages_by_their_small_words():
    spoken = {
        "ein Hund mit einer Brille": "German",
        "um gato em uma mesa": "Portuguese",
        "een kat op het dak": "Dutch",
        "un gato en el tejado": "Spanish",
        "il gatto sulla tavola": "Italian",
        "a cat on the table": None,
        "a photo of the del mar beach": None,
        "cat": None,
    }
    for caption, language in spoken.items():
        assert language_of(caption.lower().split()) == language, caption


def test_scripts():
    assert foreign_script("猫")
    assert foreign_script("кот cat")
    assert not foreign_script("Ein Bär für Zoë")
    assert not foreign_script("12 !")
