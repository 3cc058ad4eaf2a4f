"""Both searches through ask and tell: determinism, resume, progress, failures, bookkeeping."""

import dataclasses
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import pytest

from evo_t2i import registry
from evo_t2i.config import RunConfig
from evo_t2i.errors import RunDataError, UsageError
from evo_t2i.looks import NUMBERS
from evo_t2i.points import Points
from evo_t2i.search.hypervolume import hypervolume, reference_point
from evo_t2i.search.nsga2 import Nsga2
from evo_t2i.search.operators import OPERATORS
from evo_t2i.search.protocol import Search, takes
from evo_t2i.search.random_search import RandomSearch
from evo_t2i.search.survival import SURVIVALS

Problem = Callable[[np.ndarray], np.ndarray]
VARIANTS = [
    *(
        (Nsga2, {"operators": operators, "survival": survival})
        for operators, survival in product(OPERATORS[:2], SURVIVALS)
    ),
    (Nsga2, {"operators": "haar-pcn", "step": 0.2, "fine_step": 0.05, "adaptive": True}),
    (Nsga2, {"cap": 3.0, "round": 0.25, "guard": True, "adaptive": True}),
    (Nsga2, {"niche": "look", "keep": "looks", "floor": 0.25}),
    (Nsga2, {"niche": "embedding", "cap": 3.0}),
    (RandomSearch, {}),
]
every_front = pytest.mark.parametrize(
    ("factory", "options"), [(f, o) for f, o in VARIANTS if "keep" not in o]
)
"""Those whose archive is the front and nothing else."""
every_variant = pytest.mark.parametrize(("factory", "options"), VARIANTS)


def cosines(dimensions: int, objectives: int, seed: int = 0) -> Problem:
    """Cosines of a random two-layer tanh network's output to random directions."""
    rng = np.random.default_rng(seed)
    first = rng.standard_normal((dimensions, 64)) / np.sqrt(dimensions)
    second = rng.standard_normal((64, 32)) / 8
    directions = rng.standard_normal((32, objectives))
    directions /= np.linalg.norm(directions, axis=0)

    def score(latents: np.ndarray) -> np.ndarray:
        outputs = np.tanh(np.tanh(latents @ first) @ second)
        return outputs @ directions / np.linalg.norm(outputs, axis=1, keepdims=True)

    return score


def described(latents: np.ndarray) -> dict[str, np.ndarray]:
    """What a search may want to know: made of the latents, as pictures would be."""
    rng = np.random.default_rng(9)
    look = np.tanh(latents @ rng.standard_normal((latents.shape[1], NUMBERS))) * 0.1 / NUMBERS**0.5
    embedding = np.tanh(latents @ rng.standard_normal((latents.shape[1], 24)))
    return {"look": look.astype(np.float32), "clip.image": embedding.astype(np.float32)}


def tell(search: Search, latents: np.ndarray, scores: np.ndarray) -> Points:
    """Tell with what the search wants, and nothing else."""
    wanted = {name: described(latents)[name] for name in search.wants}
    return search.tell(latents, scores, wanted) if wanted else search.tell(latents, scores)


