"""What a generator and its discriminator minimise: named, weighted terms, and the presets of them.

Notation, as in the design notes: r a real picture, h its caption's text feature, h' another one
made from the picture itself; x = G(z, h) and x' = G(z, h') drawn pictures. A training step computes
the features that its terms declare, under these names, and knows no formula:

| name | what |
|---|---|
| `h`, `h'` | (n, d) unit text features |
| `p.logits` | (n,) D(p, h, h') for p one of r, x, x' |
| `p.text`, `p.image` | (n, d) what D's two heads say of it; one head where D has only one |
| `p.guided` | (n, g) D's image head, projected to the width of `p.guide` where they differ |
| `p.regions` | (n, k, d) what D says of its regions |
| `p.clip` | (n, d) CLIP's image feature |
| `p.guide` | (n, g) the last feature of a frozen classifier (f_res of the notes) |
| `p.labels` | (n, labels) that classifier's logits |
| `p.slopes` | (n,) squared gradient of D's logit by the picture |
| `wrong.logits` | (n,) D(r, caption of another picture) |
| `words`, `words.present` | (n, t, d) and (n, t) bool: each caption's words |
| `label_similarities` | (n, labels) cosines of each caption and the classifier's labels |
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from evo_t2i.training.lafite_settings import ObjectiveSettings
from evo_t2i.training.losses import (
    contrast,
    non_saturating,
    region_word,
    rejected,
    relativistic,
    text_label,
    two_way,
)

Features = Mapping[str, Tensor]
"""What one step computed, by the names above."""
Weight = float | Callable[[int], float]
"""Constant, or a function of the images seen; 0 means that the term is left out of that step."""


@dataclass(frozen=True)
class Term:
    """A loss with a weight: ``loss`` reads the features that ``needs`` names, and no other."""

    name: str
    weight: Weight
    needs: frozenset[str]
    loss: Callable[[Features], Tensor]

    def weight_at(self, images_seen: int) -> float:
        """The weight after so many training images."""
        return self.weight(images_seen) if callable(self.weight) else self.weight


@dataclass(frozen=True)
class Objective:
    """The terms of both networks."""

    generator: tuple[Term, ...]
    discriminator: tuple[Term, ...]

    @property
    def needs(self) -> frozenset[str]:
        """What any of them reads, at any time."""
        both = (*self.generator, *self.discriminator)
        return frozenset().union(*(term.needs for term in both))


@dataclass(frozen=True)
class Now:
    """The terms of one step with their weights in it."""

    weighted: tuple[tuple[Term, float], ...]

    @property
    def needs(self) -> frozenset[str]:
        """What all of them read."""
        return frozenset().union(*(term.needs for term, _ in self.weighted))

    def total(self, features: Features) -> tuple[Tensor, dict[str, Tensor]]:
        """Their weighted sum, and each by its name, unweighted and detached."""
        losses = {term.name: term.loss(features) for term, _ in self.weighted}
        total = torch.stack([weight * losses[term.name] for term, weight in self.weighted]).sum()
        return total, {name: value.detach() for name, value in losses.items()}


def now(terms: Iterable[Term], images_seen: int) -> Now:
    """The terms whose weight is not 0 after so many images."""
    weighted = ((term, term.weight_at(images_seen)) for term in terms)
    return Now(tuple((term, weight) for term, weight in weighted if weight))


@dataclass(frozen=True)
class Every:
    """A weight paid in one of ``steps`` steps and ``steps``-fold then, as lazy penalties are.

    It moves from ``start`` to ``end`` over ``images`` along a straight line.
    """

    start: float
    end: float
    images: int
    steps: int
    batch: int

    def __call__(self, images_seen: int) -> float:
        if images_seen // self.batch % self.steps:
            return 0.0
        done = min(1.0, images_seen / max(1, self.images))
        return (self.start + (self.end - self.start) * done) * self.steps


def objective(settings: ObjectiveSettings, images: int, batch: int) -> Objective:
    """The terms of a training of ``images`` images in batches of ``batch``.

    Those of no group are L_G, itd and itc, and L_D, itd and R1: LAFITE's. The notes' table has a
    weight for each; a term of two groups needs both.
    """
    has = settings.groups
    return Objective(
        tuple(_generator_terms(settings, has)),
        tuple(_discriminator_terms(settings, has, images, batch)),
    )


def _generator_terms(settings: ObjectiveSettings, has: frozenset[str]) -> list[Term]:
    itd, itc = settings.itd, settings.itc
    terms = [_passes(settings, "L_G", "x")]
    if settings.preset != "xmc":
        terms.append(_pair(settings, "itd_r", itd, "x.text", "h"))
        terms.append(_pair(settings, "itc_r", itc, "x.clip", "h"))
    if "structure" in has:
        terms.append(_passes(settings, "L_G'", "x'"))
        terms.append(_pair(settings, "itd_f", itd / 5, "x.text", "h'"))
        terms.append(_pair(settings, "itc_f", itc / 5, "x.clip", "h'"))
        terms.append(_pair(settings, "iic", itc * 0.3, "x.clip", "x'.clip"))
    if "image-image" in has:
        terms.append(_pair(settings, "iid_r", itd * 0.8, "x.image", "r.image"))
        if "structure" in has:
            terms.append(_pair(settings, "iid_f", itd * 0.16, "x.image", "x'.image"))
    if "guided" in has:
        terms.append(_pair(settings, "iiv_r", itd * 0.8, "x.guide", "r.guide"))
        terms.append(_pair(settings, "iiv_d", itd * 0.8, "x.guided", "r.guide"))
        if "structure" in has:
            terms.append(_pair(settings, "iiv_f", itd * 0.16, "x.guide", "x'.guide"))
    if "words" in has:
        terms += _word_terms("x")
        terms.append(_two_way("image_image", "x.image", "r.image"))
        terms.append(_two_way("image_image_classifier", "x.guide", "r.guide"))
    if "text-label" in has:
        labels, near = "x.labels", "label_similarities"
        terms.append(
            Term(
                "text_label",
                1.0,
                frozenset({labels, near}),
                lambda f: text_label(f[labels], f[near]),
            )
        )
    return [term for term in terms if term.weight]


def _discriminator_terms(
    settings: ObjectiveSettings, has: frozenset[str], images: int, batch: int
) -> list[Term]:
    terms = [_tells_apart(settings, "L_D", "x")]
    if "structure" in has:
        terms.append(_tells_apart(settings, "L_D'", "x'"))
    if settings.mismatch:
        mismatch = _tells_apart(settings, "mismatch", "wrong", alone=True)
        terms.append(Term(mismatch.name, settings.mismatch, mismatch.needs, mismatch.loss))
    if settings.preset != "xmc":
        terms.append(_pair(settings, "itd", settings.itd, "r.text", "h"))
    if "guided" in has:
        terms.append(_pair(settings, "iiv_d", settings.itd * 0.8, "r.guided", "r.guide"))
    if "words" in has:
        terms += _word_terms("r")
    for name, gamma, pictures in (("R1", settings.r1, "r"), ("R2", settings.r2, "x")):
        weight = Every(
            gamma / 2, gamma / 2 * settings.final_penalty, images, settings.penalty_every, batch
        )
        if gamma:
            terms.append(_slope(name, weight, f"{pictures}.slopes"))
    return [term for term in terms if term.weight]


def _pair(settings: ObjectiveSettings, name: str, weight: float, a: str, b: str) -> Term:
    """Which of the batch's ``a`` belongs to each ``b``?"""
    return Term(
        name,
        weight,
        frozenset({a, b}),
        lambda f: contrast(f[a], f[b], settings.temperature, settings.form),
    )


