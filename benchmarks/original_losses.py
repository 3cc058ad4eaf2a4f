"""Are the losses those of LAFITE's own code?

Runs the original training/loss.py, from a clone that you name, on this package's networks and on
the same tensors as this package's terms, and compares the losses and the gradients that they send
into generator and discriminator.

    git clone https://github.com/drboog/Lafite
    python benchmarks/original_losses.py --lafite Lafite
"""

import argparse
import math
import sys
import types
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from evo_t2i.training.architecture import Architecture, fresh_discriminator, fresh_generator
from evo_t2i.training.losses import contrast, slopes
from evo_t2i.training.terms import ObjectiveSettings, now, objective

TOLERANCE = 1e-5
TEXT, BATCH, TAU, ITD, ITC, GAMMA = 24, 8, 0.5, 5.0, 10.0, 10.0
SIZES: dict[str, Any] = {
    "resolution": 32,
    "latent_size": 12,
    "channel_base": 512,
    "channel_max": 32,
}


class TheirMapping(nn.Module):
    """This package's mapping network behind the original's call."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, z: Tensor, _c: Tensor, **_more: Any) -> Tensor:
        return self.model.mapping(z, None)


class TheirSynthesis(nn.Module):
    """This package's synthesis network behind the original's call."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, ws: Tensor, fts: Tensor) -> Tensor:
        return self.model.draw(torch.zeros(len(ws), 1), ws, fts)


class TheirDiscriminator(nn.Module):
    """This package's discriminator behind the original's call."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, _c: Tensor, fts: Tensor) -> tuple[Tensor, Tensor]:
        judged = self.model.judge(images)
        return self.model.logits(judged, fts)[:, None], judged.text


class Pooled(nn.Module):
    """Stands in for CLIP's image tower: a fixed linear map of the pixels."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(5)
        self.weight = torch.randn(3 * 64, TEXT, generator=generator)

    def encode_image(self, images: Tensor) -> Tensor:
        pooled = nn.functional.adaptive_avg_pool2d(images, 8).flatten(1)
        return pooled @ self.weight


def original(clone: Path) -> Any:
    """The original's module of losses; its CLIP package is not needed and stands empty."""
    sys.path.insert(0, str(clone))
    sys.modules.setdefault("clip", types.ModuleType("clip"))
    from training import loss  # type: ignore[import-not-found]

    return loss


def their_loss(module: Any, generator: Any, discriminator: Any, clip: Pooled) -> Any:
    """The original's object, without its constructor, which loads files."""
    found = module.StyleGAN2Loss.__new__(module.StyleGAN2Loss)
    found.device = torch.device("cpu")
    found.G_mapping, found.G_synthesis = TheirMapping(generator), TheirSynthesis(generator)
    found.D, found.augment_pipe, found.clip_model = TheirDiscriminator(discriminator), None, clip
    found.style_mixing_prob, found.pl_weight, found.r1_gamma = 0, 0, GAMMA
    found.full_preprocess = lambda images: images  # its random crops are no loss
    return found


