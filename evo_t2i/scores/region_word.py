"""Does each phrase of the caption have its place in the picture?"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from evo_t2i.config import described, require, require_positive

TEXTS = ("phrases", "words")


def region_word(
    regions: Tensor,
    words: Tensor,
    region_sharpness: float = 50.0,
    word_sharpness: float = 5.0,
    temperature: float = 1.0,
) -> Tensor:
    """Scores (n,) of unit region embeddings (n, r, d) against unit embeddings (t, d) of words.

    XMC-GAN (Zhang et al., 2021), equations 4 to 6: each word attends to the regions,
    α = softmax over regions of ρ1 cos(word, region), and gathers c = Σ α region; then
    S = log(1/t Σ exp(ρ2 cos(word, c))) / ρ2 / τ with ρ1 ``region_sharpness``, ρ2
    ``word_sharpness`` and τ ``temperature``. The 1/t is ours: without it S grows with the
    caption's length. In [-1/τ, 1/τ].
    """
    cosines = torch.einsum("td,nrd->ntr", words, regions)
    attention = (region_sharpness * cosines).softmax(dim=-1)
    gathered = normalize(attention @ regions, dim=-1)  # (n, t, d)
    matches = (gathered * words).sum(dim=-1)  # (n, t)
    pooled = (word_sharpness * matches).logsumexp(dim=-1) - math.log(len(words))
    return pooled / word_sharpness / temperature


class RegionWord:
    """Word-to-region alignment of CLIP's patches with the caption's phrases or content words.

    XMC-GAN's words are read in their caption, so its "cat" knows that it is red. CLIP reads a text
    as a whole: a word by itself has lost what is said of it; a run of content words keeps it.
    """

    name = "region_word"

    @dataclass(frozen=True, kw_only=True)
    class Options:
        """What takes the words' place, and the constants of the formula, see ``region_word``."""

        region_sharpness: float = described(
            "rho_1: how strongly a word attends to its best region.", 50.0
        )
        word_sharpness: float = described("rho_2: how strongly the best word dominates.", 5.0)
        temperature: float = described("tau: divides the score.", 1.0)
        text: str = described(
            "phrases (runs of content words, such as red cat) or words (each by itself, the design "
            "notes' form).",
            "phrases",
        )

        def __post_init__(self) -> None:
            for name in ("region_sharpness", "word_sharpness", "temperature"):
                require_positive(name, getattr(self, name))
            require(self.text in TEXTS, "text", self.text, " or ".join(TEXTS))

    def __init__(self, *, options: Options) -> None:
        self._options = options
        self._words = f"clip.{options.text}"
        self.needs = frozenset({"clip.dense", self._words})

    def __call__(self, features: Mapping[str, Tensor]) -> Tensor:
        return region_word(
            features["clip.dense"],
            features[self._words],
            self._options.region_sharpness,
            self._options.word_sharpness,
            self._options.temperature,
        )
