"""The cross-entropy method in the low band of the noise, after Spectral Evolution Search
(arXiv 2602.03208)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evo_t2i.config import RunConfig, described, require
from evo_t2i.errors import RunDataError, UsageError
from evo_t2i.points import Points, state_array
from evo_t2i.search import haar
from evo_t2i.search.protocol import Sample, check_choice
from evo_t2i.search.scalar import ScalarSearch

BANDS = ("low", "all")
NARROWEST = 0.1
"""Standard deviation to which a coefficient's distribution shrinks at most."""


class SpectralCem(ScalarSearch):
    """Draws the low band of latents (c, h, w) in the Haar basis from a Gaussian that follows the
    best of each generation; the rest of a latent is the best of generation 0's.

    ``band`` all is the cross-entropy method on every number, for latents of any shape. As the
    Gaussian narrows, latents leave the prior's shell.
    """

    @dataclass(frozen=True, kw_only=True)
    class Options:
        """The paper keeps five of ten."""

        band: str = described("low (of latents with a height and a width), or all.", BANDS[0])
        kept: float = described("Share of a generation that the Gaussian follows.", 0.5)

        def __post_init__(self) -> None:
            check_choice("band", self.band, BANDS)
            require(0 < self.kept <= 1, "kept", self.kept, "a number above 0, at most 1")

    def __init__(
        self,
        *,
        sample: Sample,
        dimensions: int,
        objectives: int,
        config: RunConfig,
        options: Options | None = None,
        latent_shape: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__(
            sample=sample,
            dimensions=dimensions,
            objectives=objectives,
            config=config,
            options=options,
        )
        self._shape = latent_shape or (dimensions,)
        if self._options.band == "low" and haar.levels(self._shape) == 0:
            raise UsageError(
                f"`band` low needs latents (channels, height, width) with even sides, and this "
                f"generator's are {self._shape}; use `band` all."
            )
        low = self._options.band == "low"
        self._moving = haar.low(self._shape) if low else np.ones(dimensions, bool)
        count = int(self._moving.sum())
        self._mean, self._spread = np.zeros(count), np.ones(count)
        self._rest = np.zeros(dimensions, np.float32)

    def _offspring(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        count = self._config.offspring
        coefficients = np.repeat(self._rest[None], count, axis=0)
        drawn = rng.standard_normal((count, len(self._mean)))
        coefficients[:, self._moving] = self._mean + self._spread * drawn
        return self._latents(coefficients), np.full((count, 2), -1, np.int64)

    def _kept(self, points: Points, _rng: np.random.Generator) -> Points:
        if self.generation == 0:
            self._rest = self._coefficients(self.best(points, 1).latents)[0]
        count = max(2, round(self._options.kept * len(points)))
        elites = self.best(points, count)
        band = self._coefficients(elites.latents)[:, self._moving].astype(np.float64)
        self._mean = band.mean(axis=0)
        self._spread = np.maximum(band.std(axis=0), NARROWEST)
        return elites

    def _coefficients(self, latents: np.ndarray) -> np.ndarray:
        return haar.forward(latents, self._shape) if self._options.band == "low" else latents

    def _latents(self, coefficients: np.ndarray) -> np.ndarray:
        if self._options.band == "low":
            return haar.inverse(coefficients, self._shape)
        return coefficients

    def state(self) -> dict[str, np.ndarray]:
        """As for every search, with the Gaussian."""
        return super().state() | {
            "cem.mean": self._mean.copy(),
            "cem.spread": self._spread.copy(),
            "cem.rest": self._rest.copy(),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue where ``state`` was taken; raises RunDataError when it does not fit this run."""
        mean, spread, rest = (state_array(state, f"cem.{name}") for name in _GAUSSIAN)
        if not mean.shape == spread.shape == self._mean.shape or rest.shape != self._rest.shape:
            raise RunDataError(
                f"The saved state has a Gaussian of {len(mean)} numbers, not {len(self._mean)}; it "
                "belongs to another run: start a new one."
            )
        super().restore(state)
        self._mean, self._spread, self._rest = mean.copy(), spread.copy(), rest.copy()


_GAUSSIAN = ("mean", "spread", "rest")
