"""Train the text side and the decider without any picture: what a caption names, and what follows.

The sentence encoder is frozen and its states of all texts are computed once. The reader of its
words learns to say what captions name, half of them in words of `synonyms.py`; the decider, which
sees nothing of a caption but the reader's answer, learns to decide as the world does.
"""

import json
import math
import multiprocessing
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evo_t2i.caption import of_like_length
from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.models.layout_generator import Decider, taken
from evo_t2i.models.minilm import PADDING, load_encoder, load_tokenizer
from evo_t2i.models.word_reader import WordReader
from evo_t2i.training import checkpoint
from evo_t2i.training.builtin.painter import generator_config
from evo_t2i.training.supervised import Progress, falling, flushed_denormals, plain_attention
from evo_t2i.world import (
    COLOURS,
    LATENT_SIZE,
    NAMES,
    POSES,
    RELATIONS,
    SCENES,
    TIMES,
    Caption,
    Truth,
    captions,
    choices_of,
    sample_scene,
    scene_of,
    truth_of,
)
from evo_t2i.world.synonyms import HELD_OUT, SYNONYMS, reword

CPU = torch.device("cpu")
READER: Mapping[str, Any] = {"width": 256, "layers": 3, "queries": 4, "outputs": 512}
LATENTS = 8
"""Latents a caption."""
_BANK = 2**18
"""Different latents of all captions together."""
PROMPTS = ("a picture of {}.", "{}", "photo of a {}", "a {}.")
_CHUNK = 500


@dataclass(frozen=True)
class Texts:
    """Captions with what they name, the states of their words, and what latents make of them.

    words: (all words, 384) float16, memory-mapped; ends: (n,) int64, where each text's words end.
    named: one row a text; choices: (n, LATENTS, choices) int8, what the world makes of the captions
        with ``latents[drawn]``, (n, LATENTS) rows of (_, LATENT_SIZE) float32.
    """

    words: np.ndarray
    ends: np.ndarray
    named: Truth
    latents: np.ndarray
    drawn: np.ndarray
    choices: np.ndarray
    folder: Path

    def __len__(self) -> int:
        return len(self.ends)


@cache
def _latents(seed: int) -> np.ndarray:
    """(_BANK, LATENT_SIZE) float32."""
    return np.random.default_rng(seed).standard_normal((_BANK, LATENT_SIZE), dtype=np.float32)


def load_texts(
    folder: Path,
    count: int,
    seed: int,
    *,
    workers: int = 1,
    device: torch.device = CPU,
    progress: Callable[[int], None] | None = None,
) -> Texts:
    """Read the texts (count, seed) from ``folder``, making them first if they are not there.

    The sentence encoder runs on ``device``.
    """
    target = folder / f"texts-{seed}-{count}"
    if not (target / "truth.npz").exists():
        target.mkdir(parents=True, exist_ok=True)
        _make(target, count, seed, workers, device, progress)
    meta = np.load(target / "truth.npz")
    named = Truth(**{field.name: meta[field.name] for field in fields(Truth)})
    words = np.load(target / "words.npy", mmap_mode="c")
    return Texts(words, meta["ends"], named, _latents(seed), meta["drawn"], meta["choices"], target)


def _make(
    target: Path,
    count: int,
    seed: int,
    workers: int,
    device: torch.device,
    progress: Callable[[int], None] | None,
) -> None:
    items: list[Caption] = []
    drawn: list[np.ndarray] = []
    choices: list[np.ndarray] = []
    starts = range(0, count, _CHUNK)
    tasks = [(seed, start, min(start + _CHUNK, count)) for start in starts]
    with multiprocessing.get_context("spawn").Pool(workers) as processes:
        for said, rows, decided in processes.imap(_chunk, tasks):
            items += said
            drawn.append(rows)
            choices.append(decided)
            if progress:
                progress(len(items))
    encoder = Encoder(device)
    words, lengths = encoder.flat([item.text for item in items])
    np.save(target / "words.npy", words)
    named = truth_of(items)
    np.savez(
        target / "truth.npz",
        ends=np.cumsum(lengths),
        drawn=np.concatenate(drawn),
        choices=np.concatenate(choices),
        **{field.name: getattr(named, field.name) for field in fields(Truth)},
    )
    (target / "texts.json").write_text(json.dumps([item.text for item in items]), encoding="utf-8")


def _chunk(task: tuple[int, int, int]) -> tuple[list[Caption], np.ndarray, np.ndarray]:
    seed, start, stop = task
    said, rows, decided = [], [], []
    for index in range(start, stop):
        rng = np.random.default_rng([seed, index])
        caption = _prompt(rng) if rng.random() < 0.2 else captions(sample_scene(rng), rng, 1)[0]
        if rng.random() < 0.6:
            caption = reword(caption, rng, 0.6)
        said.append(caption)
        drawn = rng.integers(_BANK, size=LATENTS)
        rows.append(drawn)
        decided.append([choices_of(scene_of(caption, _latents(seed)[row])) for row in drawn])
    return said, np.array(rows, np.int32), np.array(decided, np.int8)


