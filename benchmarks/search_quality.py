"""How good the search is without any pictures: operators and survivals on a smooth test problem.

The problem: z in R^d passes a random two-layer tanh network, and the scores are the cosines of its
output to random directions. Every search gets the same number of evaluations; the hypervolume of
its archive is divided by that of random search. Run it with

    python benchmarks/search_quality.py --instances 5 --dimensions 128 512
"""

import argparse
import time
from collections.abc import Callable

import numpy as np

from evo_t2i.config import RunConfig
from evo_t2i.search.hypervolume import hypervolume, reference_point
from evo_t2i.search.nsga2 import Nsga2
from evo_t2i.search.operators import OPERATORS, CrankNicolson, Operators, UniformCrossover
from evo_t2i.search.protocol import Search
from evo_t2i.search.random_search import RandomSearch
from evo_t2i.search.survival import SURVIVALS

Problem = Callable[[np.ndarray], np.ndarray]


def make_problem(dimensions: int, objectives: int, instance: int) -> Problem:
    """(n, d) latents → (n, m) cosines in [-1, 1]."""
    rng = np.random.default_rng([instance, dimensions, objectives])
    first = rng.standard_normal((dimensions, 256)) / np.sqrt(dimensions)
    second = rng.standard_normal((256, 64)) / np.sqrt(256)
    directions = rng.standard_normal((64, objectives))
    directions /= np.linalg.norm(directions, axis=0)

    def score(latents: np.ndarray) -> np.ndarray:
        outputs = np.tanh(np.tanh(latents @ first) @ second)  # (n, 64)
        return outputs @ directions / np.linalg.norm(outputs, axis=1, keepdims=True)

    return score


def run(search: Search, problem: Problem, generations: int) -> tuple[float, float, float]:
    """Hypervolume of the archive, mean latent norm / sqrt(d), CPU ms a generation."""
    latents = search.ask()
    scores = problem(latents)
    reference = reference_point(scores)
    search.tell(latents, scores)
    seconds = 0.0
    for _ in range(generations):
        start = time.process_time()
        latents = search.ask()
        seconds += time.process_time() - start
        scores = problem(latents)
        start = time.process_time()
        search.tell(latents, scores)
        seconds += time.process_time() - start
    population = search.population.latents
    norm = float(np.linalg.norm(population, axis=1).mean() / np.sqrt(population.shape[1]))
    return (
        hypervolume(search.archive.scores, reference),
        norm,
        1_000 * seconds / max(generations, 1),
    )


def prior(dimensions: int) -> Callable[[int, np.random.Generator], np.ndarray]:
    """Standard Gaussian latents."""
    return lambda count, rng: rng.standard_normal((count, dimensions), dtype=np.float32)


def variants(
    steps: list[float], crossovers: list[float]
) -> dict[str, tuple[Nsga2.Options, Operators | None]]:
    """Row titles → options, and operators that replace their own."""
    rows: dict[str, tuple[Nsga2.Options, Operators | None]] = {
        f"{operators} | {survival}": (
            Nsga2.Options(operators=operators, survival=survival, keep="front"),
            None,
        )
        for operators in OPERATORS
        for survival in SURVIVALS
    }
    for step in steps:
        replaced = Operators(UniformCrossover(), CrankNicolson(step), None)
        rows[f"uniform, pCN {step:g} | reference"] = (Nsga2.Options(keep="front"), replaced)
    for probability in crossovers:
        crossover = UniformCrossover()
        crossover.prob = probability
        replaced = Operators(crossover, CrankNicolson(0.1), None)
        rows[f"uniform on {probability:.0%} of matings, pCN 0.1 | reference"] = (
            Nsga2.Options(keep="front"),
            replaced,
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instances", type=int, default=5, help="random problems a row")
    parser.add_argument("--dimensions", type=int, nargs="+", default=[128, 512])
    parser.add_argument("--objectives", type=int, nargs="+", default=[4])
    parser.add_argument("--population", type=int, default=100)
    parser.add_argument("--generations", type=int, default=50)
    parser.add_argument("--steps", type=float, nargs="*", default=[0.05, 0.2, 0.4])
    parser.add_argument("--crossovers", type=float, nargs="*", default=[0.0, 0.5, 0.9])
    arguments = parser.parse_args()

    print(
        f"Population {arguments.population}, {arguments.generations} generations, medians of "
        f"{arguments.instances} instances; × random is the ratio of the archives' hypervolumes, "
        "lowest to highest in brackets.\n"
    )
    print("| d | scores | operators | survival | × random | norm / sqrt(d) | CPU ms a generation |")
    print("|---|---|---|---|---|---|---|")
    for dimensions in arguments.dimensions:
        for objectives in arguments.objectives:
            for title, cells in measure(arguments, dimensions, objectives).items():
                ratio, norm, milliseconds = np.median(cells, axis=0)
                low, high = cells[:, 0].min(), cells[:, 0].max()
                spread = f"{ratio:.2f} [{low:.2f}, {high:.2f}]"
                print(
                    f"| {dimensions} | {objectives} | {title} | {spread} "
                    f"| {norm:.2f} | {milliseconds:.1f} |",
                    flush=True,
                )


def measure(
    arguments: argparse.Namespace, dimensions: int, objectives: int
) -> dict[str, np.ndarray]:
    """Row titles → (instances, 3): ratio to random search, norm / sqrt(d), milliseconds."""
    rows = variants(arguments.steps, arguments.crossovers)
    cells: dict[str, list[tuple[float, float, float]]] = {title: [] for title in rows}
    for instance in range(arguments.instances):
        problem = make_problem(dimensions, objectives, instance)

        config = RunConfig(
            caption="test problem",
            seed=instance,
            population=arguments.population,
            offspring=arguments.population,
        )
        common = {
            "config": config,
            "sample": prior(dimensions),
            "dimensions": dimensions,
            "objectives": objectives,
        }
        random = RandomSearch(**common)
        baseline = run(random, problem, arguments.generations)[0]
        for title, (options, operators) in rows.items():
            search = Nsga2(**common, options=options, operators=operators)
            volume, norm, milliseconds = run(search, problem, arguments.generations)
            cells[title].append((volume / baseline, norm, milliseconds))
    return {title: np.array(values) for title, values in cells.items()}


if __name__ == "__main__":
    main()
