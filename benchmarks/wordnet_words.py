"""Collect words for the world's things, colours, scenes and times from WordNet.

    python benchmarks/wordnet_words.py /usr/share/wordnet > evo_t2i/world/wordnet_words.json

WordNet 3.0 (Fellbaum, 1998; Debian's package wordnet-base) lists under each sense the words that
mean it and, below it, those that mean a kind of it. `SENSES` says which senses stand for which of
the world's names. Left out are proper names, long phrases, words that first of all mean something
else, words that the world holds out to measure with, and all but the `MOST` words of a name that
the sentence encoder splits the least.
"""

import json
import re
import sys
from collections import defaultdict
from pathlib import Path

from transformers import AutoTokenizer

from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.world import HELD_OUT_WORDS

MOST = 120

SENSES: dict[str, str] = {
    "cat": "cat.1",
    "dog": "dog.1",
    "bird": "bird.1",
    "horse": "horse.1",
    "cow": "cattle.1 cow.1 calf.1",
    "sheep": "sheep.1",
    "rabbit": "rabbit.1 hare.1",
    "duck": "duck.1",
    "fish": "fish.1",
    "teddy bear": "teddy.1",
    "man": "man.1",
    "woman": "woman.1",
    "boy": "male_child.1",
    "girl": "female_child.1",
    "robot": "automaton.2",
    "bus": "bus.1",
    "car": "car.1",
    "truck": "truck.1",
    "train": "train.1 locomotive.1",
    "bicycle": "bicycle.1",
    "airplane": "airplane.1",
    "rocket": "rocket.1 spacecraft.1",
    "boat": "boat.1 ship.1",
    "balloon": "balloon.1",
    "house": "house.1 cabin.2",
    "castle": "castle.2 fortress.1",
    "lighthouse": "lighthouse.1",
    "tree": "tree.1",
    "table": "table.2 desk.1",
    "chair": "chair.1 stool.1",
    "sofa": "sofa.1",
    "bench": "bench.1",
    "lamp": "lamp.1 lamp.2",
    "cup": "cup.1 mug.4 glass.2",
    "book": "book.1 book.2",
    "apple": "apple.1",
    "cake": "cake.3",
    "flower": "flower.1 flower.2",
    "ball": "ball.1",
    "umbrella": "umbrella.1",
    "goggles": "goggles.1 spectacles.1",
    "hat": "hat.1 cap.1",
    "person": "person.1",
    "child": "child.1",
    "red": "red.1",
    "orange": "orange.2",
    "yellow": "yellow.1",
    "green": "green.1",
    "blue": "blue.1",
    "purple": "purple.1",
    "white": "white.2",
    "black": "black.1",
    "brown": "brown.1",
    "grey": "gray.1",
    "skyline": "skyline.1 city.1 skyscraper.1",
    "street": "street.1",
    "room": "living_room.1 room.1",
    "field": "grassland.1 field.1",
    "sea": "sea.1 ocean.1",
    "beach": "beach.1",
    "mountains": "mountain.1",
    "snow": "winter.1",
    "day": "day.4 morning.1 noon.1",
    "sunset": "sunset.1 evening.1",
    "night": "night.1",
}
"""WordNet's lemma and sense number for each name."""

PEOPLE = ("man", "woman", "boy", "girl", "person", "child")
ONLY_SYNONYMS = (*PEOPLE, "day", "sunset", "night", "skyline", "room")
"""Below these senses stand words of other meanings, or that one would not call people."""

NARROWER = {"duck": "bird", "train": "car", "castle": "house"}
"""Where a word means both, it is the first."""


def main() -> None:
    folder = Path(sys.argv[1])
    senses, synsets = _index(folder), _synsets(folder)
    tokenizer = AutoTokenizer.from_pretrained(str(minilm_folder()), local_files_only=True)
    owners: dict[str, set[str]] = defaultdict(set)
    for name, wanted in SENSES.items():
        offsets: set[int] = set()
        for sense in wanted.split():
            lemma, number = sense.rsplit(".", 1)
            deep = name not in ONLY_SYNONYMS
            offsets |= _below(senses[lemma][int(number) - 1], synsets, deep=deep)
        for offset in offsets:
            for word in synsets[offset][0]:
                if senses[word.replace(" ", "_").lower()][0] in offsets:
                    owners[word].add(name)
    words: dict[str, list[str]] = {name: [] for name in SENSES}
    for word, names in owners.items():
        for narrow, wide in NARROWER.items():
            if narrow in names:
                names.discard(wide)
        if len(names) == 1 and _fit(word) and (word not in SENSES or word in names):
            words[names.pop()].append(word)
    for name, found in words.items():
        found.sort(key=lambda word: (len(tokenizer(word).input_ids), word))
        words[name] = sorted(found[:MOST])
    json.dump(words, sys.stdout, indent=0, ensure_ascii=False)
    for name, found in words.items():
        print(name, len(found), *found[:12], file=sys.stderr)


def _fit(word: str) -> bool:
    """Lower case, at most three parts, and no part that is held out."""
    parts = re.split(r"[ -]", word)
    return (
        word == word.lower()
        and len(parts) <= 3
        and re.fullmatch(r"[a-z' -]+", word) is not None
        and word not in HELD_OUT_WORDS
        and not any(part in HELD_OUT_WORDS or part.rstrip("s") in HELD_OUT_WORDS for part in parts)
    )


def _index(folder: Path) -> dict[str, list[int]]:
    """Lemma → offsets of its senses, the commonest first."""
    result = {}
    for line in (folder / "index.noun").read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            continue
        parts = line.split()
        result[parts[0]] = [int(part) for part in parts[-int(parts[2]) :]]
    return result


def _synsets(folder: Path) -> dict[int, tuple[list[str], list[int]]]:
    """Offset → its words and the offsets of its hyponyms."""
    result = {}
    for line in (folder / "data.noun").read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            continue
        parts = line.split("|")[0].split()
        count = int(parts[3], 16)
        words = [parts[4 + 2 * i].replace("_", " ") for i in range(count)]
        at = 4 + 2 * count
        pointers = parts[at + 1 : at + 1 + 4 * int(parts[at])]
        below = [int(pointers[i + 1]) for i in range(0, len(pointers), 4) if pointers[i] == "~"]
        result[int(parts[0])] = (words, below)
    return result


def _below(offset: int, synsets: dict[int, tuple[list[str], list[int]]], *, deep: bool) -> set[int]:
    found = {offset}
    if deep:
        for other in synsets[offset][1]:
            found |= _below(other, synsets, deep=True)
    return found


if __name__ == "__main__":
    main()