def make(
    factory: Callable[..., Search], objectives: int, dimensions: int = 32, **options
) -> Search:
    """A search over Gaussian latents, small unless the options say otherwise."""
    small = {"caption": "a test", "seed": 3, "population": 24, "offspring": 24}
    names = {field.name for field in dataclasses.fields(Nsga2.Options)}
    chosen = {name: options.pop(name) for name in names & options.keys()}
    if factory is Nsga2:
        chosen = {"keep": "front", "floor": 0.0} | chosen
    shape = {"latent_shape": (dimensions // 16, 4, 4)} if takes(factory, "latent_shape") else {}
    return factory(
        **shape,
        **({"options": factory.Options(**chosen)} if chosen else {}),
        sample=lambda count, rng: rng.standard_normal((count, dimensions), dtype=np.float32),
        dimensions=dimensions,
        objectives=objectives,
        config=RunConfig(**(small | options)),
    )


def advance(search: Search, problem: Problem, generations: int) -> np.ndarray:
    """Ask and tell ``generations`` times; the scores of everything told, in order."""
    told = []
    for _ in range(generations):
        latents = search.ask()
        told.append(problem(latents))
        tell(search, latents, told[-1])
    return np.concatenate(told) if told else np.empty((0, 0))


def asks(search: Search, problem: Problem, generations: int) -> Iterator[np.ndarray]:
    for _ in range(generations):
        latents = search.ask()
        yield latents
        tell(search, latents, problem(latents))


@every_variant
@pytest.mark.parametrize("stop", [0, 1, 4])
def test_restored_search_continues_bit_for_bit(factory, options: dict, stop: int) -> None:
    problem = cosines(32, 4)
    whole, first, second = (make(factory, 4, **options) for _ in range(3))
    advance(whole, problem, 8)
    advance(first, problem, stop)
    state = {key: array.copy() for key, array in first.state().items()}
    advance(first, problem, 2)  # the saved arrays must not follow the live search
    second.restore(state)
    assert second.generation == stop
    advance(second, problem, 8 - stop)
    expected, got = whole.state(), second.state()
    assert expected.keys() == got.keys()
    for key, array in expected.items():
        assert array.dtype == got[key].dtype, key
        assert array.tobytes() == got[key].tobytes(), key
    latents = whole.ask()
    assert latents.tobytes() == second.ask().tobytes()
    told = [tell(search, latents, problem(latents)) for search in (whole, second)]
    assert np.array_equal(told[0].parents, told[1].parents)


@every_variant
def test_seed_decides_everything(factory, options: dict) -> None:
    problem = cosines(32, 3)
    first, second, other = (make(factory, 3, seed=seed, **options) for seed in (5, 5, 6))
    for a, b, c in zip(*(asks(s, problem, 4) for s in (first, second, other)), strict=True):
        assert a.tobytes() == b.tobytes()
        assert not np.array_equal(a, c)


@every_variant
def test_asking_twice_changes_nothing(factory, options: dict) -> None:
    problem = cosines(32, 2)
    patient, eager = make(factory, 2, **options), make(factory, 2, **options)
    advance(patient, problem, 3)
    for _ in range(3):
        assert eager.ask().tobytes() == eager.ask().tobytes()
        advance(eager, problem, 1)
    assert patient.ask().tobytes() == eager.ask().tobytes()


@every_variant
@pytest.mark.parametrize(("population", "offspring"), [(100, 40), (20, 60), (2, 1), (3, 7)])
def test_any_population_and_offspring(
    factory, options: dict, population: int, offspring: int
) -> None:
    search = make(factory, 4, population=population, offspring=offspring, **options)
    shapes = [latents.shape for latents in asks(search, cosines(32, 4), 4)]
    assert shapes == [(population, 32)] + [(offspring, 32)] * 3
    assert len(search.population) == (offspring if factory is RandomSearch else population)


@every_front
def test_archive_holds_the_front_of_all_that_was_told(factory, options: dict) -> None:
    search = make(factory, 3, **options)
    scores = advance(search, cosines(32, 3), 5)
    front = [
        row
        for row, mine in enumerate(scores)
        if not any((other >= mine).all() and (other > mine).any() for other in scores)
        and not (scores[:row] == mine).all(axis=1).any()
    ]
    assert search.archive.ids.tolist() == front
    assert np.array_equal(search.archive.scores, scores[search.archive.ids])
    assert np.array_equal(search.archive.generations, search.archive.ids // 24)
    assert np.allclose(cosines(32, 3)(search.archive.latents), search.archive.scores)


@pytest.mark.parametrize("operators", OPERATORS[:2])
def test_parents_are_those_whose_numbers_the_child_has(operators: str) -> None:
    search, problem = make(Nsga2, 4, operators=operators, offspring=25), cosines(32, 4)
    first = search.ask()
    assert first.shape == (24, 32)
    assert (tell(search, first, problem(first)).parents == -1).all()
    for _ in range(3):
        children, members = search.ask(), search.population
        told = tell(search, children, problem(children))
        assert told.parents.shape == (25, 2)
        assert np.isin(told.parents, members.ids).all()
        order = np.argsort(members.ids)
        rows = order[np.searchsorted(members.ids[order], told.parents)]
        parents = members.latents[rows]  # (25, 2, d)
        distance = np.abs(parents - children[:, None]).min(axis=1)  # (25, d)
        if operators == "uniform-pcn":
            assert distance.max() < 0.6  # 0.1 times the largest noise, and the shrinking
        else:
            assert ((distance == 0).mean(axis=1) > 0.15).all()


def test_uniform_pcn_keeps_latents_on_the_priors_shell() -> None:
    search = make(Nsga2, 4, dimensions=512)
    advance(search, cosines(512, 4), 31)
    norms = np.linalg.norm(search.population.latents, axis=1) / np.sqrt(512)
    assert 0.9 < norms.min() <= norms.max() < 1.15
    assert 0.9 < norms.mean() < 1.1


@pytest.mark.parametrize("survival", SURVIVALS)
@pytest.mark.parametrize("operators", OPERATORS)
def test_evolution_beats_random_search(operators: str, survival: str) -> None:
    problem = cosines(64, 4)
    evolved = make(Nsga2, 4, 64, operators=operators, survival=survival, population=50)
    random = make(RandomSearch, 4, 64, population=50)
    scores = advance(evolved, problem, 25)
    advance(random, problem, 25)
    reference = reference_point(scores[:50])
    baseline = hypervolume(random.archive.scores, reference)
    assert hypervolume(evolved.archive.scores, reference) > 1.3 * baseline


@pytest.mark.parametrize("survival", SURVIVALS)
def test_one_objective_improves(survival: str) -> None:
    search = make(Nsga2, 1, survival=survival)
    scores = advance(search, cosines(32, 1), 20)
    assert len(search.archive) == 1
    assert search.archive.scores[0, 0] == scores.max()
    assert search.population.scores.min() > scores[:24].max()


@every_variant
@pytest.mark.parametrize("objectives", [1, 4])
def test_failed_rows_are_never_archived_nor_preferred(
    factory, options: dict, objectives: int
) -> None:
    search, problem = make(factory, objectives, **options), cosines(32, objectives)
    rng = np.random.default_rng(0)
    finite = 0
    for _ in range(5):
        latents = search.ask()
        scores = problem(latents)
        scores[rng.random(len(scores)) < 0.7, -1] = np.nan
        scores[0] = np.inf
        tell(search, latents, scores)
        finite += np.isfinite(scores).all(axis=1).sum()
        assert np.isfinite(search.archive.scores).all()
        if factory is Nsga2:
            survived = np.isfinite(search.population.scores).all(axis=1).sum()
            assert survived == min(finite, 24)
    assert len(search.archive) >= 1


@every_front
@pytest.mark.parametrize("value", [0.25, np.nan])
def test_scores_without_differences_do_no_harm(factory, options: dict, value: float) -> None:
    search = make(factory, 4, **options)
    advance(search, lambda latents: np.full((len(latents), 4), value), 4)
    assert search.archive.ids.tolist() == ([] if np.isnan(value) else [0])
    assert np.isfinite(search.ask()).all()


def test_random_search_starts_where_nsga2_starts() -> None:
    assert np.array_equal(make(Nsga2, 2).ask(), make(RandomSearch, 2).ask())


@every_variant
def test_tell_needs_ask_and_its_shape(factory, options: dict) -> None:
    search = make(factory, 2, **options)
    with pytest.raises(ValueError, match="needs an ask"):
        search.tell(np.zeros((24, 32), np.float32), np.zeros((24, 2)))
    latents = search.ask()
    with pytest.raises(ValueError, match="expected latents"):
        search.tell(latents[:5], np.zeros((5, 2)))
    with pytest.raises(ValueError, match="expected latents"):
        search.tell(latents, np.zeros((24, 3)))


@every_variant
def test_foreign_states_are_refused(factory, options: dict) -> None:
    search = make(factory, 2, **options)
    advance(search, cosines(32, 2), 2)
    state = search.state()
    with pytest.raises(RunDataError, match="start a new"):
        make(factory, 3, **options).restore(state)
    with pytest.raises(RunDataError, match="start a new"):
        make(factory, 2, dimensions=16, **options).restore(state)
    for name, array in (
        ("archive.ids", np.array(3)),
        ("population.ids", np.array(3)),
        ("generation", np.arange(2)),
        ("generation", np.array(-1)),
        ("evaluations", np.array(2.5)),
    ):
        with pytest.raises(RunDataError, match=rf"{name} (has|is) .*start a new run"):
            make(factory, 2, **options).restore(state | {name: array})
    del state["archive.scores"]
    with pytest.raises(RunDataError, match=r"archive\.scores"):
        make(factory, 2, **options).restore(state)


def test_options_without_effect_or_meaning_are_refused() -> None:
    with pytest.raises(UsageError, match="choose from reference, mnn, crowding"):
        make(Nsga2, 2, survival="sms-emoa")
    with pytest.raises(UsageError, match="choose from uniform-pcn, sbx-pm, haar-pcn"):
        make(Nsga2, 2, operators="slerp")
    with pytest.raises(UsageError, match="random has no options"):
        registry.read_options("random", {"survival": "mnn"})


def test_importing_the_search_loads_no_torch_and_prints_nothing() -> None:
    code = (
        "import sys, evo_t2i.search; assert 'numpy' not in sys.modules;"
        "import evo_t2i.search.nsga2, evo_t2i.search.random_search;"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
