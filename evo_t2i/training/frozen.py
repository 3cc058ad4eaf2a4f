"""Frozen networks that a generator's training looks through: a CLIP, and a classifier.

Both take drawn pictures (n, 3, r, r) around [-1, 1] and let gradients through to them.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import normalize

from evo_t2i.caption import content_words, of_like_length
from evo_t2i.checkpoints import builtin, published_clip
from evo_t2i.checkpoints.cache import expanded
from evo_t2i.checkpoints.small_clip import is_small_clip, load_small_clip
from evo_t2i.config import ScorerModels
from evo_t2i.features import preprocess
from evo_t2i.features.classifiers import load_classifier
from evo_t2i.features.clip import WORD_PROMPT, ClipFeatures
from evo_t2i.features.scorer_files import BUILTIN, LOCAL

MAX_WORDS = 16
_AT_ONCE = 128


class FrozenClip:
    """The CLIP that ``--clip`` names, for captions, their words and pictures.

    Raises ModelError when its weights are missing or damaged, UsageError for an unknown name.
    """

    def __init__(self, spec: str, device: torch.device) -> None:
        self.spec = spec
        self._features = ClipFeatures(device=device, models=ScorerModels(clip=spec))
        self.digest = self._features.digest
        self.size = int(self.embedded(["a"]).shape[1])

    @property
    def text_digest(self) -> str | None:
        """Of the built-in one's weights, of a folder's text tower; None for one named by itself."""
        if self.spec == BUILTIN:
            return builtin.load("clip").tensors_digest
        if not self.spec.startswith(LOCAL):
            return None
        folder = expanded(self.spec.removeprefix(LOCAL))
        if is_small_clip(folder):
            return load_small_clip(folder).tensors_digest
        return published_clip.load_folder(folder).text_digest()

    def texts(self, texts: Sequence[str]) -> Tensor:
        """(n, d) on the CPU, of unit length; texts of like length are read together."""
        result = torch.zeros(len(texts), self.size)
        for part in of_like_length(texts, _AT_ONCE):
            result[part] = self.embedded([texts[i] for i in part])
        return result

    @torch.no_grad()
    def embedded(self, texts: Sequence[str]) -> Tensor:
        """(n, d) on the CPU, of unit length, read in one batch."""
        return self._features.embed(texts).cpu()

    def words(self, captions: Sequence[str]) -> Tensor:
        """(n, t, d) on the CPU: each caption's content words, the first 16; zero beyond its own."""
        spoken = [content_words(caption)[:MAX_WORDS] for caption in captions]
        known = sorted({word for words in spoken for word in words})
        place = {word: row for row, word in enumerate(known)}
        features = self.texts([WORD_PROMPT.format(word=word) for word in known])
        result = torch.zeros(len(captions), max(map(len, spoken), default=1), self.size)
        for row, words in enumerate(spoken):
            result[row, : len(words)] = features[[place[word] for word in words]]
        return result

    def images(self, images: Tensor) -> Tensor:
        """(n, d), of unit length."""
        return self._features.images(images / 2 + 0.5, {})["clip.image"]

    def remembered(self, captions: Sequence[str], folder: Path, *, words: bool) -> Tensor:
        """(n, d) of the captions, or with ``words`` (n, 1 + t, d) with their words after them.

        Kept in ``folder`` under a digest of captions and weights: computed once for both.
        """
        key = hashlib.sha256(f"{self.digest} {words} {list(captions)}".encode()).hexdigest()
        path = folder / f"captions-{key[:16]}.safetensors"
        if not path.is_file():
            features = self.texts(captions)
            if words:
                features = torch.cat([features[:, None], self.words(captions)], dim=1)
            partial = path.with_suffix(".part")
            save_file({"features": features.contiguous()}, partial)
            partial.rename(path)
        return load_file(path)["features"]


@dataclass(frozen=True)
class FrozenClassifier:
    """What a classifier's last layer reads, and what it answers."""

    model: nn.Module
    last: nn.Linear
    image_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    labels: tuple[str, ...]
    digest: str

    @property
    def size(self) -> int:
        """Of the features."""
        return self.last.in_features

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images (n, 3, r, r) → features (n, size), logits (n, labels)."""
        inputs = preprocess.resize(images / 2 + 0.5, (self.image_size, self.image_size))
        inputs = preprocess.normalise(inputs, self.mean, self.std)
        kept: list[Tensor] = []
        hook = self.last.register_forward_pre_hook(lambda _layer, given: kept.append(given[0]))
        try:
            logits = self.model(inputs.contiguous(memory_format=torch.channels_last))
        finally:
            hook.remove()
        return kept[0].float(), logits.float()


@dataclass(frozen=True)
class Teachers:
    """What one training looks through."""

    clip: FrozenClip
    classifier: FrozenClassifier | None
    """None where no term reads it."""


def load_frozen_classifier(spec: str, device: torch.device) -> FrozenClassifier:
    """The network of whatever ``--classifier`` takes, but for ``clip:FILE``.

    Raises ModelError when weights are missing or damaged, UsageError for an unknown name.
    """
    chosen = load_classifier(spec)
    model = chosen.model.to(device).to(memory_format=torch.channels_last)
    model.eval().requires_grad_(False)
    last = [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
    return FrozenClassifier(
        model,
        last,
        chosen.image_size,
        chosen.mean,
        chosen.std,
        chosen.labels,
        chosen.digest,
    )


def label_similarities(clip: FrozenClip, labels: Sequence[str], texts: Tensor) -> Tensor:
    """(n, labels) cosines of caption features (n, d) and each label's, on the CPU."""
    return texts @ clip.texts([WORD_PROMPT.format(word=label) for label in labels]).T


def unit(features: Tensor) -> Tensor:
    """Rows of unit length."""
    return normalize(features, dim=-1)
