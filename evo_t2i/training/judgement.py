"""What a generator in training is measured by: fixed captions and latents, the judge's answer."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from evo_t2i.models.judge import Judge
from evo_t2i.models.text_stylegan import TextStyleGan, to_unit
from evo_t2i.training.clip import sentence_embeddings
from evo_t2i.training.judge import agreement, read
from evo_t2i.training.pool import Pool

CHOOSING = 600
"""Captions that choose the best average; the others of the validation pool are kept aside."""
GRID = (
    "skyline at sunset.",
    "a cat is lay on the table.",
    "a street scene with a double-decker bus on the road.",
    "A bird that is on a tree",
    "A dog with goggles staring at the camera.",
    "a yellow balloon over the sea at night",
    "a house in a field by day",
    "a blue boat on the sea at sunset",
)


class Judgement:
    """Draws one plain sample a validation caption and asks the judge what it shows.

    ``clip`` encodes sentences and ``text`` turns those into the generator's text features.
    """

    def __init__(
        self, validation: Pool, judge: Judge, clip: Any, text: Callable[[Tensor], Tensor]
    ) -> None:
        said = validation.caption_rows[np.random.default_rng(0).permutation(len(validation)), 0]
        texts = [validation.texts[row] for row in said] + list(GRID)
        features = text(sentence_embeddings(clip, texts))
        self._texts, self._grid = features[: len(said)], features[len(said) :]
        self._named = validation.named[said]
        self._judge = judge

    def rate(self, generator: TextStyleGan) -> float:
        """Share of the choosing captions of which a plain sample shows everything named."""
        return self._rate(generator, np.arange(len(self._texts))[:CHOOSING], seed=1)

    def rate_aside(self, generator: TextStyleGan) -> float:
        """The same for the captions that chose nothing, with other latents."""
        return self._rate(generator, np.arange(len(self._texts))[CHOOSING:], seed=2)

    def grid(self, generator: TextStyleGan, columns: int = 8) -> Image.Image:
        """One row a caption, one column a latent, at twice the size."""
        images = _draw(generator, self._grid.repeat_interleave(columns, 0), seed=1)
        size = images.shape[1]
        rows = images.reshape(len(GRID), columns, size, size, 3).transpose(0, 2, 1, 3, 4)
        sheet = Image.fromarray(rows.reshape(len(GRID) * size, columns * size, 3))
        return sheet.resize((sheet.width * 2, sheet.height * 2), Image.Resampling.LANCZOS)

    def _rate(self, generator: TextStyleGan, rows: np.ndarray, seed: int) -> float:
        if len(rows) == 0:
            return 0.0
        images = _draw(generator, self._texts[torch.from_numpy(rows)], seed)
        shown = agreement(read(self._judge, images), self._named[rows])
        return round(float(shown.mean()), 4)


@torch.inference_mode()
def _draw(generator: TextStyleGan, text: Tensor, seed: int) -> np.ndarray:
    """One image (n, h, w, 3) uint8 a row of ``text``."""
    rng = np.random.default_rng(seed)
    parts = []
    for part in text.split(100):
        latents = rng.standard_normal((len(part), generator.config.latent_size), np.float32)
        images = to_unit(generator(torch.from_numpy(latents).to(text.device), part))
        parts.append((images * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy())
    return np.concatenate(parts)
