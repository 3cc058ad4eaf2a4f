"""What latents of a diffusion pipeline's size cost the search and the run directory.

    python benchmarks/large_latents.py

Scores come from random projections of the latent, so no model runs. Prints one row a size:
seconds of search and of writing for a generation, and the megabytes that a run keeps.
"""

import math
import tempfile
import time
from pathlib import Path

import numpy as np

from evo_t2i.config import RunConfig
from evo_t2i.points import Points
from evo_t2i.runs.directory import RunDirectory
from evo_t2i.runs.generations import GenerationFacts
from evo_t2i.search.nsga2 import Nsga2

SHAPES = ((32,), (4, 64, 64), (4, 128, 128), (16, 128, 128))

FACTS = GenerationFacts(
    evaluations=0,
    front=0,
    hypervolume=1.0,
    box=((0.0,) * 4, (1.0,) * 4),
    micro_batch=1,
    models={},
    environment={},
)


def measure(dimensions: int, config: RunConfig, folder: Path) -> tuple[float, float, int]:
    """Mean seconds a generation of search and of writing, and the bytes that were kept."""
    search = Nsga2(
        sample=lambda count, rng: rng.standard_normal((count, dimensions), dtype=np.float32),
        dimensions=dimensions,
        objectives=4,
        config=config,
        options=Nsga2.Options(keep="front"),
    )
    directions = np.random.default_rng(0).standard_normal((dimensions, 4), dtype=np.float32)
    searching = writing = 0.0
    with RunDirectory.create(folder, config) as run:
        for generation in range(config.generations + 1):
            start = time.perf_counter()
            latents, parents = search.ask(), search.parents
            searching += time.perf_counter() - start
            scores = np.tanh(latents @ directions / math.sqrt(dimensions)).astype(np.float64)
            start = time.perf_counter()
            search.tell(latents, scores)
            searching += time.perf_counter() - start
            first = generation * config.population
            ids = np.arange(first, first + len(latents), dtype=np.int64)
            generations = np.full(len(latents), generation, dtype=np.int64)
            points = Points(latents, scores, ids, parents, generations)
            start = time.perf_counter()
            run.commit(points, search.state(), FACTS)
            writing += time.perf_counter() - start
    count = config.generations + 1
    kept = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return searching / count, writing / count, kept


def main() -> None:
    config = RunConfig(caption="a red bus", seed=1, generations=10)
    print("| latent | numbers | search, s | writing, s | kept, MB |")
    print("|---|---|---|---|---|")
    for shape in SHAPES:
        dimensions = math.prod(shape)
        with tempfile.TemporaryDirectory() as folder:
            searching, writing, kept = measure(dimensions, config, Path(folder) / "run")
        print(f"| {shape} | {dimensions:,} | {searching:.2f} | {writing:.2f} | {kept / 1e6:.0f} |")


if __name__ == "__main__":
    main()
