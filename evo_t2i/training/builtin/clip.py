"""Train the built-in CLIP: a small vision transformer against a trained reader of captions.

Three losses. CLIP's, with several positives a batch, in which every other picture is the one before
with one choice made otherwise, so that colours, counts and sides matter, and in which things that
nobody asked for count against a picture. And one for the patches:
what is somewhere in the picture has a patch near its word, and what is not has none (multiple
instance learning, as in Xu et al., "GroupViT", 2022, and the notes' region-word loss), with a new
synonym for each word at each step. And one for the things: the patch in the middle of each says
what it is and of which colour, so that the tower learns to see before it learns to compare. The
reader of words stays as it is; its projection learns.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.features.clip import WORD_PROMPT
from evo_t2i.models import clip as clip_model
from evo_t2i.models import text_side
from evo_t2i.models.clip import BuiltinClip
from evo_t2i.models.text_side import TextSide
from evo_t2i.training.builtin.meanings import kept_meanings
from evo_t2i.training.builtin.pool import Layout, Pool
from evo_t2i.training.losses import contrast_with_truth
from evo_t2i.training.supervised import FitSettings, Progress, degrade, fit, to_batch
from evo_t2i.world import COLOURS, KINDS, NAMES, SCENES, TIMES, Truth, holds
from evo_t2i.world.choices import UNNAMED
from evo_t2i.world.synonyms import SYNONYMS

SIZE = 64
"""Pixels a side that the tower sees."""
CLIP_CONFIG: dict[str, Any] = {
    "embed_dim": 256,
    "vision_cfg": {
        "image_size": SIZE,
        "patch_size": 8,
        "layers": 5,
        "width": 192,
        "head_width": 32,
        "mlp_ratio": 3.0,
    },
    "dense": "tokens",
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
}
TEXT_NOISE = 0.2
"""Deviation of the noise on meanings, relative to theirs."""
WORDS = (*NAMES, *COLOURS, *TIMES, *(scene for scene in SCENES if scene not in NAMES))
"""What patches are to tell."""
PATCHES = 0.3
"""Weight of the loss for patches."""
MIDDLES = 0.5
"""Weight of the loss for the things' middles."""


def pool_meanings(side: TextSide, pool: Pool, device: torch.device) -> Tensor:
    """(texts, outputs of the reader): the meanings of all texts of a pool, kept in its folder.

    On the CPU; they are read on ``device``, to which ``side`` goes for as long.
    """

    def read() -> Tensor:
        found = text_side.meanings(side.to(device), pool.texts, minilm_folder())
        side.cpu()
        return found

    return kept_meanings(pool.folder, side.reader, read).float()


def shown_words(truth: Truth) -> np.ndarray:
    """(n, WORDS) bool: which of them a picture shows."""
    colours = np.stack([(truth.colours == i).any(1) for i in range(len(COLOURS))], axis=1)
    times = truth.time[:, None] == np.arange(len(TIMES))
    kept = [SCENES.index(scene) for scene in SCENES if scene not in NAMES]
    scenes = truth.scene[:, None] == np.array(kept)
    return np.concatenate([truth.counts > 0, colours, times, scenes], axis=1)


def fits(shown: Truth, named: Truth) -> np.ndarray:
    """(n, m) float32: how well caption j fits picture i, 0 where it is not true of it.

    1 where all things are named, and for each that is not by ``UNNAMED`` less: by as much the world
    prefers pictures without it.
    """
    kinds = len(KINDS)
    there = shown.counts[:, :kinds].sum(1, dtype=np.int64)
    asked = np.maximum(named.counts, 0).sum(1, dtype=np.int64)
    unasked = np.maximum(there[:, None] - asked, 0)
    return (holds(shown, named) * UNNAMED**unasked).astype(np.float32)


