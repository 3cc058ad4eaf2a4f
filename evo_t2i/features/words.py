"""How near the caption and its words are to the classifier's labels; the only room with Flair.

Flair takes seconds to import, so the built-in encoder does without: it gives the same numbers.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.functional import normalize

from evo_t2i.caption import content_words, unread
from evo_t2i.checkpoints.cache import NOWHERE, cached_tensor, expanded, keep_tensor
from evo_t2i.checkpoints.digests import digest_of_files
from evo_t2i.checkpoints.minilm import SHA256, minilm_folder
from evo_t2i.checkpoints.model_folder import files_read, refused
from evo_t2i.config import BUILTIN_MODELS, ScorerModels
from evo_t2i.errors import ModelError
from evo_t2i.features.classifiers import classifier_labels
from evo_t2i.features.scorer_files import BUILTIN, encoder_folder
from evo_t2i.models.loading import loading
from evo_t2i.models.sentence_encoder import SentenceEncoder

POOLING = "mean"
PROMPT = "photo of a {}"
"""Put around labels and content words alike; the whole caption is embedded as it stands."""
LABEL_THRESHOLD = 0.45
"""A caption matches a label when a content word's centred similarity to it reaches this."""
_BATCH = 64
_LAYERS = ("encoder.", "transformer.")
"""How the names of an encoder's tensors begin, other than those of heads for other tasks."""


