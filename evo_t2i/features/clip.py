"""CLIP embeddings of the image and of its patches; of the caption, its words and its phrases."""

import hashlib
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, scaled_dot_product_attention

from evo_t2i import builtin_clip
from evo_t2i.caption import content_phrases, content_words, unread
from evo_t2i.checkpoints.builtin import LoadedWeights
from evo_t2i.checkpoints.cache import expanded
from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.checkpoints.model_folder import read_json
from evo_t2i.checkpoints.small_clip import is_small_clip, load_small_clip
from evo_t2i.config import BUILTIN_MODELS, ScorerModels
from evo_t2i.errors import ModelError
from evo_t2i.features.labels import TEMPLATES, own_labels
from evo_t2i.features.preprocess import channel_values, normalise, resize
from evo_t2i.features.scorer_files import BUILTIN, LOCAL, clip_weights
from evo_t2i.features.zero_shot import label_features
from evo_t2i.models.loading import loading
from evo_t2i.models.precision import InPrecision

WORD_PROMPT = "a picture of {word}."
ANTONYMS = ("Good photo.", "Bad photo.")
"""CLIP-IQA's prompts for quality (Wang et al., 2023)."""
DENSE_FORMS = ("clear", "tokens", "things")
Readings = Callable[[str], Sequence[tuple[str, float]]]
"""A text → texts to read in its place, with weights that add up to 1."""


def token_embeddings(visual: Any, states: Tensor) -> Tensor:
    """Patch embeddings (n, r, d) from the last block's output ``states`` (n, 1 + r, width).

    The tower's own final norm and projection, as for the class token. Not of unit length.
    """
    tokens: Tensor = visual.ln_post(states[:, 1:]) @ visual.proj
    return tokens


def thing_embeddings(visual: Any, states: Tensor) -> Tensor:
    """Patch embeddings (n, r, d) from the last block's output, as ``visual.regions`` gives them."""
    regions: Tensor = visual.regions(visual.ln_post(states))
    return regions


def dense_embeddings(visual: Any, states: Tensor) -> Tensor:
    """Patch embeddings (n, r, d) from the input ``states`` (n, 1 + r, width) of the last block.

    ClearCLIP (Lan et al., 2024): in the last block patches attend to one another by query and
    query; the residual and the feed-forward layer are left out. Then the tower's own final norm
    and projection. Not normalised to unit length.
    """
    block = visual.transformer.resblocks[-1]
    attention = block.attn
    patches = block.ln_1(states)[:, 1:]  # (n, r, width); the class token goes
    width = patches.shape[-1]
    weight, bias = attention.in_proj_weight, attention.in_proj_bias
    query = nn.functional.linear(patches, weight[:width], bias[:width])
    value = nn.functional.linear(patches, weight[2 * width :], bias[2 * width :])

    def split(tensor: Tensor) -> Tensor:  # (n, r, width) → (n, heads, r, width / heads)
        return tensor.unflatten(-1, (attention.num_heads, -1)).transpose(1, 2)

    mixed = scaled_dot_product_attention(split(query), split(query), split(value))
    mixed = attention.out_proj(mixed.transpose(1, 2).flatten(2))  # (n, r, width)
    dense: Tensor = visual.ln_post(block.ls_1(mixed)) @ visual.proj
    return dense


