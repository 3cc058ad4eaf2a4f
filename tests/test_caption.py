import pytest

from evo_t2i.caption import content_words


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


@pytest.mark.parametrize("caption", ["of the", "☀", "!!!"])
def test_a_caption_without_content_words_is_the_one_word(caption):
    assert content_words(f" {caption}\n") == [caption]
