"""What a built-in generator is measured by: captions and latents; what it decides and draws."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image

from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.errors import UsageError
from evo_t2i.models.judge import Judge
from evo_t2i.models.layout_generator import LayoutGenerator, taken
from evo_t2i.models.minilm import load_tokenizer
from evo_t2i.models.text_side import TextSide
from evo_t2i.training.builtin.judge import read
from evo_t2i.training.builtin.pool import amounts_of
from evo_t2i.world import (
    CAPTION_KINDS,
    LATENT_SIZE,
    NOTES_CAPTIONS,
    Caption,
    Scene,
    captions,
    kind_of_caption,
    sample_scene,
    scene_from_choices,
    shows_own,
    truth_of,
)
from evo_t2i.world.synonyms import HELD_OUT, reword

CAPTION_SEED, LATENT_SEED = 20_000, 20_001
MORE = (
    "a yellow balloon over the sea at night",
    "a red cup to the left of a blue ball",
    "two white sheep in a field",
)


@dataclass(frozen=True)
class Rate:
    """How often plain samples hold all that their captions name, by kind of caption.

    decided: of the choices; judged: of the pictures, as the judge reads them.
    """

    kind: str
    captions: int
    decided: float
    judged: float


def fresh_captions(count: int) -> dict[str, list[Caption]]:
    """``count`` captions of each kind, and as many with words that no training saw."""
    found: dict[str, list[Caption]] = {kind: [] for kind in (*CAPTION_KINDS, "unseen words")}
    index = 0
    while any(len(items) < count for items in found.values()):
        rng = np.random.default_rng([CAPTION_SEED, index])
        index += 1
        caption = captions(sample_scene(rng), rng, 1)[0]
        of_kind = found[kind_of_caption(caption)]
        if len(of_kind) < count:
            of_kind.append(caption)
        other = reword(caption, rng, 0.8, HELD_OUT)
        if len(found["unseen words"]) < count and other.text != caption.text:
            found["unseen words"].append(other)
    return found


def rates(generator: LayoutGenerator, side: TextSide, judge: Judge, count: int = 200) -> list[Rate]:
    """One plain sample a caption: does it show all that the caption names?

    Choices that the world cannot make together count as wrong decisions.
    """
    result = []
    for kind, items in fresh_captions(count).items():
        meaning = meanings(side, [item.text for item in items])
        rng = np.random.default_rng(LATENT_SEED)
        latents = rng.standard_normal((len(items), LATENT_SIZE), dtype=np.float32)
        scenes = decided(generator, meaning, latents)
        rows = [row for row, scene in enumerate(scenes) if scene is not None]
        held = shows_own(
            truth_of([scene for scene in scenes if scene is not None]),
            truth_of([items[row] for row in rows]),
        )
        shown = shows_own(read(judge, draw(generator, meaning, latents)), truth_of(items))
        result.append(Rate(kind, len(items), float(held.sum()) / len(items), float(shown.mean())))
    return result


@torch.inference_mode()
def decided(
    generator: LayoutGenerator, meaning: torch.Tensor, latents: np.ndarray
) -> list[Scene | None]:
    """The scene of each row's likeliest choices; None where they do not go together."""
    choices = generator.decider(meaning, torch.from_numpy(latents))
    options = taken(choices).numpy()
    amounts = amounts_of(latents).astype(float)
    scenes: list[Scene | None] = []
    for row in range(len(latents)):
        try:
            scenes.append(scene_from_choices(options[row], amounts[row].clip(0, 0.999).tolist()))
        except UsageError:
            scenes.append(None)
    return scenes


def grid(generator: LayoutGenerator, side: TextSide, columns: int = 8) -> Image.Image:
    """The captions of the notes and three more, one row each; one latent a column."""
    texts = [*(caption.text for caption in NOTES_CAPTIONS), *MORE]
    meaning = meanings(side, texts).repeat_interleave(columns, 0)
    rng = np.random.default_rng(LATENT_SEED)
    latents = rng.standard_normal((len(meaning), LATENT_SIZE), dtype=np.float32)
    images = draw(generator, meaning, latents)
    rows = [np.concatenate(list(row), axis=1) for row in np.split(images, len(texts))]
    return Image.fromarray(np.concatenate(rows, axis=0))


@torch.inference_mode()
def meanings(side: TextSide, texts: list[str]) -> torch.Tensor:
    """(n, outputs of the reader), as the built-in generator reads them."""
    return side(load_tokenizer(minilm_folder())(texts))


@torch.inference_mode()
def draw(generator: LayoutGenerator, meaning: torch.Tensor, latents: np.ndarray) -> np.ndarray:
    """Pictures (n, 128, 128, 3) uint8 of meanings and latents, row by row."""
    parts = []
    for start in range(0, len(latents), 50):
        rows = slice(start, start + 50)
        _, images = generator(torch.from_numpy(latents[rows]), meaning[rows])
        assert images is not None
        unit = (images.clamp(-1, 1) + 1) / 2
        parts.append((unit * 255).round().byte().permute(0, 2, 3, 1).numpy())
    return np.concatenate(parts)
