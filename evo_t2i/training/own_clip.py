"""Train a CLIP on people's own captioned pictures, from nothing or from a trained one.

Radford et al. (2021), with the design notes' λ between the two ways of asking; or SigLIP's loss
(Zhai et al., 2023).
"""

import json
import math
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.functional import normalize

from evo_t2i.caption import of_like_length
from evo_t2i.checkpoints import builtin, published_clip
from evo_t2i.checkpoints.cache import expanded
from evo_t2i.checkpoints.digests import sha256_of
from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.checkpoints.model_folder import files_read, read_json
from evo_t2i.checkpoints.small_clip import is_small_clip, load_small_clip, save_small_clip
from evo_t2i.errors import UsageError
from evo_t2i.features.clip import load_open_clip
from evo_t2i.features.preprocess import normalise, resize
from evo_t2i.features.scorer_files import BUILTIN, LOCAL
from evo_t2i.generators.stylegan2_ada import TRAINED
from evo_t2i.models import minilm
from evo_t2i.models import sentence_clip as small
from evo_t2i.models.precision import computing_in
from evo_t2i.models.trained_parts import trained_tensors
from evo_t2i.training.data import Pictures
from evo_t2i.training.lafite import Whole
from evo_t2i.training.lafite_batches import distinct_captions, listed_captions
from evo_t2i.training.losses import contrast_with_truth, siglip
from evo_t2i.training.own_fit import closer, fit_pictures
from evo_t2i.training.own_settings import ClipSettings
from evo_t2i.training.supervised import Progress, to_batch

SMALLEST_SIDE = 64
_TEXT_NOISE = 0.25
"""Of the frozen sentence embeddings, relative to their length: the projection is not to learn the
captions by heart, so that words it never read land near their meaning."""
_SCALE, _MAX_SCALE = math.log(1 / 0.07), math.log(100)
_SIGLIP_SCALE, _SIGLIP_BIAS = math.log(10), -10.0
_AT_ONCE = 64
_MOST_RECALLED = 1000
_Batch = tuple[Tensor, np.ndarray]
"""Pictures (n, 3, s, s) in [0, 1], and the rows of their captions."""


class Towers(Protocol):
    """A CLIP in training: what is trained, how pictures and captions become features, its files."""

    trained: nn.Module
    """Has the parameter ``logit_scale``."""

    @property
    def side(self) -> int:
        """Pixels that the image tower reads."""
        ...

    def image_features(self, images: Tensor) -> Tensor:
        """(n, 3, s, s) in [0, 1] → (n, d)."""
        ...

    def text_features(self, rows: Tensor, random: torch.Generator | None) -> Tensor:
        """Rows of the captions → (n, d); ``random`` is for what training adds."""
        ...

    def save(self, folder: Path, card: str) -> None:
        """Write what ``--clip local-dir:FOLDER`` reads."""
        ...


def side_of(settings: ClipSettings) -> int:
    """Pixels at which pictures are read: those asked for, or the start's own, or 64.

    Raises as ``--clip`` does for an unknown start.
    """
    if settings.resolution:
        return settings.resolution
    if not settings.start:
        return SMALLEST_SIDE
    if (weights := _small_start(settings.start)) is not None:
        return int(weights.config["vision_cfg"]["image_size"])
    return int(load_open_clip(settings.start)["model"].visual.image_size[0])


def train_own_clip(
    pictures: Pictures,
    settings: ClipSettings,
    out: Path,
    device: torch.device,
    *,
    progress: Progress | None = None,
    whole: Whole = nullcontext,
) -> dict[str, float]:
    """Train, write ``out/model``, and return the newest ``recall`` on held-out pictures.

    Goes on from ``out/checkpoint.safetensors``; see ``fit_pictures`` for what is written beside and
    for ``whole``. Raises UsageError for too few pictures or an unknown start, ModelError for
    missing weights.
    """
    held = pictures.held_out(settings.held_out)
    rows, kept = np.flatnonzero(~held), np.flatnonzero(held)[:_MOST_RECALLED]
    if len(rows) < 2 or len(kept) < 2:
        raise UsageError(
            f"{len(rows)} of {len(pictures)} pictures are left to train on and {len(kept)} to "
            "measure on; give more pictures, or another `held_out`."
        )
    captions, first = listed_captions(pictures)
    ids = np.unique(captions, return_inverse=True)[1]
    towers = _towers(settings, pictures, captions, device)
    trained, scale = towers.trained, towers.trained.get_parameter("logit_scale")
    bias = None
    if settings.loss == "siglip":
        bias = nn.Parameter(torch.full((), _SIGLIP_BIAS, device=device))
        trained.register_parameter("logit_bias_of_pairs", bias)
    newest: dict[str, float] = {}

    def read(rng: np.random.Generator) -> _Batch:
        chosen, said = distinct_captions(rng, rows, pictures.captions, first, settings.batch)
        return to_batch(pictures.images[chosen], device), said

    def loss(batch: _Batch, random: torch.Generator) -> Tensor:
        with torch.no_grad():
            scale.clamp_(0, _MAX_SCALE)
        images, said = batch
        spoken = torch.from_numpy(said).to(device)
        with computing_in(settings.precision, device):
            of_images = towers.image_features(closer(images, random))
            of_texts = towers.text_features(spoken, random)
        truth = torch.from_numpy(ids[said][:, None] == ids[said][None]).to(device)
        features = of_images.float(), of_texts.float()
        if bias is not None:
            return siglip(*features, truth, scale.exp(), bias)
        return contrast_with_truth(*features, truth, scale.exp(), settings.balance)

    def report() -> Mapping[str, float]:
        newest.clear()
        newest.update(_recall_of(towers, pictures, kept, first, ids, device))
        towers.save(out / TRAINED, _card(settings, newest))
        return newest | {"logit_scale": round(float(scale.detach().exp()), 3)}

    identity = (pictures.digest, towers.__class__.__name__)
    fit_pictures(
        trained,
        read,
        loss,
        report,
        settings,
        identity,
        out,
        device,
        progress=progress,
        whole=whole,
    )
    if not newest:
        report()
    return newest


