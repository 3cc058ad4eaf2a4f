"""Which patch embeddings make region_word tell true captions from false ones?

For renders of fresh scenes and one caption each: the share of (true, false) image pairs that a
caption's region_word ranks rightly (AUC, averaged over captions), for ClearCLIP's patch embeddings
and for the last block's own tokens, with several region sharpnesses.

    python benchmarks/dense_features.py
"""

import argparse

import numpy as np
import torch

from evo_t2i import builtin_clip
from evo_t2i.features.clip import DENSE_FORMS, OpenClipFeatures
from evo_t2i.scores.region_word import RegionWord
from evo_t2i.scores.text_image import TextImage
from evo_t2i.world import captions, holds, render, sample_scene, truth_of


def auc(values: np.ndarray, truth: np.ndarray) -> float:
    return float(np.mean(values[truth][:, None] > values[~truth][None]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=200)
    arguments = parser.parse_args()
    scenes = [sample_scene(np.random.default_rng([31, i])) for i in range(arguments.scenes)]
    said = [captions(s, np.random.default_rng([32, i]), 1)[0] for i, s in enumerate(scenes)]
    truth = holds(truth_of(scenes), truth_of(said))
    pixels = np.stack([render(scene, 128).image for scene in scenes])
    batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    clip = builtin_clip.load()
    print("| patch embeddings | rho_1 = 5 | 20 | 50 | 100 |")
    print("|---|---|---|---|---|")
    for form in DENSE_FORMS:
        features = OpenClipFeatures(
            model=clip.model,
            tokenize=clip.tokenize,
            mean=clip.config["mean"],
            std=clip.config["std"],
            digest="",
            device=torch.device("cpu"),
            dense=form,
        )
        cells = []
        with torch.inference_mode():
            seen = features.images(batch, {})
            texts = [features.text(caption.text) for caption in said]
            for sharpness in (5.0, 20.0, 50.0, 100.0):
                score = RegionWord(options=RegionWord.Options(region_sharpness=sharpness))
                values = [
                    auc(score(seen | text).numpy(), truth[:, j]) for j, text in enumerate(texts)
                ]
                cells.append(f"{np.mean(values):.3f}")
            whole = TextImage()
            reference = [auc(whole(seen | t).numpy(), truth[:, j]) for j, t in enumerate(texts)]
        print(f"| {form} | {' | '.join(cells)} |")
    print(f"\ntext_image on the same pairs: {np.mean(reference):.3f}")


if __name__ == "__main__":
    main()