def _two_way(name: str, a: str, b: str) -> Term:
    return Term(name, 1.0, frozenset({a, b}), lambda f: two_way(f[a], f[b]))


def _slope(name: str, weight: Weight, slopes: str) -> Term:
    return Term(name, weight, frozenset({slopes}), lambda f: f[slopes].mean())


def _word_terms(pictures: str) -> list[Term]:
    """XMC-GAN's of D: on real pictures for D, on drawn ones for G."""
    regions, words, present = f"{pictures}.regions", "words", "words.present"
    return [
        _two_way("sentence_image", f"{pictures}.text", "h"),
        Term(
            "region_word",
            1.0,
            frozenset({regions, words, present}),
            lambda f: region_word(f[regions], f[words], f[present]),
        ),
    ]


def _passes(settings: ObjectiveSettings, name: str, pictures: str) -> Term:
    """Drawn pictures are to pass for real ones."""
    drawn, real = f"{pictures}.logits", "r.logits"
    if settings.adversarial == "logistic":
        return Term(name, 1.0, frozenset({drawn}), lambda f: non_saturating(f[drawn]))
    return Term(name, 1.0, frozenset({drawn, real}), lambda f: relativistic(f[drawn], f[real]))


def _tells_apart(
    settings: ObjectiveSettings, name: str, pictures: str, *, alone: bool = False
) -> Term:
    """Real pictures are to pass and others not; ``alone`` leaves the real ones' part out.

    The second L_D, over x', leaves it out too: the notes count the real pictures once.
    """
    others, real = f"{pictures}.logits", "r.logits"
    if settings.adversarial == "relativistic":
        needs = frozenset({others, real})
        return Term(name, 1.0, needs, lambda f: relativistic(f[real], f[others]))
    if alone or pictures == "x'":
        return Term(name, 1.0, frozenset({others}), lambda f: rejected(f[others]))
    needs = frozenset({others, real})
    return Term(name, 1.0, needs, lambda f: non_saturating(f[real]) + rejected(f[others]))
