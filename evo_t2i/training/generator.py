"""Train the built-in generator against renders and captions.

Two phases. First the generator learns to draw at all, as the decoder of a conditional variational
autoencoder whose latents have to tell what the caption leaves open. Then a discriminator joins, and
every picture, drawn from an encoded latent or from the prior, has to pass it: relativistic pairing
and zero-centred gradient penalties (Huang et al., "The GAN is dead; long live the GAN!", 2024),
mismatched captions as extra negatives (Reed et al., 2016), heads on the pixels and on the features
of the built-in classifier (Sauer et al., 2021). Larsen et al. ("Autoencoding beyond pixels", 2016)
and Zhu et al. (BicycleGAN, 2017) join the two in the same way. The moving average that the judge
likes best is kept.
"""

import copy
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from evo_t2i.models.encoder import LatentEncoder, LatentReader
from evo_t2i.models.judge import Judge
from evo_t2i.models.projected_discriminator import ProjectedDiscriminator
from evo_t2i.models.text_stylegan import TextStyleGan, TextStyleGanConfig
from evo_t2i.models.vgg import Vgg
from evo_t2i.training import checkpoint
from evo_t2i.training.clip import pool_embeddings
from evo_t2i.training.judgement import Judgement
from evo_t2i.training.losses import relativistic
from evo_t2i.training.pool import Pool, holds
from evo_t2i.training.supervised import Progress, to_batch
from evo_t2i.world import COLOURS, KINDS, POSES, TIMES, VIEWS


@dataclass(frozen=True, kw_only=True)
class GeneratorSettings:
    """How long and how to train; the weights of the loss terms are those of the docstrings."""

    images: int
    seed: int = 0
    batch: int = 16
    generator_rate: float = 1e-2
    """While the generator learns alone; falls to ``adversarial_rate`` by the end of that phase."""
    adversarial_rate: float = 8e-4
    mapping_gain: float = 8.0
    """The mapping network's rate over the generator's: undoes most of its 0.1 multiplier, which a
    short training cannot afford. A latent has to choose between colours and poses sharply."""
    encoder_rate: float = 2e-3
    """Constant while the generator learns alone; beside the discriminator it follows the others."""
    momentum: float = 0.9
    """Adam's beta_1 for the generator while it learns alone; 0 once the discriminator joins."""
    discriminator_rate: float = 6e-4
    final_rate: float = 0.1
    """Share of the learning rates left at the end of the adversarial phase's cosine schedule."""
    penalty: float = 5.0
    """gamma of R1 and R2 on the discriminator's normalised inputs."""
    penalty_every: int = 16
    mismatch: float = 0.5
    alone: int = 260_000
    """Images before the discriminator joins."""
    reconstruction: float = 20.0
    """Weight of pixel and feature distance to the encoded image, alone."""
    anchor: float = 20.0
    """The same weight beside the discriminator."""
    anchor_divergence: float = 0.008
    """``divergence`` beside the discriminator."""
    divergence: float = 0.06
    """Weight of KL(q(z | image, caption) || N(0, 1)), summed over the latent, at first: what the
    caption says is learned before what it leaves open."""
    relaxed_divergence: float = 0.008
    """The same weight after ``relaxed_after`` images, still alone."""
    relaxed_after: int = 28_000
    reading: float = 1.0
    """Weight of the cross-entropies of what is read from a latent, after ``relaxed_after`` images.
    Without them the decoder ignores the latent for long, and the encoder says little for as long:
    a cat of all colours."""
    average_images: float = 3_000.0
    """Half-life of the generator's moving average."""
    report_every: int = 4_000
    """Images between metrics, judgement, sample grid and checkpoint."""


@dataclass(frozen=True)
class Teachers:
    """Frozen networks that the training looks through."""

    classifier: Vgg
    text: Callable[[Tensor], Tensor]
    """Sentence embeddings (n, 384) → unit CLIP text features (n, d)."""
    clip: nn.Module
    """The open_clip model, for its sentence encoder."""
    judge: Judge


@dataclass(frozen=True)
class _Students:
    """What is trained, with its optimisers."""

    generator: TextStyleGan
    encoder: LatentEncoder
    reader: LatentReader
    discriminator: ProjectedDiscriminator
    optimizer_g: torch.optim.Optimizer
    optimizer_d: torch.optim.Optimizer


