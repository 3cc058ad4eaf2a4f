"""Learning weights: a simulated person gets the picture that their hidden weights would pick."""

import numpy as np
import pytest

from evo_t2i.errors import UsageError
from evo_t2i.picking.ask import MOST_ROUNDS, SHOWN, WeightLearner
from evo_t2i.picking.formulas import Z_CAP
from evo_t2i.picking.methods import pick
from evo_t2i.picking.taste import Taste

NAMES = ("a", "b", "c", "d")


def trade_offs(seed, count=200):
    """Images on a sphere's positive part, so that every weighting has its own best one."""
    rng = np.random.default_rng(seed)
    return 2.8 * np.sqrt(rng.dirichlet(np.ones(4), count)), rng.standard_normal((100, 4))


def asked(learner, values):
    """Answer by ``values`` (n,) until the learner is finished."""
    questions = []
    while not learner.finished:
        questions.append(learner.question())
        learner.answer(questions[-1], int(np.argmin(values[list(questions[-1])])))
    return questions


def test_what_is_learned_is_close_to_what_hidden_weights_would_pick():
    learned, equal = [], []
    for seed in range(15):
        front, generation0 = trade_offs(seed)
        hidden = np.random.default_rng(1000 + seed).dirichlet(np.ones(4))
        values = np.minimum(pick(front, generation0, NAMES).z, Z_CAP) @ hidden
        weights = dict(zip(NAMES, hidden, strict=True))
        best = pick(front, generation0, NAMES, Taste(weights=weights)).chosen[0]
        learner = WeightLearner(front, generation0, NAMES, seed=seed)
        asked(learner, values)
        assert learner.rounds <= MOST_ROUNDS
        spread = values.std()
        learned.append((values[best] - values[learner.pick().chosen[0]]) / spread)
        equal.append((values[best] - values[pick(front, generation0, NAMES).chosen[0]]) / spread)
    assert np.mean(learned) < 0.15
    assert np.mean(learned) < 0.2 * np.mean(equal)
    assert np.mean(np.array(learned) < 0.1) > 0.7


def test_each_question_shows_four_different_images_that_may_be_picked():
    front, generation0 = trade_offs(0)
    front[:20, 0] = -3.0  # worse than generation 0
    learner = WeightLearner(front, generation0, NAMES, floors={"b": 0.2})
    for question in asked(learner, front.sum(axis=1)):
        assert len(set(question)) == len(question) == SHOWN
        assert min(question) >= 20
        assert (front[list(question), 1] >= 0.2).all()


def test_the_same_seed_and_answers_give_the_same_questions():
    front, generation0 = trade_offs(1)
    runs = [asked(WeightLearner(front, generation0, NAMES, seed=5), front[:, 2]) for _ in range(2)]
    assert runs[0] == runs[1]
    other = asked(WeightLearner(front, generation0, NAMES, seed=6), front[:, 2])
    assert other != runs[0]


def test_a_person_who_looks_at_one_score_alone_is_understood():
    front, generation0 = trade_offs(2)
    learner = WeightLearner(front, generation0, NAMES)
    asked(learner, front[:, 3])
    weights = learner.weights()
    assert max(weights, key=weights.get) == "d"
    assert weights["d"] > 0.6


def test_it_ends_when_three_answers_leave_the_pick_as_it_was():
    front = np.array([[2.0, 2.0], [1.0, 1.0], [0.5, 0.6], [0.1, 0.2]])  # one best for all weights
    learner = WeightLearner(front, np.random.default_rng(0).normal(size=(50, 2)), ("a", "b"))
    asked(learner, front.sum(axis=1))
    assert (learner.rounds, learner.settled) == (3, True)
    assert learner.pick().chosen == (0,)


def test_cannot_tell_teaches_nothing_and_counts_as_a_question():
    front, generation0 = trade_offs(3)
    learner = WeightLearner(front, generation0, NAMES)
    before = learner.weights()
    while not learner.finished:
        learner.answer(learner.question(), None)
    assert (learner.rounds, learner.settled) == (MOST_ROUNDS, False)
    assert learner.weights() == before


def test_small_fronts_and_flat_scores():
    generation0 = np.random.default_rng(0).normal(size=(50, 2))
    two = WeightLearner(np.array([[1.0, 0.0], [0.0, 1.0]]), generation0, ("a", "b"))
    assert sorted(two.question()) == [0, 1]
    with pytest.raises(UsageError, match="There is nothing to ask: 1 of the front's images"):
        WeightLearner(np.array([[1.0, 0.0]]), generation0, ("a", "b"))
    with pytest.raises(UsageError, match="0 scores tell them apart"):
        WeightLearner(np.eye(2), np.zeros((5, 2)), ("a", "b"))
    generation0[:, 1] = 0.5
    flat = WeightLearner(np.eye(2), generation0, ("a", "b"))
    assert flat.weights() == {"a": 1.0, "b": 0.0}
    with pytest.raises(UsageError, match="`floors` a=9; the best has"):
        WeightLearner(np.eye(2), generation0, ("a", "b"), floors={"a": 9.0})
