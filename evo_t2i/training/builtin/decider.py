"""Train the built-in generator's decider further, with the reader of captions as it is.

Half of the captions say what is to the left or right of what: the choice that follows from that, to
mirror the picture or not, is the last to be learned.
"""

import hashlib
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from evo_t2i.models.layout_generator import Decider
from evo_t2i.models.word_reader import WordReader
from evo_t2i.training.builtin.text import LATENTS, Texts, pad, wrong_decisions
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
    meanings = _meanings(reader, texts, device)
    spread = float(meanings[:5000].std())
    latents = torch.from_numpy(texts.latents).to(device)
    sided = np.nonzero(
        texts.named.subjects[:, [RELATIONS.index(side) for side in SIDES]].any((1, 2))
    )[0]

    def loss(rows: np.ndarray, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        rows[::2] = sided[rows[::2] % len(sided)]
        which = torch.randperm(LATENTS, generator=generator)[:LATENTS_A_STEP].numpy()
        drawn = torch.from_numpy(texts.drawn[rows][:, which]).to(device)
        choices = torch.from_numpy(texts.choices[rows][:, which]).to(device).long()
        meaning = meanings[torch.from_numpy(rows)].to(device).float()
        meaning = meaning + NOISE * spread * randn(meaning.shape, generator, device)
        return wrong_decisions(decider, meaning, latents[drawn], choices), {}

    fit(decider, loss, texts, settings, out, progress)
    return decider.cpu()


@torch.inference_mode()
def _meanings(reader: WordReader, texts: Texts, device: torch.device) -> Tensor:
    """(texts, outputs) float16 on the CPU, kept in the folder of the texts."""
    tensors = {name: tensor.contiguous() for name, tensor in reader.state_dict().items()}
    digest = hashlib.sha256(safetensors.torch.save(tensors)).hexdigest()[:12]
    cache = texts.folder / f"meanings-{digest}.npy"
    if not cache.exists():
        words, lengths = torch.from_numpy(texts.words), np.diff(texts.ends, prepend=0)
        order = np.argsort(lengths, kind="stable")
        result = np.zeros((len(texts), reader.outputs), np.float16)
        reader.to(device)
        for start in range(0, len(order), 512):
            rows = order[start : start + 512]
            states, mask = pad(words, texts.ends, rows)
            with torch.autocast(device.type, torch.bfloat16):
                result[rows] = reader(states.to(device), mask.to(device)).half().cpu().numpy()
        reader.cpu()
        partial = cache.with_suffix(".partial.npy")
        np.save(partial, result)
        partial.rename(cache)
    return torch.from_numpy(np.load(cache))
