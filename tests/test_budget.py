"""When a run ends, and what a budget may be."""

import pytest

from evo_t2i.budget import Budget
from evo_t2i.config import RunConfig
from evo_t2i.errors import RunDataError, UsageError
from evo_t2i.runs import budget as kept


def config(**settings) -> RunConfig:
    small = {"caption": "a cat", "seed": 1, "population": 10, "offspring": 5, "generations": 8}
    return RunConfig(**small | settings)


def ended(config: RunConfig, growth: float = 2.0) -> tuple[int, str]:
    """The last generation of a run whose hypervolume grows so, and what ended it."""
    budget, volumes = Budget(config), []
    while not budget.used_up(volumes):
        volumes.append(growth ** len(volumes))
    return len(volumes) - 1, budget.reason(volumes)


def test_each_budget_ends_a_run() -> None:
    assert ended(config()) == (8, "generations")
    assert ended(config(max_evaluations=29)) == (3, "max_evaluations")
    assert ended(config(max_evaluations=30)) == (4, "max_evaluations")
    assert ended(config(max_evaluations=500)) == (8, "generations")
    assert ended(config(stall=3), growth=1.003) == (3, "stall")
    assert ended(config(stall=3), growth=1.004) == (8, "generations")
    assert ended(config(max_minutes=1e-9)) == (0, "max_minutes")
    assert ended(config(max_minutes=60)) == (8, "generations")


def test_a_complete_run_is_made_again_to_where_it_ended() -> None:
    again = Budget(config(max_minutes=1e-9), made=4)
    assert not again.used_up([1.0, 1.0, 1.0])
    assert again.used_up([1.0, 1.0, 1.0, 1.0])


def test_what_is_evaluated_is_counted() -> None:
    warm = config(warm_start=40)
    assert (warm.started, warm.evaluated(0), warm.evaluated(2)) == (40, 40, 50)
    refining = config(refine=2)
    # two latents, three steps each, a step as three pictures
    assert refining.evaluated(2) == 10 + 2 * (5 + 18)
    assert config(refine=2, max_evaluations=60).last_generation == 2
    assert config(refine=2, max_evaluations=60).evaluations == 56


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"warm_start": 9}, "`warm_start` is 9; give 0, or at least the population of 10"),
        ({"max_evaluations": 9}, "at least the 10 images of generation 0"),
        ({"max_evaluations": 39, "warm_start": 40}, "at least the 40 images"),
        ({"refine": 6}, "at most the 5 offspring"),
        ({"stall": -1}, "`stall` is -1; give 0 or more"),
        ({"max_minutes": float("nan")}, "`max_minutes` is nan"),
        ({"max_minutes": "ten"}, "`max_minutes` is 'ten'"),
    ],
)
def test_budgets_that_make_no_sense_are_refused(settings: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        config(**settings)


def test_a_later_budget_is_read_back(tmp_path) -> None:
    begun = config()
    assert kept.read(tmp_path, begun) == begun
    later = begun.with_budget(generations=20, stall=4)
    kept.write(tmp_path, later)
    assert kept.read(tmp_path, begun) == later
    with pytest.raises(UsageError, match="`population` is no budget"):
        begun.with_budget(population=20)


@pytest.mark.parametrize("damaged", [b"", None, b"{}\n"])
def test_a_damaged_budget_is_one_sentence(tmp_path, damaged: bytes | None) -> None:
    kept.write(tmp_path, config())
    file = tmp_path / "budget.json"
    file.write_bytes(file.read_bytes()[:-9] if damaged is None else damaged)
    with pytest.raises(RunDataError, match="is no budget of this run"):
        kept.read(tmp_path, config())
