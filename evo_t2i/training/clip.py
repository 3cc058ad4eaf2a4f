"""Train the built-in CLIP: a small vision transformer against frozen sentence embeddings."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.models import clip as clip_model
from evo_t2i.training.losses import contrast_with_truth
from evo_t2i.training.pool import Pool, holds
from evo_t2i.training.supervised import FitSettings, Progress, degrade, fit, to_batch

CLIP_CONFIG: dict[str, Any] = {
    "embed_dim": 256,
    "vision_cfg": {
        "image_size": 64,
        "patch_size": 8,
        "layers": 5,
        "width": 192,
        "head_width": 32,
        "mlp_ratio": 3.0,
    },
    "text_cfg": {"hf_pooler_type": "mean_pooler", "hf_proj_type": "mlp", "output_tokens": False},
    "dense": "tokens",
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
}
TEXT_NOISE = 0.25
"""Deviation of the noise on sentence embeddings, relative to their norm: words the world never
used must still land near their meaning, so the projection may not memorise its captions."""


@torch.inference_mode()
def sentence_embeddings(model: Any, texts: Sequence[str]) -> Tensor:
    """(texts, 384) float32 mean-pooled states of the model's frozen sentence encoder."""
    tokenize = clip_model.load_tokenizer(minilm_folder())
    device = next(model.parameters()).device
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    result = torch.zeros(len(texts), 384)
    for start in range(0, len(order), 128):
        rows = order[start : start + 128]
        tokens = tokenize([texts[i] for i in rows]).to(device)
        with torch.autocast(device.type, torch.bfloat16):
            states = clip_model.sentence_states(model, tokens)
        result[rows] = states.float().cpu()
    return result


def pool_embeddings(model: Any, pool: Pool) -> Tensor:
    """``sentence_embeddings`` of all texts of a pool, kept in its folder between trainings."""
    cache = pool.folder / "sentences.npy"
    if not cache.exists():
        partial = cache.with_suffix(".partial.npy")
        np.save(partial, sentence_embeddings(model, pool.texts).numpy())
        partial.rename(cache)
    return torch.from_numpy(np.load(cache))


def train_clip(
    pool: Pool,
    settings: FitSettings,
    out: Path,
    device: torch.device,
    progress: Progress | None = None,
) -> nn.Module:
    """Fit vision tower, text projection and temperature; returns the model in eval mode."""
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    model = clip_model.build(CLIP_CONFIG, minilm_folder())
    sentences = pool_embeddings(model, pool).to(device)
    model = model.to(device)
    frozen = model.text.transformer
    del model.text.transformer  # only the projection of its states is trained
    trained = nn.ModuleDict({"visual": model.visual, "projection": model.text.proj})
    trained.register_parameter("logit_scale", model.logit_scale)

    def loss(rows: np.ndarray, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        rows = np.sort(rows)
        choice = torch.randint(4, (len(rows),), generator=generator).numpy()
        texts = pool.caption_rows[rows, choice]
        truth = torch.from_numpy(holds(pool.shown[rows], pool.named[texts])).to(device)
        batch = degrade(to_batch(pool.images[rows], device), generator)
        states = sentences[torch.from_numpy(texts)]
        noise = torch.randn(states.shape, generator=generator).to(device)
        strength = TEXT_NOISE * states.norm(dim=1, keepdim=True) / math.sqrt(states.shape[1])
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        with torch.autocast(device.type, torch.bfloat16):
            images = model.visual(batch * 2 - 1)
            words = model.text.proj(states + noise * strength)
        value = contrast_with_truth(images.float(), words.float(), truth, model.logit_scale.exp())
        return value, {"logit_scale": float(model.logit_scale.detach().exp())}

    fit(trained, loss, pool, settings, out, progress)
    model.text.transformer = frozen
    return model.eval()


@torch.inference_mode()
def evaluate(model: Any, pool: Pool) -> dict[str, float]:
    """How often the nearest of 250 captions is true of an image, and the nearest image of one."""
    device = next(model.parameters()).device
    sentences = pool_embeddings(model, pool)
    text_hits, image_hits = [], []
    for start in range(0, len(pool) - 249, 250):
        rows = np.arange(start, start + 250)
        texts = pool.caption_rows[rows, 0]
        images = F.normalize(model.visual(to_batch(pool.images[rows], device) * 2 - 1), dim=1)
        words = F.normalize(model.text.proj(sentences[torch.from_numpy(texts)].to(device)), dim=1)
        nearest = (images @ words.T).cpu().numpy()
        truth = holds(pool.shown[rows], pool.named[texts])
        text_hits.append(truth[np.arange(250), nearest.argmax(1)].mean())
        image_hits.append(truth[nearest.argmax(0), np.arange(250)].mean())
    return {"image_to_text": float(np.mean(text_hits)), "text_to_image": float(np.mean(image_hits))}