def _prompt(rng: np.random.Generator) -> Caption:
    """One word in a plain frame, as scorers ask for words one by one."""
    names = tuple(SYNONYMS)
    name = names[int(rng.random() * len(names))]
    while name in COLOURS:
        name = names[int(rng.random() * len(names))]
    words = SYNONYMS[name]
    word = words[int(rng.random() * len(words))]
    text = PROMPTS[int(rng.random() * len(PROMPTS))].format(word)
    if name in NAMES:
        return Caption(text, things=((name, None, 1),))
    return Caption(text, time=name) if name in TIMES else Caption(text, scene=name)


_MAX_TOKENS = 512


class Encoder:
    """The frozen sentence encoder, word by word."""

    def __init__(self, device: torch.device = CPU, folder: Path | None = None):
        folder = folder or minilm_folder()
        self._tokenize = load_tokenizer(folder, _MAX_TOKENS)
        self._model = load_encoder(folder).to(device)
        self._device = device

    @torch.inference_mode()
    def flat(self, texts: Sequence[str], batch: int = 256) -> tuple[np.ndarray, np.ndarray]:
        """(all words, 384) float16, text after text, and the words of each, (n,) int64."""
        batches = of_like_length(texts, batch)
        tokens = [self._tokenize([texts[row] for row in rows]) for rows in batches]
        lengths = np.zeros(len(texts), np.int64)
        for rows, ids in zip(batches, tokens, strict=True):
            lengths[rows] = (ids != PADDING).sum(1).numpy()
        starts = np.cumsum(lengths) - lengths
        result = np.zeros((int(lengths.sum()), 384), np.float16)
        for rows, ids in zip(batches, tokens, strict=True):
            shown = ids != PADDING
            with torch.autocast(self._device.type, torch.bfloat16):
                states = self._model(ids.to(self._device), shown.long().to(self._device))
            where = starts[rows, None] + np.arange(ids.shape[1])
            result[where[shown.numpy()]] = states[shown.to(self._device)].half().cpu().numpy()
        return result, lengths

    def padded(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """States (n, length, 384) float32 and mask (n, length), both on the CPU."""
        words, lengths = self.flat(texts)
        return pad(torch.from_numpy(words), np.cumsum(lengths), np.arange(len(texts)))


def pad(words: Tensor, ends: np.ndarray, rows: np.ndarray) -> tuple[Tensor, Tensor]:
    """States (n, length, 384) float32 and mask (n, length) int64 of texts ``rows``."""
    starts = np.where(rows > 0, ends[rows - 1], 0)
    lengths = ends[rows] - starts
    places = np.arange(int(lengths.max()))
    mask = torch.from_numpy(places[None] < lengths[:, None]).to(words.device)
    where = torch.from_numpy(np.minimum(starts[:, None] + places, ends[rows, None] - 1))
    states = words[where.to(words.device)].float() * mask[..., None]
    return states, mask.long()


NAMED: Mapping[str, tuple[int, ...]] = {
    "scene": (len(SCENES) + 1,),
    "time": (len(TIMES) + 1,),
    "counts": (len(NAMES), 4),
    "colours": (len(NAMES), len(COLOURS) + 1),
    "poses": (len(NAMES), len(POSES) + 1),
    "subjects": (len(RELATIONS), len(NAMES)),
    "objects": (len(RELATIONS), len(NAMES)),
}
"""What is read of a caption; the last option of all but counts is that it is not named, the first
of counts."""


class Namer(nn.Module):
    """Meanings (n, outputs) → logits of what captions name, a head for each entry of `NAMED`."""

    def __init__(self, meaning: int):
        super().__init__()
        self.head = nn.Linear(meaning, sum(math.prod(shape) for shape in NAMED.values()))

    def forward(self, meaning: Tensor) -> dict[str, Tensor]:
        return by_name(self.head(meaning).float())


def by_name(logits: Tensor) -> dict[str, Tensor]:
    """(n, all options) logits → (n, *shape) for each entry of `NAMED`."""
    sizes = [math.prod(shape) for shape in NAMED.values()]
    parts = logits.split(sizes, dim=1)
    return {
        name: part.unflatten(1, shape)
        for (name, shape), part in zip(NAMED.items(), parts, strict=True)
    }


def misnamed(told: Mapping[str, Tensor], named: Truth) -> Tensor:
    """Sum of the heads' cross-entropies, a mean over captions of sums over names."""
    device = told["scene"].device

    def targets(name: str) -> Tensor:
        values = torch.from_numpy(getattr(named, name)).to(device)
        if name in ("subjects", "objects"):
            return values.float()
        missing = 0 if name == "counts" else told[name].shape[-1] - 1
        return torch.where(values < 0, missing, values.long())

    total = torch.zeros((), device=device)
    for name, logits in told.items():
        if name in ("subjects", "objects"):
            wrong = F.binary_cross_entropy_with_logits(logits, targets(name), reduction="sum")
        else:
            wanted = targets(name).flatten()
            wrong = F.cross_entropy(logits.flatten(0, -2), wanted, reduction="sum")
        total = total + wrong / len(named)
    return total


@dataclass(frozen=True, kw_only=True)
class TextSettings:
    """How long and how fast to train."""

    texts: int
    """Repeats included."""
    seed: int = 0
    batch: int = 256
    latents: int = 3
    """Of each caption, a step; with 0 the decider learns nothing."""
    rate: float = 1.5e-3
    noise: float = 0.3
    """Deviation of the noise on words' states, relative to theirs: near words mean the same."""
    dropped: float = 0.05
    """Share of the words that are not seen."""
    report_every: int = 100
    """Steps."""


class TextStudents(nn.Module):
    """What this training trains."""

    def __init__(self) -> None:
        super().__init__()
        self.reader = WordReader(**READER)
        self.namer = Namer(self.reader.outputs)
        self.decider = Decider(generator_config())


@flushed_denormals()
@plain_attention(CPU)
def train_text(
    texts: Texts,
    settings: TextSettings,
    out: Path,
    device: torch.device = CPU,
    progress: Progress | None = None,
) -> TextStudents:
    """Returns reader, namer and decider in eval mode, on the CPU; resumes from ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    side = TextStudents().to(device)
    optimizer = torch.optim.AdamW(
        side.parameters(), lr=settings.rate, weight_decay=0.02, betas=(0.9, 0.98)
    )
    path, identity = out / "checkpoint.safetensors", (settings, texts.folder.name)
    modules: dict[str, nn.Module] = {"side": side}
    step = checkpoint.restore(path, identity, modules, {"side": optimizer}) if path.exists() else 0
    steps = max(1, settings.texts // settings.batch)
    words = torch.from_numpy(texts.words).to(device)
    bank = torch.from_numpy(texts.latents).to(device)
    spread = float(words[:20000].float().std())
    seen: dict[str, list[Tensor]] = {}
    began = time.monotonic()
    while step < steps:
        rng = np.random.default_rng([settings.seed, step])
        generator = torch.Generator(device).manual_seed(settings.seed * 1_000_003 + step)
        rows = _of_like_length(texts, rng, settings.batch)
        share = step / steps
        optimizer.param_groups[0]["lr"] = settings.rate * falling(share, rise=0.03, start=0.01)
        states, mask = pad(words, texts.ends, rows)
        kept = torch.rand(mask.shape, generator=generator, device=device) >= settings.dropped
        noise = torch.randn(states.shape, generator=generator, device=device)
        states = states + settings.noise * spread * noise
        with torch.autocast(device.type, torch.bfloat16):
            meaning = side.reader(states, mask * kept)
            told = side.namer(meaning)
        which = rng.permutation(LATENTS)[: settings.latents]
        parts = {"named": misnamed(told, texts.named[rows])}
        if settings.latents:
            parts["decided"] = misdecided(side.decider, meaning, texts, bank, rows, which)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(torch.stack(list(parts.values())).sum())
        nn.utils.clip_grad_norm_(side.parameters(), 1.0)
        optimizer.step()
        step += 1
        for name, value in parts.items():
            seen.setdefault(name, []).append(value.detach())
        if step % settings.report_every == 0 or step == steps:
            line = {"texts": float(step * settings.batch)}
            line |= {
                name: round(float(torch.stack(values).mean()), 4) for name, values in seen.items()
            }
            line["sharpness"] = round(float(side.decider.sharpness.detach()), 3)
            line["seconds"] = round(time.monotonic() - began)
            seen = {}
            with (out / "metrics.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            checkpoint.save(path, step, identity, modules, {"side": optimizer})
            if progress:
                progress(step * settings.batch, settings.texts, line)
    return side.cpu().eval()


def _of_like_length(texts: Texts, rng: np.random.Generator, count: int) -> np.ndarray:
    """Random rows, of which no batch has long and short ones together."""
    rows = rng.integers(len(texts), size=4 * count)
    lengths = texts.ends[rows] - np.where(rows > 0, texts.ends[rows - 1], 0)
    start = int(rng.integers(4)) * count
    return np.sort(rows[np.argsort(lengths, kind="stable")[start : start + count]])


def misdecided(
    decider: Decider,
    meaning: Tensor,
    texts: Texts,
    latents: Tensor,
    rows: np.ndarray,
    which: np.ndarray,
) -> Tensor:
    """Sum over the choices of their cross-entropies, a mean over texts ``rows`` and their latents.

    ``meaning`` (rows, outputs) of these texts; ``which`` of each text's latents, all of which are
    ``latents`` (_, LATENT_SIZE).
    """
    drawn = torch.from_numpy(texts.drawn[rows][:, which]).to(meaning.device).flatten()
    choices = torch.from_numpy(texts.choices[rows][:, which]).to(meaning.device).long()
    choices = choices.flatten(0, 1)
    many = meaning[:, None].expand(-1, len(which), -1).flatten(0, 1)
    with torch.autocast(meaning.device.type, torch.bfloat16):
        logits = decider.logits(many, latents[drawn], choices)
    parts = []
    for number, part in enumerate(logits):
        taken = choices[:, number]
        taken = torch.where(taken < 0, torch.full_like(taken, part.shape[1] - 1), taken)
        parts.append(F.cross_entropy(part.float(), taken))
    return torch.stack(parts).sum()


@torch.inference_mode()
def read_captions(namer: Namer, meaning: Tensor) -> Truth:
    """What captions of these meanings (n, outputs) name, as a `Truth`."""
    told = namer(meaning)

    def answers(name: str) -> np.ndarray:
        best = told[name].argmax(-1)
        none = told[name].shape[-1] - 1
        result: np.ndarray = torch.where(best == none, torch.full_like(best, -1), best).numpy()
        return result

    counts = told["counts"].argmax(-1)
    counts = torch.where(counts == 0, torch.full_like(counts, -1), counts)
    return Truth(
        answers("scene"),
        answers("time"),
        counts.numpy().astype(np.int8),
        answers("colours").astype(np.int8),
        answers("poses").astype(np.int8),
        (told["subjects"] > 0).numpy(),
        (told["objects"] > 0).numpy(),
    )


def fresh_captions(
    words: Mapping[str, Sequence[str]] | None, count: int, seed: int
) -> list[Caption]:
    """Captions of the grammar, or said in other ``words``, at least one of them in each."""
    said: list[Caption] = []
    index = 0
    while len(said) < count:
        rng = np.random.default_rng([seed, index])
        caption = captions(sample_scene(rng), rng, 1)[0]
        index += 1
        other = caption if words is None else reword(caption, rng, 0.6, words)
        if words is None or other.text != caption.text:
            said.append(other)
    return said


def read_rightly(read: Truth, named: Truth) -> dict[str, np.ndarray]:
    """(n,) bool each: of which captions scene, time, counts, colours, relations are read."""
    relations = (read.subjects == named.subjects) & (read.objects == named.objects)
    return {
        "scene": read.scene == named.scene,
        "time": read.time == named.time,
        "counts": (read.counts == named.counts).all(1),
        "colours": (read.colours == named.colours).all(1),
        "relations": relations.all((1, 2)),
    }


@torch.inference_mode()
def evaluate(side: TextStudents, count: int = 1000, seed: int = 12345) -> dict[str, float]:
    """Shares of new captions of which all that is named is read, and decided as the world would.

    Three kinds: the grammar's own, in other words, and in words that no training ever saw; of the
    last each caption has one such word at least.
    """
    encoder = Encoder()
    scores: dict[str, Any] = {}
    for kind, words in (("plain", None), ("synonyms", SYNONYMS), ("held_out", HELD_OUT)):
        said = fresh_captions(words, count, seed)
        states, mask = encoder.padded([caption.text for caption in said])
        meaning = side.reader(states, mask)
        right = read_rightly(read_captions(side.namer, meaning), truth_of(said))
        scores |= {f"{kind}_{name}": float(hits.mean()) for name, hits in right.items()}
        scores[f"{kind}_all"] = float(np.all(list(right.values()), axis=0).mean())
        scores[f"{kind}_drawn"] = _decided_rightly(side.decider, said, meaning, seed)
    return {name: round(value, 4) for name, value in scores.items()}


def _decided_rightly(
    decider: Decider, said: Sequence[Caption], meaning: Tensor, seed: int
) -> float:
    """Share of captions of which all choices are those that the world makes by the same latent."""
    rng = np.random.default_rng(seed)
    latents = rng.standard_normal((len(said), LATENT_SIZE), dtype=np.float32)
    decided = decider(meaning, torch.from_numpy(latents))
    truth = np.stack(
        [choices_of(scene_of(c, latent)) for c, latent in zip(said, latents, strict=True)]
    )
    return float((taken(decided).numpy() == truth).all(1).mean())
