"""Train a LAFITE-type generator on people's own captioned pictures.

Zhou et al., "Towards Language-Free Training for Text-to-Image Generation" (2022), with the design
notes' objectives and changes, each of which can be switched (``terms``, ``architecture``). One step
draws pictures, updates the discriminator on them and on real ones, then the generator; it computes
what the terms of that step declare and adds the terms up.
"""

import copy
import json
import math
import shutil
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import normalize

from evo_t2i.checkpoints import stylegan2_folder
from evo_t2i.config import PRECISIONS, require
from evo_t2i.errors import EvoError, UsageError
from evo_t2i.features.clip import WORD_PROMPT
from evo_t2i.features.scorer_files import LOCAL
from evo_t2i.generators.lafite import TextEncoder
from evo_t2i.generators.stylegan2_ada import DISCRIMINATOR, GENERATOR
from evo_t2i.models.precision import check_precision, computing_in
from evo_t2i.models.stylegan2_discriminator import Discriminator, Judged
from evo_t2i.models.stylegan2_generator import Generator
from evo_t2i.training import checkpoint
from evo_t2i.training.architecture import (
    Architecture,
    discriminator_arguments,
    fresh_discriminator,
    fresh_generator,
    gaussian,
    generator_arguments,
    stored,
)
from evo_t2i.training.augmentation import Augmentation
from evo_t2i.training.data import Pictures
from evo_t2i.training.frozen import (
    FrozenClassifier,
    FrozenClip,
    label_similarities,
    load_frozen_classifier,
)
from evo_t2i.training.losses import pseudo_text, slopes
from evo_t2i.training.supervised import Progress, to_batch
from evo_t2i.training.terms import Objective, ObjectiveSettings, now, objective

MODEL = "model"
"""Folder of the newest generator, for ``--generator lafite:FOLDER``."""
_W_MOMENTUM = 0.998
_GRID = 8


@dataclass(frozen=True, kw_only=True)
class LafiteSettings:
    """How long and how to train; raises UsageError for what makes no sense."""

    images: int
    """Training pictures drawn and judged, repeats included."""
    objective: ObjectiveSettings = field(default_factory=ObjectiveSettings)
    architecture: Architecture = field(default_factory=Architecture)
    seed: int = 0
    batch: int = 32
    generator_rate: float = 2e-3
    discriminator_rate: float = 2e-3
    final_rate: float = 0.2
    """Share of both rates left at the end of a cosine schedule."""
    clip: str = "builtin"
    """As for ``--clip``: reads the captions, and judges itc and iic."""
    classifier: str = "builtin"
    """As for ``--classifier``, or efficientnet_lite0: f_res of the notes."""
    language_free: float = 0.0
    """Share of the pictures whose caption is replaced by a pseudo text; with 1 none is needed."""
    text_noise: float = 0.1
    """Share of noise in a caption's feature, as in LAFITE's code."""
    augment: str = "ada"
    average_images: float = 10_000.0
    """Half-life of the generator's moving average, a tenth of the images seen at first."""
    precision: str = "bf16"
    held_out: float = 0.05
    """Share of the pictures that are not trained on."""
    report_every: int = 4_000
    """Images between metrics, grid, checkpoint and model."""

    def __post_init__(self) -> None:
        for name in ("images", "batch", "report_every", "average_images"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "1 or more")
        require(self.batch >= 2, "batch", self.batch, "2 or more, for pictures to compare")
        for name in ("generator_rate", "discriminator_rate"):
            require(getattr(self, name) > 0, name, getattr(self, name), "a number above 0")
        for name in ("final_rate", "language_free", "text_noise"):
            value = getattr(self, name)
            require(0 <= value <= 1, name, value, "a number from 0 to 1")
        require(0 < self.held_out < 1, "held_out", self.held_out, "a number between 0 and 1")
        if self.precision not in PRECISIONS:
            raise UsageError(f"`precision` is {self.precision!r}; choose from fp32, bf16.")

    @property
    def captioned(self) -> bool:
        """Whether every picture needs a caption."""
        return self.language_free < 1 or self.architecture.attentive


