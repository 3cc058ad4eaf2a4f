"""What a caption says: the words that can be seen in a picture, and how far an encoder reads it."""

import re
from collections.abc import Callable, Sequence
from typing import Any

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")

_STOP = """
    a an the this that these those it its they them their he him his she her i me my we us
    our you your who whom whose which what some any each every all both either neither no
    none other another one someone something there here
    of in on at by for from to with without into onto over under above below behind between
    among near next beside besides along across through around about against during before
    after up down out off as than and or but nor so yet if while when where because though
    although toward towards inside outside upon within
    is are was were be been being am has have had having do does did can could will would
    shall should may might must not very too also just only more most much many few several
    picture photo photograph image painting drawing view see
"""
STOP_WORDS = frozenset(_STOP.split())
"""Articles, pronouns, prepositions, conjunctions, auxiliaries, quantities; words for pictures."""


def spoken_words(caption: str) -> list[str]:
    """The caption's words in lower case, in order."""
    return [match.group().lower() for match in _WORD.finditer(caption)]


def content_words(caption: str) -> list[str]:
    """The caption's words in lower case without stop words, each once, in order.

    Where nothing remains ("of the", "☀"), the whole caption is the one word.
    """
    words = spoken_words(caption)
    kept = list(dict.fromkeys(word for word in words if word not in STOP_WORDS))
    return kept or [caption.strip()]


def of_like_length(texts: Sequence[str], at_once: int) -> list[list[int]]:
    """Rows of ``texts`` in batches, the shortest first: read together they need little padding."""
    order = sorted(range(len(texts)), key=lambda row: len(texts[row]))
    return [order[start : start + at_once] for start in range(0, len(order), at_once)]


def unread(caption: str, tokenize: Callable[[Sequence[str]], Any]) -> str:
    """The end of a caption that a text encoder does not read, in whole words; mostly empty.

    ``tokenize`` gives the ids (n, t) of texts as the encoder takes them, cut off at its limit:
    words that make no difference to the ids of the whole caption are not read.
    """
    ends = [match.end() for match in re.finditer(r"\S+", caption)]

    def ids(words: int) -> list[int]:
        found: list[int] = tokenize([caption[: ends[words - 1]] if words else ""])[0].tolist()
        return found

    whole = ids(len(ends))
    if len(ends) < 2 or ids(len(ends) - 1) != whole:
        return ""
    low, high = 0, len(ends) - 1  # `high` words suffice, `low` do not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if ids(middle) == whole else (middle, high)
    return caption[ends[high - 1] :].strip()
