"""One large population over several devices or hosts: actors score parts of each generation.

Only latents and scores move. A generation is cut into the micro-batches that a single process would
make, so each is computed as it would be there, and the results are equal. What is left (the search,
the run directory, the pictures of the front) happens in the process that asks.
"""

import contextlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from evo_t2i.batch import actors
from evo_t2i.config import RunConfig
from evo_t2i.errors import DeviceMemoryError, EvoError, UsageError, first_line
from evo_t2i.evaluate.evaluator import (
    Described,
    Evaluator,
    Progress,
    checked_scores,
    joined,
)
from evo_t2i.evaluate.models import Models, load
from evo_t2i.models.device import out_of_memory


class ScoringActor:
    """The networks of a run in a process of their own."""

    def __init__(self, config: RunConfig, threads: int | None) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self._models = load(config)
        self._evaluator: tuple[str, Evaluator] | None = None

    def digests(self) -> dict[str, str]:
        """Of the networks."""
        return self._models.digests

    def scores(
        self, caption: str, latents: np.ndarray, wanted: Sequence[str]
    ) -> tuple[np.ndarray, Described] | None:
        """Scores (n, m) of one micro-batch, and what is ``wanted`` of its pictures; None when it
        does not fit the device's memory."""
        if self._evaluator is None or self._evaluator[0] != caption:
            self._evaluator = caption, self._models.for_caption(caption, len(latents))
        try:
            with torch.inference_mode():
                return self._evaluator[1].raw_scores(latents, wanted)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return None


@dataclass(frozen=True)
class SpreadModels(Models):
    """Models whose evaluators have their micro-batches scored by ``crew``."""

    crew: "Crew | None" = None

    def for_caption(
        self, caption: str, micro_batch: int = 0, *, previews: bool | None = None
    ) -> Evaluator:
        """As ``Models.for_caption``; UsageError for other previews than the actors draw."""
        assert self.crew is not None
        if previews not in (None, self.previews):
            raise UsageError("`screen` drafts in one process; leave it out, or `--engine ray`.")
        whole = super().for_caption(caption, micro_batch)
        return SpreadEvaluator(whole, caption, self.crew)


class SpreadEvaluator(Evaluator):
    """As ``Evaluator``; ``score_and_describe`` asks the crew, and draws nothing here."""

    def __init__(self, whole: Evaluator, caption: str, crew: "Crew") -> None:
        self.__dict__.update(vars(whole))
        self._caption = caption
        self._crew = crew

    def score_and_describe(
        self, latents: np.ndarray, wanted: Collection[str], progress: Progress | None = None
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """As ``Evaluator.score_and_describe``; every row has the scores that it would have
        there."""
        parts: list[np.ndarray] = []
        described: dict[int, Described] = {}
        done = 0
        while done < len(latents) or not parts:
            size = self.batches.size
            starts = range(done, max(len(latents), done + 1), size)
            batches = [latents[start : start + size] for start in starts]
            for answer in self._crew.scores(self._caption, batches, sorted(wanted)):
                if answer is None:
                    self._halve()
                    break
                scores, described[done] = answer
                parts.append(scores)
                done += len(scores)
                if progress is not None:
                    progress(done)
            else:
                break
        scores = checked_scores(np.concatenate(parts), self.scorer.names)
        return scores, joined(described, wanted)

    def _halve(self) -> None:
        if self.batches.size == 1:
            raise DeviceMemoryError(
                "Not even one image fits the memory of an actor's device; close other programs "
                "that use it, or pass `device` cpu."
            )
        self.batches.size //= 2


class Crew:
    """Actors with the same networks."""

    def __init__(self, ray: Any, members: list[Any]) -> None:
        self._ray = ray
        self._members = members

    def require_equal(self, digests: dict[str, str]) -> None:
        """Wait until all have loaded; EvoError unless their networks are those of ``digests``."""
        for theirs in self._answers([member.digests.remote() for member in self._members]):
            if theirs != digests:
                raise EvoError(
                    "An actor has other models than this process; install the same ones on every "
                    "machine."
                )

    def scores(
        self, caption: str, batches: list[np.ndarray], wanted: Sequence[str] = ()
    ) -> Iterator[tuple[np.ndarray, Described] | None]:
        """What ``ScoringActor.scores`` gives of ``batches``, in their order; None, and the end,
        where one did not fit."""
        pending: dict[Any, tuple[int, Any]] = {}
        found: dict[int, tuple[np.ndarray, Described] | None] = {}
        given = told = 0
        free = self._members * actors.IN_FLIGHT
        try:
            while told < len(batches):
                while free and given < len(batches):
                    member = free.pop(0)
                    task = member.scores.remote(caption, batches[given], wanted)
                    pending[task] = (given, member)
                    given += 1
                ready, _ = self._ray.wait(list(pending), num_returns=1)
                number, member = pending.pop(ready[0])
                found[number] = self._answers(ready)[0]
                free.append(member)
                while told in found:
                    yield found[told]
                    if found.pop(told) is None:
                        return
                    told += 1
        finally:
            if pending:
                self._ray.wait(list(pending), num_returns=len(pending))

    def _answers(self, tasks: list[Any]) -> list[Any]:
        try:
            return list(self._ray.get(tasks))
        except self._ray.exceptions.RayTaskError as error:
            cause = error.cause if isinstance(error.cause, EvoError) else None
            if cause is not None:
                raise cause from None
            raise EvoError(f"An actor failed: {first_line(error.cause or error)}.") from error
        except self._ray.exceptions.RayError as error:
            raise EvoError(
                f"An actor died too often ({first_line(error)}); see Ray's logs, and go on with "
                "`evo-t2i resume RUN`."
            ) from error


@contextlib.contextmanager
def spread(config: RunConfig, workers: int = 0, threads: int | None = None) -> Iterator[Models]:
    """Within this ``sample`` and ``resume`` can be given models that score on ``workers`` actors.

    0 is one a GPU, or one where none is. An actor that dies is started again and its micro-batch
    scored anew. Raises as ``load``, and UsageError when Ray is not installed.
    """
    ray = actors.ray_module()
    with actors.interruptions(), actors.cluster(ray, workers):
        gpus = int(ray.cluster_resources().get("GPU", 0))
        count = workers or gpus or 1
        made = actors.remote(ray, ScoringActor, gpu=gpus > 0)
        crew = Crew(ray, [made.remote(config, None if gpus else threads) for _ in range(count)])
        models = load(config)
        crew.require_equal(models.digests)
        yield SpreadModels(**vars(models), crew=crew)
