import pytest

from evo_t2i.caption import content_phrases, content_words


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("a cat is lay on the table.", ["cat", "lay", "table"]),
        ("skyline at sunset.", ["skyline", "sunset"]),
        ("A dog, a DOG and a hot-dog!", ["dog", "hot-dog"]),
        ("the dog’s goggles", ["dog’s", "goggles"]),
        ("東京 の 夜景", ["東京", "の", "夜景"]),
    ],
)
def test_stop_words_go_and_each_word_stays_once(caption, words):
    assert content_words(caption) == words


@pytest.mark.parametrize(
    ("caption", "phrases"),
    [
        ("a red cat next to a Light Blue bus.", ["red cat", "light blue bus"]),
        ("a dog, black goggles; a dog", ["dog", "black goggles"]),
        ("a bus (red) to the left of two hot-dogs", ["bus", "red", "two hot-dogs"]),
    ],
)
def test_stop_words_and_punctuation_end_a_phrase(caption, phrases):
    assert content_phrases(caption) == phrases


@pytest.mark.parametrize("caption", ["of the", "☀", "!!!"])
def test_a_caption_without_content_words_is_the_one_word(caption):
    assert content_words(f" {caption}\n") == content_phrases(f" {caption}\n") == [caption]
