"""What the built-in models were taught: the world's words, and what lies near them."""

import hashlib
import itertools
import json
import math
from collections.abc import Iterator, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from evo_t2i.caption import spoken_words, with_words
from evo_t2i.caption_check import unknown_words
from evo_t2i.checkpoints.cache import cached_tensor, keep_tensor
from evo_t2i.checkpoints.minilm import SHA256, minilm_folder
from evo_t2i.models.loading import loading
from evo_t2i.world import words as spoken
from evo_t2i.world.asked import Caption
from evo_t2i.world.choices import sample_scene
from evo_t2i.world.grammar import captions
from evo_t2i.world.kinds import COLOURS, NAMES
from evo_t2i.world.synonyms import COMMON, SYNONYMS

if TYPE_CHECKING:
    from evo_t2i.models.sentence_encoder import SentenceEncoder

NEAR = 0.4
"""From this centred similarity on a word counts as read by its nearest taught one: chosen by
benchmarks/known_words.py."""
READ_AS = 3
"""Names that a word may stand for which was not taught."""
READ_FROM = 0.3
"""Cosine to a name's mean from which on a word is read as others: benchmarks/known_words.py has how
many that lets in, of words that mean a name and of those that mean none, such as "running"."""
SHARPNESS = 16.0
"""Of a softmax over a word's cosines to names: that of the largest likelihood of what taught words
mean, each left out in turn (benchmarks/known_words.py)."""
MOST_UNKNOWN = 3
"""Words of a text that are read as others; their readings multiply."""
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

    def readings(self, text: str) -> list[tuple[str, float]]:
        """``text`` with the words that were not taught replaced by names near them, in all ways.

        With weights that add up to 1: the names' probabilities for a word, from
        ``name_similarities``. Words that are near no name stay, so that ``text`` may come back.
        """
        unknown = unknown_words(spoken_words(text), self)
        if not unknown:
            return [(text, 1.0)]
        cosines, names = self.name_similarities(unknown)
        near = (cosines.amax(dim=1) >= READ_FROM).nonzero()[:MOST_UNKNOWN, 0]
        words = [unknown[row] for row in near.tolist()]
        best = cosines[near].topk(READ_AS, dim=1)
        shares = (SHARPNESS * best.values).softmax(dim=1).tolist()
        options = [
            [(word, names[column], share) for column, share in zip(columns, some, strict=True)]
            for word, columns, some in zip(words, best.indices.tolist(), shares, strict=True)
        ]
        return [
            (
                with_words(text, {word: name for word, name, _ in chosen}),
                math.prod((share for *_, share in chosen), start=1.0),
            )
            for chosen in itertools.product(*options)
        ]

    def name_similarities(self, words: Sequence[str]) -> tuple[Tensor, list[str]]:
        """Cosines (n, k) of ``words`` and of the means of each name's common words, and the names.

        Centred like ``similarities``.
        """
        means, mean = self._name_means
        asked = self._encoder([PROMPT.format(word) for word in words])
        return normalize(asked - mean, dim=1) @ means.T, list(SYNONYMS)

    def named_embeddings(self) -> tuple[Tensor, Tensor, Tensor]:
        """The common words for each name of ``SYNONYMS``, those that people use: unit embeddings
        (p, d), the names' rows (p,), and the mean (d,) that was taken off."""
        words = [
            (row, word)
            for row, (name, others) in enumerate(SYNONYMS.items())
            for word in (name, *others[: COMMON[name]])
        ]
        taught = self._embedded([PROMPT.format(word) for _, word in words])
        mean = taught.mean(dim=0)
        return normalize(taught - mean, dim=1), torch.tensor([row for row, _ in words]), mean

    def captions_near(self, caption: str, count: int) -> list[str]:
        """Of ``canonical_captions``, by the sentence encoder's cosine."""
        known = canonical_captions()
        features = normalize(self._embedded(known), dim=1)
        cosines = features @ normalize(self._encoder([caption]), dim=1)[0]
        return [known[row] for row in cosines.topk(count).indices.tolist()]

    @cached_property
    def _name_means(self) -> tuple[Tensor, Tensor]:
        """Of each name the unit mean of its words (k, d), and the mean (d,) that was taken off."""
        taught, names, mean = self.named_embeddings()
        totals = torch.zeros(len(SYNONYMS), taught.shape[1]).index_add(0, names, taught)
        return normalize(totals, dim=1), mean

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