class OpenClipFeatures:
    """Features of any open_clip model whose image tower is a plain vision transformer.

    ``tokenize`` maps texts to the ids that ``model.encode_text`` takes; ``mean`` and ``std`` are
    the tower's normalisation; ``labels`` are those of a classifier by this CLIP; a text's embedding
    is the weighted mean of those of its ``readings``, where there are such. One pass of the
    image tower gives ``clip.image`` and ``clip.dense``: by ``clear`` (ClearCLIP, for towers of the
    published sizes, whose late tokens forget their place), by ``tokens`` (the last block's own
    patch tokens, better for a small tower) or by ``things`` (the built-in tower's own ``regions``);
    see benchmarks/dense_features.py.

    Raises ModelError for another kind of image tower.
    """

    provides: frozenset[str] = frozenset(
        {
            "clip.image",
            "clip.dense",
            "clip.text",
            "clip.words",
            "clip.phrases",
            "clip.antonyms",
            "clip.logit_scale",
        }
    )
    reentrant = True

    def __init__(
        self,
        *,
        model: Any,
        tokenize: Callable[[Sequence[str]], Tensor],
        mean: Sequence[float],
        std: Sequence[float],
        digest: str,
        device: torch.device,
        dense: str = "clear",
        labels: Sequence[str] = (),
        readings: Readings | None = None,
    ) -> None:
        _require_plain(model.visual)
        if dense not in DENSE_FORMS:
            raise ModelError(f"dense is {dense!r}; choose from {', '.join(DENSE_FORMS)}.")
        if dense == "things" and not hasattr(model.visual, "regions"):
            raise ModelError("dense is 'things', which only the built-in CLIP has; take 'tokens'.")
        self.digest = digest
        self._device = device
        self._model = model.to(device).eval().requires_grad_(False)
        self._in_precision = InPrecision(self._model.visual)
        self._tokenize = tokenize
        self._readings = readings
        self._mean, self._std = tuple(mean), tuple(std)
        height, width = model.visual.image_size
        self._size = (int(height), int(width))
        self._kept = threading.local()  # the states of the pass that a thread makes
        self._labels: dict[str, Tensor] = {}
        if labels:
            self.provides = self.provides | {"clip.labels"}
            self._labels["clip.labels"] = self.embed_labels(labels)
        last = model.visual.transformer.resblocks[-1]
        if dense == "clear":
            self._embed_patches = dense_embeddings
            last.register_forward_pre_hook(lambda _block, inputs: self._keep(inputs[0]))
        else:
            self._embed_patches = token_embeddings if dense == "tokens" else thing_embeddings
            last.register_forward_hook(lambda _block, _inputs, output: self._keep(output))

    def text(self, caption: str) -> dict[str, Tensor]:
        """``clip.text`` (d,), ``clip.words`` (t, d), one row a content word, and ``clip.phrases``
        (p, d), one row a run of them; unit length.

        So are ``clip.antonyms`` (2, d) and, where it has labels, ``clip.labels`` (k, d).
        ``clip.logit_scale`` () is CLIP's factor for its cosines.
        """
        words, phrases = content_words(caption), content_phrases(caption)
        prompts = [WORD_PROMPT.format(word=each) for each in (*words, *phrases)]
        embeddings = self.embed([caption, *prompts])
        return {
            "clip.text": embeddings[0],
            "clip.words": embeddings[1 : 1 + len(words)],
            "clip.phrases": embeddings[1 + len(words) :],
            "clip.antonyms": self.embed(ANTONYMS),
            "clip.logit_scale": self.logit_scale,
            **self._labels,
        }

    def images(
        self,
        batch: Tensor,
        text: Mapping[str, Tensor],  # noqa: ARG002
    ) -> dict[str, Tensor]:
        """``clip.image`` (n, d) and ``clip.dense`` (n, r, d), r patches row by row; unit length."""
        inputs = normalise(resize(batch, self._size), self._mean, self._std)
        visual = self._in_precision.current(inputs.device)
        image = visual(inputs)
        dense = self._embed_patches(visual, self._kept.__dict__.pop("states"))
        return {
            "clip.image": normalize(image.float(), dim=-1),
            "clip.dense": normalize(dense.float(), dim=-1),
        }

    @property
    def logit_scale(self) -> Tensor:
        """() CLIP's factor for its cosines."""
        scale: Tensor = self._model.logit_scale.exp().float()
        return scale

    def unread(self, caption: str) -> str:
        """The caption's end beyond the text tower's context."""
        return unread(caption, self._tokenize)

    def embed(self, texts: Sequence[str]) -> Tensor:
        """Texts → (n, d), of unit length."""
        read = [self._readings(text) if self._readings else [(text, 1.0)] for text in texts]
        tokens = self._tokenize([each for some in read for each, _ in some]).to(self._device)
        features = self._model.encode_text(tokens).float()
        means = [
            features.new_tensor([weight for _, weight in some]) @ part
            for some, part in zip(read, features.split([len(some) for some in read]), strict=True)
        ]
        return normalize(torch.stack(means), dim=-1)

    def embed_labels(self, labels: Sequence[str], templates: Sequence[str] = TEMPLATES) -> Tensor:
        """Labels → (k, d), of unit length: for each the mean over the templates around it."""
        key = f"{self.digest} {self._device.type}"
        return label_features(self.embed, key, labels, templates).to(self._device)

    def _keep(self, states: Tensor) -> None:
        batch_first = self._model.visual.transformer.batch_first
        self._kept.states = states if batch_first else states.transpose(0, 1)


