"""Other words for what captions name, to train a text side that knows more than the grammar's.

`SYNONYMS` joins a list written here with words from WordNet (`wordnet_words.json`, made by
`benchmarks/wordnet_words.py`; Princeton University's licence lets the words be used and distributed
with this notice) and what people called colours in xkcd's survey (`colour_words.json`, made by
`benchmarks/colour_words.py`; public domain). `HELD_OUT_WORDS` are in none of them.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from evo_t2i.world.asked import Caption
from evo_t2i.world.words import (
    EMPTY,
    GROUNDS,
    HELD_OUT_WORDS,
    NOUNS,
    PLACES,
    STREET_LAMP,
    TIME_PHRASES,
    plural,
)

_WRITTEN: dict[str, str] = {
    "cat": "kitten, kitty, pussycat, ginger cat, house cat, street cat, siamese, persian cat",
    "dog": "puppy, doggy, pup, terrier, poodle, labrador, "
    "spaniel, collie, bulldog, sheepdog, beagle",
    "bird": "songbird, pigeon, parrot, swallow, blackbird, crow, "
    "seagull, dove, fledgling, nightingale",
    "horse": "pony, filly, colt, racehorse, nag, draft horse",
    "cow": "dairy cow, bull, cattle, bovine, milk cow",
    "sheep": "lamb, lambkin, wether, woolly sheep",
    "rabbit": "bunny, bunny rabbit, hutch rabbit, little hopper, leveret",
    "duck": "duckling, eider, waterfowl, teal, rubber duck",
    "fish": "goldfish, little fish, tuna, cod, herring, minnow, sardine",
    "teddy bear": "teddy, toy bear, stuffed bear, stuffed animal, "
    "cuddly bear, soft toy, plush bear",
    "man": "guy, gentleman, male, father, grandfather, husband, mister, businessman, old man, dude",
    "woman": "lady, female, mother, grandmother, wife, businesswoman, old woman, gal, mum",
    "boy": "little boy, young boy, son, male child, laddie, grandson, small boy",
    "girl": "little girl, young girl, daughter, female child, granddaughter, small girl",
    "robot": "toy robot, machine man, cyborg, humanoid, bot, mechanical man, tin man",
    "bus": "double-decker bus, double-decker, city bus, school bus, minibus, tour bus",
    "car": "automobile, limousine, taxi, sports car, roadster, convertible, jeep, station wagon",
    "truck": "lorry, delivery truck, dump truck, semi-trailer, van, goods vehicle",
    "train": "steam train, locomotive, express train, tram, railway engine, freight train",
    "bicycle": "bike, cycle, tandem, mountain bike, racing bike, velocipede",
    "airplane": "plane, aeroplane, aircraft, jumbo, biplane, propeller plane, passenger plane",
    "rocket": "space rocket, space shuttle, missile, moon rocket, launch vehicle, space capsule",
    "boat": "sailboat, sailing boat, canoe, ferry, sloop, "
    "schooner, rowboat, fishing boat, catamaran",
    "balloon": "hot-air balloon, hot air balloon, blimp, airship, gas balloon, zeppelin",
    "house": "little house, home, villa, farmhouse, residence, chalet, mansion, hut, building",
    "castle": "old castle, chateau, fort, stronghold, tower castle, keep, royal castle",
    "lighthouse": "tall lighthouse, light tower, coastal light, sea light, "
    "light station, signal tower",
    "tree": "big tree, leafy tree, pine, birch, willow, beech, "
    "chestnut tree, linden, poplar, sapling",
    "table": "dining table, coffee table, kitchen table, workbench, countertop, side table",
    "chair": "kitchen chair, seat, rocking chair, dining chair, wooden chair, highchair",
    "sofa": "couch, chesterfield, sofa bed, futon, daybed, upholstered seat",
    "bench": "park bench, wooden bench, garden bench, long seat, bench seat",
    "lamp": "table lamp, floor lamp, light, desk lamp, reading lamp, lampshade, street light",
    "cup": "coffee cup, tea cup, teacup, glass, drinking cup, tumbler, chalice",
    "book": "open book, volume, paperback, storybook, hardcover, notebook, encyclopedia, manual",
    "apple": "fresh apple, ripe apple, crab apple, cooking apple, granny smith",
    "cake": "birthday cake, layer cake, tart, pie, muffin, cupcake, sponge cake, cheesecake",
    "flower": "big flower, rose, tulip, lily, poppy, sunflower, orchid, blossoming plant",
    "ball": "toy ball, football, beach ball, soccer ball, globe, basketball, round ball",
    "umbrella": "open umbrella, rain umbrella, beach umbrella, gamp, rain shade",
    "goggles": "pair of goggles, glasses, sunglasses, swimming goggles, "
    "ski goggles, shades, eyewear",
    "hat": "brimmed hat, beret, sombrero, top hat, straw hat, helmet, headgear, beanie",
    "person": "human, individual, somebody, someone, human being, figure, adult",
    "child": "kid, youngster, toddler, little one, minor, youth, small child",
    "red": "ruby, cherry red, blood-red, bright red, vermilion, maroon, cardinal",
    "orange": "pumpkin-coloured, carrot-coloured, bright orange, ginger, apricot, peach-coloured",
    "yellow": "gold, mustard, canary, bright yellow, sunny yellow, sand-coloured, blond",
    "green": "bright green, dark green, olive, jade, grass-green, mint, leaf-green",
    "blue": "sky-blue, dark blue, bright blue, ultramarine, sapphire, turquoise, indigo",
    "purple": "mauve, plum, lavender, magenta, grape-coloured, bright purple",
    "white": "pearl, off-white, chalk-white, bright white, milk-white, cream, pure white",
    "black": "pitch-black, coal-black, raven, inky, deep black, sooty, dark black",
    "brown": "chocolate, beige, bronze, dark brown, copper, hazel, wooden brown, caramel",
    "grey": "gray, dark grey, light grey, slate, charcoal, pewter, smoky",
    "skyline": "cityscape, city, town, urban skyline, big-city towers, office towers, urban view",
    "street": "road, roadway, highway, city street, main road, alley, street corner",
    "room": "living room, sitting room, bedroom, kitchen, indoor room, apartment, chamber",
    "field": "grassland, farmland, prairie, grassy plain, countryside, park, green, plain",
    "sea": "ocean, open water, waves, high seas, salt water, blue water, harbour",
    "beach": "sandy beach, seaside, sands, waterfront, sandy shore, strand",
    "mountains": "high mountains, hills, mountain range, rocky mountains, "
    "summits, highlands, cliffs",
    "snow": "winter, snowy field, ice, winter landscape, snowdrift, snow-covered ground, frost",
    "portrait": "close-up, portrait photo, face shot, mugshot",
    "day": "daylight, daytime, morning, bright day, broad daylight, sunny morning, afternoon",
    "sunset": "sundown, evening, evening glow, setting sun, end of the day, eventide",
    "night": "nighttime, dark, late at night, darkness, starry night, dead of night",
}


@cache
def _synonyms() -> dict[str, tuple[str, ...]]:
    found = [collected("wordnet"), collected("colour")]
    return {
        name: tuple(words.split(", "))
        + tuple(word for source in found for word in source.get(name, ()) if word != name)
        for name, words in _WRITTEN.items()
    }


def collected(source: str) -> dict[str, list[str]]:
    """Words by what they mean, of "wordnet" or "colour"."""
    path = Path(__file__).with_name(f"{source}_words.json")
    words: dict[str, list[str]] = json.loads(path.read_text(encoding="utf-8"))
    return words


SYNONYMS: dict[str, tuple[str, ...]] = _synonyms()
"""For each kind, group, colour, scene and time other words, the commonest first."""

COMMON = {name: len(words.split(", ")) for name, words in _WRITTEN.items()}
"""How many of `SYNONYMS` are everyday words."""

_PLACE_WORDS = {
    scene: sorted({*EMPTY.get(scene, ()), *GROUNDS.get(scene, ())}, key=len, reverse=True)
    for scene in {**EMPTY, **GROUNDS}
}


HELD_OUT: dict[str, tuple[str, ...]] = {
    name: tuple(word for word, meaning in HELD_OUT_WORDS.items() if meaning == name)
    for name in dict.fromkeys(HELD_OUT_WORDS.values())
}
"""The same for the words that are kept out of all captions, to measure with."""


def reword(
    caption: Caption,
    rng: np.random.Generator,
    share: float = 0.5,
    words: Mapping[str, Sequence[str]] = SYNONYMS,
) -> Caption:
    """``caption`` in other words: each word for what it names gives way with probability ``share``.

    What it names stays the same. Of `SYNONYMS` half of the new words are everyday ones.
    """
    text = caption.text

    def other(text: str, name: str, forms: Iterable[str], *, several: bool = False) -> str:
        if rng.random() >= share or name not in words:
            return text
        return _replace(text, forms, choose(name, rng, words), several=several)

    for name, colour, count in caption.things:
        forms = {*NOUNS[name], *(STREET_LAMP if name == "lamp" else ())}
        text = other(text, name, forms, several=count > 1)
        if colour is not None:
            text = other(text, colour, (colour, "gray") if colour == "grey" else (colour,))
    if caption.scene in _PLACE_WORDS and rng.random() < share:
        text = _reword_scene(text, caption.scene, choose(caption.scene, rng, words))
    if caption.time is not None and rng.random() < share:
        preposition = ("at", "in the", "during the")[int(rng.random() * 3)]
        text = _reword_time(text, caption.time, f"{preposition} {choose(caption.time, rng, words)}")
    return replace(caption, text=text)


def choose(
    name: str, rng: np.random.Generator, words: Mapping[str, Sequence[str]] = SYNONYMS
) -> str:
    """One of the words for ``name``, of `SYNONYMS` half the time an everyday one."""
    known = words[name]
    common = words is SYNONYMS and rng.random() < 0.5
    return known[int(rng.random() * (COMMON[name] if common else len(known)))]


def _replace(text: str, forms: Iterable[str], word: str, *, several: bool) -> str:
    """The first of ``forms`` in ``text`` gives way to ``word``, its article with it."""
    known = {plural(form) if several else form for form in forms}
    pattern = "|".join(re.escape(form) for form in sorted(known, key=len, reverse=True))
    match = re.search(rf"\b(?:(an?)\s+)?({pattern})\b", text, re.IGNORECASE)
    if match is None:
        return text
    word = plural(word) if several and not word.endswith("s") else word
    article = match.group(1)
    if article is not None:
        fitting = "an" if word[0] in "aeiou" else "a"
        word = f"{fitting.capitalize() if article[0] == 'A' else fitting} {word}"
    return text[: match.start()] + word + text[match.end() :]


def _reword_scene(text: str, scene: str, word: str) -> str:
    for phrase in [*PLACES.get(scene, ()), *_PLACE_WORDS[scene]]:
        start = text.lower().find(phrase)
        if start < 0:
            continue
        first = phrase.split()[0]
        if first in ("on", "in", "at", "out"):
            word = f"{first} the {word}"
        elif first in ("a", "an", "the"):
            word = f"the {word}"
        return text[:start] + word + text[start + len(phrase) :]
    return text


def _reword_time(text: str, time: str, words: str) -> str:
    for phrase in sorted(set(TIME_PHRASES[time]), key=len, reverse=True):
        start = text.lower().find(phrase)
        if start >= 0:
            return text[:start] + words + text[start + len(phrase) :]
    return text