def train_clip(
    pool: Pool,
    side: TextSide,
    settings: FitSettings,
    out: Path,
    device: torch.device,
    progress: Progress | None = None,
) -> BuiltinClip:
    """Fit vision tower, text projection and temperature; returns the model in eval mode.

    ``pool`` has twins: picture 2 i + 1 goes with picture 2 i. ``side`` stays as it is.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    model = clip_model.build(CLIP_CONFIG, side)
    texts = pool_meanings(side, pool, device)
    prompts = {
        word: [WORD_PROMPT.format(word=w) for w in (word, *SYNONYMS[word])] for word in WORDS
    }
    spoken = {
        word: text_side.meanings(side, said, minilm_folder()) for word, said in prompts.items()
    }
    spread = float(texts[:5000].std())
    trained = nn.ModuleDict({"visual": model.visual, "projection": model.text.proj})
    trained.register_parameter("logit_scale", model.logit_scale)
    patch_scale = nn.Parameter(torch.tensor(10.0))
    patch_bias = nn.Parameter(torch.full((len(WORDS),), -4.0))
    trained.register_parameter("patch_scale", patch_scale)
    trained.register_parameter("patch_bias", patch_bias)
    named = nn.Linear(model.visual.proj.shape[0], len(KINDS) + len(COLOURS))
    trained["named"] = named  # of no use after the training
    trained = trained.to(device)
    kept: dict[str, Tensor] = {}
    model.visual.transformer.resblocks[-1].register_forward_hook(
        lambda _block, _inputs, output: kept.__setitem__("states", output)
    )
    present = torch.from_numpy(shown_words(pool.shown)).float()

    def loss(rows: np.ndarray, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        rows = np.sort(np.concatenate([rows[::2] // 2 * 2, rows[::2] // 2 * 2 + 1]))
        choice = torch.randint(pool.caption_rows.shape[1], (len(rows),), generator=generator)
        said = pool.caption_rows[rows, choice.numpy()]
        truth = torch.from_numpy(fits(pool.shown[rows], pool.named[said])).to(device)
        batch = degrade(to_batch(pool.images[rows], device, SIZE), generator)
        meaning = texts[torch.from_numpy(said)]
        noise = torch.randn(meaning.shape, generator=generator)
        meaning = (meaning + TEXT_NOISE * spread * noise).to(device)
        picked = torch.rand(len(WORDS), generator=generator).tolist()
        words = torch.stack(
            [m[int(p * len(m))] for m, p in zip(spoken.values(), picked, strict=True)]
        )
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        with torch.autocast(device.type, torch.bfloat16):
            images = model.visual(batch * 2 - 1)
            states = model.visual.ln_post(kept["states"][:, 1:])
            patches = states @ model.visual.proj
            wrong = misnamed_middles(named(states), pool.layout[rows])
            projected = model.text.proj(torch.cat([meaning, words.to(device)]))
        captions, asked = projected.float().split((len(meaning), len(WORDS)))
        value = contrast_with_truth(images.float(), captions, truth, model.logit_scale.exp())
        near = F.normalize(patches.float(), dim=2) @ F.normalize(asked, dim=1).T  # (n, r, words)
        best = near.mul(20).logsumexp(1) / 20 * patch_scale + patch_bias
        told = F.binary_cross_entropy_with_logits(
            best, present[torch.from_numpy(rows)].to(device), reduction="sum"
        ) / len(rows)
        parts = {"contrast": value, "patches": told, "middles": wrong}
        metrics = {name: float(part.detach()) for name, part in parts.items()}
        return value + PATCHES * told + MIDDLES * wrong, metrics

    fit(trained, loss, pool, settings, out, progress)
    return model.eval()


def misnamed_middles(told: Tensor, layout: Layout) -> Tensor:
    """Cross-entropies of kind and colour at the patch in the middle of each thing, a mean over
    things, from (n, patches, kinds + colours) logits."""
    rows, things = np.nonzero(layout.kinds >= 0)
    side = math.isqrt(told.shape[1])
    across, down = layout.middles(side)[rows, things].astype(int).clip(0, side - 1).T
    here = told[rows, down * side + across].float()
    kinds, colours = here.split((len(KINDS), len(COLOURS)), dim=1)

    def true(values: np.ndarray) -> Tensor:
        return torch.from_numpy(values[rows, things].astype(np.int64)).to(told.device)

    return F.cross_entropy(kinds, true(layout.kinds)) + F.cross_entropy(
        colours, true(layout.colours)
    )


@torch.inference_mode()
def evaluate(model: Any, pool: Pool) -> dict[str, float]:
    """How often the nearest of 250 captions is true of a picture, and the nearest picture of one.

    Of captions in the grammar's own words and in others, and how often a picture is nearer to its
    own caption than its twin is, where the caption is not true of the twin.
    """
    device = next(model.parameters()).device
    texts = pool_meanings(model.text.side, pool, device).to(device)
    hits: dict[str, list[float]] = {}
    for start in range(0, len(pool) - 249, 250):
        rows = np.arange(start, start + 250)
        images = F.normalize(model.visual(to_batch(pool.images[rows], device, SIZE) * 2 - 1), dim=1)
        for kind, column in (("plain", 0), ("synonyms", 3)):
            said = pool.caption_rows[rows, column]
            words = F.normalize(model.text.proj(texts[torch.from_numpy(said)]), dim=1)
            near = (images @ words.T).cpu().numpy()
            truth = holds(pool.shown[rows], pool.named[said])
            own = np.arange(250)
            hits.setdefault(f"{kind}_image_to_text", []).append(truth[own, near.argmax(1)].mean())
            hits.setdefault(f"{kind}_text_to_image", []).append(truth[near.argmax(0), own].mean())
            told_apart = ~truth[own ^ 1, own]
            closer = (near[own, own] > near[own ^ 1, own])[told_apart]
            hits.setdefault(f"{kind}_own_before_twin", []).append(closer.mean())
    return {name: float(np.mean(values)) for name, values in hits.items()}