def train_generator(
    pool: Pool,
    validation: Pool,
    teachers: Teachers,
    settings: GeneratorSettings,
    out: Path,
    device: torch.device,
    progress: Progress | None = None,
    start: TextStyleGan | None = None,
) -> tuple[TextStyleGan, dict[str, float]]:
    """Returns the moving average that the judge liked best, and its rate on captions kept aside.

    ``start`` is a generator to train further; a fresh one without it. Goes on from
    ``out/checkpoint.safetensors`` when it exists; a resumed training equals an uninterrupted one on
    the same machine.
    """
    out.mkdir(parents=True, exist_ok=True)
    torch.set_flush_denormal(True)
    torch.manual_seed(settings.seed)
    texts = teachers.text(pool_embeddings(teachers.clip, pool))
    judgement = Judgement(validation, teachers.judge, teachers.clip, teachers.text)
    if start is None:
        generator = TextStyleGan(TextStyleGanConfig(text_size=texts.shape[1]))
    else:
        generator = copy.deepcopy(start).train().requires_grad_(True)
    generator = generator.to(device).to(memory_format=torch.channels_last)
    average = copy.deepcopy(generator).eval().requires_grad_(False)
    best = _Best(average)
    first = to_batch(pool.images[: settings.batch * 8], device) * 2 - 1
    with torch.no_grad():
        levels = _levels(teachers.classifier, first)
    discriminator = (
        ProjectedDiscriminator(
            [(level.shape[1], level.shape[2]) for level in levels], texts.shape[1]
        )
        .to(device)
        .to(memory_format=torch.channels_last)
    )
    discriminator.calibrate(levels)
    encoder = LatentEncoder(texts.shape[1], generator.config.latent_size, VIEWS).to(device)
    sizes = (len(TIMES), VIEWS, len(POSES), len(KINDS), len(KINDS) * len(COLOURS))
    reader = LatentReader(texts.shape[1], generator.config.latent_size, sizes).to(device)
    mapping = list(generator.mapping.parameters())
    others = [p for p in generator.parameters() if all(p is not m for m in mapping)]
    groups = [others, mapping, [*encoder.parameters(), *reader.parameters()]]
    optimizer_g = torch.optim.Adam([{"params": group} for group in groups], betas=(0.0, 0.99))
    optimizer_d = torch.optim.Adam(
        discriminator.parameters(), lr=settings.discriminator_rate, betas=(0.0, 0.99)
    )
    students = _Students(generator, encoder, reader, discriminator, optimizer_g, optimizer_d)
    modules = {
        "generator": generator,
        "encoder": encoder,
        "reader": reader,
        "average": average,
        "best": best,
        "discriminator": discriminator,
    }
    optimizers = {"generator": optimizer_g, "discriminator": optimizer_d}
    path, identity = out / "checkpoint.safetensors", (settings, pool.folder.name)
    step = checkpoint.restore(path, identity, modules, optimizers) if path.exists() else 0
    steps = max(1, settings.images // settings.batch)
    seen: dict[str, list[float]] = {}
    while step < steps:
        _schedule(step * settings.batch, settings, optimizer_g, optimizer_d)
        rng = np.random.default_rng([settings.seed, step])
        metrics = _step(step, rng, pool, texts, teachers, students, settings)
        step += 1
        _follow(average, generator, step * settings.batch, settings)
        for name, value in metrics.items():
            seen.setdefault(name, []).append(value)
        if step % max(1, settings.report_every // settings.batch) == 0 or step == steps:
            line = {"images": float(step * settings.batch)}
            line |= {name: round(float(np.mean(values)), 4) for name, values in seen.items()}
            line["judge"] = judgement.rate(average)
            seen = {}
            best.compare(average, line["judge"])
            judgement.grid(average).save(out / f"grid-{step * settings.batch:08d}.png")
            with (out / "metrics.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            checkpoint.save(path, step, identity, modules, optimizers)
            if progress:
                progress(step * settings.batch, settings.images, line)
    return best.network, {"plain_sample_shows_caption": judgement.rate_aside(best.network)}


class _Best(nn.Module):
    """The moving average with the highest rate so far, and that rate."""

    rate: Tensor

    def __init__(self, network: TextStyleGan):
        super().__init__()
        self.network = copy.deepcopy(network)
        self.register_buffer("rate", torch.tensor(-1.0, dtype=torch.float64))

    def compare(self, network: TextStyleGan, rate: float) -> None:
        """Take over ``network`` unless its rate is lower."""
        if rate >= float(self.rate):
            self.network.load_state_dict(network.state_dict())
            self.rate.fill_(rate)


def _step(
    step: int,
    rng: np.random.Generator,
    pool: Pool,
    texts: Tensor,
    teachers: Teachers,
    students: _Students,
    settings: GeneratorSettings,
) -> dict[str, float]:
    device = texts.device
    rows = np.sort(rng.integers(len(pool), size=settings.batch))
    said = pool.caption_rows[rows, rng.integers(pool.caption_rows.shape[1], size=len(rows))]
    order = rng.permutation(len(rows))
    rows, said = rows[order], said[order]
    text = texts[torch.from_numpy(said)]
    real = to_batch(_facing_one_way(pool, rows), device) * 2 - 1
    real = real.contiguous(memory_format=torch.channels_last)
    noise = torch.from_numpy(
        rng.standard_normal((len(rows), students.generator.config.latent_size), dtype=np.float32)
    ).to(device)
    relaxed = step * settings.batch >= settings.relaxed_after
    adversarial = step * settings.batch >= settings.alone
    encoded = len(rows) // 4 if adversarial else len(rows)
    view = torch.from_numpy(pool.view[rows[:encoded]]).to(device)

    with torch.autocast(device.type, torch.bfloat16):
        mean, log_variance = students.encoder(real[:encoded], text[:encoded], view)
        latents = torch.cat([mean + noise[:encoded] * (log_variance / 2).exp(), noise[encoded:]])
        fake = students.generator(latents, text)
        with torch.no_grad():
            real_levels = _levels(teachers.classifier, real)
        fake_levels = _levels(teachers.classifier, fake)

    metrics: dict[str, float] = {}
    drawn = _distance(students.discriminator, fake_levels, real_levels, encoded)
    divergence = (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean() / 2
    metrics["drawn"], metrics["kl"] = float(drawn.detach()), float(divergence.detach())
    if adversarial:
        loss = settings.anchor * drawn + settings.anchor_divergence * divergence
    else:
        weight = settings.relaxed_divergence if relaxed else settings.divergence
        loss = settings.reconstruction * drawn + weight * divergence
    if relaxed:
        told = students.reader(latents[:encoded], text[:encoded])
        misread = _misread(told, pool, rows[:encoded])
        metrics["misread"] = float(misread.detach())
        loss = loss + settings.reading * misread
    if adversarial:
        others = np.roll(said, 1 + int(rng.integers(len(rows) - 1)))
        real_logits = _teach_discriminator(
            step,
            students,
            real_levels,
            fake_levels,
            text,
            texts[torch.from_numpy(others)],
            ~_true_pairs(pool, rows, others),
            settings,
            metrics,
        )
        with torch.autocast(device.type, torch.bfloat16):
            patches = students.discriminator.embed(fake_levels)
            logits = students.discriminator.logits(patches, text)
        fooled = relativistic(logits, real_logits)
        metrics["g"] = float(fooled.detach())
        loss = loss + fooled
    students.optimizer_g.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    students.optimizer_g.step()
    return metrics


def _misread(told: tuple[Tensor, ...], pool: Pool, rows: np.ndarray) -> Tensor:
    """Cross-entropies of time, view, pose, things and their colours against the truth, summed."""
    time, view, pose, kinds, colours = told
    shown = pool.shown[rows]
    present = torch.from_numpy(shown.colours > -2).to(time.device)
    colour = torch.from_numpy(shown.colours).to(time.device)
    answers = ((time, shown.time), (view, pool.view[rows]), (pose, pool.pose[rows]))
    parts = [F.cross_entropy(x, torch.from_numpy(truth).to(x.device)) for x, truth in answers]
    parts.append(F.binary_cross_entropy_with_logits(kinds, present.float()) * len(KINDS))
    if present.any():
        of_kinds = colours.unflatten(1, (len(KINDS), len(COLOURS)))
        parts.append(F.cross_entropy(of_kinds[present], colour[present]))
    return torch.stack(parts).sum()


def _facing_one_way(pool: Pool, rows: np.ndarray) -> np.ndarray:
    """Images without the mirroring: a short training cannot afford to learn everything twice."""
    images = np.array(pool.images[rows])
    mirrored = pool.mirrored[rows]
    images[mirrored] = images[mirrored, :, ::-1]
    return images


def _teach_discriminator(
    step: int,
    students: _Students,
    real_levels: list[Tensor],
    fake_levels: list[Tensor],
    text: Tensor,
    other_text: Tensor,
    wrong: np.ndarray,
    settings: GeneratorSettings,
    metrics: dict[str, float],
) -> Tensor:
    """One update of the discriminator; returns the real logits, detached."""
    discriminator = students.discriminator.requires_grad_(True)
    fake_levels = [level.detach() for level in fake_levels]
    with torch.autocast(text.device.type, torch.bfloat16):
        real_patches = discriminator.embed(real_levels)
        real_logits = discriminator.logits(real_patches, text)
        fake_logits = discriminator.logits(discriminator.embed(fake_levels), text)
        mismatched = discriminator.logits(real_patches, other_text)
    loss = relativistic(real_logits, fake_logits)
    metrics["d"] = float(loss.detach())
    if wrong.any():
        mask = torch.from_numpy(wrong)
        matching = relativistic(real_logits[mask], mismatched[mask])
        metrics["d_mismatch"] = float(matching.detach())
        loss = loss + settings.mismatch * matching
    if step % settings.penalty_every == 0:
        penalty = _penalty(discriminator, real_levels, text)
        penalty = penalty + _penalty(discriminator, fake_levels, text)
        metrics["penalty"] = float(penalty.detach())
        loss = loss + settings.penalty * settings.penalty_every / 2 * penalty
    students.optimizer_d.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    students.optimizer_d.step()
    discriminator.requires_grad_(False)
    return real_logits.detach()


def _distance(
    discriminator: ProjectedDiscriminator,
    fake_levels: list[Tensor],
    real_levels: list[Tensor],
    count: int,
) -> Tensor:
    """Mean absolute difference of pixels and of the classifier's first three, normalised levels."""
    parts = [(fake_levels[0][:count] - real_levels[0][:count]).abs().mean()]
    for index in (1, 2, 3):
        fake, real = (levels[index][:count].float() for levels in (fake_levels, real_levels))
        scale = getattr(discriminator, f"scale_{index}")
        parts.append(0.1 * ((fake - real) * scale).abs().mean())
    return torch.stack(parts).sum()


def _levels(classifier: Vgg, images: Tensor) -> list[Tensor]:
    """The image itself and the classifier's maps down to 4x4."""
    return [images, *classifier.features_at(images)]


def _penalty(discriminator: ProjectedDiscriminator, levels: list[Tensor], text: Tensor) -> Tensor:
    """mean_i sum over levels of |d D / d normalised level|^2, D the sum of the heads' mean logits.

    Half the batch is enough for an estimate.
    """
    half = max(1, len(text) // 2)
    inputs = [
        discriminator.normalise(index, level.float()).detach()[:half].requires_grad_()
        for index, level in enumerate(levels)
    ]
    patches = [head(x) for head, x in zip(discriminator.heads, inputs, strict=True)]
    logits = discriminator.logits(patches, text[:half]).mean(2).sum()
    gradients = torch.autograd.grad(logits, inputs, create_graph=True)
    return torch.stack([g.square().sum((1, 2, 3)).mean() for g in gradients]).sum()


def _true_pairs(pool: Pool, rows: np.ndarray, captions: np.ndarray) -> np.ndarray:
    """(n,) bool: caption i is true of image i."""
    result: np.ndarray = np.diagonal(holds(pool.shown[rows], pool.named[captions]))
    return result


def _follow(
    average: nn.Module, generator: nn.Module, images: int, settings: GeneratorSettings
) -> None:
    half_life = min(settings.average_images, 0.1 * images)
    decay = 0.5 ** (settings.batch / max(half_life, 1.0))
    with torch.no_grad():
        for slow, fast in zip(average.parameters(), generator.parameters(), strict=True):
            slow.lerp_(fast, 1 - decay)


def _schedule(
    images: int,
    settings: GeneratorSettings,
    optimizer_g: torch.optim.Optimizer,
    optimizer_d: torch.optim.Optimizer,
) -> None:
    """Rates and momentum after ``images``: exponential alone, then cosine."""
    fall = settings.adversarial_rate / settings.generator_rate
    if images < settings.alone:
        rate, momentum = fall ** (images / settings.alone), settings.momentum
        encoder_rate = settings.encoder_rate
    else:
        progress = (images - settings.alone) / max(1, settings.images - settings.alone)
        annealed = settings.final_rate
        annealed += (1 - settings.final_rate) * 0.5 * (1 + math.cos(math.pi * progress))
        rate, momentum = fall * annealed, 0.0
        encoder_rate = settings.encoder_rate * rate
    mapping_rate = settings.generator_rate * settings.mapping_gain
    rates = (settings.generator_rate * rate, mapping_rate * rate, encoder_rate)
    for group, value in zip(optimizer_g.param_groups, rates, strict=True):
        group["lr"], group["betas"] = value, (momentum, 0.99)
    optimizer_d.param_groups[0]["lr"] = settings.discriminator_rate * rate / fall
