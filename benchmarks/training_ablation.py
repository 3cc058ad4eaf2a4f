"""What does each of the design notes' changes do to a LAFITE training?

Trains the original objective, each group of terms and each switch of the networks alone, the notes'
preset and XMC-GAN's, at equal images and with several seeds, on the world's portraits (faces of
nine kinds, in colours, at three times of day) or on a folder of your own pictures, and prints a row
for each: FID, KID, CLIP score, attribute match by the judge (of the portraits only), images a
second. Every training goes on from where it was stopped; ``--table`` prints what there is, and
draws a sheet with a row of pictures for each.

    python benchmarks/training_ablation.py
    python benchmarks/training_ablation.py --table ablation.png
"""

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from evo_t2i.report.sheets import contact_sheet
from evo_t2i.training.architecture import Architecture
from evo_t2i.training.builtin.export import load_judge
from evo_t2i.training.builtin.judge import read
from evo_t2i.training.builtin.pool import IMAGE_SIZE
from evo_t2i.training.data import Pictures
from evo_t2i.training.lafite import train_lafite
from evo_t2i.training.lafite_model import Draw
from evo_t2i.training.lafite_settings import NOTES_MIXING, LafiteSettings, ObjectiveSettings
from evo_t2i.training.own_pictures import WORLD, measure_of, read_pictures
from evo_t2i.world import Caption, captions, render, sample_scene, share_of_own, truth_of

COLUMNS = ("fid", "kid", "clip_score", "match", "named", "chance", "images_per_second")
BASE = {
    "adversarial": "relativistic",
    "r1": 1.0,
    "r2": 1.0,
    "final_penalty": 0.3,
    "itd": 1.0,
    "itc": 1.0,
    "form": "infonce",
    "temperature": 0.1,
}
"""The objective of every row but for what the row is about."""
DRAWS = 3
"""Pictures of each held-out caption that are judged."""
_PORTRAIT_SEED = 51_000


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
    "+ image-image, separate heads": Case(
        objective={"with_groups": ("image-image",)}, switches={"separate_heads": True}
    ),
    "+ mixed logits": Case(switches={"mixing": NOTES_MIXING}),
    "+ w connected": Case(switches={"transform_w": "connected"}),
    "+ w scaled": Case(switches={"transform_w": "scaled"}),
    "+ attention to words": Case(switches={"attentive": True}),
    "+ XMC-GAN's losses": Case(objective={"with_groups": ("words",)}),
    "sharpened": Case(objective={"form": "sharpened", "temperature": 0.5}),
    "language-free": Case(more={"language_free": 1.0}),
    "notes": Case("notes"),
    "XMC-GAN": Case("xmc"),
}


class Match:
    """What drawn pictures show of their held-out captions, by the judge.

    ``match`` is the share of pictures that show all that is named, ``named`` the mean share of what
    is named, ``chance`` the same against the next picture's caption. The judge reads pictures of
    its own size; smaller ones are enlarged.
    """

    def __init__(self, named: Mapping[str, Caption], device: torch.device) -> None:
        self._judge = load_judge().to(device)
        self._named = named

    def __call__(self, draw: Draw) -> dict[str, float]:
        drawn = torch.cat([draw(draw.texts, seed) for seed in range(DRAWS)])
        return self.of(drawn, [*draw.captions] * DRAWS)

    def of(self, pictures: Tensor, said: Sequence[str]) -> dict[str, float]:
        """Of pictures (n, 3, side, side) in [0, 1]."""
        large = interpolate(pictures, (IMAGE_SIZE, IMAGE_SIZE), mode="bilinear")
        images = (large * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        named = truth_of([self._named[caption] for caption in said])
        seen = read(self._judge, images)
        share = share_of_own(seen, named)
        return {
            "match": round(float((share == 1).mean()), 4),
            "named": round(float(share.mean()), 4),
            "chance": round(float(share_of_own(seen, named[np.arange(len(named)) - 1]).mean()), 4),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=WORLD, help="a folder, shards, or world")
    parser.add_argument("--resolution", type=int, default=32)
    parser.add_argument("--images", type=int, default=8_000)
    parser.add_argument("--pictures", type=int, default=2_000, help="portraits")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--channels", type=int, default=512, help="channel_base")
    parser.add_argument("--channel-max", type=int, default=48)
    parser.add_argument("--latent-size", type=int, default=32)
    parser.add_argument("--style-size", type=int, default=64)
    for name, value in BASE.items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=type(value), default=value)
    parser.add_argument("--generator-rate", type=float, default=0.02)
    parser.add_argument("--discriminator-rate", type=float, default=0.006)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--count", type=int, default=500, help="pictures for FID and KID")
    parser.add_argument("--network", default="efficientnet_lite0")
    parser.add_argument("--only", nargs="*", choices=CASES, help="these rows")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path("training-runs/ablation"))
    parser.add_argument("--table", type=Path, metavar="SHEET", help="train nothing")
    given = parser.parse_args()
    names = given.only or list(CASES)
    if given.table is None:
        _train_all(names, given)
    _print_table(names, given)
    if given.table is not None:
        _draw_sheet(names, given)


