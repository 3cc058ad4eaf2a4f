"""Weights learned from a person who says, again and again, which of four pictures is the worst.

The model: the person has weights w for the scores, and a picture is worth what ``balanced`` says,
V = sum_j w_j min(z_j, 3). Of the pictures shown, i is called the worst with probability
exp(-V_i / t) / sum_k exp(-V_k / t), the logit model of worst choices (Marley & Louviere 2005, Some
probabilistic models of best, worst, and best-worst choices). t is half the standard deviation that
V has on the front, so an answer may err between pictures that are nearly equal.

Before the first answer all weights are equally probable (uniform on the simplex). 20,000 draws are
weighted by the likelihood of the answers (importance sampling), and their mean is what was learned.
Each question is, out of 300 random ones, the one whose answer is expected to say most about w
(Bayesian experimental design: the mutual information of answer and weights).

The page of a run plays the same game with the same questions (``report/web/learner.js``). So the
random numbers are those of ``uniform``, and a choice between numbers looks at nine decimals: the
last bits of an exponential differ between languages.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from evo_t2i.errors import UsageError
from evo_t2i.picking.formulas import Z_CAP
from evo_t2i.picking.methods import Pick, pick
from evo_t2i.picking.order import TIE_DECIMALS, spread_out
from evo_t2i.picking.taste import Taste
from evo_t2i.picking.uniform import uniform

MOST_ROUNDS = 10
STEADY_ANSWERS = 3
"""After so many answers in a row that left the pick as it was, there is no more to ask."""
SHOWN = 4
DRAWS = 20_000
_THOUGHTFUL = 300
"""Draws and random questions that choose the next one."""
_DIFFERENT = 24
"""Images, far from one another, that may be shown beside the likely winners."""


class WeightLearner:
    """Questions, answers and what follows from them; the same seed asks the same questions.

    ``front_scores`` (n, m), ``generation0_scores`` (k, m), ``names`` and ``floors`` are those of
    ``pick``. Raises UsageError, as ``pick`` does, and when there are fewer than two images to
    choose from or no score that varies.
    """

    def __init__(
        self,
        front_scores: np.ndarray,
        generation0_scores: np.ndarray,
        names: Sequence[str],
        *,
        floors: Mapping[str, float] | None = None,
        seed: int = 0,
    ) -> None:
        self._front = (front_scores, generation0_scores, names)
        self._floors = dict(floors or {})
        self._seed = seed
        first = pick(*self._front, Taste(floors=self._floors))
        self._used = np.array([first.weights[name] > 0 for name in names])
        self._rows = _eligible(first, self._used)
        if len(self._rows) < 2 or not self._used.any():
            raise UsageError(
                f"There is nothing to ask: {len(self._rows)} of the front's images can be picked "
                f"and {int(self._used.sum())} scores tell them apart; pick without `ask`."
            )
        self._columns = np.minimum(first.z[self._rows][:, self._used], Z_CAP)  # (n, m)
        self._different = spread_out(self._columns, np.arange(len(self._rows)), _DIFFERENT)
        self._weights = _simplex(seed, self._columns.shape[1])  # (draws, m)
        self._log_likelihood = np.zeros(DRAWS)
        spread = (self._weights[:_THOUGHTFUL] @ self._columns.T).std(axis=1).mean()
        self._noise = 0.5 * spread if spread > 0 else 1.0
        self._picks = [first.chosen[0]]
        self.rounds = 0

    @property
    def finished(self) -> bool:
        """Whether ten questions were asked, or the last three answers left the pick as it was."""
        return self.rounds >= MOST_ROUNDS or self.settled

    @property
    def settled(self) -> bool:
        """Whether the last three answers left the pick as it was."""
        newest = self._picks[-1 - STEADY_ANSWERS :]
        return len(newest) > STEADY_ANSWERS and len(set(newest)) == 1

    def question(self) -> tuple[int, ...]:
        """Up to four different rows of the front, to be shown in this order."""
        streams = 1 + 2 * self.rounds, 2 + 2 * self.rounds
        cumulative = np.cumsum(self._posterior())
        spots = uniform(self._seed, streams[0], _THOUGHTFUL) * cumulative[-1]
        draws = self._weights[np.searchsorted(cumulative, spots, side="right")]
        worth = np.round(draws @ self._columns.T, TIE_DECIMALS)
        pool = np.unique([*np.argmax(worth, axis=1), *self._different])
        shown = min(SHOWN, len(pool))
        spots = uniform(self._seed, streams[1], _THOUGHTFUL * shown).reshape(_THOUGHTFUL, shown)
        questions = pool[_subsets(len(pool), spots)]  # (questions, shown)
        # The same pictures in another order tell as much, to the last bit.
        chance = self._chance_of_worst(draws, np.sort(questions, axis=1))
        information = _entropy(chance.mean(axis=0)) - _entropy(chance).mean(axis=0)
        best = questions[np.argmax(np.round(information, TIE_DECIMALS))]
        return tuple(self._rows[best].tolist())

    def answer(self, question: Sequence[int], worst: int | None) -> None:
        """``worst`` is the place in ``question`` of the worst picture, None for "cannot tell"."""
        self.rounds += 1
        if worst is None:
            return
        place_of = {row: place for place, row in enumerate(self._rows.tolist())}
        shown = np.array([[place_of[row] for row in question]])
        chance = self._chance_of_worst(self._weights, shown)[:, 0, worst]
        self._log_likelihood += np.log(np.maximum(chance, 1e-300))
        self._picks.append(self.pick().chosen[0])

    def weights(self) -> dict[str, float]:
        """What was learned, rounded to three decimals; 0 for scores that do not vary."""
        mean = self._posterior() @ self._weights
        values = np.zeros(len(self._used))
        values[self._used] = np.round(mean, 3)
        return dict(zip(self._front[2], values.tolist(), strict=True))

    def pick(self, count: int = 1) -> Pick:
        """The balanced pick under the learned weights."""
        return pick(*self._front, Taste(weights=self.weights(), floors=self._floors, count=count))

    def _posterior(self) -> np.ndarray:
        """(draws,) probabilities that sum to 1."""
        likelihood = np.exp(self._log_likelihood - self._log_likelihood.max())
        probability: np.ndarray = likelihood / likelihood.sum()
        return probability

    def _chance_of_worst(self, draws: np.ndarray, questions: np.ndarray) -> np.ndarray:
        """(d, q, s) for ``draws`` (d, m) of the weights and ``questions`` (q, s), places."""
        values = np.einsum("dm,qsm->dqs", draws, self._columns[questions]) / self._noise
        likelihood = np.exp(values.min(axis=2, keepdims=True) - values)
        chance: np.ndarray = likelihood / likelihood.sum(axis=2, keepdims=True)
        return chance


def _eligible(first: Pick, used: np.ndarray) -> np.ndarray:
    """Rows that some weights would pick: those that lose nothing against generation 0, if any."""
    rows = np.array(first.ranking)
    good = (first.z[rows][:, used] >= 0).all(axis=1)
    return rows[good] if good.sum() > 1 else rows


def _simplex(seed: int, dimensions: int) -> np.ndarray:
    """(draws, dimensions) weights, uniform among those that sum to 1: the gaps between uniform
    numbers on a line from 0 to 1."""
    cuts = uniform(seed, 0, DRAWS * (dimensions - 1)).reshape(DRAWS, dimensions - 1)
    return np.diff(np.sort(cuts, axis=1), axis=1, prepend=0.0, append=1.0)


def _subsets(count: int, spots: np.ndarray) -> np.ndarray:
    """(k, size) different places below ``count``, each row the first steps of a Fisher-Yates
    shuffle that ``spots`` (k, size) in [0, 1) steer."""
    places = np.tile(np.arange(count), (len(spots), 1))
    rows = np.arange(len(spots))
    for step in range(spots.shape[1]):
        other = step + (spots[:, step] * (count - step)).astype(np.int64)
        places[rows, step], places[rows, other] = places[rows, other], places[rows, step]
    return places[:, : spots.shape[1]]


def _entropy(chance: np.ndarray) -> np.ndarray:
    """Of probabilities along the last axis, in nats."""
    entropy: np.ndarray = -np.sum(chance * np.log(np.maximum(chance, 1e-300)), axis=-1)
    return entropy
