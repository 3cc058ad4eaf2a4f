"""Operators keep the prior; survivals keep what they should."""

import moocore
import numpy as np
import pytest
from pymoo.core.population import Population
from pymoo.core.problem import Problem

from evo_t2i.errors import UsageError
from evo_t2i.search import haar
from evo_t2i.search.operators import OPERATORS, build_operators, offspring, tournament
from evo_t2i.search.survival import (
    SURVIVALS,
    Niches,
    Survivors,
    choose_by_directions,
    survive,
)


def survivors(name: str, scores: np.ndarray, count: int) -> Survivors:
    return survive(name, scores, count, np.random.default_rng(0))


def offspring_of(
    name: str, latents: np.ndarray, matings: int, shape: tuple[int, ...] | None = None
) -> np.ndarray:
    rng = np.random.default_rng(1)
    parents = rng.integers(len(latents), size=(matings, 2))
    return offspring(build_operators(name, latent_shape=shape), latents, parents, rng)


def test_uniform_pcn_leaves_the_gaussian_prior_unchanged() -> None:
    latents = np.random.default_rng(0).standard_normal((400, 300), dtype=np.float32)
    children = offspring_of("uniform-pcn", latents, 400)
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
    children = offspring_of("sbx-pm", latents, 50)
    assert children.shape == (100, 40)
    assert np.abs(children).max() <= 4.0
    assert not np.array_equal(np.unique(children), np.unique(latents))


def test_tournament_prefers_rank_then_crowding() -> None:
    rank, crowding = np.array([0, 1, 0, 0]), np.array([1.0, 9.0, 2.0, 2.0])
    winners = tournament(rank, crowding, 4_000, np.random.default_rng(0))
    # everybody takes part in half of the 4,000 tournaments, against each other one a third of them
    won = np.bincount(winners, minlength=4)
    assert won[1] == 0
    assert won[0] == pytest.approx(2_000 / 3, rel=0.1)
    assert won[2] == pytest.approx(won[3], rel=0.1)
    assert won[2] == pytest.approx(2_000 * (2 / 3 + 1 / 6), rel=0.1)


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
        chosen = survivors(name, scores, count)
        rows = chosen.rows
        assert len(set(rows.tolist())) == count
        assert sorted(rank[rows]) == sorted(rank)[:count]
        assert np.array_equal(chosen.rank, rank[rows])


@pytest.mark.parametrize("name", SURVIVALS)
@pytest.mark.parametrize("objectives", [1, 4])
def test_failed_points_survive_only_where_nothing_else_can(name: str, objectives: int) -> None:
    scores = np.random.default_rng(0).random((20, objectives))
    scores[::2] = -np.inf
    assert np.isfinite(scores[survivors(name, scores, 10).rows]).all()
    assert np.isfinite(scores[survivors(name, scores, 14).rows]).all(axis=1).sum() == 10
    assert len(survivors(name, np.full((5, objectives), -np.inf), 3).rows) == 3


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
    ("build", "names"),
    [
        (build_operators, OPERATORS),
        (lambda name: survivors(name, np.ones((2, 2)), 1), SURVIVALS),
    ],
)
def test_unknown_names_are_refused_with_the_choices(build, names: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=f"'sms-emoa'; choose from {', '.join(names)}"):
        build("sms-emoa")


SHAPE = (2, 16, 24)


def test_the_haar_basis_is_orthonormal_and_its_way_back_exact() -> None:
    identity = np.eye(2 * 16 * 24, dtype=np.float32)
    basis = haar.forward(identity, SHAPE)
    assert np.allclose(basis @ basis.T, identity, atol=1e-5)
    assert np.allclose(haar.inverse(basis, SHAPE), identity, atol=1e-5)
    assert haar.levels(SHAPE) == 3  # 24 can be halved three times
    assert haar.low(SHAPE).sum() == 2 * 2 * 3
    assert haar.fine(SHAPE).sum() == 2 * (16 * 24 - 4 * 6)
    flat = np.ones((1, *SHAPE), np.float32).reshape(1, -1)
    assert np.flatnonzero(np.abs(haar.forward(flat, SHAPE)[0]) > 1e-6).size == 12
    assert not (haar.low(SHAPE) & haar.fine(SHAPE)).any()


def test_haar_pcn_leaves_the_gaussian_prior_unchanged_and_steps_by_band() -> None:
    latents = np.random.default_rng(0).standard_normal((300, 768), dtype=np.float32)
    children = offspring_of("haar-pcn", latents, 300, SHAPE)
    assert children.mean() == pytest.approx(0, abs=0.02)
    assert children.var() == pytest.approx(1, abs=0.02)
    correlation = np.corrcoef(children, rowvar=False) - np.eye(768)
    assert np.abs(correlation).mean() < 0.06  # that of 300 draws of white noise
    operators = build_operators("haar-pcn", step=0.5, fine_step=0.01, latent_shape=SHAPE)
    same = np.zeros((300, 2), int)
    moved = offspring(operators, latents[:1], same, np.random.default_rng(0))
    change = haar.forward(moved, SHAPE) - haar.forward(latents[:1], SHAPE)
    fine = haar.fine(SHAPE)
    assert np.abs(change[:, fine]).max() < 0.1
    assert np.abs(change[:, ~fine]).mean() > 0.2


@pytest.mark.parametrize("shape", [None, (512,), (3, 15, 16)])
def test_haar_pcn_needs_spatial_latents(shape) -> None:
    with pytest.raises(UsageError, match="needs latents"):
        build_operators("haar-pcn", latent_shape=shape)


def test_each_child_may_have_a_step_of_its_own() -> None:
    latents = np.random.default_rng(0).standard_normal((1, 2_000), dtype=np.float32)
    operators = build_operators("uniform-pcn", step=0.1)
    factor = np.array([0.0, 1.0, 4.0, 100.0])
    moved = offspring(
        operators, latents, np.zeros((4, 2), int), np.random.default_rng(0), factor=factor
    )
    cosine = (moved * latents).sum(1) / np.linalg.norm(moved, axis=1) / np.linalg.norm(latents)
    assert cosine == pytest.approx([1, np.sqrt(0.99), np.sqrt(0.84), 0], abs=0.05)


def test_niches_let_so_many_survive_and_the_others_wait() -> None:
    scores = np.random.default_rng(0).random((40, 4))
    places = np.repeat(np.arange(4.0), 10)[:, None]  # four niches of ten
    rng = np.random.default_rng(0)
    niches = Niches(places, radius=0.1, capacity=3)
    chosen = survive("reference", scores, 12, rng, niches).rows
    assert np.bincount(chosen // 10).tolist() == [3, 3, 3, 3]
    # in each niche those of the better fronts
    rank = moocore.pareto_rank(-scores)
    for niche in range(4):
        mine = chosen[chosen // 10 == niche]
        assert sorted(rank[mine]) == sorted(rank[10 * niche : 10 * niche + 10])[:3]
    # once the niches are full the rest is filled from those who waited
    many = survive("reference", scores, 30, rng, niches).rows
    assert len(set(many.tolist())) == 30
    wide = Niches(places, radius=0.1, capacity=40)
    assert np.array_equal(
        survive("reference", scores, 12, rng, wide).rows,
        survive("reference", scores, 12, rng).rows,
    )
