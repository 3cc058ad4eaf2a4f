"""The baselines under the same protocol: contract, resuming, what they keep, what they gain."""

from functools import partial

import numpy as np
import pytest
from test_search import advance, cosines, make

from evo_t2i import registry
from evo_t2i.errors import RunDataError, UsageError
from evo_t2i.search.baselines.best_of_n import BestOfN
from evo_t2i.search.baselines.clip_glass import ClipGlass
from evo_t2i.search.baselines.evosearch import EvoSearch
from evo_t2i.search.baselines.spectral_cem import SpectralCem
from evo_t2i.search.baselines.trust_regions import LENGTH, SHORTEST, TrustRegions
from evo_t2i.search.baselines.weighted_ga import WeightedGa
from evo_t2i.search.baselines.zero_order import ZeroOrder
from evo_t2i.search.random_search import RandomSearch
from evo_t2i.search.scalar import best_of_share
from evo_t2i.testing import check_search

SCALAR = (BestOfN, EvoSearch, SpectralCem, TrustRegions, WeightedGa, ZeroOrder)
BASELINES = (*SCALAR, ClipGlass)
every_baseline = pytest.mark.parametrize("factory", BASELINES)


@every_baseline
def test_each_keeps_the_contract(factory) -> None:
    shaped = factory is SpectralCem
    check_search(partial(factory, latent_shape=(2, 2, 2)) if shaped else factory)


@every_baseline
@pytest.mark.parametrize("stop", [0, 1, 4])
def test_each_is_resumed_bit_for_bit(factory, stop: int) -> None:
    problem = cosines(32, 3)
    whole, first, second = (make(factory, 3, offspring=20) for _ in range(3))
    advance(whole, problem, 7)
    advance(first, problem, stop)
    state = {key: array.copy() for key, array in first.state().items()}
    advance(first, problem, 2)
    second.restore(state)
    advance(second, problem, 7 - stop)
    expected, got = whole.state(), second.state()
    assert expected.keys() == got.keys()
    for key, array in expected.items():
        assert array.tobytes() == got[key].tobytes(), key


@every_baseline
def test_each_starts_where_random_search_starts(factory) -> None:
    first, random = make(factory, 2).ask(), make(RandomSearch, 2).ask()
    assert np.array_equal(first, random)


@every_baseline
def test_failed_images_lead_nowhere(factory) -> None:
    search, problem = make(factory, 3), cosines(32, 3)
    rng = np.random.default_rng(0)
    for _ in range(5):
        latents = search.ask()
        scores = problem(latents)
        scores[rng.random(len(scores)) < 0.5] = np.nan
        search.tell(latents, scores)
        assert np.isfinite(search.ask()).all()
        assert np.isfinite(search.archive.scores).all()
    search = make(factory, 3)
    for _ in range(3):
        search.tell(search.ask(), np.full((24, 3), np.nan))
    assert np.isfinite(search.ask()).all()
    assert len(search.archive) == 0


@pytest.mark.parametrize(
    ("factory", "least"),
    [
        (ClipGlass, 0.1),
        (EvoSearch, 0.3),
        (partial(SpectralCem, options=SpectralCem.Options(band="all")), 0.3),
        (TrustRegions, 0.3),
        (WeightedGa, 0.3),
        (ZeroOrder, 0.3),
    ],
)
def test_each_gains_more_than_drawing_at_random(factory, least: float) -> None:
    gains = []
    for instance in range(3):
        problem = cosines(64, 4, instance)
        found = []
        for one in (factory, RandomSearch):
            search = make(one, 4, 64, population=40, offspring=40)
            scores = advance(search, problem, 15)
            centre, spread = np.median(scores[:40], axis=0), scores[:40].std(axis=0)
            found.append(((scores - centre) / spread).mean(axis=1).max())
        gains.append(found[0] - found[1])
    assert np.mean(gains) > least


