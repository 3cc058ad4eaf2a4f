"""Do LAFITE's and StyleGAN2-ADA's own code draw the same pictures from the same checkpoints?

Runs the original code, from clones that you name, to make networks with random weights, pickle them
as its training loops do, and draw; then reads the pickles without that code and compares.

    git clone https://github.com/drboog/Lafite
    git clone https://github.com/NVlabs/stylegan2-ada-pytorch
    python benchmarks/original_generators.py --lafite Lafite --stylegan2-ada stylegan2-ada-pytorch
"""

import argparse
import copy
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[1]
TOLERANCE = 1e-4
PSI = 0.7


def lafite_case(resolution: int, change: int, base: int = 32768) -> dict[str, Any]:
    """Settings as LAFITE's train.py makes them."""
    common = {"channel_base": base, "channel_max": 512, "num_fp16_res": 4, "conv_clamp": 256}
    return {
        "classes": 0,
        "resolution": resolution,
        "text": 512,
        "generator": {
            "z_dim": 512,
            "w_dim": 512,
            "m_layer_features": 512,
            "m_num_layers": 8,
            "mapping_kwargs": {"num_layers": 8},
            "synthesis_kwargs": common | {"change": change, "f_dim": 512},
        },
        "discriminator": common
        | {
            "use_norm": True,
            "use_fts": True,
            "block_kwargs": {},
            "mapping_kwargs": {},
            "epilogue_kwargs": {"mbstd_group_size": 4, "f_dim": 512},
        },
    }


def ada_case(
    resolution: int,
    classes: int = 0,
    *,
    layers: int = 8,
    base: int = 16384,
    generator: str = "skip",
    discriminator: str = "resnet",
) -> dict[str, Any]:
    """Settings as StyleGAN2-ADA's train.py makes them."""
    common = {"channel_base": base, "channel_max": 512, "num_fp16_res": 4, "conv_clamp": 256}
    return {
        "classes": classes,
        "resolution": resolution,
        "text": 0,
        "generator": {
            "z_dim": 512,
            "w_dim": 512,
            "mapping_kwargs": {"num_layers": layers},
            "synthesis_kwargs": common | {"architecture": generator},
        },
        "discriminator": common
        | {
            "architecture": discriminator,
            "block_kwargs": {},
            "mapping_kwargs": {},
            "epilogue_kwargs": {"mbstd_group_size": 4},
        },
    }


CASES = {
    "lafite": {
        "64 px, text joined": lafite_case(64, 256),
        "64 px, text joined to 16": lafite_case(64, 16),
        "256 px, text joined": lafite_case(256, 256),
        "256 px, text joined to 64": lafite_case(256, 64, 16384),
    },
    "stylegan2-ada": {
        "64 px": ada_case(64, layers=2),
        "64 px, 10 classes": ada_case(64, 10, layers=2),
        "32 px, 10 classes, D orig (cifar)": ada_case(
            32, 10, layers=2, base=32768, discriminator="orig"
        ),
        "64 px, G resnet, D skip": ada_case(64, generator="resnet", discriminator="skip"),
        "64 px, G orig": ada_case(64, generator="orig"),
        "256 px": ada_case(256),
        "256 px, 10 classes": ada_case(256, 10),
        "1024 px": ada_case(1024, base=32768),
    },
}