class Measure(Protocol):
    """Numbers about a generator, for each report."""

    def __call__(self, draw: "Draw") -> dict[str, float]: ...


@dataclass(frozen=True)
class Draw:
    """The moving average with what it reads: latents and texts → pictures."""

    generator: Generator
    texts: Tensor
    """(m, …) of the held-out captions, on the generator's device."""
    captions: list[str]
    rows: np.ndarray
    """(m,) pictures that they belong to."""

    @torch.no_grad()
    def __call__(self, texts: Tensor, seed: int) -> Tensor:
        """One picture a text, (n, 3, r, r) in [0, 1]."""
        random = torch.Generator().manual_seed(seed)
        latents = gaussian((len(texts), self.generator.config.latent_size), random, texts.device)
        parts = [
            self.generator(z, None, t)
            for z, t in zip(latents.split(32), texts.split(32), strict=True)
        ]
        return (torch.cat(parts) / 2 + 0.5).clamp(0, 1)


@dataclass(frozen=True)
class _Data:
    """All that steps draw from."""

    pictures: Pictures
    rows: np.ndarray
    """Training pictures."""
    texts: Tensor
    """(m, d), or (m, 1 + t, d) with words: every caption of every picture."""
    first: np.ndarray
    """(n + 1,) where each picture's captions begin."""
    image_features: Tensor
    """(n, d) CLIP's, of every picture."""
    similarities: Tensor
    """(m, labels), or (m, 0)."""


@dataclass(frozen=True)
class _Batch:
    real: Tensor
    text: Tensor
    image_features: Tensor
    similarities: Tensor


@dataclass(frozen=True)
class _Teachers:
    clip: FrozenClip
    classifier: FrozenClassifier | None


@dataclass(frozen=True)
class _Students:
    generator: Generator
    discriminator: Discriminator
    average: Generator
    augmentation: Augmentation
    optimizer_g: torch.optim.Optimizer
    optimizer_d: torch.optim.Optimizer


