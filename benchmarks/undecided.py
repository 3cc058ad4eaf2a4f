"""How many pictures of the built-in generator are undecided, by how sharply it decides?

    python benchmarks/undecided.py runs/a-cat

For some sharpnesses: the share of plain samples, and of what a finished run kept, in which the
likeliest option of some choice has less than 0.97.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from evo_t2i.generators.builtin import BuiltinGenerator
from evo_t2i.models import layout_generator
from evo_t2i.run import Run
from evo_t2i.training.builtin.export import load_generator

SHARPNESS = (4.0, 16.0, layout_generator.DECIDED)
SURE = 0.97
SAMPLES = 1_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    run = Run(parser.parse_args().run)
    torch.set_grad_enabled(False)
    generator = BuiltinGenerator(device=torch.device("cpu"))
    decider = load_generator().decider.double()
    meaning = generator.condition(run.config.caption).double()
    sets = (generator.sample(SAMPLES, np.random.default_rng(0)), run.arrays.latents)
    print("| sharpness | plain samples | kept by the run |\n|---|---|---|")
    for sharpness in SHARPNESS:
        layout_generator.DECIDED = sharpness
        shares = []
        for latents in sets:
            decided = decider(meaning.expand(len(latents), -1), torch.from_numpy(latents).double())
            surest = torch.stack([part.amax(1) for part in decided], dim=1)
            shares.append(float((surest.amin(1) < SURE).double().mean()))
        print(f"| {sharpness:g} | {shares[0]:.2f} | {shares[1]:.2f} |")


if __name__ == "__main__":
    main()
