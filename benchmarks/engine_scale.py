"""How long does the engine take for one generation, from 16 to 100,000 individuals?

Processor time between scores: asking for offspring and telling their scores (variation, survival,
archive, hypervolume), with the networks left out. Four scores; latents of 32 numbers, as the
built-in generator's. Each program works on the same problem and has a few generations to settle:

- evo-t2i's NSGA-II as a run uses it, with each of its survivals, and as it writes every generation
  besides, so that the run can be resumed from there;
- pymoo's NSGA-II through ask and tell, without looking for duplicates, which takes n x n numbers;
- DEAP's selNSGA2 with the log-time sort and its own operators on lists;
- EvoX's NSGA-II on torch tensors, if it is installed.

    python benchmarks/engine_scale.py --sizes 16 100 1000 10000 100000

``--settling 50`` measures late generations, when the archive is large. A program that took longer
than --most seconds at a size is not asked for larger ones.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from evo_t2i.config import RunConfig
from evo_t2i.runs.directory import RunDirectory
from evo_t2i.runs.generations import GenerationFacts
from evo_t2i.search.hypervolume import Box
from evo_t2i.search.nsga2 import Nsga2

DIMENSIONS, SCORES = 32, 4
MEASURED = 3
"""Generations of which the median is taken."""

Timed = Iterator[float]
"""Seconds of one generation after the other."""


def problem(latents: np.ndarray) -> np.ndarray:
    """(n, 32) → (n, 4) cosines of a random two-layer network's output to random directions."""
    rng = np.random.default_rng(0)
    first = rng.standard_normal((DIMENSIONS, 64)) / DIMENSIONS**0.5
    second = rng.standard_normal((64, 32)) / 8
    directions = rng.standard_normal((32, SCORES))
    directions /= np.linalg.norm(directions, axis=0)
    outputs = np.tanh(np.tanh(latents @ first) @ second)
    scores: np.ndarray = outputs @ directions / np.linalg.norm(outputs, axis=1, keepdims=True)
    return scores


def ours(size: int, survival: str, run: RunDirectory | None = None) -> Timed:
    """The engine as ``evo_t2i.sampler`` drives it; with a ``run``, each generation is committed."""
    search = Nsga2(
        sample=lambda count, rng: rng.standard_normal((count, DIMENSIONS), dtype=np.float32),
        dimensions=DIMENSIONS,
        objectives=SCORES,
        config=configuration(size),
        options=Nsga2.Options(survival=survival, keep="front"),
    )
    first = None
    while True:
        start = time.process_time()
        latents = search.ask()
        asked = time.process_time() - start
        scores = problem(latents)
        start = time.process_time()
        points = search.tell(latents, scores)
        first = scores if first is None else first
        box = Box.around(first)
        volume = box.volume(search.archive.scores)
        if run is not None:
            facts = GenerationFacts(
                evaluations=size * search.generation,
                front=len(search.archive),
                hypervolume=volume,
                box=(box.reference, box.best),
                micro_batch=1,
                models={},
                environment={},
            )
            run.commit(points, search.state(), facts)
        yield asked + time.process_time() - start


def ours_with_files(size: int) -> Timed:
    """As ``ours`` with crowding, in a run directory."""
    with (
        tempfile.TemporaryDirectory() as folder,
        RunDirectory.create(Path(folder) / "run", configuration(size)) as run,
    ):
        yield from ours(size, "crowding", run)


def configuration(size: int) -> RunConfig:
    """Of a run of ``size`` individuals; a short one, as little space on the disk as that asks."""
    return RunConfig(caption="scale", seed=0, population=size, offspring=size, generations=1)