class ClipFeatures(OpenClipFeatures):
    """The built-in CLIP, or the one that ``models.clip`` names.

    It provides ``clip.labels`` where ``models.classifier`` is a file of labels. Raises ModelError
    when its weights are missing or damaged, UsageError for an unknown name.
    """

    def __init__(self, *, device: torch.device, models: ScorerModels = BUILTIN_MODELS) -> None:
        with loading():
            chosen = _builtin() if models.clip == BUILTIN else load_open_clip(models.clip)
            labels = own_labels(models.classifier)
            super().__init__(device=device, labels=labels, **chosen)


def _builtin() -> dict[str, Any]:
    clip = builtin_clip.load()
    return {
        "model": clip.model,
        "tokenize": clip.tokenize,
        "mean": clip.config["mean"],
        "std": clip.config["std"],
        "digest": clip.digest,
        "dense": clip.config["dense"],
        "readings": clip.readings,
    }


def _small(weights: LoadedWeights) -> dict[str, Any]:
    """A small CLIP of one's own, beside the sentence encoder."""
    from evo_t2i.models import minilm, sentence_clip  # imports open_clip, which takes seconds

    folder = minilm_folder()
    return {
        "model": sentence_clip.load(weights.config, weights.tensors, folder),
        "tokenize": minilm.load_tokenizer(folder),
        "mean": weights.config["mean"],
        "std": weights.config["std"],
        "digest": weights.digest,
        "dense": weights.config.get("dense", "clear"),
    }


def load_open_clip(spec: str) -> dict[str, Any]:
    """An open_clip model from files on this machine: ``NAME:TAG`` or ``local-dir:FOLDER``.

    The folder may also hold a small CLIP that `evo-t2i train clip` made from nothing.
    The arguments of ``OpenClipFeatures`` but for the device. Raises as ``ClipFeatures``.
    """
    import open_clip

    from evo_t2i.checkpoints import published_clip

    if spec.startswith(LOCAL):
        folder = expanded(spec.removeprefix(LOCAL))
        if is_small_clip(folder):
            return _small(load_small_clip(folder))
        place: object = folder / published_clip.CONFIG
        preprocessing = read_json(folder / published_clip.CONFIG).get("preprocess_cfg", {})
        clip = published_clip.load_folder(folder)
    else:
        name, _, training = spec.partition(":")
        place = spec
        weights = clip_weights(name, training)
        preprocessing = open_clip.get_pretrained_cfg(name, training)
        clip = published_clip.load(name, weights)
    if not isinstance(preprocessing, dict):
        raise ModelError(f"{place} has a preprocess_cfg that is no object; save it again.")
    mean, std = channel_values(
        preprocessing.get("mean", open_clip.OPENAI_DATASET_MEAN),
        preprocessing.get("std", open_clip.OPENAI_DATASET_STD),
        place,
    )
    return {
        "model": clip.model,
        "tokenize": clip.tokenize,
        "mean": mean,
        "std": std,
        "digest": hashlib.sha256(f"{clip.digest}{mean}{std}".encode()).hexdigest(),
    }


def _require_plain(visual: nn.Module) -> None:
    blocks = getattr(getattr(visual, "transformer", None), "resblocks", None)
    plain = (
        blocks is not None
        and isinstance(getattr(blocks[-1], "attn", None), nn.MultiheadAttention)
        and getattr(visual, "attn_pool", None) is None
        and getattr(visual, "proj", None) is not None
    )
    if not plain:
        raise ModelError(
            f"The image tower {type(visual).__name__} is not a plain vision transformer, so it has "
            "no patch embeddings; choose an open_clip ViT such as ViT-B-32."
        )