def write(family: str, clone: Path, out: Path) -> None:
    """With the original code: a pickle and reference arrays for each case."""
    sys.path[:0] = [str(clone), str(ROOT / "tests")]
    import dnnlib  # type: ignore[import-not-found]
    from foreign_checkpoints import fill  # type: ignore[import-not-found]
    from training import networks  # type: ignore[import-not-found]
    from training.augment import AugmentPipe  # type: ignore[import-not-found]

    for index, case in enumerate(CASES[family].values()):
        size = {
            "c_dim": case["classes"],
            "img_resolution": case["resolution"],
            "img_channels": 3,
        }
        made = {}
        for name, kind in (("generator", "Generator"), ("discriminator", "Discriminator")):
            given = {
                key: dnnlib.EasyDict(value) if isinstance(value, dict) else value
                for key, value in case[name].items()
            }
            network = getattr(networks, kind)(**given, **size).train().requires_grad_(False)
            made[name] = fill(network)
        g, d = made["generator"], made["discriminator"]
        content = {"training_set_kwargs": dict(dnnlib.EasyDict(path="own.zip", resolution=256))}
        if family == "lafite":
            content["args"] = {"num_gpus": 1, "temp": 0.5}
        pipe = AugmentPipe(xflip=1, scale=1).train().requires_grad_(False)
        for name, module in (("G", g), ("D", d), ("G_ema", g), ("augment_pipe", pipe)):
            content[name] = copy.deepcopy(module).eval().requires_grad_(False).cpu()
        with (out / f"{index}.pkl").open("wb") as file:
            pickle.dump(content, file, protocol=(4, 3, 2)[index % 3])

        rng = np.random.default_rng(index)
        count = 1 if case["resolution"] > 256 else 3
        latents = rng.standard_normal((count, 512), dtype=np.float32)
        z = torch.from_numpy(latents)
        c = torch.zeros(count, case["classes"])
        if case["classes"]:
            c[:, 3] = 1
        text = rng.standard_normal((count, 512), dtype=np.float32)
        text /= np.linalg.norm(text, axis=1, keepdims=True)
        reads = {"fts": torch.from_numpy(text)} if family == "lafite" else {}
        drawn, seconds = [], 0.0
        for psi in (1, PSI):
            start = time.perf_counter()
            with torch.no_grad():
                image = g(z, c, truncation_psi=psi, noise_mode="const", force_fp32=True, **reads)
            seconds += time.perf_counter() - start
            drawn.append(image.numpy())
        logits = []
        with torch.no_grad():
            for row in range(count):  # one by one: no neighbours in its minibatch statistics
                one = {key: value[row : row + 1] for key, value in reads.items()}
                image = torch.from_numpy(drawn[0][row : row + 1])
                judged = d(image, c[row : row + 1], force_fp32=True, **one)
                logits.append((judged[0] if family == "lafite" else judged).item())
        np.savez(
            out / f"{index}.npz",
            latents=latents,
            text=text,
            images=np.stack(drawn),
            logits=np.array(logits),
            seconds=seconds / 2 / count,
        )


@torch.inference_mode()
def compare(family: str, out: Path) -> bool:
    """Without the original code: read, draw, judge; prints one row a case."""
    from evo_t2i.checkpoints.stylegan2_pickle import StyleGan2Pickle
    from evo_t2i.models.stylegan2_discriminator import load_discriminator
    from evo_t2i.models.stylegan2_generator import load_generator

    good = True
    for index, (title, case) in enumerate(CASES[family].items()):
        start = time.perf_counter()
        checkpoint = StyleGan2Pickle(out / f"{index}.pkl")
        stored = checkpoint.network("G_ema")
        generator = load_generator(stored.arguments, stored.tensors)
        reading = time.perf_counter() - start
        judge = checkpoint.network("D")
        discriminator = load_discriminator(judge.arguments, judge.tensors)
        wanted = np.load(out / f"{index}.npz")
        z, text = torch.from_numpy(wanted["latents"]), torch.from_numpy(wanted["text"])
        label = None
        if case["classes"]:
            label = torch.zeros(len(z), case["classes"])
            label[:, 3] = 1
        h = text if case["text"] else None
        worst, seconds = 0.0, 0.0
        for psi, images in zip((1.0, PSI), wanted["images"], strict=True):
            start = time.perf_counter()
            found = generator(z, label, h, psi).numpy()
            seconds += time.perf_counter() - start
            worst = max(worst, float(np.abs(found - images).max()))
        logits, features = discriminator(torch.from_numpy(wanted["images"][0]), label)
        if h is not None:
            logits = logits + (features * h).sum(dim=1)
        logit = float(np.abs(logits.numpy() - wanted["logits"]).max())
        size = float(np.abs(wanted["images"]).max())
        good &= worst <= TOLERANCE and logit <= TOLERANCE * max(1, np.abs(wanted["logits"]).max())
        print(
            f"| {family} | {title} | {size:.2f} | {worst:.1e} | {logit:.1e} | {reading:.1f} s | "
            f"{wanted['seconds']:.2f} s | {seconds / 2 / len(z):.2f} s |",
            flush=True,
        )
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lafite", type=Path, help="a clone of drboog/Lafite")
    parser.add_argument("--stylegan2-ada", type=Path, help="a clone of stylegan2-ada-pytorch")
    parser.add_argument("--write", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write:
        family, clone, out = arguments.write
        write(family, Path(clone), Path(out))
        return
    clones = {"lafite": arguments.lafite, "stylegan2-ada": arguments.stylegan2_ada}
    print(
        "| family | network | largest value | largest difference | of the logits | reading | "
        "theirs, an image | ours |\n|---|---|---|---|---|---|---|---|"
    )
    good = True
    for family, clone in clones.items():
        if clone is None:
            continue
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, __file__, "--write", family, str(clone.resolve()), folder]
            subprocess.run(command, check=True)  # apart: both originals have the same module names
            good &= compare(family, Path(folder))
    print("All within the tolerance." if good else f"Some differ by more than {TOLERANCE:g}.")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
