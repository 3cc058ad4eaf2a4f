"""Which words that captions never used are near taught ones, by the built-in sentence encoder.

``HELD_OUT_WORDS`` each mean something that the world draws, the words below nothing that it draws.
A word is near when its centred similarity to a taught phrase reaches a threshold. It is chosen on
every other word of both lists, by the mean of both shares, and judged on the rest. Then: the share
of near held-out words whose nearest phrase means what they mean, and how many of the grammar's own
captions raise a doubt.

    python benchmarks/known_words.py
"""

import argparse

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from evo_t2i.caption import spoken_words
from evo_t2i.caption_check import doubts, unknown_words
from evo_t2i.vocabulary import NEAR, READ_FROM, SHARPNESS, WorldVocabulary, canonical_captions
from evo_t2i.world import HELD_OUT_WORDS, NOTES_CAPTIONS, captions, sample_scene

UNRELATED = """
    dragon guitar piano pizza volcano elephant giraffe spider snake crocodile banana carrot bread
    cheese camera telephone computer keyboard clock mirror window door key knife fork spoon hammer
    wrench screwdriver scissors pencil violin drum trumpet microscope telescope satellite bridge
    tunnel church pyramid statue fountain waterfall desert jungle octopus jellyfish whale dolphin
    shark turtle frog lizard butterfly bee ant beetle mushroom cactus skeleton ghost unicorn mermaid
    wizard knight sword shield crown necklace ring diamond coin wallet backpack suitcase toothbrush
    soap towel pillow blanket carpet curtain oven refrigerator toaster kettle bottle sandwich burger
    spaghetti soup salad strawberry grape pineapple onion potato tomato chocolate candle lighter
    cigarette newspaper envelope stamp calendar calculator television radio microphone headphones
    battery cable engine wheel tire anchor helicopter submarine tractor motorcycle skateboard sled
    tent ladder rope bucket shovel rake axe saw nail screw brick cement bone heart brain hand foot
    eye nose ear tooth tongue planet galaxy comet tornado lightning rainbow cloud earthquake fire
    smoke lava iceberg democracy philosophy algebra music economy justice dinosaur monkey gorilla
    lion tiger kangaroo penguin owl pig camel zebra hippopotamus rhinoceros mouse rat squirrel
    hedgehog worm snail crab lobster shoe boot glove sock trousers belt scarf tie
"""
NO_NAMES = """
    playing running tiny huge holding sleeping colorful vintage fluffy happy fast parked
    photorealistic detailed cinematic watercolor quality dancing angry modern shiny lonely broken
    full two-story kicking chasing waiting floating crossing surrounded filled smiling sad majestic
"""
"""Words of captions that mean no name."""
SHARPNESSES = (4, 8, 12, 16, 24)
THRESHOLDS = np.linspace(0.2, 0.8, 61)


def shares(held: np.ndarray, unrelated: np.ndarray, threshold: float) -> tuple[float, float]:
    """Held-out words that are near, and unrelated ones that are not."""
    return float((held >= threshold).mean()), float((unrelated < threshold).mean())


def nearness(vocabulary: WorldVocabulary) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cosines of held-out words to the nearest name, whether it is the right one, and cosines of
    words that mean none."""
    held_out = [word for word in HELD_OUT_WORDS if not vocabulary.knows(word)]
    cosines, names = vocabulary.name_similarities(held_out)
    found = [names[column] for column in cosines.argmax(dim=1).tolist()]
    hits = [HELD_OUT_WORDS[word] == name for word, name in zip(held_out, found, strict=True)]
    other = vocabulary.name_similarities(NO_NAMES.split())[0]
    return cosines.amax(dim=1).numpy(), np.array(hits), other.amax(dim=1).numpy()


def left_out(vocabulary: WorldVocabulary) -> tuple[Tensor, Tensor]:
    """Cosines (p, k) of taught words to names' means, that of its own name without it, and the
    names' columns (p,)."""
    taught, names, _ = vocabulary.named_embeddings()
    totals = torch.zeros(int(names.max()) + 1, taught.shape[1]).index_add(0, names, taught)
    cosines = taught @ normalize(totals, dim=1).T
    own = (normalize(totals[names] - taught, dim=1) * taught).sum(dim=1)
    return cosines.scatter(1, names[:, None], own[:, None]), names


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--captions", type=int, default=500)
    arguments = parser.parse_args()
    vocabulary = WorldVocabulary()
    held_out = [word for word in HELD_OUT_WORDS if not vocabulary.knows(word)]
    unrelated = [word for word in UNRELATED.split() if not vocabulary.knows(word)]
    cosines, names = vocabulary.similarities([*held_out, *unrelated])
    best = cosines.max(dim=1).values.numpy()
    held, other = best[: len(held_out)], best[len(held_out) :]
    wins = held[:, None] > other[None]
    print(f"{len(held)} held-out words, {len(other)} unrelated; AUC {wins.mean():.3f}")
    balanced = [np.mean(shares(held[::2], other[::2], each)) for each in THRESHOLDS]
    chosen = float(THRESHOLDS[int(np.argmax(balanced))])
    print(f"chosen on every other word: {chosen:.2f}; in use: {NEAR}")
    for name, threshold in (("chosen", chosen), ("in use", NEAR)):
        near, far = shares(held[1::2], other[1::2], threshold)
        print(f"{name}, on the rest: held-out words near {near:.2f}, unrelated ones not {far:.2f}")
    nearest = [names[column] for column in cosines.argmax(dim=1).tolist()]
    right = [
        nearest[row] == HELD_OUT_WORDS[word]
        for row, word in enumerate(held_out)
        if held[row] >= NEAR
    ]
    print(f"of {len(right)} near held-out words {np.mean(right):.2f} are near what they mean")
    near, hits, other_near = nearness(vocabulary)
    for threshold in sorted({0.0, 0.2, 0.25, 0.3, 0.35, 0.4, READ_FROM}):
        read = near >= threshold
        print(f"read as names from a cosine of {threshold:g}: held-out words {read.mean():.2f} "
              f"({hits[read].mean():.2f} of them rightly), words that mean none "
              f"{(other_near >= threshold).mean():.2f}")  # fmt: skip
    cosines, meant = left_out(vocabulary)
    chance = [float(-cross_entropy(each * cosines, meant)) for each in SHARPNESSES]
    print("log-likelihood of what a taught word means, by the sharpness of its cosines: "
          + ", ".join(f"{a} {b:.2f}" for a, b in zip(SHARPNESSES, chance, strict=True))
          + f"; in use: {SHARPNESS:g}")  # fmt: skip
    alarms = 0
    for number in range(arguments.captions):
        rng = np.random.default_rng([31, number])
        text = captions(sample_scene(rng), rng, 1)[0].text
        if unknown_words(spoken_words(text), vocabulary) or doubts(text, vocabulary):
            alarms += 1
            print(f"false alarm: {text}")
    for each in (*(caption.text for caption in NOTES_CAPTIONS), *canonical_captions()):
        alarms += bool(doubts(each, vocabulary))
    print(f"{alarms} false alarms in {arguments.captions} captions, the notes' and the suggestions")


if __name__ == "__main__":
    main()
