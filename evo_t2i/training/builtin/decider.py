"""Train the built-in generator's decider further, with the reader of captions as it is.

Half of the captions say what is to the left or right of what: the choice that follows from that, to
mirror the picture or not, is the last to be learned.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from evo_t2i.models.layout_generator import Decider
from evo_t2i.models.word_reader import WordReader
from evo_t2i.training.builtin.meanings import kept_meanings
from evo_t2i.training.builtin.text import LATENTS, Texts, misdecided, pad
from evo_t2i.training.supervised import FitSettings, Progress, fit, randn
from evo_t2i.world import RELATIONS

LATENTS_A_STEP = 3
SIDES = ("left of", "right of")
NOISE = 0.1
"""Deviation of the noise on meanings, relative to theirs."""


def train_decider(
    decider: Decider,
    reader: WordReader,
    texts: Texts,
    settings: FitSettings,
    out: Path,
    device: torch.device,
    progress: Progress | None = None,
) -> Decider:
    """Go on with ``decider`` on what ``reader`` makes of texts; ``images`` counts texts.

    Returns it in eval mode, on the CPU.
    """
    decider.to(device)
    meanings = kept_meanings(texts.folder, reader, lambda: _read(reader, texts, device))
    spread = float(meanings[:5000].std())
    latents = torch.from_numpy(texts.latents).to(device)
    sides = [RELATIONS.index(side) for side in SIDES]
    sided = np.nonzero(texts.named.subjects[:, sides].any((1, 2)))[0]

    def loss(rows: np.ndarray, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        rows[::2] = sided[rows[::2] % len(sided)]
        which = torch.randperm(LATENTS, generator=generator)[:LATENTS_A_STEP].numpy()
        meaning = meanings[torch.from_numpy(rows)].to(device).float()
        meaning = meaning + NOISE * spread * randn(meaning.shape, generator, device)
        return misdecided(decider, meaning, texts, latents, rows, which), {}

    fit(decider, loss, texts, settings, out, progress)
    return decider.cpu()


@torch.inference_mode()
def _read(reader: WordReader, texts: Texts, device: torch.device) -> Tensor:
    """(texts, outputs) float16 on the CPU, those of like length together."""
    words, lengths = torch.from_numpy(texts.words), np.diff(texts.ends, prepend=0)
    order = np.argsort(lengths, kind="stable")
    result = torch.zeros(len(texts), reader.outputs, dtype=torch.float16)
    reader.to(device)
    for start in range(0, len(order), 512):
        rows = order[start : start + 512]
        states, mask = pad(words, texts.ends, rows)
        with torch.autocast(device.type, torch.bfloat16):
            result[rows] = reader(states.to(device), mask.to(device)).half().cpu()
    reader.cpu()
    return result
