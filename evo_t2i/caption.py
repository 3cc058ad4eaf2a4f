"""What a caption says: the words that can be seen in a picture, and how far an encoder reads it."""

import re
from collections.abc import Callable, Mapping, Sequence
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
    left right side row top bottom middle
    is are was were be been being am has have had having do does did can could will would
    shall should may might must not very too also just only more most much many few several
    picture photo photograph image painting drawing view see
"""
STOP_WORDS = frozenset(_STOP.split())
"""Articles, pronouns, prepositions and places, conjunctions, auxiliaries, quantities; words for
pictures."""


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


def content_phrases(caption: str) -> list[str]:
    """The caption's runs of content words, each once, in order: "red cat", "blue dog".

    Stop words and punctuation end a run, as in RAKE (Rose et al., "Automatic keyword extraction
    from individual documents", 2010). Where nothing remains, the whole caption is the one phrase.
    """
    phrases: list[list[str]] = [[]]
    end = 0
    for match in _WORD.finditer(caption):
        word = match.group().lower()
        if word in STOP_WORDS or caption[end : match.start()].strip():
            phrases.append([])
        if word not in STOP_WORDS:
            phrases[-1].append(word)
        end = match.end()
    return list(dict.fromkeys(" ".join(each) for each in phrases if each)) or [caption.strip()]


def with_words(caption: str, others: Mapping[str, str]) -> str:
    """The caption with some of its words, in lower case, replaced by ``others``."""
    return _WORD.sub(lambda match: others.get(match.group().lower(), match.group()), caption)


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
