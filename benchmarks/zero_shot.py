"""Zero-shot classification of fresh renders by CLIP: one template against the ensemble.

Pictures of one thing each, an equal number of each kind; the labels are the kinds' names, but for
what is only worn. Top-1 with a 95 % interval over resampled pictures, beside chance, for each
template alone and for all.

    python benchmarks/zero_shot.py
    python benchmarks/zero_shot.py --clip ViT-B-32:laion2b_s34b_b79k
"""

import argparse
import itertools

import numpy as np
import torch
from bootstrap import interval

from evo_t2i.config import ScorerModels
from evo_t2i.features.clip import ClipFeatures
from evo_t2i.features.labels import TEMPLATES
from evo_t2i.features.zero_shot import ZeroShotClassifier
from evo_t2i.world import KINDS, Caption, render, sample_scene

LABELS = tuple(kind for kind in KINDS if kind not in ("goggles", "hat"))
"""Kinds that are seen alone; those two are worn."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--each", type=int, default=10, help="pictures of each kind")
    parser.add_argument("--clip", default="builtin")
    parser.add_argument("--size", type=int, default=128)
    arguments = parser.parse_args()
    clip = ClipFeatures(device=torch.device("cpu"), models=ScorerModels(clip=arguments.clip))
    images, truth = renders(arguments.each, arguments.size)
    print(f"{len(images)} pictures, {len(LABELS)} labels, chance {1 / len(LABELS):.3f}")
    print("| templates | top-1 | 95 % interval |")
    print("|---|---|---|")
    for templates in [*((template,) for template in TEMPLATES), TEMPLATES]:
        classify = ZeroShotClassifier(clip, LABELS, templates)
        found = np.concatenate(
            [
                classify(images[start : start + 25])[1].argmax(dim=1).numpy()
                for start in range(0, len(images), 25)
            ]
        )
        right = found == truth
        low, high = interval(right)
        name = templates[0] if len(templates) == 1 else f"all {len(templates)}"
        print(f"| {name} | {right.mean():.3f} | {low:.3f} to {high:.3f} |")


def renders(each: int, size: int) -> tuple[torch.Tensor, np.ndarray]:
    """Pictures (n, 3, size, size) in [0, 1] of one thing, and the row of its kind in LABELS."""
    pixels, truth = [], []
    for row, kind in enumerate(LABELS):
        rng = np.random.default_rng([61, row])
        wanted = Caption("", things=((kind, None, 1),))
        scenes = (sample_scene(rng, wanted) for _ in itertools.count())
        alone = (scene for scene in scenes if len(scene.things) == 1)
        pixels += [render(scene, size).image for scene in itertools.islice(alone, each)]
        truth += [row] * each
    batch = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2).float() / 255
    return batch, np.array(truth)


if __name__ == "__main__":
    main()