def pymoos(size: int) -> Timed:
    """pymoo's NSGA-II with its defaults for real numbers."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import Problem
    from pymoo.core.termination import NoTermination

    algorithm = NSGA2(pop_size=size, eliminate_duplicates=False)
    bounds = {"xl": -4.0, "xu": 4.0}
    algorithm.setup(
        Problem(n_var=DIMENSIONS, n_obj=SCORES, **bounds), termination=NoTermination(), seed=0
    )
    while True:
        start = time.process_time()
        infills = algorithm.ask()
        asked = time.process_time() - start
        infills.set("F", -problem(infills.get("X")))
        start = time.process_time()
        algorithm.tell(infills=infills)
        yield asked + time.process_time() - start


def deaps(size: int) -> Timed:
    """DEAP's NSGA-II example: tournament by crowding, bounded SBX and polynomial mutation."""
    from deap import base, creator, tools

    if not hasattr(creator, "Individual"):
        creator.create("Fitness", base.Fitness, weights=(1.0,) * SCORES)
        creator.create("Individual", list, fitness=creator.Fitness)
    random.seed(0)

    def scored(individuals: list) -> list:
        for one, values in zip(individuals, problem(np.array(individuals)), strict=True):
            one.fitness.values = tuple(values)
        return individuals

    drawn = np.random.default_rng(0).standard_normal((size, DIMENSIONS)).tolist()
    population = tools.selNSGA2(scored([creator.Individual(one) for one in drawn]), size, nd="log")
    bounds = {"low": -4.0, "up": 4.0, "eta": 20.0}
    while True:
        start = time.process_time()
        children = [
            creator.Individual(one) for one in tools.selTournamentDCD(population, size // 4 * 4)
        ]
        for one, other in zip(children[::2], children[1::2], strict=True):
            if random.random() <= 0.9:
                tools.cxSimulatedBinaryBounded(one, other, **bounds)
        for one in children:
            tools.mutPolynomialBounded(one, **bounds, indpb=1 / DIMENSIONS)
        asked = time.process_time() - start
        scored(children)
        start = time.process_time()
        population = tools.selNSGA2(population + children, size, nd="log")
        yield asked + time.process_time() - start


def evoxs(size: int) -> Timed:
    """EvoX's NSGA-II; its step also draws and scores, so the time of the problem is taken off."""
    import torch
    from evox.algorithms import NSGA2
    from evox.core import Problem as EvoxProblem
    from evox.workflows import StdWorkflow

    class Cosines(EvoxProblem):
        seconds = 0.0

        def evaluate(self, pop: torch.Tensor) -> torch.Tensor:
            start = time.process_time()
            values = torch.from_numpy(-problem(pop.numpy())).float()
            Cosines.seconds += time.process_time() - start
            return values

    torch.manual_seed(0)
    bound = torch.full((DIMENSIONS,), 4.0)
    workflow = StdWorkflow(NSGA2(size, SCORES, -bound, bound), Cosines())
    workflow.init_step()
    while True:
        Cosines.seconds, start = 0.0, time.process_time()
        workflow.step()
        yield time.process_time() - start - Cosines.seconds


PROGRAMS: dict[str, Callable[[int], Timed]] = {
    "evo-t2i, reference": lambda size: ours(size, "reference"),
    "evo-t2i, mnn": lambda size: ours(size, "mnn"),
    "evo-t2i, crowding": lambda size: ours(size, "crowding"),
    "evo-t2i, crowding, files": ours_with_files,
    "pymoo": pymoos,
    "DEAP": deaps,
    "EvoX": evoxs,
}


def seconds(program: Callable[[int], Timed], size: int, settling: int, most: float) -> float | None:
    """Of one generation after ``settling``, the median; None where it is not installed."""
    taken = []
    try:
        for passed, one in enumerate(program(size), start=1):
            taken.append(one)
            if passed == settling + MEASURED or one > most:
                break
    except ImportError:
        return None
    return float(np.median(taken[-MEASURED:]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[16, 100, 1_000, 10_000, 100_000])
    parser.add_argument("--programs", nargs="+", default=list(PROGRAMS), choices=list(PROGRAMS))
    parser.add_argument("--settling", type=int, default=3, help="generations before")
    parser.add_argument("--most", type=float, default=10.0, help="seconds")
    arguments = parser.parse_args()
    print(f"| individuals | {' | '.join(arguments.programs)} |")
    print("|---|" + "---|" * len(arguments.programs))
    slow: set[str] = set()
    for size in arguments.sizes:
        cells = []
        for name in arguments.programs:
            taken = None
            if name not in slow:
                taken = seconds(PROGRAMS[name], size, arguments.settling, arguments.most)
            if taken is None or taken > arguments.most:
                slow.add(name)
            cells.append("–" if taken is None else f"{1_000 * taken:,.1f} ms")
        print(f"| {size:,} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
