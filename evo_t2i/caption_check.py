"""What a caption asks for that a model's vocabulary has not: said before the search, not after.

Pure functions of a caption and a ``Vocabulary``; a generator that has one offers them as its
``doubts``.
"""

import unicodedata
from collections.abc import Sequence
from typing import Protocol

from evo_t2i.caption import STOP_WORDS, spoken_words

MOST_WORDS = 5
"""Words that one sentence quotes."""
SUGGESTIONS = 3
_SMALL_NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve"),
)
_NUMBERS = {word: number for number, word in enumerate(_SMALL_NUMBERS)} | {
    "dozen": 12,
    "dozens": 24,
    "twenty": 20,
    "fifty": 50,
    "hundred": 100,
    "hundreds": 200,
    "thousand": 1_000,
    "thousands": 2_000,
    "million": 1_000_000,
    "millions": 2_000_000,
}
_FUNCTION_WORDS = {
    "German": "der das dem ein eine einen einem einer und auf mit im ist unter neben zwei drei",
    "French": "un une le la les des du de et sur avec dans est au aux sous deux trois",
    "Spanish": "un una el la los las del de y en con sobre está es al dos tres",
    "Italian": "un una il lo la gli di e del della sul sulla con nel nella è due tre",
    "Portuguese": "um uma da dos das em com na sobre está dois três e de",
    "Dutch": "een het de en op met naast onder twee drie",
}
"""Articles, prepositions and numbers of languages that people write captions in, but for those that
are English words too."""
_SPOKEN = {language: frozenset(words.split()) for language, words in _FUNCTION_WORDS.items()}


class Vocabulary(Protocol):
    """What a model was taught."""

    most: int
    """The largest number of one thing that it draws."""

    def knows(self, word: str) -> bool:
        """Whether it was taught ``word``, in lower case, or one of its forms."""
        ...

    def nearest(self, words: Sequence[str]) -> list[str | None]:
        """What the taught word nearest to each of ``words`` means; None where none is near."""
        ...

    def captions_near(self, caption: str, count: int) -> list[str]:
        """``count`` captions that it draws, the nearest to ``caption`` first."""
        ...


def doubts(caption: str, vocabulary: Vocabulary) -> list[str]:
    """A sentence for each thing that will not be drawn as asked, and captions that will.

    Empty for a caption of taught words. ``captions_near`` is asked only where something is wrong.
    """
    words = spoken_words(caption)
    readable = bool(words) and not foreign_script(caption)
    if not words:
        wrong = ["There is no word in this caption; describe a picture in plain English."]
    elif not readable:
        wrong = ["The generator reads English; this is written in another script."]
    else:
        wrong, doubtful = _wrong(words, vocabulary)
        if not wrong:
            return doubtful
        wrong += doubtful
    examples = _quoted(vocabulary.captions_near(caption, SUGGESTIONS))
    return [*wrong, f"Captions {'near this one ' if readable else ''}that work: {examples}."]


def unknown_words(words: Sequence[str], vocabulary: Vocabulary) -> list[str]:
    """Those of ``words``, each once, that were not taught and say something to be drawn."""
    return [
        word
        for word in dict.fromkeys(words)
        if not (word in STOP_WORDS or word in _NUMBERS or word.isdecimal())
        and not vocabulary.knows(word)
    ]


def counts_above(words: Sequence[str], most: int) -> list[str]:
    """The number words and digits among ``words`` that are above ``most``."""
    return [word for word in dict.fromkeys(words) if _number(word) > most]


def language_of(words: Sequence[str]) -> str | None:
    """The language that most of the function words among ``words`` belong to; None for English.

    "another language" where several share them.
    """
    hits = {name: sum(word in spoken for word in words) for name, spoken in _SPOKEN.items()}
    most = max(hits.values())
    if most < 2 or most <= sum(word in STOP_WORDS for word in words):
        return None
    named = [name for name, count in hits.items() if count == most]
    return named[0] if len(named) == 1 else "another language"


def foreign_script(caption: str) -> bool:
    """Whether half of the letters or more are of another script than the Latin one."""
    letters = [character for character in caption if character.isalpha()]
    other = sum(not unicodedata.name(each, "").startswith("LATIN") for each in letters)
    return 2 * other >= len(letters) > 0


def _wrong(words: Sequence[str], vocabulary: Vocabulary) -> tuple[list[str], list[str]]:
    """What will not be drawn, and what may be drawn as something else."""
    strange = unknown_words(words, vocabulary)
    if strange and (language := language_of(words)):
        return [f"The generator reads English; this looks like {language}."], []
    taught = dict(zip(strange, vocabulary.nearest(strange), strict=True)) if strange else {}
    far = [word for word, meaning in taught.items() if meaning is None]
    wrong = []
    if len(words) >= 3 and 2 * len(far) > len(set(words)):
        wrong.append("The generator was taught few of these words; it reads plain English.")
    elif far:
        wrong.append(f"Words that the generator was not taught: {_quoted(far)}.")
    if counts := counts_above(words, vocabulary.most):
        most = _SMALL_NUMBERS[vocabulary.most]
        wrong.append(f"Up to {most} of a thing can be drawn, not {_quoted(counts)}.")
    near = [f'"{word}" ({meaning})' for word, meaning in taught.items() if meaning is not None]
    return wrong, [f"Not taught, but near words that were: {_listed(near)}."] if near else []


def _number(word: str) -> int:
    return int(word) if word.isdecimal() else _NUMBERS.get(word, 0)


def _quoted(words: Sequence[str]) -> str:
    return _listed([f'"{word}"' for word in words])


def _listed(texts: Sequence[str]) -> str:
    more = len(texts) - MOST_WORDS
    return ", ".join(texts[:MOST_WORDS]) + (f" and {more} more" if more > 0 else "")
