"""Sets of evaluated points: rows, joins, and the way to a saved state and back."""

import numpy as np
import pytest

from evo_t2i.errors import RunDataError
from evo_t2i.points import Points


def points(first: int, count: int) -> Points:
    ids = np.arange(first, first + count, dtype=np.int64)
    return Points(
        latents=np.stack([ids, ids**2], axis=1).astype(np.float32),
        scores=np.stack([-ids, ids, 2 * ids], axis=1).astype(np.float64),
        ids=ids,
        parents=np.stack([ids - 1, ids - 2], axis=1),
        generations=ids // 4,
    )


def test_rows_keep_their_arrays_together():
    some = points(0, 10)
    for rows in (np.array([7, 2]), some.ids % 3 == 0, slice(3, 5)):
        part = some[rows]
        assert part.scores[:, 1].tolist() == part.ids.tolist() == part.latents[:, 0].tolist()
        assert part.parents[:, 0].tolist() == (part.ids - 1).tolist()
        assert part.generations.tolist() == (part.ids // 4).tolist()
        assert len(part) == len(part.ids)


def test_joined_parts_follow_one_another():
    together = Points.joined([points(0, 3), Points.empty(2, 3), points(5, 2)])
    assert together.ids.tolist() == [0, 1, 2, 5, 6]
    assert together.latents.dtype == np.float32
    assert together.scores.shape == (5, 3)


def test_a_state_comes_back_and_does_not_follow_the_points():
    some = points(2, 4)
    state = some.to_state("archive")
    some.scores[:] = 0
    back = Points.from_state(state, "archive", 2, 3)
    assert back.scores[:, 1].tolist() == back.ids.tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda state: state.pop("p.parents"), r"no 'p\.parents'; it is damaged"),
        (
            lambda state: state.update({"p.scores": state["p.scores"][:, :2]}),
            r"p\.scores is float64\(4, 2\), not float64\(4, 3\)",
        ),
        (
            lambda state: state.update({"p.latents": state["p.latents"].astype(np.float64)}),
            r"p\.latents is float64\(4, 2\), not float32\(4, 2\)",
        ),
        (
            lambda state: state.update({"p.generations": state["p.generations"][:3]}),
            r"p\.generations is int64\(3,\), not int64\(4,\)",
        ),
    ],
)
def test_a_state_of_another_run_is_refused(change, words):
    state = points(0, 4).to_state("p")
    change(state)
    with pytest.raises(RunDataError, match=words):
        Points.from_state(state, "p", 2, 3)
