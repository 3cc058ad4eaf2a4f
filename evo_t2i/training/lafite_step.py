"""One step of a LAFITE training: both networks move once.

It computes what the terms of that step declare, adds the terms up, and knows no formula.
"""

import copy
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from evo_t2i.models.precision import computing_in
from evo_t2i.models.stylegan2_discriminator import Discriminator, Judged
from evo_t2i.models.stylegan2_generator import Generator
from evo_t2i.training.architecture import fresh_discriminator, fresh_generator, gaussian
from evo_t2i.training.augmentation import Augmentation
from evo_t2i.training.frozen import FrozenClip, Teachers, load_frozen_classifier
from evo_t2i.training.lafite_batches import Batch
from evo_t2i.training.lafite_settings import LafiteSettings
from evo_t2i.training.losses import pseudo_text, slopes
from evo_t2i.training.processes import Processes
from evo_t2i.training.terms import Objective, now

_W_MOMENTUM = 0.998


@dataclass(frozen=True)
class Students:
    generator: Generator
    discriminator: Discriminator
    average: Generator
    augmentation: Augmentation
    optimizer_g: torch.optim.Optimizer
    optimizer_d: torch.optim.Optimizer
    processes: Processes


def load_teachers(settings: LafiteSettings, terms: Objective, device: torch.device) -> Teachers:
    needs = terms.needs
    guided = any(name.endswith((".guide", ".guided", ".labels")) for name in needs)
    classifier = load_frozen_classifier(settings.classifier, device) if guided else None
    return Teachers(FrozenClip(settings.clip, device), classifier)


def fresh_students(
    settings: LafiteSettings,
    teachers: Teachers,
    terms: Objective,
    device: torch.device,
    processes: Processes,
) -> Students:
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
    return Students(generator, discriminator, average, augmentation, g, d, processes)


def _extras(teachers: Teachers, terms: Objective) -> tuple[int, bool]:
    """Width of the guiding network, 0 without one; whether the discriminator tells of regions."""
    needs = terms.needs
    guided = any(name.endswith(".guided") for name in needs) and teachers.classifier is not None
    size = teachers.classifier.size if guided and teachers.classifier is not None else 0
    return size, any(name.endswith(".regions") for name in needs)


def take_step(
    step: int,
    batch: Batch,
    students: Students,
    teachers: Teachers,
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
    _update(students.optimizer_d, loss, students.processes)
    students.discriminator.requires_grad_(False)

    loss, told_g = of_g.total(look.features(of_g.needs, drawn, gradient_of="G"))
    _update(students.optimizer_g, loss, students.processes)
    students.processes.mean([*_running(students.generator)])
    metrics = {f"D.{name}": value for name, value in told_d.items()}
    return metrics | {f"G.{name}": value for name, value in told_g.items()}


def _update(optimizer: torch.optim.Optimizer, loss: Tensor, processes: Processes) -> None:
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    own = (p.grad for group in optimizer.param_groups for p in group["params"])
    processes.mean([gradient for gradient in own if gradient is not None])
    optimizer.step()


def _running(generator: Generator) -> Iterator[Tensor]:
    """The statistics that a forward pass changes."""
    for name, buffer in generator.named_buffers():
        if name.endswith(("w_avg", "running_mean", "running_var")):
            yield buffer


def _random_seed(step: int, students: Students, settings: LafiteSettings) -> int:
    """Another one for each step and process."""
    return settings.seed * 1_000_003 + step + students.processes.rank * 7_368_787


class _Look:
    """One step's pictures through the networks: computes what the terms need, and no more."""

    def __init__(
        self,
        step: int,
        batch: Batch,
        students: Students,
        teachers: Teachers,
        settings: LafiteSettings,
    ) -> None:
        self._batch, self._students, self._teachers = batch, students, teachers
        self._device, self._precision = batch.real.device, settings.precision
        self._random = torch.Generator().manual_seed(_random_seed(step, students, settings))
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
        self._adversarial = settings.objective.adversarial
        self._of_all = settings.batch

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
            mean_sign = sureness(found, self._adversarial).detach().sign().mean()
            self._students.processes.mean([mean_sign])
            self._students.augmentation.watch(mean_sign, self._of_all)
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


def sureness(features: Mapping[str, Tensor], adversarial: str) -> Tensor:
    """(n,) above 0 where the discriminator is right about a real picture.

    Its logit; for a relativistic loss, which leaves the logits' zero open, what that is above the
    logit of the drawn picture beside it.
    """
    real = features["r.logits"]
    return real - features["x.logits"] if adversarial == "relativistic" else real


def follow(average: Generator, generator: Generator, images: int, settings: LafiteSettings) -> None:
    half_life = min(settings.average_images, 0.1 * images)
    decay = 0.5 ** (settings.batch / max(half_life, 1.0))
    with torch.no_grad():
        for slow, fast in zip(average.parameters(), generator.parameters(), strict=True):
            slow.lerp_(fast, 1 - decay)
        for kept, newest in zip(average.buffers(), generator.buffers(), strict=True):
            kept.copy_(newest)


def set_rates(progress: float, settings: LafiteSettings, students: Students) -> None:
    """Cosine from the full rates to ``final_rate`` of them."""
    share = settings.final_rate
    share += (1 - settings.final_rate) * 0.5 * (1 + math.cos(math.pi * progress))
    students.optimizer_g.param_groups[0]["lr"] = settings.generator_rate * share
    students.optimizer_d.param_groups[0]["lr"] = settings.discriminator_rate * share
