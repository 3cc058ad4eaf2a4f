"""Train the built-in CLIP: a small vision transformer against a reader of captions of its own.

A search asks CLIP what the generator made of a caption, and one that misreads the same captions
cannot tell. So CLIP has a reader that learned from other captions. It names what a caption claims
(scene, things, colours, ...), and the text embedding is a sum of a direction for each claim.

Four losses. CLIP's, with several positives a batch, in which every other picture is the one before
with one choice made otherwise or two things exchanged, so that colours, counts and places matter,
and in which things that nobody asked for count against a picture. One for the claims: from the
image embedding, by the same directions, it must be told what the picture shows; so both sides mean
the same by a direction from the first step, where CLIP's loss alone finds words and never finds out
what belongs to what. One for the patches: what is somewhere in the picture has a patch near its
word, and what is not has none (multiple instance learning, as in Xu et al., "GroupViT", 2022, and
the notes' region-word loss), with a new synonym for each word at each step. And one for the things:
the patch in the middle of each says what it is and what it is like, so that the tower learns to see
before it learns to compare.
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
from evo_t2i.models.clip import BuiltinClip, Things
from evo_t2i.models.text_side import TextSide
from evo_t2i.models.word_reader import Chosen
from evo_t2i.training.builtin.meanings import kept_meanings
from evo_t2i.training.builtin.pool import Layout, Pool
from evo_t2i.training.builtin.text import by_name, misnamed
from evo_t2i.training.losses import contrast_with_truth
from evo_t2i.training.supervised import FitSettings, Progress, degrade, fit, to_batch
from evo_t2i.world import COLOURS, KINDS, NAMES, POSES, RELATIONS, SCENES, TIMES, Truth, holds
from evo_t2i.world.choices import UNNAMED
from evo_t2i.world.kinds import members
from evo_t2i.world.synonyms import SYNONYMS

SIZE = 64
"""Pixels a side that the tower sees."""
TRAITS = ((1, len(COLOURS), -1), (1, len(POSES) + 1, len(POSES)), (2 * len(RELATIONS), 1, -1))
"""What is read of a thing: colour, pose or none, how it stands to others, and others to it."""
WORN = ("goggles", "hat")
CLIP_CONFIG: dict[str, Any] = {
    "embed_dim": 512,
    "things": {
        "kinds": len(KINDS),
        "worn": [KINDS.index(kind) for kind in WORN],
        "traits": [list(trait) for trait in TRAITS],
    },
    "vision_cfg": {
        "image_size": SIZE,
        "patch_size": 8,
        "layers": 5,
        "width": 192,
        "head_width": 32,
        "mlp_ratio": 3.0,
    },
    "dense": "things",
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
}
TEXT_NOISE = 0.2
"""Deviation of the noise on meanings, relative to theirs."""
WORDS = (*NAMES, *COLOURS, *TIMES, *(scene for scene in SCENES if scene not in NAMES))
"""What patches are to tell."""
CLAIMED, PATCHES, THINGS = 0.1, 0.3, 0.5
"""Weights of the losses for claims, patches and things."""


def pool_meanings(side: TextSide, pool: Pool, device: torch.device) -> Tensor:
    """(texts, outputs of the reader) float16: what it reads in a pool's texts, kept in its folder.

    On the CPU; they are read on ``device``, to which ``side`` goes for as long.
    """

    def read() -> Tensor:
        found = text_side.meanings(side.to(device), pool.texts, minilm_folder())
        side.cpu()
        return found

    return kept_meanings(pool.folder, side.reader, read)


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

    ``pool`` has twins: picture 2 i + 1 goes with picture 2 i. ``side``, whose reader is a
    `ClaimReader`, stays as it is.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    model = clip_model.build(CLIP_CONFIG, side)
    directions = model.text.proj.directions
    with torch.no_grad():
        directions.weight.normal_(std=directions.out_features**-0.5)
        model.visual.proj.mul_(directions.out_features**-0.5)  # as long as a direction
        model.visual.thing_proj.weight.copy_(directions_of_things(directions.weight))
        for tensor in model.text.proj.besides[-1].parameters():
            tensor.zero_()
    texts = pool_meanings(side, pool, device)
    prompts = {
        word: [WORD_PROMPT.format(word=w) for w in (word, *SYNONYMS[word])] for word in WORDS
    }
    spoken = {
        word: text_side.meanings(side, said, minilm_folder()) for word, said in prompts.items()
    }
    meaning, _ = model.text.proj.sizes
    spread = float(texts[:5000, :meaning].float().std())
    trained = nn.ModuleDict({"visual": model.visual, "projection": model.text.proj})
    trained.register_parameter("logit_scale", model.logit_scale)
    # of no use after the training:
    patch_scale = nn.Parameter(torch.tensor(10.0))
    patch_bias = nn.Parameter(torch.full((len(WORDS),), -4.0))
    claim_scale = nn.Parameter(torch.tensor(8.0))
    claim_bias = nn.Parameter(torch.zeros(directions.in_features))
    trained.register_parameter("patch_scale", patch_scale)
    trained.register_parameter("patch_bias", patch_bias)
    trained.register_parameter("claim_scale", claim_scale)
    trained.register_parameter("claim_bias", claim_bias)
    trained = trained.to(device)
    present = torch.from_numpy(shown_words(pool.shown)).float()

    def loss(rows: np.ndarray, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        rows = np.sort(np.concatenate([rows[::2] // 2 * 2, rows[::2] // 2 * 2 + 1]))
        shown, said = pool.shown[rows], pool.caption_rows[rows].T.flatten()
        truth = torch.from_numpy(fits(shown, pool.named[said])).to(device)
        batch = degrade(to_batch(pool.images[rows], device, SIZE), generator, reach=0)
        read = texts[torch.from_numpy(said)].float()
        noise = torch.randn(len(read), meaning, generator=generator)
        read[:, :meaning] += TEXT_NOISE * spread * noise
        picked = torch.rand(len(WORDS), generator=generator).tolist()
        words = torch.stack(
            [m[int(p * len(m))] for m, p in zip(spoken.values(), picked, strict=True)]
        )
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        with torch.autocast(device.type, torch.bfloat16):
            states = model.visual.states(batch * 2 - 1)
            images = model.visual.embedded(states)
            patches = states[:, 1:] @ model.visual.proj
            here, like = model.visual.things.read(states[:, 1:])
            told = F.linear(images, directions.weight.T)
            projected = model.text.proj(torch.cat([read, words]).to(device))
        captions, asked = projected.float().split((len(read), len(WORDS)))
        value = contrast_with_truth(images.float(), captions, truth, model.logit_scale.exp())
        missed = misnamed(by_name(told.float() * claim_scale + claim_bias), shown)
        wrong = misread_things(here, like, pool.layout[rows], shown)
        near = F.normalize(patches.float(), dim=2) @ F.normalize(asked, dim=1).T  # (n, r, words)
        best = near.mul(20).logsumexp(1) / 20 * patch_scale + patch_bias
        unseen = F.binary_cross_entropy_with_logits(
            best, present[torch.from_numpy(rows)].to(device), reduction="sum"
        ) / len(rows)
        parts = {"contrast": value, "claims": missed, "patches": unseen, "things": wrong}
        metrics = {name: float(part.detach()) for name, part in parts.items()}
        return value + CLAIMED * missed + PATCHES * unseen + THINGS * wrong, metrics

    fit(trained, loss, pool, settings, out, progress)
    return model.eval()


def directions_of_things(directions: Tensor) -> Tensor:
    """(embed_dim, outputs of `Things`) from (embed_dim, claims): each thing that is seen gets the
    directions of the claims that name it, by its kind or its group."""
    claimed = by_name(directions)
    result = torch.zeros(len(directions), len(KINDS), Things.most + sum(Chosen(TRAITS).sizes))
    for number, kind in enumerate(KINDS):
        for column, name in enumerate(NAMES):
            if kind not in members(name):
                continue
            traits = [claimed["counts"][:, column, 1:], claimed["colours"][:, column, :-1]]
            traits += [claimed["poses"][:, column]]
            traits += [claimed["subjects"][:, :, column], claimed["objects"][:, :, column]]
            result[:, number] += torch.cat(traits, dim=1)
    return result.flatten(1)


def misread_things(here: Tensor, like: Tensor, layout: Layout, shown: Truth) -> Tensor:
    """How badly patches say which thing has its middle there, and what it is like; a mean over
    things, of what `Things.read` gives."""
    rows, things = np.nonzero(layout.kinds >= 0)
    side = math.isqrt(here.shape[1])
    across, down = layout.middles(side)[rows, things].astype(int).clip(0, side - 1).T
    kinds, patches = layout.kinds[rows, things].astype(np.int64), down * side + across
    there = torch.zeros_like(here)
    there[rows, patches, kinds] = 1.0
    missed = F.binary_cross_entropy_with_logits(here, there, reduction="sum") / len(rows)
    worn = np.isin(kinds, [KINDS.index(kind) for kind in WORN]).astype(np.int64)
    colours, poses, related = like[rows, patches, worn].split(Chosen(TRAITS).sizes, dim=1)
    posed = shown.poses[rows, kinds].astype(np.int64)

    def true(values: np.ndarray) -> Tensor:
        return torch.from_numpy(values).to(here.device)

    stands = np.concatenate([shown.subjects[rows, :, kinds], shown.objects[rows, :, kinds]], axis=1)
    return (
        missed
        + F.cross_entropy(colours, true(layout.colours[rows, things].astype(np.int64)))
        + F.cross_entropy(poses, true(np.where(posed < 0, len(POSES), posed)))
        + F.binary_cross_entropy_with_logits(related, true(stands).float(), reduction="sum")
        / len(rows)
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
            words = F.normalize(model.text.proj(texts[torch.from_numpy(said)].float()), dim=1)
            near = (images @ words.T).cpu().numpy()
            truth = holds(pool.shown[rows], pool.named[said])
            own = np.arange(250)
            hits.setdefault(f"{kind}_image_to_text", []).append(truth[own, near.argmax(1)].mean())
            hits.setdefault(f"{kind}_text_to_image", []).append(truth[near.argmax(0), own].mean())
            told_apart = ~truth[own ^ 1, own]
            closer = (near[own, own] > near[own ^ 1, own])[told_apart]
            hits.setdefault(f"{kind}_own_before_twin", []).append(closer.mean())
    return {name: float(np.mean(values)) for name, values in hits.items()}
