"""A toy run: random latents whose scores are known functions, three generations."""

import os
from pathlib import Path

import numpy as np
import pytest
from hand_made import generation_facts, result_facts

from evo_t2i.config import RunConfig
from evo_t2i.points import Points
from evo_t2i.runs.directory import RunDirectory

COUNT, DIMENSIONS = 6, 5


class Toy:
    """A search that keeps its last generation as state; the state decides the next one."""

    config = RunConfig(
        caption="skyline at sunset.",
        seed=7,
        population=COUNT,
        offspring=COUNT,
        generations=3,
        scores=("text_image", "image_real"),
    )

    def record(self, generation: int, before: dict[str, np.ndarray] | None) -> Points:
        rng = np.random.default_rng([self.config.seed, generation])
        latents = rng.standard_normal((COUNT, DIMENSIONS)).astype(np.float32)
        if before is not None:
            latents += 0.5 * before["latents"]
        scores = np.stack([latents[:, 0], -np.abs(latents[:, 1])], axis=1).astype(np.float64)
        ids = np.arange(COUNT, dtype=np.int64) + generation * COUNT
        parents = np.full((COUNT, 2), -1, dtype=np.int64)
        if generation:
            parents[:] = np.stack([ids - COUNT, ids[::-1] - COUNT], axis=1)
        generations = np.full(COUNT, generation, dtype=np.int64)
        return Points(latents, scores, ids, parents, generations)

    def go_on(self, run: RunDirectory) -> None:
        """Take the run to its end from wherever it stands."""
        last = run.last()
        generation, state = (-1, None) if last is None else last
        while generation < self.config.generations:
            generation += 1
            record = self.record(generation, state)
            state = {"latents": record.latents, "clock": np.array(generation)}
            run.commit(record, state, generation_facts(2, evaluations=(generation + 1) * COUNT))
        record = run.record(self.config.generations)
        facts = result_facts(models={"builtin": "ab" * 32})
        run.finish(record, self.images(record.latents), facts)

    @staticmethod
    def images(latents: np.ndarray) -> np.ndarray:
        values = np.clip(128 + 40 * latents[:, :4].reshape(-1, 2, 2, 1), 0, 255)
        return np.repeat(values, 3, axis=3).astype(np.uint8)

    def whole(self, path: Path) -> RunDirectory:
        with RunDirectory.create(path, self.config) as run:
            self.go_on(run)
        return RunDirectory.open(path)


def contents(path: Path) -> dict[str, bytes]:
    """Every file below ``path`` by its relative name."""
    return {
        str(file.relative_to(path)): file.read_bytes()
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


@pytest.fixture
def toy() -> Toy:
    return Toy()


@pytest.fixture
def files_of():
    return contents


@pytest.fixture
def quick_disk(monkeypatch):
    """Thousands of commits without waiting for the disk: a killed process loses no page cache."""
    monkeypatch.setattr(os, "fsync", os.fstat)
