"""The step of a latent; and a step for each parent, longer where its children survive.

The rule is that of TRS's trust regions (arXiv 2603.14504): times 1.5 after three successes in a
row, divided by 1.5 after three failures.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from evo_t2i.errors import RunDataError
from evo_t2i.points import Points, state_array

CHANGE = 1.5
IN_A_ROW = 3
SMALLEST, LARGEST = 1 / 8, 4.0
"""Bounds of the factor."""


def crank_nicolson(
    latents: np.ndarray,
    noise: np.ndarray,
    step: np.ndarray | np.float32,
    factor: np.ndarray | None = None,
) -> np.ndarray:
    """sqrt(1 - β²) z + β ε in float32, where β is ``step`` times a row's ``factor``, at most 1."""
    beta = np.asarray(step, np.float32)
    if factor is not None:
        beta = np.minimum(beta * factor[:, None].astype(np.float32), np.float32(1))
    moved: np.ndarray = np.sqrt(1 - beta**2) * latents + beta * noise
    return moved


def adapted(
    factor: np.ndarray, streak: np.ndarray, parent: np.ndarray, success: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Factors and streaks (n,), (n,) after trials, one after the other.

    ``parent`` (k,) are rows, ``success`` (k,) booleans. A streak is the number of successes in a
    row, or minus the number of failures.
    """
    factor, streak = factor.copy(), streak.copy()
    for row, good in zip(parent.tolist(), success.tolist(), strict=True):
        streak[row] = max(streak[row], 0) + 1 if good else min(streak[row], 0) - 1
        if abs(streak[row]) == IN_A_ROW:
            factor[row] *= CHANGE if good else 1 / CHANGE
            streak[row] = 0
    return np.clip(factor, SMALLEST, LARGEST), streak


@dataclass(frozen=True, eq=False)
class Steps:
    """``factor`` (n,) and ``streak`` (n,) of a population's members."""

    factor: np.ndarray
    streak: np.ndarray

    @classmethod
    def none(cls) -> Self:
        """Of an empty population."""
        return cls(np.empty(0), np.empty(0, np.int64))

    def after(self, parents: Points, children: Points, survivors: Points) -> "Steps":
        """Of ``survivors``, who are some of ``parents``, whose steps these are, and ``children``.

        A child succeeds when it survives; that counts for its first parent, whose factor it has.
        """
        row_of = {individual: row for row, individual in enumerate(parents.ids.tolist())}
        first = [row_of.get(parent, -1) for parent in children.parents[:, 0].tolist()]
        born = np.array(first, np.int64)
        drawn = born < 0
        inherited = np.ones(len(children))
        inherited[~drawn] = self.factor[born[~drawn]]
        survived = np.isin(children.ids, survivors.ids)
        factor, streak = adapted(self.factor, self.streak, born[~drawn], survived[~drawn])
        ids = np.concatenate([parents.ids, children.ids])
        order = np.argsort(ids)
        rows = order[np.searchsorted(ids[order], survivors.ids)]
        return Steps(
            np.concatenate([factor, inherited])[rows],
            np.concatenate([streak, np.zeros(len(children), np.int64)])[rows],
        )

    def to_state(self) -> dict[str, np.ndarray]:
        """Arrays under ``steps.…``."""
        return {"steps.factor": self.factor, "steps.streak": self.streak}

    @classmethod
    def from_state(cls, state: Mapping[str, np.ndarray], count: int) -> Self:
        """Of a population of ``count``; RunDataError when the arrays are of another one."""
        factor, streak = state_array(state, "steps.factor"), state_array(state, "steps.streak")
        if not factor.shape == streak.shape == (count,):
            raise RunDataError(
                f"The saved state has {len(factor)} steps for {count} points; it belongs to "
                "another run: start a new one."
            )
        return cls(factor.copy(), streak.copy())
