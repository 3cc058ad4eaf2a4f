"""A batch from its jobs to its tables; what is finished already is left alone."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from evo_t2i.batch.devices import Share
from evo_t2i.batch.jobs import Job, Jobs
from evo_t2i.batch.ledger import BatchEvent, Ledger, Tell
from evo_t2i.batch.outputs import Failures, Outputs, failed_lines, write_outputs
from evo_t2i.batch.parquet import require_pyarrow
from evo_t2i.batch.place import Place
from evo_t2i.batch.results import BEGUN, FINISHED, standing
from evo_t2i.batch.shards import WHOLE, Shard
from evo_t2i.errors import DiskFullError, RunDataError, UsageError
from evo_t2i.evaluate.models import networks_of
from evo_t2i.runs.atomic import write_bytes

Engine = Callable[[Ledger, Callable[[Job], Path]], None]
"""Carries out the jobs of a ledger in the folders that it is told."""
ENGINES = ("loop", "local", "ray")


@dataclass(frozen=True)
class Begin:
    """What is there before a batch goes on."""

    captions: int
    """Of this part."""
    finished: int
    begun: int
    images: int
    """That are to be scored, those of begun runs in full."""


@dataclass(frozen=True)
class Summary:
    """What became of a part of a batch."""

    captions: int
    finished: int
    failed: int
    files: tuple[Path, ...]
    """Tables and pages; none as long as another part is not at its end."""
    loads: int
    """How often the busiest worker loaded models."""
    memory: int
    """The largest worker's peak, in bytes; 0 when nothing was to do."""


def run_batch(
    jobs: Jobs,
    out: Path | str,
    engine: Engine,
    *,
    shard: Shard = WHOLE,
    outputs: Outputs | None = None,
    title: str = "",
    begin: Callable[[Begin], None] | None = None,
    tell: Tell | None = None,
) -> Summary:
    """Carry out the jobs of ``shard`` that are not finished yet, under the folder ``out``.

    The part that ends last writes the tables and the gallery (``title`` stands over it). A job that
    fails three times is noted, and the others go on. ``begin`` hears once what is there, ``tell``
    how far it is. Raises UsageError when a run in ``out`` was begun with another configuration,
    RunLockedError when another process works on the same part, DiskFullError with what is left.
    """
    outputs = outputs or Outputs()
    if outputs.top_k is not None and outputs.top_k < 1:
        raise UsageError(f"`top_k` is {outputs.top_k}; give 1 or more.")
    if outputs.parquet:
        require_pyarrow()
    place, own = Place(Path(out)), shard.of(jobs.jobs)
    place.make(shard)
    with place.claimed(shard):
        part = _Part(place, shard, jobs.digest)
        part.reopen()
        states = [standing(job, place) for job in own]
        todo = [job for job, state in zip(own, states, strict=True) if state != FINISHED]
        begun = [job.index for job, state in zip(own, states, strict=True) if state == BEGUN]
        done = states.count(FINISHED)
        if begin is not None:
            images = sum(job.config.evaluations for job in todo)
            begin(Begin(len(own), done, len(begun), images))
        ledger = Ledger(todo, done, lambda job: networks_of(job.config), begun)
        ledger.tell = partial(_heard, part, ledger, tell)
        if todo:
            _carry_out(engine, ledger, place)
        part.close(ledger)
        files: tuple[Path, ...] = ()
        with place.claimed_tables():
            if (failures := part.failures_of_all()) is not None:
                files = tuple(write_outputs(jobs, place, failures, outputs, title))
    return Summary(
        len(own), ledger.finished, len(ledger.failures), files, ledger.loads, ledger.memory
    )


def local_engine(shares: list[Share], surroundings: Any = contextlib.nullcontext) -> Engine:
    """A worker process for each share, see ``evo_t2i.batch.local``."""
    from evo_t2i.batch import local

    return partial(local.carry_out, shares=shares, surroundings=surroundings)


def _carry_out(engine: Engine, ledger: Ledger, place: Place) -> None:
    try:
        engine(ledger, place.run_of)
    except DiskFullError as error:
        raise DiskFullError(
            f"No space is left under {place.path}, with {ledger.left:,} captions to go; free some "
            "and give the same command again (everything committed so far is kept)."
        ) from error


def _heard(part: "_Part", ledger: Ledger, tell: Tell | None, event: BatchEvent) -> None:
    part.note_failures(ledger)
    if tell is not None:
        tell(event)


class _Part:
    """What one part writes down: its failures as they come, and that it came to its end."""

    def __init__(self, place: Place, shard: Shard, digest: str) -> None:
        self._place = place
        self._shard = shard
        self._digest = digest
        self._noted = 0

    def reopen(self) -> None:
        """Before jobs are carried out: the part is not at its end."""
        for name in ("end.json", "failed.jsonl"):
            (self._place.part(self._shard) / name).unlink(missing_ok=True)

    def note_failures(self, ledger: Ledger) -> None:
        """Write the failures down, unless there is no new one."""
        if len(ledger.failures) > self._noted:
            self._noted = len(ledger.failures)
            path = self._place.part(self._shard) / "failed.jsonl"
            write_bytes(path, failed_lines(_described(ledger)))

    def close(self, ledger: Ledger) -> None:
        """The part is at its end."""
        end = {"jobs": self._digest, "failed": _described(ledger)}
        text = json.dumps(end, ensure_ascii=False) + "\n"
        write_bytes(self._place.part(self._shard) / "end.json", text.encode())

    def failures_of_all(self) -> Failures | None:
        """The failures of all parts in the order of the jobs; None when one is not at its end."""
        failures: list[dict[str, Any]] = []
        for number in range(1, self._shard.count + 1):
            path = self._place.part(Shard(number, self._shard.count)) / "end.json"
            try:
                end = json.loads(path.read_bytes())
                if end["jobs"] != self._digest:
                    return None
                failures += end["failed"]
            except FileNotFoundError:
                return None
            except (ValueError, LookupError, TypeError, RecursionError) as error:
                raise RunDataError(
                    f"{path} is damaged; remove it and give that part's command again."
                ) from error
        failures.sort(key=lambda failure: failure["line"])
        return failures


def _described(ledger: Ledger) -> list[dict[str, Any]]:
    return [
        {
            "id": failure.job.id,
            "line": failure.job.line,
            "caption": failure.job.config.caption,
            "tries": failure.tries,
            "error": failure.error,
            "reason": failure.reason,
        }
        for failure in ledger.failures
    ]
