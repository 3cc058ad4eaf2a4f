"""What the built-in models were taught: the world's words, and what lies near them."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor
from torch.nn.functional import normalize

from evo_t2i.caption import spoken_words
from evo_t2i.checkpoints.cache import cached_tensor, keep_tensor
from evo_t2i.checkpoints.minilm import SHA256, minilm_folder
from evo_t2i.models.loading import loading
from evo_t2i.world import words as spoken
from evo_t2i.world.asked import Caption
from evo_t2i.world.choices import sample_scene
from evo_t2i.world.grammar import captions
from evo_t2i.world.kinds import COLOURS, NAMES
from evo_t2i.world.synonyms import SYNONYMS

if TYPE_CHECKING:
    from evo_t2i.models.sentence_encoder import SentenceEncoder

NEAR = 0.4
"""From this centred similarity on a word counts as read by its nearest taught one: chosen by
benchmarks/known_words.py."""
PROMPT = "photo of a {}"
CAPTIONS_EACH = 4
"""Canonical captions of each kind of thing."""
_LONGEST_CAPTION = 64
_GRAMMAR = """
    gray shirt dress dressed clothes one row left right side sides branch riding driving sailing
    grazing swimming sky face portrait close-up camera top back
"""
"""Words of the grammar's own phrases, which stand in no table."""


class WorldVocabulary:
    """The world's words; a sentence encoder tells what is near them, and is loaded when asked."""

    most = max(spoken.COUNTS)

    def knows(self, word: str) -> bool:
        """Whether captions use ``word``, without "'s", or all parts of a compound."""
        word = word.removesuffix("'s").removesuffix("’s")
        return word in taught_words() or (
            "-" in word and all(part in taught_words() for part in word.split("-"))
        )

    def nearest(self, words: Sequence[str]) -> list[str | None]:
        """The thing, colour, scene or time that the nearest taught phrase means, if it is near."""
        found, names = self.similarities(words)
        values, columns = found.max(dim=1)
        return [
            names[column] if value >= NEAR else None
            for value, column in zip(values.tolist(), columns.tolist(), strict=True)
        ]

    def similarities(self, words: Sequence[str]) -> tuple[Tensor, list[str]]:
        """Cosines (n, k) of ``words`` and taught phrases, and the name that each phrase means.

        Both stand in ``PROMPT``, and the phrases' mean is subtracted from both: what all share
        would otherwise lift every cosine.
        """
        phrases = meanings()
        taught = self._embedded([PROMPT.format(phrase) for phrase in phrases])
        mean = taught.mean(dim=0)
        asked = self._encoder([PROMPT.format(word) for word in words])
        unit = normalize(asked - mean, dim=1) @ normalize(taught - mean, dim=1).T
        return unit, list(phrases.values())

    def captions_near(self, caption: str, count: int) -> list[str]:
        """Of ``canonical_captions``, by the sentence encoder's cosine."""
        known = canonical_captions()
        features = normalize(self._embedded(known), dim=1)
        cosines = features @ normalize(self._encoder([caption]), dim=1)[0]
        return [known[row] for row in cosines.topk(count).indices.tolist()]

    @cached_property
    def _encoder(self) -> "SentenceEncoder":
        from evo_t2i.models.sentence_encoder import SentenceEncoder

        with loading():
            return SentenceEncoder(minilm_folder())

    def _embedded(self, texts: Sequence[str]) -> Tensor:
        key = hashlib.sha256(json.dumps([SHA256, list(texts)]).encode()).hexdigest()
        features = cached_tensor("vocabulary", key)
        if features is None:
            features = self._encoder(texts)
            keep_tensor("vocabulary", key, features)
        return features


@cache
def meanings() -> dict[str, str]:
    """Taught phrases, each with the thing, colour, scene or time that it means."""
    tables = (spoken.NOUNS, spoken.EMPTY, spoken.GROUNDS, spoken.TIME_PHRASES)
    found = {phrase: name for table in tables for name, some in table.items() for phrase in some}
    return found | {colour: colour for colour in COLOURS} | {"gray": "grey"}


@cache
def taught_words() -> frozenset[str]:
    """Every word of the world's captions, in lower case; what names a thing, also in the plural."""
    return frozenset(word for text in _phrases() for word in spoken_words(text))


def _phrases() -> Iterator[str]:
    tables = (
        spoken.COUNTS,
        spoken.JOINTS,
        spoken.LIGHTS,
        spoken.PLACES,
        spoken.RESTING,
        spoken.SCENE_FIRST,
    )
    for table in tables:
        for phrases in table.values():
            yield from phrases
    for phrase in (*meanings(), *spoken.STREET_LAMP):
        yield phrase
        yield spoken.plural(phrase)
    for others in SYNONYMS.values():
        for word in others:
            yield word
            yield spoken.plural(word)
    yield from (*spoken.FILLERS, *spoken.SIZE_WORDS, *spoken.LOOKS, *spoken.FRAMES)
    yield from (_GRAMMAR, "sit lie stand sits lies stands")


@cache
def canonical_captions() -> tuple[str, ...]:
    """About 200 short captions of the grammar: a few of each thing, then empty scenes."""
    found: dict[str, None] = {}
    for number, name in enumerate(NAMES):
        rng = np.random.default_rng([7, number])
        wanted = Caption("", things=((name, None, 1),))
        short: list[str] = []
        while len(short) < CAPTIONS_EACH:
            text = captions(sample_scene(rng, wanted), rng, 1)[0].text.rstrip(".")
            if len(text) <= _LONGEST_CAPTION and text.lower().startswith(("a ", "an ")):
                short.append(text[0].lower() + text[1:])
        found |= dict.fromkeys(short)
    times = [phrases[0] for phrases in spoken.TIME_PHRASES.values()]
    for phrases in spoken.EMPTY.values():
        found |= {f"{phrases[1]} {time}": None for time in times}
    return tuple(found)