@pytest.mark.parametrize("factory", [BestOfN, EvoSearch, WeightedGa, ZeroOrder])
def test_those_that_keep_the_prior_stay_on_its_shell(factory) -> None:
    search = make(factory, 4, 512)
    advance(search, cosines(512, 4), 20)
    norms = np.linalg.norm(search.ask(), axis=1) / np.sqrt(512)
    assert 0.85 < norms.min() <= norms.max() < 1.15


def test_clip_glass_leaves_the_shell_within_its_bounds() -> None:
    search = make(ClipGlass, 4, 512)
    advance(search, cosines(512, 4), 20)
    latents = search.ask()
    assert np.abs(latents).max() <= 10
    assert np.linalg.norm(latents, axis=1).mean() > 2 * np.sqrt(512)


def test_best_of_n_holds_the_best_of_all() -> None:
    search = make(BestOfN, 1)
    scores = advance(search, cosines(32, 1), 5)
    best = np.sort(scores[:, 0])[::-1][:24]
    assert search.population.scores[:, 0].tolist() == best.tolist()


def test_zero_order_never_gives_a_better_pivot_away() -> None:
    search, problem = make(ZeroOrder, 2), cosines(32, 2)
    best = -np.inf
    for _ in range(6):
        advance(search, problem, 1)
        assert len(search.population) == 1
        value = search.value(search.population)[0]
        assert value >= best
        best = value


def test_the_best_of_a_share_is_drawn_as_often_as_by_drawing_the_share() -> None:
    values = np.array([0.3, -1.0, 2.0, 0.5, 1.0, -0.2, 0.1, 0.0, -0.5, 0.2])
    rng = np.random.default_rng(1)
    found = np.bincount(best_of_share(values, 20_000, 0.7, rng), minlength=10) / 20_000
    direct = np.zeros(10)
    for _ in range(20_000):
        drawn = rng.permutation(10)[:7]
        direct[drawn[np.argmax(values[drawn])]] += 1 / 20_000
    assert np.abs(found - direct).max() < 0.015
    assert found[2] > 0.65


def test_boxes_shrink_without_success_and_start_anew() -> None:
    search = make(TrustRegions, 1, offspring=30)
    first = search.ask()
    search.tell(first, -np.arange(24.0)[:, None])
    lengths = [search.state()["length"]]
    for _ in range(26):
        latents = search.ask()
        centres = search.population.latents
        nearest = np.abs(latents[:, None] - centres).max(axis=2).min(axis=1)
        assert nearest.max() <= lengths[-1].max() / 2 + 1e-6
        search.tell(latents, np.full((30, 1), -1000.0))
        lengths.append(search.state()["length"])
    assert lengths[3].tolist() == pytest.approx([LENGTH / 1.5] * 15)
    assert min(length.min() for length in lengths) >= SHORTEST
    assert lengths[-1].tolist() == pytest.approx(lengths[-1 - 21].tolist())  # seven shrinkings on


def test_spectral_cem_moves_the_low_band_alone() -> None:
    from evo_t2i.search import haar

    search = make(SpectralCem, 2, 64)
    advance(search, cosines(64, 2), 3)
    shape = (4, 4, 4)
    coefficients = haar.forward(search.ask(), shape)
    low = haar.low(shape)
    assert np.ptp(coefficients[:, ~low], axis=0).max() < 1e-5
    assert np.ptp(coefficients[:, low], axis=0).min() > 0.1


def test_spectral_cem_needs_a_band() -> None:
    factory = registry.load("sampler", "spectral-cem")
    with pytest.raises(UsageError, match="use `band` all"):
        registry.make(
            "sampler",
            "spectral-cem",
            sample=lambda count, rng: rng.standard_normal((count, 512), dtype=np.float32),
            dimensions=512,
            objectives=2,
            config=make(RandomSearch, 2)._config,
        )
    assert factory.Options(band="all").band == "all"


@every_baseline
def test_each_refuses_the_state_of_another_run(factory) -> None:
    search = make(factory, 2)
    advance(search, cosines(32, 2), 2)
    state = search.state()
    with pytest.raises(RunDataError, match="start a new"):
        make(factory, 2, 16).restore(state)
