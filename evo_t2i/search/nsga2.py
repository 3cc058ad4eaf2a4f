"""NSGA-II, the default search: on arrays, with pymoo's classic operators and crowding measures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from evo_t2i.config import RunConfig, described
from evo_t2i.errors import RunDataError, UsageError
from evo_t2i.looks import SAME
from evo_t2i.picking.scale import robust_scale
from evo_t2i.points import Points, state_array, state_count
from evo_t2i.search.elites import Elites
from evo_t2i.search.floor import Floor
from evo_t2i.search.generational import Generational
from evo_t2i.search.operators import (
    OPERATORS,
    STEP,
    Operators,
    build_operators,
    offspring,
    tournament,
)
from evo_t2i.search.protocol import Sample, check_choice
from evo_t2i.search.seen import Usual, seen
from evo_t2i.search.steps import Steps
from evo_t2i.search.survival import LARGEST, SURVIVALS, Niches, fitting_survival, survive

LOOK = "look"
EMBEDDING = "clip.image"
NICHES = ("none", "look", "embedding")
KEPT = ("looks", "front")
FLOOR = 0.25
SHARE = 0.05
"""Of the population, how much may survive of one niche."""
NEAR = 0.25
"""Radius of a niche of embeddings, in units of generation 0's root mean square distance from its
mean."""


class Nsga2(Generational):
    """Non-dominated sorting genetic algorithm II (Deb et al., 2002) over Gaussian latents.

    ``config`` gives the population, the offspring a generation and the seed; ``operators`` replaces
    those that the options name, for experiments.
    """

    @dataclass(frozen=True, kw_only=True)
    class Options:
        """How offspring are made and who survives; docs/search.md compares the choices."""

        operators: str = described(
            f"How offspring are made: {' or '.join(OPERATORS)}.", OPERATORS[0]
        )
        survival: str = described(f"Who survives: {', '.join(SURVIVALS)}.", SURVIVALS[0])
        step: float = described("Beta of the pCN step, above 0, at most 1.", STEP)
        fine_step: float = described("Beta of haar-pcn in the fine bands.", STEP)
        adaptive: bool = described(
            "Whether each parent's beta follows what becomes of its children.", False
        )
        floor: float = described(
            "Share of generation 0 below the floor of each score; what falls below it counts only "
            "while there is nothing else. 0 for no floor.",
            FLOOR,
        )
        cap: float = described("Largest z that survival sees; 0 for none.", 0.0)
        round: float = described("Grid in z on which survival sees scores; 0 for none.", 0.0)
        guard: bool = described(
            "Whether pictures unlike any of generation 0 are penalised, by their CLIP embedding.",
            False,
        )
        niche: str = described(
            f"What makes pictures alike, so that few of them survive: {', '.join(NICHES)}.",
            NICHES[0],
        )
        keep: str = described(
            "What the archive holds: looks (the front, and the best of other looks, up to "
            f"{LARGEST:,} points a generation), or front.",
            KEPT[0],
        )

        def __post_init__(self) -> None:
            check_choice("operators", self.operators, OPERATORS)
            check_choice("survival", self.survival, SURVIVALS)
            check_choice("niche", self.niche, NICHES)
            check_choice("keep", self.keep, KEPT)
            _require(0 <= self.floor < 1, "floor", self.floor, "0 (none) to less than 1")
            for name in ("step", "fine_step"):
                value = getattr(self, name)
                _require(0 < value <= 1, name, value, "a number above 0, at most 1")
            for name in ("cap", "round"):
                value = getattr(self, name)
                _require(0 <= value <= 100, name, value, "0 (none) to 100")
            _require(
                self.operators != "sbx-pm" or (self.step == STEP and not self.adaptive),
                "operators",
                "sbx-pm",
                "operators with a pCN step, or leave out `step` and `adaptive`",
            )
            _require(
                self.operators == "haar-pcn" or self.fine_step == STEP,
                "operators",
                self.operators,
                "haar-pcn, or leave out `fine_step`",
            )
            _require(
                self.niche == NICHES[0] or self.survival == "reference",
                "survival",
                self.survival,
                "reference, which alone knows niches, or leave out `niche`",
            )

    def __init__(
        self,
        *,
        sample: Sample,
        dimensions: int,
        objectives: int,
        config: RunConfig,
        options: Options | None = None,
        operators: Operators | None = None,
        latent_shape: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__(dimensions=dimensions, objectives=objectives, seed=config.seed)
        options = options or self.Options()
        self._options = options
        self._config = config
        self._sample = sample
        self._operators = operators or build_operators(
            options.operators,
            step=options.step,
            fine_step=options.fine_step,
            latent_shape=latent_shape,
        )
        self._survival, keep, self.notes = _fitting(options, config)
        self._niche = options.niche if self._survival == "reference" else NICHES[0]
        self._elites = Elites.none(dimensions, objectives) if keep == "looks" else None
        self._steps = Steps.none() if options.adaptive else None
        self._floor: Floor | None = None
        needed = {"look": LOOK, "embedding": EMBEDDING, "none": None}[self._niche]
        self.wants = frozenset(
            name
            for name, wanted in (
                (LOOK, needed == LOOK or self._elites is not None),
                (EMBEDDING, needed == EMBEDDING or options.guard),
            )
            if wanted
        )
        self._rank = np.empty(0, np.int64)
        self._crowding = np.empty(0)
        self._scale = np.zeros(objectives), np.zeros(objectives)
        self._usual: Usual | None = None
        self._beside: dict[str, np.ndarray] = {}
        """What survival needs of the population beside its scores, a row a member."""

    def _propose(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        if self.generation == 0:
            return self._drawn(rng)
        count = self._config.offspring
        matings = -(-count // self._operators.crossover.n_offsprings)
        winners = tournament(self._rank, self._crowding, 2 * matings, rng)
        pairs = winners.reshape(matings, 2)
        factors = {} if self._steps is None else {"factor": self._steps.factor[pairs[:, 0]]}
        latents = self.population.latents
        children = offspring(self._operators, latents, pairs, rng, **factors)[:count]
        # the first child of every mating comes before the second of every mating
        parents = np.tile(pairs, (self._operators.crossover.n_offsprings, 1))[:count]
        return children.astype(np.float32), self.population.ids[parents]

    def _drawn(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Generation 0 from the prior, clipped to the operators' bound where they have one."""
        latents, bound = self._sample(self._config.started, rng), self._operators.bound
        if bound is not None:
            latents = np.clip(latents, -bound, bound)
        return latents.astype(np.float32), np.full((len(latents), 2), -1, np.int64)

    def _select(self, points: Points, rng: np.random.Generator) -> Points:
        if self.generation == 0:
            self._learn(points)
        together = Points.joined([self.population, points])
        beside = self._joined(self._described(points))
        chosen = survive(
            self._survival,
            self._view(together.scores, beside.get("penalty")),
            self._config.population,
            rng,
            self._niches(beside.get("place")),
            self._floor.below(together.scores) if self._floor else None,
        )
        survivors = together[chosen.rows]
        if self._steps is not None:
            self._steps = self._steps.after(self.population, points, survivors)
        self._beside = {name: array[chosen.rows] for name, array in beside.items()}
        self._rank, self._crowding = chosen.rank, chosen.crowding
        return survivors

    def _learn(self, points: Points) -> None:
        """Take generation 0 as the measure of everything after it."""
        self._scale = robust_scale(points.scores)
        if self._options.floor:
            self._floor = Floor.of(points.scores, self._options.floor, self._scale[1])
        if EMBEDDING in self.wants:
            finite = np.isfinite(points.scores).all(axis=1)
            self._usual = Usual.of(self.described[EMBEDDING][finite])

    def _described(self, points: Points) -> dict[str, np.ndarray]:
        """What survival needs of new points: ``penalty`` (n,), ``place`` (n, k)."""
        beside: dict[str, np.ndarray] = {}
        failed = ~np.isfinite(points.scores).all(axis=1)
        if self._options.guard:
            assert self._usual is not None
            beside["penalty"] = self._usual.excess(self.described[EMBEDDING])
        if self._niche == "look":
            beside["place"] = self.described[LOOK].astype(np.float32)
        if self._niche == "embedding":
            assert self._usual is not None
            beside["place"] = self._usual.components(self.described[EMBEDDING])
        for array in beside.values():
            array[failed] = 0
        return beside

    def _joined(self, beside: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        if not self._beside:
            return dict(beside)
        return {name: np.concatenate([self._beside[name], beside[name]]) for name in beside}

    def _view(self, scores: np.ndarray, penalty: np.ndarray | None) -> np.ndarray:
        """What survival sees: the scores themselves unless an option says otherwise."""
        options = self._options
        if not (options.cap or options.round or options.guard):
            return scores
        return seen(scores, *self._scale, cap=options.cap, grid=options.round, penalty=penalty)

    def _niches(self, places: np.ndarray | None) -> Niches | None:
        if places is None:
            return None
        radius = SAME
        if self._niche == "embedding":
            assert self._usual is not None
            radius = NEAR * float(np.sqrt((self._usual.spread.astype(np.float64) ** 2).sum()))
        return Niches(places, radius, max(1, round(SHARE * self._config.population)))

    def _archived(self, points: Points) -> Points:
        kept = super()._archived(points)
        if self._elites is not None:
            self._elites = self._elites.extended(points, self.described[LOOK], *self._scale)
            kept = self._elites.beside(kept)
        return kept if self._floor is None else self._floor.over(kept)

    def state(self) -> dict[str, np.ndarray]:
        """As for every search, with the population's ranks and crowding values, and what the
        options that are on have to remember."""
        state = super().state() | {
            "rank": np.asarray(self._rank, np.int64),
            "crowding": np.asarray(self._crowding, np.float64),
        }
        if self._remembers_scale():
            state |= {"scale.centre": self._scale[0], "scale.spread": self._scale[1]}
        if self._usual is not None:
            state |= self._usual.to_state()
        if self._floor is not None:
            state |= self._floor.to_state()
        if self._elites is not None:
            state |= self._elites.to_state()
        if self._steps is not None:
            state |= self._steps.to_state()
        return state | {f"population.{name}": array for name, array in self._beside.items()}

    def _remembers_scale(self) -> bool:
        options = self._options
        return bool(options.cap or options.round or options.guard or self._elites is not None)

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue where ``state`` was taken; raises RunDataError when it does not fit this run."""
        rank, crowding = state_array(state, "rank"), state_array(state, "crowding")
        generation = state_count(state, "generation")
        count = self._config.population if generation else 0
        held = len(state_array(state, "population.ids", dimensions=1))
        if not (held,) == rank.shape == crowding.shape == (count,):
            raise RunDataError(
                f"The saved state holds {held:,} points, not {count:,}; "
                "it belongs to another run: start a new one."
            )
        super().restore(state)
        self._rank, self._crowding = rank.copy(), crowding.copy()
        self._beside = {}
        if generation:
            self._recall(state, count)

    def _recall(self, state: Mapping[str, np.ndarray], count: int) -> None:
        """What the options that are on remember."""
        if self._remembers_scale():
            self._scale = (
                state_array(state, "scale.centre").copy(),
                state_array(state, "scale.spread").copy(),
            )
        if EMBEDDING in self.wants:
            self._usual = Usual.from_state(state)
        if self._options.floor:
            self._floor = Floor.from_state(state, self.archive.scores.shape[1])
        if self._elites is not None:
            self._elites = Elites.from_state(state, self._elites)
        if self._steps is not None:
            self._steps = Steps.from_state(state, count)
        names = (
            *(("penalty",) if self._options.guard else ()),
            *(("place",) if self._niche != NICHES[0] else ()),
        )
        self._beside = {name: state_array(state, f"population.{name}").copy() for name in names}


def _fitting(options: Nsga2.Options, config: RunConfig) -> tuple[str, str, tuple[str, ...]]:
    """The survival, and what to keep, that so many points allow, and what to say where that is not
    what was asked for."""
    points = config.population + max(config.offspring, config.started)
    name, keep = fitting_survival(options.survival, points), options.keep
    notes = []
    if keep == "looks" and points > LARGEST:
        keep = "front"
        notes.append(
            f"With {points:,} points a generation no other looks are kept beside the front."
        )
    if name == options.survival:
        return name, keep, tuple(notes)
    without = "" if options.niche == NICHES[0] else ", without niches"
    notes.append(
        f"Survival is {name} instead of {options.survival}{without}: with {points:,} points a "
        f"generation {options.survival} would take longer than drawing them."
    )
    return name, keep, tuple(notes)


def _require(condition: bool, name: str, got: Any, expected: str) -> None:
    if not condition:
        raise UsageError(f"`{name}` is {got}; give {expected}.")