def _train_all(names: list[str], given: argparse.Namespace) -> None:
    device = torch.device(given.device)
    given.out.mkdir(parents=True, exist_ok=True)
    first = _settings(names[0], 0, given)
    match = None
    if given.data == WORLD:
        pictures, named = _portraits(given.pictures, given.resolution, given.out)
        match = Match(named, device)
        shown = torch.from_numpy(np.array(pictures.images)).permute(0, 3, 1, 2).to(device) / 255
        said = [texts[0] for texts in pictures.captions]
        print(f"real pictures, which no row can pass: {match.of(shown, said)}", flush=True)
    else:
        pictures = read_pictures(given.data, given.resolution, given.out)
    fidelity = measure_of(pictures, first, device, network=given.network, count=given.count)

    def measure(draw: Draw) -> dict[str, float]:
        return fidelity(draw) | ({} if match is None else match(draw))

    for seed in range(given.seeds):
        for name in names:
            if not _last(name, seed, given):
                folder = _folder(name, seed, given)
                train_lafite(
                    pictures, _settings(name, seed, given), folder, device, measure=measure
                )
            print(f"{name}, seed {seed}: {_last(name, seed, given)}", flush=True)


def _settings(name: str, seed: int, given: argparse.Namespace) -> LafiteSettings:
    case = CASES[name]
    return LafiteSettings(
        images=given.images,
        batch=given.batch,
        seed=seed,
        held_out=0.1,
        generator_rate=given.generator_rate,
        discriminator_rate=given.discriminator_rate,
        report_every=given.images,
        objective=ObjectiveSettings(
            **{"preset": case.preset}
            | {name: getattr(given, name) for name in BASE}
            | case.objective
        ),
        architecture=Architecture.of_preset(
            case.preset,
            resolution=given.resolution,
            channel_base=given.channels,
            channel_max=given.channel_max,
            latent_size=given.latent_size,
            style_size=given.style_size,
            **case.switches,
        ),
        **case.more,
    )


def _portraits(count: int, side: int, out: Path) -> tuple[Pictures, dict[str, Caption]]:
    """Faces with a caption each, and what their captions name."""
    drawn, said = [], []
    for index in range(count):
        rng = np.random.default_rng([_PORTRAIT_SEED, index])
        scene = sample_scene(rng, Caption("a portrait", scene="portrait"))
        said.append(captions(scene, rng, 1)[0])
        drawn.append(render(scene, side).image)
    images = np.stack(drawn)
    digest = hashlib.sha256(images.tobytes()).hexdigest()[:12]
    folder = out / f"portraits-{side}-{digest}"
    folder.mkdir(exist_ok=True)
    return Pictures(
        images=images,
        names=[f"{index:06d}" for index in range(count)],
        captions=[(caption.text,) for caption in said],
        problems={},
        digest=digest,
        folder=folder,
    ), {caption.text: caption for caption in said}


def _folder(name: str, seed: int, given: argparse.Namespace) -> Path:
    return Path(given.out) / f"{name.replace(' ', '-')}-{seed}"


def _last(name: str, seed: int, given: argparse.Namespace) -> dict[str, float]:
    """The last line of a training that is finished, nothing of another."""
    path = _folder(name, seed, given) / "metrics.jsonl"
    if not path.is_file():
        return {}
    line: dict[str, float] = json.loads(path.read_text().splitlines()[-1])
    done = line["images"] >= given.images // given.batch * given.batch
    return {key: line[key] for key in COLUMNS if key in line} if done else {}


def _print_table(names: list[str], given: argparse.Namespace) -> None:
    print(f"| training | {' | '.join(COLUMNS)} |\n|{'---|' * (len(COLUMNS) + 1)}")
    for name in names:
        rows = [_last(name, seed, given) for seed in range(given.seeds)]
        cells = []
        for column in COLUMNS:
            values = [row[column] for row in rows if column in row]
            cells.append(", ".join(f"{value:.4g}" for value in values) or "–")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _draw_sheet(names: list[str], given: argparse.Namespace) -> None:
    """The first column of each newest grid of seed 0: a row a training, a picture a caption."""
    images, labels = [], []
    for name in names:
        grids = sorted(_folder(name, 0, given).glob("grid-*.png"))
        if grids:
            with Image.open(grids[-1]) as opened:
                pixels = np.asarray(opened.convert("RGB"))
            side = given.resolution
            rows = [pixels[start : start + side, :side] for start in range(0, len(pixels), side)]
            images += [each.repeat(2, axis=0).repeat(2, axis=1) for each in rows]
            labels += [[name if index == 0 else ""] for index in range(len(rows))]
            columns = len(rows)
    if images:
        contact_sheet(images, labels, "", given.table, columns=columns)


if __name__ == "__main__":
    main()
