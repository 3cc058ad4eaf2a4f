"""Does clip_iqa tell plain renders from degraded ones, with a given CLIP?

For renders of fresh scenes, plain and degraded: the mean score, the share of scenes whose plain
render scores higher than its own degraded one, and the share of all (plain, degraded) pairs that
are ranked rightly (AUC). 0.5 of either is a guess.

    python benchmarks/clip_iqa.py
    python benchmarks/clip_iqa.py --clip ViT-L-14-quickgelu:openai
"""

import argparse

import numpy as np
import torch
from torchvision.transforms.functional import gaussian_blur

from evo_t2i.config import ScorerModels
from evo_t2i.evaluate.evaluator import score_images
from evo_t2i.evaluate.models import load_scorers
from evo_t2i.world import render, sample_scene


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=200)
    parser.add_argument("--clip", default="builtin")
    arguments = parser.parse_args()
    scenes = [sample_scene(np.random.default_rng([41, i])) for i in range(arguments.scenes)]
    pixels = np.stack([render(scene, 64).image for scene in scenes])
    plain = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    noise = torch.randn(plain.shape, generator=torch.Generator().manual_seed(0))
    degraded = {
        "blurred, σ = 1 pixel": gaussian_blur(plain, 9, 1.0),
        "blurred, σ = 2 pixels": gaussian_blur(plain, 13, 2.0),
        "noise, σ = 0.1": plain + 0.1 * noise,
        "noise, σ = 0.2": plain + 0.2 * noise,
        "half the contrast": 0.5 + 0.5 * (plain - 0.5),
    }
    models = ScorerModels(clip=arguments.clip)
    scorers = load_scorers(["clip_iqa"], device=torch.device("cpu"), models=models)
    scorer = scorers.for_caption("a picture")
    reference = score_images(scorer, plain, 25)[:, 0]
    print(f"plain: {reference.mean():.2f} ± {reference.std():.2f}\n")
    print("| degraded | mean | its own plain render is higher | AUC |")
    print("|---|---|---|---|")
    for name, images in degraded.items():
        found = score_images(scorer, images, 25)[:, 0]
        own = np.mean(reference > found)
        auc = np.mean(reference[:, None] > found[None])
        print(f"| {name} | {found.mean():.2f} | {own:.0%} | {auc:.2f} |")


if __name__ == "__main__":
    main()
