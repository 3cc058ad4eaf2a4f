"""Operators keep the prior; survivals keep what they should."""

import moocore
import numpy as np
import pytest
from pymoo.core.population import Population
from pymoo.core.problem import Problem

from evo_t2i.errors import UsageError
from evo_t2i.search.operators import OPERATORS, build_operators, tournament
from evo_t2i.search.survival import SURVIVALS, build_survival, choose_by_directions


def survivors(name: str, scores: np.ndarray, count: int) -> Population:
    population = Population.new("F", -scores, "row", np.arange(len(scores)))
    return build_survival(name).do(
        Problem(n_var=1, n_obj=scores.shape[1]),
        population,
        n_survive=count,
        random_state=np.random.default_rng(0),
    )


def offspring(name: str, latents: np.ndarray, matings: int) -> np.ndarray:
    operators = build_operators(name)
    problem = Problem(n_var=latents.shape[1], n_obj=2, xl=-4.0, xu=4.0)
    population = Population.new("X", latents)
    rng = np.random.default_rng(1)
    parents = population[rng.integers(len(latents), size=(matings, 2))]
    children = operators.crossover(problem, parents, random_state=rng)
    return operators.mutation(problem, children, random_state=rng).get("X")


def test_uniform_pcn_leaves_the_gaussian_prior_unchanged() -> None:
    latents = np.random.default_rng(0).standard_normal((400, 300), dtype=np.float32)
    children = offspring("uniform-pcn", latents, 400)
    assert children.shape == (400, 300)
    assert children.dtype == np.float32
    assert children.mean() == pytest.approx(0, abs=0.02)
    assert children.var() == pytest.approx(1, abs=0.02)
    assert (children**4).mean() == pytest.approx(3, abs=0.1)


def test_uniform_pcn_children_descend_from_both_parents() -> None:
    latents = np.random.default_rng(0).standard_normal((2, 5_000), dtype=np.float32)
    operators = build_operators("uniform-pcn")
    problem = Problem(n_var=5_000, n_obj=2)
    rng = np.random.default_rng(1)
    crossed = operators.crossover(problem, [Population.new("X", latents)], random_state=rng)
    child = crossed.get("X")[0]
    from_first = child == latents[0]
    assert np.array_equal(child[~from_first], latents[1][~from_first])
    assert 0.45 < from_first.mean() < 0.55


def test_sbx_pm_stays_within_its_bounds() -> None:
    latents = 3.9 * np.sign(np.random.default_rng(0).standard_normal((50, 40)))
    children = offspring("sbx-pm", latents, 50)
    assert children.shape == (100, 40)
    assert np.abs(children).max() <= 4.0
    assert not np.array_equal(np.unique(children), np.unique(latents))


def test_tournament_prefers_rank_then_crowding() -> None:
    population = Population.new("rank", np.array([0, 1, 0, 0]), "crowding", np.array([1, 9, 2, 2]))
    pairs = np.array([[0, 1], [1, 0], [0, 2], [2, 0]] + [[2, 3]] * 200)
    winners = tournament(population, pairs, np.random.default_rng(0))
    assert winners[:4, 0].tolist() == [0, 0, 2, 2]
    assert 60 < (winners[4:, 0] == 2).sum() < 140


@pytest.mark.parametrize("name", SURVIVALS)
@pytest.mark.parametrize("objectives", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("levels", [3, 1_000_000])
def test_survivors_are_distinct_and_better_fronts_come_first(
    name: str, objectives: int, levels: int
) -> None:
    rng = np.random.default_rng([objectives, levels])
    scores = rng.integers(levels, size=(60, objectives)) / levels
    rank = moocore.pareto_rank(-scores)
    for count in (1, 2, 25, 60):
        population = survivors(name, scores, count)
        rows = population.get("row")
        assert len(set(rows.tolist())) == count
        assert sorted(rank[rows]) == sorted(rank)[:count]
        assert np.array_equal(population.get("rank"), rank[rows])


@pytest.mark.parametrize("name", SURVIVALS)
@pytest.mark.parametrize("objectives", [1, 4])
def test_failed_points_survive_only_where_nothing_else_can(name: str, objectives: int) -> None:
    scores = np.random.default_rng(0).random((20, objectives))
    scores[::2] = -np.inf
    assert np.isfinite(survivors(name, scores, 10).get("F")).all()
    assert np.isfinite(survivors(name, scores, 14).get("F")).all(axis=1).sum() == 10
    assert len(survivors(name, np.full((5, objectives), -np.inf), 3)) == 3


def test_directions_choose_as_greedily_as_exact_hypervolume_nearly() -> None:
    directions = np.abs(np.random.default_rng(0).standard_normal((120, 3)))
    scores = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    low = scores.min(axis=0) - 0.3 * np.ptp(scores, axis=0)

    def volume(rows: list[int]) -> float:
        return moocore.hypervolume(scores[rows], ref=low, maximise=True)

    exact: list[int] = []
    for _ in range(12):
        exact.append(max(range(120), key=lambda row: volume([*exact, row])))
    chosen, gains = choose_by_directions(scores, np.zeros(120, int), 12)
    assert (np.diff(gains) <= 1e-12).all()
    assert volume(chosen.tolist()) > 0.98 * volume(exact)
    random = np.random.default_rng(1)
    by_chance = [volume(random.choice(120, 12, replace=False).tolist()) for _ in range(50)]
    assert volume(chosen.tolist()) > max(by_chance)


def test_directions_take_every_distinct_point_before_a_repeated_one() -> None:
    angles = np.linspace(0.1, 1.4, 8)
    distinct = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    scores = np.repeat(distinct, 5, axis=0)
    chosen, _ = choose_by_directions(scores, np.zeros(40, int), 12)
    assert len(np.unique(scores[chosen[:8]], axis=0)) == 8
    assert len(set(chosen.tolist())) == 12


@pytest.mark.parametrize(
    ("build", "names"), [(build_operators, OPERATORS), (build_survival, SURVIVALS)]
)
def test_unknown_names_are_refused_with_the_choices(build, names: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=f"'sms-emoa'; choose from {', '.join(names)}"):
        build("sms-emoa")
