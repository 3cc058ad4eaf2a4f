"""How near the caption and its words are to the classifier's labels; the only room with Flair."""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn.functional import normalize

from evo_t2i.caption import content_words, unread
from evo_t2i.checkpoints.cache import cache_folder
from evo_t2i.checkpoints.digests import sha256_of
from evo_t2i.checkpoints.minilm import SHA256, minilm_folder
from evo_t2i.config import BUILTIN_MODELS, ScorerModels
from evo_t2i.errors import ModelError
from evo_t2i.features.classifiers import classifier_labels
from evo_t2i.features.scorer_files import BUILTIN, encoder_folder

POOLING = "mean"
PROMPT = "photo of a {}"
"""Put around labels and content words alike; the whole caption is embedded as it stands."""
LABEL_THRESHOLD = 0.45
"""A caption matches a label when a content word's centred similarity to it reaches this."""
_BATCH = 64


class WordFeatures:
    """Sentence-encoder similarities of a caption to the classifier's labels.

    ``words.labels`` (k,): the whole caption against each label. ``words.word_labels`` (t, k):
    each content word against each label. ``words.coverage`` (): the largest of the latter, so a
    value below ``LABEL_THRESHOLD`` says that the classifier knows nothing that the caption names.

    All are cosines in [-1, 1] after the mean of the label embeddings is subtracted from both
    sides: what all labels share (the prompt, "is a thing") would otherwise lift every cosine.
    The encoder is the one that ``models.embedder`` names, all-MiniLM-L6-v2 by default; the labels
    are those of ``models.classifier``. ModelError when files are missing, damaged or unfit.
    Flair runs on the CPU, whatever ``device`` the results go to: a caption is a few sentences,
    and the cached label matrix then does not depend on the accelerator.
    """

    provides = frozenset({"words.labels", "words.word_labels", "words.coverage"})

    def __init__(
        self,
        *,
        device: torch.device,
        models: ScorerModels = BUILTIN_MODELS,
        labels: Sequence[str] | None = None,
    ) -> None:
        self.labels = classifier_labels(models.classifier) if labels is None else tuple(labels)
        self._device = device
        if models.embedder == BUILTIN:
            self.digest = SHA256
            self._encoder = _flair_encoder(minilm_folder())
        else:
            folder = encoder_folder(models.embedder)
            self.digest = sha256_of(
                folder / "model.safetensors", (folder / "config.json").read_text("utf-8")
            )
            self._encoder = _checked_encoder(folder)
        matrix = self._label_matrix()
        # one label has no company to be told apart from
        self._mean = matrix.mean(dim=0) if len(self.labels) > 1 else torch.zeros_like(matrix[0])
        self._matrix = normalize(matrix - self._mean, dim=-1)  # (k, d)

    def text(self, caption: str) -> dict[str, Tensor]:
        """The three features of ``provides``."""
        prompts = [PROMPT.format(word) for word in content_words(caption)]
        embeddings = self._embed([caption, *prompts]) - self._mean
        similarities = normalize(embeddings, dim=-1) @ self._matrix.T  # (1 + t, k)
        similarities = similarities.to(self._device)
        words = similarities[1:]
        return {
            "words.labels": similarities[0],
            "words.word_labels": words,
            "words.coverage": words.max(),
        }

    def images(
        self,
        batch: Tensor,  # noqa: ARG002
        text: Mapping[str, Tensor],  # noqa: ARG002
    ) -> dict[str, Tensor]:
        """Nothing: words are not seen."""
        return {}

    def unread(self, caption: str) -> str:
        """The caption's end beyond the sentence encoder's limit."""
        tokenizer = self._encoder.tokenizer
        return unread(
            caption,
            lambda texts: tokenizer(list(texts), truncation=True, return_tensors="pt").input_ids,
        )

    def _embed(self, texts: Sequence[str]) -> Tensor:
        from flair.data import Sentence

        sentences = [Sentence(text) for text in texts]
        for start in range(0, len(sentences), _BATCH):
            self._encoder.embed(sentences[start : start + _BATCH])
        return torch.stack([sentence.embedding.float().cpu() for sentence in sentences])

    def _label_matrix(self) -> Tensor:
        key = json.dumps([self.digest, POOLING, PROMPT, self.labels])
        name = hashlib.sha256(key.encode()).hexdigest()[:32]
        path = cache_folder() / "labels" / f"{name}.safetensors"
        stored = _read_matrix(path, len(self.labels))
        if stored is not None:
            return stored
        matrix = self._embed([PROMPT.format(label) for label in self.labels])
        _write_matrix(path, matrix)
        return matrix


def _checked_encoder(folder: Path) -> Any:
    try:
        return _flair_encoder(folder)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, SafetensorError) as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise ModelError(
            f"The sentence encoder in {folder} cannot be loaded ({said}); save it again with "
            "its tokenizer."
        ) from error


def _flair_encoder(folder: Path) -> Any:
    import flair
    from flair.embeddings import TransformerDocumentEmbeddings

    elsewhere, flair.device = flair.device, torch.device("cpu")
    try:
        encoder = TransformerDocumentEmbeddings(
            str(folder), cls_pooling=POOLING, fine_tune=False, use_context_separator=False
        )
    finally:
        flair.device = elsewhere
    encoder.force_device = torch.device("cpu")
    return encoder


def _read_matrix(path: Path, rows: int) -> Tensor | None:
    try:
        matrix = load_file(path).get("labels")
    except (OSError, SafetensorError):
        return None
    fits = matrix is not None and len(matrix) == rows and bool(matrix.isfinite().all())
    return matrix if fits else None


def _write_matrix(path: Path, matrix: Tensor) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
        os.close(handle)
        save_file({"labels": matrix}, temporary)
        Path(temporary).replace(path)
    except OSError:
        return  # an unwritable cache costs time, not the run