def gradients(model: nn.Module) -> Tensor:
    """All in one vector, and forgotten."""
    found = [
        torch.zeros_like(p).flatten() if p.grad is None else p.grad.flatten()
        for p in model.parameters()
    ]
    model.zero_grad(set_to_none=True)
    return torch.cat(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lafite", type=Path, required=True, help="a clone of drboog/Lafite")
    module = original(parser.parse_args().lafite.resolve())
    rows: list[tuple[str, float, float]] = []

    def compare(name: str, theirs: Tensor, ours: Tensor) -> None:
        theirs = theirs.detach()
        size = float(theirs.abs().max())
        rows.append((name, size, float((theirs - ours).abs().max()) / max(1.0, size)))

    random = torch.Generator().manual_seed(0)

    def numbers(*shape: int) -> Tensor:
        return torch.randn(shape, generator=random)

    a, b = numbers(BATCH, TEXT), numbers(BATCH, TEXT)
    bare = module.StyleGAN2Loss.__new__(module.StyleGAN2Loss)
    for tau in (0.5, 1.0):
        value = -bare.contra_loss(tau, a, b, 0).mean() + math.log(tau)  # its τ is within the log
        compare(f"contrast, tau {tau}", value, contrast(a, b, tau))

    generator = fresh_generator(Architecture(**SIZES), TEXT, 1)
    discriminator = fresh_discriminator(Architecture(**SIZES), TEXT, 2, regions=False)
    clip = Pooled()
    theirs = their_loss(module, generator, discriminator, clip)
    real, z = numbers(BATCH, 3, 32, 32).clamp(-1, 1), numbers(BATCH, 12)
    none, text = torch.zeros(BATCH, 0), normalize(numbers(BATCH, TEXT), dim=1)
    image_features = normalize(numbers(BATCH, TEXT), dim=1)
    told: dict[str, Tensor] = {}
    module.training_stats.report = lambda name, value: told.__setitem__(name, value)

    def run(phase: str) -> None:
        torch.manual_seed(3)
        theirs.accumulate_gradients(
            phase, real, none, z, none, True, 1, image_features, text,
            lam=0, temp=TAU, gather=False, d_use_fts=True, itd=ITD, itc=ITC, iid=0, iic=0,
        )  # fmt: skip

    settings = ObjectiveSettings(itd=ITD, itc=ITC, temperature=TAU, r1=GAMMA, penalty_every=1)
    terms = objective(settings, images=1, batch=BATCH)
    torch.manual_seed(3)
    noise = normalize(torch.randn(BATCH, TEXT), dim=1)
    h = normalize(torch.lerp(text, noise, 0.1), dim=1)

    def describe(name: str, images: Tensor) -> dict[str, Tensor]:
        judged = discriminator.judge(images)
        logits = discriminator.logits(judged, h)
        return {f"{name}.logits": logits, f"{name}.text": judged.text}

    def draw() -> Tensor:
        return generator.draw(torch.zeros(BATCH, 1), generator.mapping(z, None), h)

    run("Gmain")
    wanted = gradients(generator)
    x = draw()
    features = {"h": h, "x.clip": clip.encode_image(x), **describe("x", x)}
    loss, _ = now(terms.generator, 0).total(features)
    gradients(discriminator)
    loss.backward()  # type: ignore[no-untyped-call]
    compare("L'_G", told["Loss/G/loss"].mean() + (ITD + ITC) * math.log(TAU), loss.detach())
    compare("its gradient, generator", wanted, gradients(generator))
    gradients(discriminator)

    run("Dmain")
    wanted = gradients(discriminator)
    features = {"h": h, **describe("r", real), **describe("x", draw().detach())}
    plain = [term for term in terms.discriminator if term.name != "R1"]
    loss, _ = now(plain, 0).total(features)
    loss.backward()  # type: ignore[no-untyped-call]
    compare("L'_D", told["Loss/D/loss"].mean() + ITD * math.log(TAU), loss.detach())
    compare("its gradient, discriminator", wanted, gradients(discriminator))

    run("Dreg")
    wanted = gradients(discriminator)
    inputs = real.clone().requires_grad_()
    penalty = [term for term in terms.discriminator if term.name == "R1"]
    logits = describe("r", inputs)["r.logits"]
    loss, _ = now(penalty, 0).total({"r.slopes": slopes(logits, inputs)})
    loss.backward()  # type: ignore[no-untyped-call]
    compare("R1", told["Loss/D/reg"].mean(), loss.detach())
    compare("its gradient, discriminator", wanted, gradients(discriminator))

    print("| what | largest value | largest difference, relative above 1 |\n|---|---|---|")
    for name, size, difference in rows:
        print(f"| {name} | {size:.3g} | {difference:.1e} |")
    good = all(difference <= TOLERANCE for _, _, difference in rows)
    print("All within the tolerance." if good else f"Some differ by more than {TOLERANCE:g}.")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