def train_lafite(
    pictures: Pictures,
    settings: LafiteSettings,
    out: Path,
    device: torch.device,
    *,
    measure: Measure | None = None,
    progress: Progress | None = None,
) -> Path:
    """Train, and return the folder of the finished generator, ``out/model``.

    Goes on from ``out/checkpoint.safetensors`` where there is one: a training that was stopped at
    any time equals one that was not, on the same machine. At each report ``out`` receives a line
    of metrics.jsonl (each term unweighted, as its mean since the last report), a grid of held-out
    captions, the checkpoint and the model.

    Raises UsageError for too few pictures, ModelError for missing weights, RunDataError for the
    checkpoint of another training, EvoError when the losses are no longer finite.
    """
    check_precision(settings.precision, device)
    torch.set_flush_denormal(True)
    out.mkdir(parents=True, exist_ok=True)
    terms = objective(settings.objective, settings.images, settings.batch)
    teachers = _teachers(settings, terms, device)
    text_encoder(teachers.clip, words=False)  # refused now rather than at the first report
    held = pictures.held_out(settings.held_out)
    _require_enough(pictures, held, settings)
    data = _gather(pictures, np.flatnonzero(~held), teachers, settings, device)
    students = _students(settings, teachers, terms, device)
    modules: dict[str, nn.Module] = {
        "generator": students.generator,
        "discriminator": students.discriminator,
        "average": students.average,
        "augmentation": students.augmentation,
    }
    optimizers = {"generator": students.optimizer_g, "discriminator": students.optimizer_d}
    identity = (settings, pictures.digest, teachers.clip.digest)
    path = out / "checkpoint.safetensors"
    step = checkpoint.restore(path, identity, modules, optimizers) if path.exists() else 0
    _forget_after(out / "metrics.jsonl", step * settings.batch)
    steps = max(1, settings.images // settings.batch)
    report_steps = max(1, settings.report_every // settings.batch)
    draw = _draw(students.average, data, np.flatnonzero(held), settings, device)
    seen: dict[str, list[Tensor]] = {}
    started, start_step = time.perf_counter(), step
    with _Prefetch(data, settings, device) as batches:
        while step < steps:
            _set_rates(step / steps, settings, students)
            batch = batches.get(step)
            if step + 1 < steps:
                batches.begin(step + 1)
            for name, value in _step(step, batch, students, teachers, terms, settings).items():
                seen.setdefault(name, []).append(value)
            step += 1
            _follow(students.average, students.generator, step * settings.batch, settings)
            if step % report_steps == 0 or step == steps:
                seconds = time.perf_counter() - started
                line = _line(step * settings.batch, seen, students.augmentation)
                line["images_per_second"] = (step - start_step) * settings.batch / seconds
                if measure is not None:
                    line |= measure(draw)
                _grid(draw).save(out / f"grid-{step * settings.batch:08d}.png")
                with (out / "metrics.jsonl").open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
                save_model(out / MODEL, students, settings, teachers, step * settings.batch)
                checkpoint.save(path, step, identity, modules, optimizers)
                seen, started, start_step = {}, time.perf_counter(), step
                if progress:
                    progress(step * settings.batch, steps * settings.batch, line)
    return out / MODEL


def _teachers(settings: LafiteSettings, terms: Objective, device: torch.device) -> _Teachers:
    needs = _all_needs(terms)
    guided = any(name.endswith((".guide", ".guided", ".labels")) for name in needs)
    classifier = load_frozen_classifier(settings.classifier, device) if guided else None
    return _Teachers(FrozenClip(settings.clip, device), classifier)


def _all_needs(terms: Objective) -> frozenset[str]:
    both = (*terms.generator, *terms.discriminator)
    return frozenset().union(*(term.needs for term in both))


def _require_enough(pictures: Pictures, held: np.ndarray, settings: LafiteSettings) -> None:
    kept_aside, trained = int(held.sum()), int((~held).sum())
    if trained < 2:
        raise UsageError(
            f"{trained} of {len(pictures)} pictures are left to train on; give more pictures, or a "
            "smaller `held_out`."
        )
    spoken = [row for row in np.flatnonzero(held) if pictures.captions[row]]
    if not spoken:
        raise UsageError(
            f"None of the {kept_aside} held-out pictures has a caption to draw grids for; give "
            "more pictures, or a larger `held_out`."
        )
    if settings.captioned and not all(pictures.captions):
        raise UsageError(
            "Some pictures have no caption; read them again with captions wanted, or set "
            "`language_free` to 1."
        )


def _gather(
    pictures: Pictures,
    rows: np.ndarray,
    teachers: _Teachers,
    settings: LafiteSettings,
    device: torch.device,
) -> _Data:
    captions = [caption for each in pictures.captions for caption in each]
    first = np.concatenate([[0], np.cumsum([len(each) for each in pictures.captions])])
    needs = _all_needs(objective(settings.objective, settings.images, settings.batch))
    words = settings.architecture.attentive or "words" in needs
    texts = teachers.clip.remembered(captions, pictures.folder, words=words)
    labels = teachers.classifier.labels if teachers.classifier is not None else ()
    similar = torch.zeros(len(captions), 0)
    if "label_similarities" in needs and captions:
        similar = label_similarities(teachers.clip, labels, texts[:, 0] if words else texts)
    return _Data(
        pictures,
        rows,
        texts.to(device),
        first,
        _image_features(pictures, teachers.clip, device),
        similar.to(device),
    )


@torch.no_grad()
def _image_features(pictures: Pictures, clip: FrozenClip, device: torch.device) -> Tensor:
    """CLIP's (n, d) of every picture; kept beside the pictures."""
    path = pictures.folder / f"clip-{clip.digest[:16]}.npy"
    if not path.is_file():
        parts = []
        for start in range(0, len(pictures), 64):
            images = to_batch(pictures.images[start : start + 64], device) * 2 - 1
            parts.append(clip.images(images).cpu())
        partial = path.with_suffix(".part.npy")
        np.save(partial, torch.cat(parts).numpy())
        partial.rename(path)
    return torch.from_numpy(np.load(path)).to(device)


def _students(
    settings: LafiteSettings, teachers: _Teachers, terms: Objective, device: torch.device
) -> _Students:
    architecture, text_size = settings.architecture, teachers.clip.size
    guide_size, regions = _extras(teachers, terms)
    generator = fresh_generator(architecture, text_size, 2 * settings.seed)
    discriminator = fresh_discriminator(
        architecture, text_size, 2 * settings.seed + 1, guide_size=guide_size, regions=regions
    )
    generator = generator.to(device).to(memory_format=torch.channels_last)
    discriminator = discriminator.to(device).to(memory_format=torch.channels_last)
    average = copy.deepcopy(generator).eval().requires_grad_(False)
    g, d = (
        torch.optim.Adam(network.parameters(), lr=rate, betas=(0.0, 0.99))
        for network, rate in (
            (generator, settings.generator_rate),
            (discriminator, settings.discriminator_rate),
        )
    )
    augmentation = Augmentation(settings.augment)
    return _Students(generator, discriminator, average, augmentation, g, d)


def _extras(teachers: _Teachers, terms: Objective) -> tuple[int, bool]:
    """Width of the guiding network, 0 without one; whether the discriminator tells of regions."""
    needs = _all_needs(terms)
    guided = any(name.endswith(".guided") for name in needs) and teachers.classifier is not None
    size = teachers.classifier.size if guided and teachers.classifier is not None else 0
    return size, any(name.endswith(".regions") for name in needs)


class _Prefetch:
    """Gets the next batch ready while the networks work on this one."""

    def __init__(self, data: _Data, settings: LafiteSettings, device: torch.device) -> None:
        self._data, self._settings, self._device = data, settings, device
        self._thread = ThreadPoolExecutor(1)
        self._coming: dict[int, Future[_Batch]] = {}

    def __enter__(self) -> "_Prefetch":
        return self

    def __exit__(self, *_error: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    def begin(self, step: int) -> None:
        """Start to read the batch of a step."""
        self._coming[step] = self._thread.submit(
            _read, step, self._data, self._settings, self._device
        )

    def get(self, step: int) -> _Batch:
        """The batch of a step."""
        if step not in self._coming:
            self.begin(step)
        return self._coming.pop(step).result()


def _read(step: int, data: _Data, settings: LafiteSettings, device: torch.device) -> _Batch:
    """The pictures of a step, which (seed, step) alone decide."""
    rng = np.random.default_rng([settings.seed, step])
    rows, said = _choose(rng, data, settings.batch)
    real = torch.from_numpy(np.array(data.pictures.images[rows])).permute(0, 3, 1, 2)
    if device.type == "cuda":
        real = real.pin_memory().to(device, non_blocking=True)
    real = real.to(device).float().div_(127.5).sub_(1)
    spoken = torch.from_numpy(said).to(device)
    return _Batch(
        real.contiguous(memory_format=torch.channels_last),
        _taken(data.texts, spoken, data.image_features.shape[1]),
        data.image_features[torch.from_numpy(rows).to(device)],
        _taken(data.similarities, spoken, data.similarities.shape[1]),
    )


def _taken(table: Tensor, rows: Tensor, width: int) -> Tensor:
    """Rows of a table, zeros where a row is -1."""
    if not len(table):
        return torch.zeros(len(rows), width, device=rows.device)
    taken = table[rows.clamp(min=0)]
    return taken * (rows >= 0).view(-1, *[1] * (taken.ndim - 1))


def _choose(rng: np.random.Generator, data: _Data, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of pictures and, for each, of one of its captions; -1 where it has none.

    Equal captions in a batch would be false negatives of the contrastive terms, so they are avoided
    as far as a few more candidates go.
    """
    candidates = rng.permutation(data.rows)[: 4 * count]
    if len(candidates) < count:
        candidates = np.concatenate([candidates, rng.choice(data.rows, count - len(candidates))])
    share = rng.random(len(candidates))
    amounts = data.first[candidates + 1] - data.first[candidates]
    said = np.where(amounts, data.first[candidates] + (share * amounts).astype(np.int64), -1)
    taken: set[str] = set()
    chosen: list[int] = []
    spare: list[int] = []
    for index, row in enumerate(said):
        caption = data.pictures.captions[candidates[index]]
        text = caption[row - data.first[candidates[index]]] if row >= 0 else f"{index}"
        (spare if text in taken else chosen).append(index)
        taken.add(text)
    order = np.array([*chosen, *spare][:count])
    return candidates[order], said[order]


def _step(
    step: int,
    batch: _Batch,
    students: _Students,
    teachers: _Teachers,
    terms: Objective,
    settings: LafiteSettings,
) -> dict[str, Tensor]:
    """One update of each network; returns the terms by ``D.name`` and ``G.name``."""
    seen = step * settings.batch
    of_d, of_g = now(terms.discriminator, seen), now(terms.generator, seen)
    needs = of_d.needs | of_g.needs
    look = _Look(step, batch, students, teachers, settings)
    drawn = look.draw(second=any(name.startswith("x'.") for name in needs))

    students.discriminator.requires_grad_(True)
    pictures = {name: images.detach() for name, images in drawn.items()}
    loss, told_d = of_d.total(look.features(of_d.needs, pictures, gradient_of="D"))
    _update(students.optimizer_d, loss)
    students.discriminator.requires_grad_(False)

    loss, told_g = of_g.total(look.features(of_g.needs, drawn, gradient_of="G"))
    _update(students.optimizer_g, loss)
    metrics = {f"D.{name}": value for name, value in told_d.items()}
    return metrics | {f"G.{name}": value for name, value in told_g.items()}


def _update(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    optimizer.step()


class _Look:
    """One step's pictures through the networks: computes what the terms need, and no more."""

    def __init__(
        self,
        step: int,
        batch: _Batch,
        students: _Students,
        teachers: _Teachers,
        settings: LafiteSettings,
    ) -> None:
        self._batch, self._students, self._teachers = batch, students, teachers
        self._device, self._precision = batch.real.device, settings.precision
        self._random = torch.Generator().manual_seed(settings.seed * 1_000_003 + step)
        count, width = batch.image_features.shape
        noise = [gaussian((count, width), self._random, self._device) for _ in range(3)]
        sentence = batch.text[:, 0] if batch.text.ndim == 3 else batch.text
        noisy = torch.lerp(sentence, normalize(noise[0], dim=1), settings.text_noise)
        free = torch.rand(count, 1, generator=self._random).to(self._device)
        pseudo = pseudo_text(batch.image_features, noise[1])
        self.h = torch.where(free < settings.language_free, pseudo, normalize(noisy, dim=1))
        self.second = pseudo_text(batch.image_features, noise[2])
        self._words = batch.text[:, 1:] if batch.text.ndim == 3 else None
        self._attentive = settings.architecture.attentive

    def draw(self, *, second: bool) -> dict[str, Tensor]:
        """x, and with ``second`` x', with gradients to the generator."""
        generator = self._students.generator
        found = {}
        for name, text in (("x", self.h), ("x'", self.second)):
            if name == "x'" and not second:
                continue
            shape = (len(text), generator.config.latent_size)
            latents = gaussian(shape, self._random, self._device)
            with computing_in(self._precision, self._device):
                w = generator.mapping(latents, None)
                found[name] = generator.draw(latents, w, self._read(text)).float()
            with torch.no_grad():
                average = generator.mapping.w_avg
                assert average is not None
                average.lerp_(w.float().mean(dim=0), 1 - _W_MOMENTUM)
        return found

    def _read(self, text: Tensor) -> Tensor:
        """What the generator reads: the feature, and the words where it attends to them."""
        if not self._attentive:
            return text
        assert self._words is not None
        return torch.cat([text[:, None], self._words], dim=1)

    def features(
        self, needs: Iterable[str], drawn: Mapping[str, Tensor], *, gradient_of: str
    ) -> dict[str, Tensor]:
        """By the names of ``terms``; those of real pictures without gradients in G's step."""
        needs = frozenset(needs)
        found = {"h": self.h, "h'": self.second}
        if "words" in needs:
            assert self._words is not None
            found["words"] = self._words
            found["words.present"] = (self._words != 0).any(dim=-1)
        if "label_similarities" in needs:
            found["label_similarities"] = self._batch.similarities
        for name, images in (("r", self._batch.real), *drawn.items()):
            wanted = {each.partition(".")[2] for each in needs if each.startswith(f"{name}.")}
            if name == "r" and "wrong.logits" in needs:
                wanted.add("wrong")
            if not wanted:
                continue
            with torch.set_grad_enabled(name != "r" or gradient_of == "D"):
                found |= {f"{name}.{k}": v for k, v in self._of(images, wanted).items()}
        if "wrong.logits" in needs:
            found["wrong.logits"] = found.pop("r.wrong")
        if gradient_of == "D" and "r.logits" in found:
            self._students.augmentation.watch(found["r.logits"].detach())
        return found

    def _of(self, images: Tensor, wanted: set[str]) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        if wanted & {"logits", "text", "image", "guided", "regions", "slopes", "wrong"}:
            found |= self._judged(images, wanted)
        with computing_in(self._precision, self._device):
            if "clip" in wanted:
                found["clip"] = self._teachers.clip.images(images)
            if wanted & {"guide", "labels"}:
                assert self._teachers.classifier is not None
                found["guide"], found["labels"] = self._teachers.classifier(images)
        return found

    def _judged(self, images: Tensor, wanted: set[str]) -> dict[str, Tensor]:
        """The discriminator's part; penalties are computed in float32, at its own input."""
        discriminator = self._students.discriminator
        images = self._students.augmentation(images, self._random)
        sloping = "slopes" in wanted
        if sloping:
            images = images.detach().requires_grad_()
        precision = "fp32" if sloping else self._precision
        with computing_in(precision, self._device):
            judged = discriminator.judge(images)
        judged = Judged(**{name: value.float() for name, value in vars(judged).items()})
        found = {name: getattr(judged, name) for name in ("text", "image", "guided", "regions")}
        found["logits"] = discriminator.logits(judged, self.h, self.second)
        if "wrong" in wanted:
            found["wrong"] = discriminator.logits(judged, self.h.roll(1, 0), self.second)
        if sloping:
            found["slopes"] = slopes(found["logits"], images)
        return found


def _follow(
    average: Generator, generator: Generator, images: int, settings: LafiteSettings
) -> None:
    half_life = min(settings.average_images, 0.1 * images)
    decay = 0.5 ** (settings.batch / max(half_life, 1.0))
    with torch.no_grad():
        for slow, fast in zip(average.parameters(), generator.parameters(), strict=True):
            slow.lerp_(fast, 1 - decay)
        for kept, newest in zip(average.buffers(), generator.buffers(), strict=True):
            kept.copy_(newest)


def _set_rates(progress: float, settings: LafiteSettings, students: _Students) -> None:
    """Cosine from the full rates to ``final_rate`` of them."""
    share = settings.final_rate
    share += (1 - settings.final_rate) * 0.5 * (1 + math.cos(math.pi * progress))
    students.optimizer_g.param_groups[0]["lr"] = settings.generator_rate * share
    students.optimizer_d.param_groups[0]["lr"] = settings.discriminator_rate * share


def _line(
    images: int, seen: Mapping[str, list[Tensor]], augmentation: Augmentation
) -> dict[str, float]:
    """Raises EvoError when a mean is not finite."""
    means = {name: float(torch.stack(values).mean()) for name, values in seen.items()}
    for name, value in means.items():
        if not math.isfinite(value):
            raise EvoError(
                f"The training came apart before image {images}: {name} is {value}; go on from "
                "the last checkpoint with smaller rates or a larger r1, in another folder."
            )
    rounded = {name: round(value, 5) for name, value in means.items()}
    return {"images": float(images), **rounded, "augment_p": float(augmentation.p)}


def _forget_after(path: Path, images: int) -> None:
    """Leave out the lines of a metrics file that a training will write again."""
    if path.is_file():
        lines = path.read_text("utf-8").splitlines(keepends=True)
        kept = [line for line in lines if line.endswith("\n") and _images_of(line) <= images]
        if len(kept) < len(lines):
            path.write_text("".join(kept), encoding="utf-8")


def _images_of(line: str) -> float:
    try:
        return float(json.loads(line)["images"])
    except (ValueError, KeyError, TypeError):
        return math.inf


def _draw(
    average: Generator,
    data: _Data,
    held: np.ndarray,
    settings: LafiteSettings,
    device: torch.device,
) -> Draw:
    """Each held-out picture's first caption."""
    rows = np.array([row for row in held if data.pictures.captions[row]], np.int64)
    texts = data.texts[torch.from_numpy(data.first[rows]).to(device)]
    if texts.ndim == 3 and not settings.architecture.attentive:
        texts = texts[:, 0]
    captions = [data.pictures.captions[row][0] for row in rows]
    return Draw(average, texts, captions, rows)


def _grid(draw: Draw) -> Image.Image:
    """A row for each of up to eight held-out captions, a column for each of eight latents."""
    count = min(_GRID, len(draw.texts))
    chosen = np.linspace(0, len(draw.texts) - 1, count).astype(int)
    rows = [
        draw(draw.texts[index : index + 1].expand(_GRID, *draw.texts.shape[1:]), seed=0)
        for index in chosen
    ]
    pixels = torch.stack(rows).permute(0, 3, 1, 4, 2)  # (rows, r, columns, r, 3)
    side = pixels.shape[1]
    flat = (pixels.reshape(count * side, _GRID * side, 3) * 255).round().byte().cpu().numpy()
    return Image.fromarray(flat)


def save_model(
    folder: Path,
    students: Any,
    settings: LafiteSettings,
    teachers: Any,
    images: int,
) -> None:
    """Write the generator's moving average and the discriminator, in the place of an older one."""
    architecture, text_size = settings.architecture, teachers.clip.size
    guide_size = students.discriminator.config.guide_size
    regions = students.discriminator.config.regions
    networks = {
        GENERATOR: stored(students.average, generator_arguments(architecture, text_size)),
        DISCRIMINATOR: stored(
            students.discriminator,
            discriminator_arguments(architecture, text_size, guide_size, regions),
        ),
    }
    encoder = text_encoder(teachers.clip, words=architecture.attentive)
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    stylegan2_folder.save(
        fresh,
        networks,
        text_encoder=asdict(encoder),
        source={"training": f"evo-t2i, {images} images, preset {settings.objective.preset}"},
        card=_card(settings, images),
    )
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def text_encoder(clip: FrozenClip, *, words: bool) -> TextEncoder:
    """How a folder names the CLIP that its generator reads captions by.

    Raises UsageError for a CLIP in a folder, which nobody who gets the generator would find.
    """
    if clip.spec.startswith(LOCAL):
        raise UsageError(
            f"`clip` is {clip.spec!r}, which another machine would not find beside the generator; "
            "give builtin, or an open_clip model by its name, NAME:TAG."
        )
    architecture, _, training = clip.spec.partition(":")
    prompt = WORD_PROMPT if words else None
    return TextEncoder(
        architecture=architecture,
        training=training,
        digest=clip.text_digest,
        word_prompt=prompt,
    )


def _card(settings: LafiteSettings, images: int) -> str:
    facts = [
        f"trained here on {images:,} images (repeats included) of {settings.images:,}",
        f"resolution: {settings.architecture.resolution}",
        f"text encoder: {settings.clip}",
        f"settings: `{settings!r}`",
        "sha256 of model.safetensors: {digest}",
        "sha256 of config.json: {config_digest}",
    ]
    lines = "\n".join(f"- {fact}" for fact in facts)
    return (
        "# A LAFITE-type generator\n\n"
        f"{lines}\n\nUse it with `--generator lafite:FOLDER`. What may be done with it depends on "
        "the pictures that it was trained on.\n"
    )