def recall(similarities: Tensor, truth: Tensor, first: int) -> float:
    """Share of rows of (n, m) with a true column among their ``first`` most similar ones."""
    nearest = similarities.topk(min(first, similarities.shape[1]), dim=1).indices
    return float(truth.gather(1, nearest).any(dim=1).float().mean())


@torch.no_grad()
def _recall_of(
    towers: Towers,
    pictures: Pictures,
    kept: np.ndarray,
    first: np.ndarray,
    ids: np.ndarray,
    device: torch.device,
) -> dict[str, float]:
    """R@1 and R@5 both ways between pictures and the first caption of each.

    An equal caption of another picture is right as well.
    """
    said = first[kept]
    images, texts = [], []
    for start in range(0, len(kept), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        images.append(towers.image_features(to_batch(pictures.images[kept[part]], device)))
        texts.append(towers.text_features(torch.from_numpy(said[part]).to(device), None))
    cosines = (
        normalize(torch.cat(images).float(), dim=1) @ normalize(torch.cat(texts).float(), dim=1).T
    )
    truth = torch.from_numpy(ids[said][:, None] == ids[said][None]).to(device)
    found = {
        f"{name}_r{count}": round(recall(matrix, truth, count), 4)
        for name, matrix in (("image_to_text", cosines), ("text_to_image", cosines.T))
        for count in (1, 5)
    }
    return {"held_out": float(len(kept)), **found}


def _towers(
    settings: ClipSettings, pictures: Pictures, captions: Sequence[str], device: torch.device
) -> Towers:
    weights = _small_start(settings.start) if settings.start else None
    if settings.start and weights is None:
        return _OpenClip(settings, captions, device)
    if weights is None:
        torch.manual_seed(settings.seed)
        config = fresh_config(pictures.images.shape[1])
        model = small.build(config, minilm_folder())
        scale = _SIGLIP_SCALE if settings.loss == "siglip" else _SCALE
        nn.init.constant_(model.logit_scale, scale)
    else:
        config = weights.config
        model = small.load(config, weights.tensors, minilm_folder())
    return _Small(config, model, captions, device)


def _small_start(spec: str) -> builtin.LoadedWeights | None:
    """A small CLIP that was trained before; None for a model of open_clip."""
    if spec == BUILTIN:
        raise UsageError(
            "The built-in CLIP reads captions about its own world only; leave `start` out for a "
            "CLIP from nothing, or name a model of open_clip."
        )
    if spec.startswith(LOCAL) and is_small_clip(folder := expanded(spec.removeprefix(LOCAL))):
        return load_small_clip(folder)
    return None


def fresh_config(side: int) -> dict[str, Any]:
    """Of a vision transformer of the built-in one's size, with 8 patches a side."""
    vision = {
        "image_size": side,
        "patch_size": side // 8,
        "layers": 5,
        "width": 192,
        "head_width": 32,
        "mlp_ratio": 3.0,
    }
    return {
        "embed_dim": 256,
        "vision_cfg": vision,
        "text_cfg": {"hf_pooler_type": "mean_pooler", "hf_proj_type": "mlp"},
        "dense": "tokens",
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
    }


class _Small:
    """A vision transformer and a projection of frozen sentence embeddings."""

    def __init__(
        self, config: Mapping[str, Any], model: Any, captions: Sequence[str], device: torch.device
    ) -> None:
        self._config, self._model = dict(config), model
        self._sentences = _sentences(model, captions, device)
        self._model = model.to(device)
        self.trained: nn.Module = nn.ModuleDict(
            {"visual": model.visual, "projection": model.text.proj}
        )
        self.trained.register_parameter("logit_scale", model.logit_scale)
        self.trained.requires_grad_(True)

    @property
    def side(self) -> int:
        return int(self._config["vision_cfg"]["image_size"])

    def image_features(self, images: Tensor) -> Tensor:
        inputs = resize(images, (self.side, self.side))
        features: Tensor = self._model.visual(
            normalise(inputs, self._config["mean"], self._config["std"])
        )
        return features

    def text_features(self, rows: Tensor, random: torch.Generator | None) -> Tensor:
        states = self._sentences[rows]
        if random is not None:
            noise = torch.randn(states.shape, generator=random).to(states.device)
            share = _TEXT_NOISE / math.sqrt(states.shape[1])
            states = states + noise * share * states.norm(dim=1, keepdim=True)
        features: Tensor = self._model.text.proj(states)
        return features

    def save(self, folder: Path, card: str) -> None:
        tensors = trained_tensors(self._model, small.FROZEN)
        _replaced(folder, lambda fresh: save_small_clip(fresh, self._config, tensors, card))


@torch.no_grad()
def _sentences(model: Any, captions: Sequence[str], device: torch.device) -> Tensor:
    """(m, 384) mean-pooled states of the frozen encoder, once for the whole training."""
    tokenize = minilm.load_tokenizer(minilm_folder())
    model = model.to(device).eval()
    width = model.text.transformer.config.hidden_size
    result = torch.zeros(len(captions), width, device=device)
    for rows in of_like_length(captions, _AT_ONCE):
        tokens = tokenize([captions[i] for i in rows]).to(device)
        result[rows] = small.sentence_states(model, tokens).float()
    return result


class _OpenClip:
    """A published CLIP of open_clip, both towers trained."""

    def __init__(
        self, settings: ClipSettings, captions: Sequence[str], device: torch.device
    ) -> None:
        self._spec = settings.start
        parts = load_open_clip(settings.start)
        self.trained = parts["model"].to(device).requires_grad_(True)
        self._mean, self._std = parts["mean"], parts["std"]
        self._tokens = torch.cat(
            [parts["tokenize"](captions[i : i + 1024]) for i in range(0, len(captions), 1024)]
        )

    @property
    def side(self) -> int:
        model: Any = self.trained
        return int(model.visual.image_size[0])

    def image_features(self, images: Tensor) -> Tensor:
        inputs = resize(images, (self.side, self.side))
        model: Any = self.trained
        features: Tensor = model.encode_image(normalise(inputs, self._mean, self._std))
        return features

    def text_features(self, rows: Tensor, random: torch.Generator | None) -> Tensor:  # noqa: ARG002
        model: Any = self.trained
        features: Tensor = model.encode_text(self._tokens[rows.cpu()].to(rows.device))
        return features

    def save(self, folder: Path, card: str) -> None:
        _replaced(folder, lambda fresh: self._write(fresh, card))

    def _write(self, folder: Path, card: str) -> None:
        import open_clip

        folder.mkdir(parents=True)
        if self._spec.startswith(LOCAL):
            source = expanded(self._spec.removeprefix(LOCAL))
            config = read_json(source / published_clip.CONFIG)["model_cfg"]
            for name in files_read(source):
                if name != published_clip.CONFIG:
                    shutil.copy(source / name, folder / name)  # a tokenizer of its own
        else:
            config = open_clip.get_model_config(self._spec.partition(":")[0])
        described = {
            "model_cfg": config,
            "preprocess_cfg": {"mean": list(self._mean), "std": list(self._std)},
        }
        text = json.dumps(described, indent=2) + "\n"
        (folder / published_clip.CONFIG).write_text(text, encoding="utf-8")
        tensors = {
            name: value.detach().cpu().contiguous().clone()
            for name, value in self.trained.state_dict().items()
            if name != "logit_bias_of_pairs"
        }
        path = folder / published_clip.WEIGHTS
        save_file(tensors, path)
        (folder / "CARD.md").write_text(card.replace("{digest}", sha256_of(path)), "utf-8")


def _replaced(folder: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a new folder, and put it in the place of an older one."""
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    write(fresh)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def _card(settings: ClipSettings, found: Mapping[str, float]) -> str:
    if settings.start.startswith(LOCAL):
        settings = replace(settings, start="local-dir")  # where it lay is nobody else's business
    measured = ", ".join(f"{name} {value:g}" for name, value in found.items())
    return (
        "# A CLIP trained on own pictures\n\n"
        f"- from: {settings.start or 'nothing, beside the frozen sentence encoder'}\n"
        f"- settings: `{settings!r}`\n"
        f"- measured on held-out pictures: {measured}\n"
        "- sha256 of the weights: {digest}\n\n"
        "Use it with `--clip local-dir:FOLDER`. What may be done with it depends on the pictures "
        "that it was trained on, and on the model that it came from.\n"
    )
