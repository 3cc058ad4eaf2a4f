"""Which words of a caption can be seen in a picture."""

import re

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


def content_words(caption: str) -> list[str]:
    """The caption's words in lower case without stop words, each once, in order.

    Where nothing remains ("of the", "☀"), the whole caption is the one word.
    """
    words = (match.group().lower() for match in _WORD.finditer(caption))
    kept = list(dict.fromkeys(word for word in words if word not in STOP_WORDS))
    return kept or [caption.strip()]
