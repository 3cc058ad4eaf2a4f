"""How close does `pick --ask` come to what a person wants?

Simulated persons have hidden weights, drawn uniformly from the simplex, and call the worst of each
four pictures by them: always (certain), or with the error of the model itself (wavering). The front
is 400 points around the positive part of a sphere in four scores: every trade-off is there. Regret
is how much the person's own value of the pick falls short of the front's best for them, in standard
deviations of that value on the front. Then come the share of persons whose pick is their very best,
and the mean number of questions.

    python benchmarks/asking.py --persons 200
"""

import argparse

import moocore
import numpy as np

from evo_t2i.picking.ask import WeightLearner
from evo_t2i.picking.formulas import Z_CAP
from evo_t2i.picking.methods import pick
from evo_t2i.picking.taste import Taste

NAMES = ("a", "b", "c", "d")


def front_of(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A front (n, 4) of trade-offs and a generation 0 (100, 4) with z up to 3."""
    directions = np.sqrt(rng.dirichlet(np.ones(4), 400))
    scores = directions * rng.normal(2.8, 0.15, (400, 1))
    return scores[moocore.is_nondominated(scores, maximise=True)], rng.standard_normal((100, 4))


def persons_choice(
    rng: np.random.Generator, values: np.ndarray, question: tuple[int, ...], *, wavering: bool
) -> int:
    """The place of the worst picture by the person's ``values`` (n,)."""
    shown = values[list(question)]
    if wavering:
        shown = shown + 0.5 * values.std() * rng.gumbel(size=len(shown)) * -1
    return int(np.argmin(shown))


def measure(seed: int, *, wavering: bool) -> dict[str, tuple[float, bool, int]]:
    """Regret, whether the pick is the best one, and rounds, by way to pick."""
    rng = np.random.default_rng([seed, 99])
    front, generation0 = front_of(rng)
    hidden = rng.dirichlet(np.ones(4))
    z = pick(front, generation0, NAMES).z
    values = np.minimum(z, Z_CAP) @ hidden
    ideal = pick(front, generation0, NAMES, Taste(weights=dict(zip(NAMES, hidden, strict=True))))
    learner = WeightLearner(front, generation0, NAMES, seed=seed)
    while not learner.finished:
        question = learner.question()
        learner.answer(question, persons_choice(rng, values, question, wavering=wavering))
    picks = {
        "equal weights": (pick(front, generation0, NAMES).chosen[0], 0),
        "after `--ask`": (learner.pick().chosen[0], learner.rounds),
        "at random": (int(rng.choice(ideal.ranking)), 0),
    }
    best = ideal.chosen[0]
    return {
        name: ((values[best] - values[row]) / values.std(), row == best, rounds)
        for name, (row, rounds) in picks.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--persons", type=int, default=200)
    arguments = parser.parse_args()
    print("| person | pick | mean regret | their very best | questions |\n|---|---|---|---|---|")
    for wavering in (False, True):
        rows = [measure(seed, wavering=wavering) for seed in range(arguments.persons)]
        for name in rows[0]:
            regret, best, rounds = np.mean([row[name] for row in rows], axis=0)
            person = "wavering" if wavering else "certain"
            asked = f"{rounds:.1f}" if rounds else "0"
            print(f"| {person} | {name} | {regret:.2f} | {best:.0%} | {asked} |")


if __name__ == "__main__":
    main()
