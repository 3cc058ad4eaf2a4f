"""What does each of the design notes' changes do to a LAFITE training?

Trains the original objective, each group of terms and each switch of the networks alone, the notes'
preset and XMC-GAN's, at equal images and with several seeds, on renders of the world or on a folder
of pictures of your own, and prints a row for each: FID, KID, CLIP score, attribute match by the
judge (of the world only), images a second. Every training goes on from where it was stopped.

    python benchmarks/training_ablation.py --images 200000 --seeds 2 --device cuda
"""

import argparse
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evo_t2i.training.architecture import NOTES_MIXING, Architecture
from evo_t2i.training.export import load_judge
from evo_t2i.training.judge import agreement, read
from evo_t2i.training.lafite import train_lafite
from evo_t2i.training.lafite_model import Draw
from evo_t2i.training.lafite_settings import LafiteSettings
from evo_t2i.training.own_pictures import WORLD, measure_of, read_pictures
from evo_t2i.training.pool import Pool, load_pool
from evo_t2i.training.terms import ObjectiveSettings

COLUMNS = ("fid", "kid", "clip_score", "match", "images_per_second")


@dataclass(frozen=True)
class Case:
    """One row: what is different from the original objective."""

    preset: str = "lafite"
    objective: dict[str, Any] = field(default_factory=dict)
    switches: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)


CASES = {
    "original": Case(),
    "+ image-image": Case(objective={"with_groups": ("image-image",)}),
    "+ real and pseudo structure": Case(objective={"with_groups": ("structure",)}),
    "+ guided": Case(objective={"with_groups": ("guided",)}),
    "+ text-label": Case(objective={"with_groups": ("text-label",)}),
    "+ separate heads": Case(switches={"separate_heads": True}),
    "+ mixed logits": Case(switches={"mixing": NOTES_MIXING}),
    "+ w connected": Case(switches={"transform_w": "connected"}),
    "+ w scaled": Case(switches={"transform_w": "scaled"}),
    "+ attention to words": Case(switches={"attentive": True}),
    "+ XMC-GAN's losses": Case(objective={"with_groups": ("words",)}),
    "infonce": Case(objective={"form": "infonce", "temperature": 0.1}),
    "language-free": Case(more={"language_free": 1.0}),
    "notes": Case("notes"),
    "XMC-GAN": Case("xmc"),
}


class Match:
    """Share of held-out captions of which one drawn picture shows all that they name."""

    def __init__(self, pool: Pool, device: torch.device) -> None:
        self._judge = load_judge().to(device)
        self._row = {text: row for row, text in enumerate(pool.texts)}
        self._named = pool.named

    def __call__(self, draw: Draw) -> float:
        images: Tensor = (draw(draw.texts, seed=1) * 255).round().byte()
        named = self._named[np.array([self._row[caption] for caption in draw.captions])]
        seen = read(self._judge, images.permute(0, 2, 3, 1).cpu().numpy())
        return round(float(agreement(seen, named).mean()), 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=WORLD, help="a folder, shards, or world")
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--renders", type=int, default=32_000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--channels", type=int, default=4096, help="channel_base")
    parser.add_argument("--adversarial", default="relativistic")
    parser.add_argument("--r1", type=float, default=5.0)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--count", type=int, default=2000, help="pictures for FID and KID")
    parser.add_argument("--network", default="efficientnet_lite0")
    parser.add_argument("--only", nargs="*", choices=CASES, help="these rows")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path("training-runs/ablation"))
    given = parser.parse_args()
    device = torch.device(given.device)
    print(f"| training | {' | '.join(COLUMNS)} |\n|{'---|' * (len(COLUMNS) + 1)}")
    for name in given.only or CASES:
        rows = [_row(name, seed, given, device) for seed in range(given.seeds)]
        cells = []
        for column in COLUMNS:
            values = [row[column] for row in rows if column in row]
            cells.append(", ".join(f"{value:.4g}" for value in values) or "–")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _row(name: str, seed: int, given: argparse.Namespace, device: torch.device) -> dict[str, float]:
    case = CASES[name]
    settings = LafiteSettings(
        images=given.images,
        batch=given.batch,
        seed=seed,
        report_every=max(given.batch, given.images // 4),
        objective=ObjectiveSettings(
            **{"preset": case.preset, "adversarial": given.adversarial, "r1": given.r1}
            | case.objective
        ),
        architecture=Architecture.of_preset(
            case.preset,
            resolution=given.resolution,
            channel_base=given.channels,
            **case.switches,
        ),
        **case.more,
    )
    pictures = read_pictures(given.data, settings, given.out, renders=given.renders)
    fidelity = measure_of(pictures, settings, device, network=given.network, count=given.count)
    match = Match(load_pool(given.out, given.renders, 1), device) if given.data == WORLD else None

    def measure(draw: Draw) -> dict[str, float]:
        return fidelity(draw) | ({} if match is None else {"match": match(draw)})

    last: dict[str, float] = {}
    out = given.out / f"{name.replace(' ', '-')}-{seed}"
    train_lafite(
        pictures,
        settings,
        out,
        device,
        measure=measure,
        progress=lambda _done, _all, line: last.update(line),
    )
    return last or _kept(out)


def _kept(out: Path) -> dict[str, float]:
    """The last line of a training that was finished before."""
    line: dict[str, float] = json.loads((out / "metrics.jsonl").read_text().splitlines()[-1])
    return line


if __name__ == "__main__":
    main()