class WordFeatures:
    """Sentence-encoder similarities of a caption to the classifier's labels.

    ``words.labels`` (k,): the whole caption against each label. ``words.word_labels`` (t, k):
    each content word against each label. ``words.coverage`` (): the largest of the latter, so a
    value below ``LABEL_THRESHOLD`` says that the classifier knows nothing that the caption names.

    All are cosines in [-1, 1] after the mean of the label embeddings is subtracted from both
    sides: what all labels share (the prompt, "is a thing") would otherwise lift every cosine.
    The encoder is the one that ``models.embedder`` names, all-MiniLM-L6-v2 by default; the labels
    are those of ``models.classifier``. ModelError when files are missing, damaged or unfit.
    It runs on the CPU, whatever ``device`` the results go to: a caption is a few sentences,
    and the cached label matrix then does not depend on the accelerator.
    """

    provides = frozenset({"words.labels", "words.word_labels", "words.coverage"})
    reentrant = True

    def __init__(
        self,
        *,
        device: torch.device,
        models: ScorerModels = BUILTIN_MODELS,
        labels: Sequence[str] | None = None,
    ) -> None:
        self.labels = classifier_labels(models.classifier) if labels is None else tuple(labels)
        self._device = device
        with loading():
            if models.embedder == BUILTIN:
                self.digest = SHA256
                self._encoder: Encoder = SentenceEncoder(minilm_folder())
            else:
                self.digest, self._encoder = _chosen_encoder(encoder_folder(models.embedder))
        matrix = self._label_matrix()
        # one label has no company to be told apart from
        self._mean = matrix.mean(dim=0) if len(self.labels) > 1 else torch.zeros_like(matrix[0])
        self._matrix = normalize(matrix - self._mean, dim=-1)  # (k, d)

    def text(self, caption: str) -> dict[str, Tensor]:
        """The three features of ``provides``."""
        return self.against(caption, own_words=False)

    def against(self, caption: str, *, own_words: bool) -> dict[str, Tensor]:
        """The features of ``provides``; with ``own_words`` the caption's content words (t) follow
        the labels, so that k is larger by t; ``words.coverage`` is that of the labels alone."""
        prompts = [PROMPT.format(word) for word in content_words(caption)]
        embeddings = normalize(self._encoder([caption, *prompts]) - self._mean, dim=-1)
        labels = torch.cat([self._matrix, embeddings[1:]]) if own_words else self._matrix
        similarities = (embeddings @ labels.T).to(self._device)  # (1 + t, k)
        words = similarities[1:]
        return {
            "words.labels": similarities[0],
            "words.word_labels": words,
            "words.coverage": words[:, : len(self.labels)].max(),
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
        return unread(caption, self._encoder.tokenize)

    def _label_matrix(self) -> Tensor:
        key = json.dumps([self.digest, POOLING, PROMPT, self.labels])
        matrix = cached_tensor("labels", key)
        if matrix is None or len(matrix) != len(self.labels):
            matrix = self._encoder([PROMPT.format(label) for label in self.labels])
            keep_tensor("labels", key, matrix)
        return matrix


class Encoder(Protocol):
    """Texts → (n, d) on the CPU, not of unit length."""

    def __call__(self, texts: Sequence[str]) -> Tensor: ...

    def tokenize(self, texts: Sequence[str]) -> Tensor:
        """Texts → ids (n, length), as it reads them."""
        ...


class FlairEncoder:
    """Flair's embedding of documents by the transformer in ``folder``: the mean of its states."""

    def __init__(self, folder: Path) -> None:
        self._embeddings = _flair_embeddings(folder)

    def __call__(self, texts: Sequence[str]) -> Tensor:
        from flair.data import Sentence

        sentences = [Sentence(text) for text in texts]
        for start in range(0, len(sentences), _BATCH):
            self._embeddings.embed(sentences[start : start + _BATCH])
        return torch.stack([sentence.embedding.float().cpu() for sentence in sentences])

    def tokenize(self, texts: Sequence[str]) -> Tensor:
        """As ``Encoder.tokenize``."""
        given = self._embeddings.tokenizer(list(texts), truncation=True, return_tensors="pt")
        ids: Tensor = given.input_ids
        return ids


def _chosen_encoder(folder: Path) -> tuple[str, FlairEncoder]:
    """Digest and encoder of a folder that ``encoder_folder`` let pass."""
    with refused(f"The sentence encoder in {folder}", "save it again with its tokenizer."):
        _require_all_weights(folder)
        encoder = FlairEncoder(folder)
        digest = digest_of_files(folder, files_read(folder, ["model.safetensors"]))
    return digest, encoder


def _require_all_weights(folder: Path) -> None:
    """Raise ModelError for tensors that are missing, which Flair would let be drawn at random.

    And for layers that the configuration leaves out.
    """
    from transformers import AutoModel

    _, report = AutoModel.from_pretrained(
        str(folder),
        local_files_only=True,
        use_safetensors=True,
        trust_remote_code=False,
        output_loading_info=True,
    )
    missing = sorted(name for name in report["missing_keys"] if not name.startswith("pooler."))
    if missing:
        raise ModelError(
            f"The weights of the sentence encoder in {folder} lack {len(missing)} tensors, first "
            f"{missing[0]!r}; save it again."
        )
    unused = sorted(name for name in report["unexpected_keys"] if name.startswith(_LAYERS))
    if unused:
        raise ModelError(
            f"The configuration of the sentence encoder in {folder} leaves out {len(unused)} of "
            f"its tensors, first {unused[0]!r}; save it again."
        )


def _flair_embeddings(folder: Path) -> Any:
    with _flairs_folder():
        import flair
        from flair.embeddings import TransformerDocumentEmbeddings

    elsewhere, flair.device = flair.device, torch.device("cpu")
    try:
        encoder = TransformerDocumentEmbeddings(
            str(folder),
            cls_pooling=POOLING,
            fine_tune=False,
            use_context_separator=False,
            local_files_only=True,
            trust_remote_code=False,
        )
    finally:
        flair.device = elsewhere
    encoder.force_device = torch.device("cpu")
    return encoder


@contextmanager
def _flairs_folder() -> Iterator[None]:
    """Flair makes a cache folder in the home when it is imported; nothing here needs one.

    For that moment it is told a folder that exists, and a home where there is none. Afterwards its
    cache is where it would be, for other users of Flair in the process.
    """
    if "flair" in sys.modules:
        yield
        return
    home = expanded("~")
    told = {"FLAIR_CACHE_ROOT": os.sep}
    if not home.is_absolute():
        home = NOWHERE
        told["HOME"] = str(home)
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    root = before["FLAIR_CACHE_ROOT"]
    sys.modules["flair"].cache_root = (  # type: ignore[attr-defined]
        Path(root) if root else home / ".flair"
    )
