"""How good is what a method picks, when some candidates exploit a score?

1,500 candidates have a hidden quality q ~ N(0, 1); each of four scores is q plus noise of
standard deviation 1.5. An exploiting candidate is 2 worse in quality, and one of its scores, drawn
at random, is larger by so many of the score's standard deviations. Generation 0 is 100 further
candidates, none of which exploits. Every method picks from the candidates' Pareto front; the table
shows the mean hidden quality of the pick, and 1.96 standard errors of it.

    python benchmarks/picking.py --repetitions 2000
"""

import argparse
from collections.abc import Iterator

import moocore
import numpy as np

from evo_t2i.picking.methods import METHODS, pick
from evo_t2i.picking.taste import Taste

CANDIDATES, GENERATION_0, SCORES = 1_500, 100, 4
NOISE, LOSS = 1.5, 2.0
SETTINGS = {"no exploits": (0.0, 0.0), "2 % by 6 sd": (0.02, 6.0), "5 % by 10 sd": (0.05, 10.0)}
NAMES = tuple(f"score{number}" for number in range(SCORES))


def candidates(
    rng: np.random.Generator, count: int, share: float, gain: float
) -> tuple[np.ndarray, np.ndarray]:
    """Hidden quality (n,) and scores (n, 4), of which a ``share`` exploit one score."""
    quality = rng.standard_normal(count)
    exploits = np.zeros(count, dtype=bool)
    exploits[: round(share * count)] = True
    quality[exploits] -= LOSS
    scores = quality[:, None] + NOISE * rng.standard_normal((count, SCORES))
    fooled = rng.integers(SCORES, size=count)[exploits]
    scores[np.flatnonzero(exploits), fooled] += gain * np.hypot(1.0, NOISE)
    return quality, scores


def picked_qualities(
    rng: np.random.Generator, share: float, gain: float
) -> Iterator[tuple[str, float]]:
    """Name and hidden quality of the pick, for every way to pick."""
    quality, scores = candidates(rng, CANDIDATES, share, gain)
    _, generation0 = candidates(rng, GENERATION_0, 0.0, 0.0)
    front = np.flatnonzero(moocore.is_nondominated(scores, maximise=True))
    for method in METHODS:
        if method != "extremes":
            chosen = pick(scores[front], generation0, NAMES, Taste(method=method)).chosen[0]
            yield f"`{method}`", quality[front[chosen]]
    yield "one score alone", quality[scores[:, 0].argmax()]
    yield "at random on the front", quality[rng.choice(front)]
    yield "the best there is", quality.max()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    cells: dict[str, list[str]] = {}
    for setting, (share, gain) in enumerate(SETTINGS.values()):
        qualities: dict[str, list[float]] = {}
        for repetition in range(arguments.repetitions):
            rng = np.random.default_rng([arguments.seed, setting, repetition])
            for name, quality in picked_qualities(rng, share, gain):
                qualities.setdefault(name, []).append(quality)
        for name, values in qualities.items():
            error = 1.96 * np.std(values) / np.sqrt(len(values))
            cells.setdefault(name, []).append(f"{np.mean(values):.2f} ± {error:.2f}")
    print(f"| method | {' | '.join(SETTINGS)} |")
    print("|---|" + "---|" * len(SETTINGS))
    for name, row in cells.items():
        print(f"| {name} | {' | '.join(row)} |")


if __name__ == "__main__":
    main()
