"""FID and KID of the built-in generator against renders of its world.

    python benchmarks/builtin_fidelity.py --pictures 1000

Plain samples of fresh captions against renders of other fresh scenes, as EfficientNet-Lite0 sees
them. `--save DIR` also keeps the pictures, `--folders REAL DRAWN` compares two folders of pictures,
so that another version's generator and world can be measured by the same network and count.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from evo_t2i.generators.builtin import BuiltinGenerator
from evo_t2i.training.fidelity import fid_and_kid
from evo_t2i.training.frozen import load_frozen_classifier
from evo_t2i.world import captions, render, sample_scene

SEED = 32_000
CPU = torch.device("cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--network", default="efficientnet_lite0")
    parser.add_argument("--save", type=Path)
    parser.add_argument("--folders", type=Path, nargs=2, metavar=("REAL", "DRAWN"))
    given = parser.parse_args()
    if given.folders:
        real, drawn = (read(folder) for folder in given.folders)
    else:
        real, drawn = rendered(given.pictures), sampled(given.pictures)
    for name, pictures in (("real", real), ("drawn", drawn)):
        if given.save:
            keep(given.save / name, pictures)
    network = load_frozen_classifier(given.network, CPU)

    def features(pictures: list[np.ndarray]) -> torch.Tensor:
        parts = []
        for start in range(0, len(pictures), 50):
            batch = torch.from_numpy(np.stack(pictures[start : start + 50])).permute(0, 3, 1, 2)
            with torch.inference_mode():
                parts.append(network(batch.float() / 127.5 - 1)[0])
        return torch.cat(parts)

    found = fid_and_kid(features(real), features(drawn))
    print(f"{len(real)} and {len(drawn)} pictures by {given.network}: {found}")


def rendered(count: int) -> list[np.ndarray]:
    """Scenes that no sample follows."""
    scenes = (sample_scene(np.random.default_rng([SEED, 0, i])) for i in range(count))
    return [render(scene, 128).image for scene in scenes]


@torch.inference_mode()
def sampled(count: int) -> list[np.ndarray]:
    """A plain sample of each of ``count`` fresh captions."""
    generator, pictures = BuiltinGenerator(device=CPU), []
    for index in range(count):
        rng = np.random.default_rng([SEED, 1, index])
        caption = captions(sample_scene(rng), rng, 1)[0].text
        latents = torch.from_numpy(generator.sample(1, rng))
        image = generator.generate(latents, generator.condition(caption))[0]
        pictures.append((image * 255).round().byte().permute(1, 2, 0).numpy())
    return pictures


def keep(folder: Path, pictures: list[np.ndarray]) -> None:
    folder.mkdir(parents=True)
    for index, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / f"{index:05d}.png")


def read(folder: Path) -> list[np.ndarray]:
    return [np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.glob("*.png"))]


if __name__ == "__main__":
    main()
