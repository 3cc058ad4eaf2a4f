"""Where a batch keeps what::

runs/ID/                 a run directory a caption
index.csv                a row a caption
front.csv                a row a picture of a front
categories.csv           a row a category, where the prompts have some
failed.jsonl             the captions that were given up, with the reason
gallery.html             all picks on one page
index.parquet            the tables again, on request
front-00000.parquet
webdataset/              the picks as tar files, on request
parts/2-of-4/            what one part of the batch knows: its lock, its failures, its end
"""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from evo_t2i.batch.jobs import Job
from evo_t2i.batch.shards import Shard
from evo_t2i.errors import RunLockedError, UsageError
from evo_t2i.runs import lock
from evo_t2i.runs.atomic import naming_errors

_POLL_SECONDS = 0.1


class Place:
    """The folder of a batch."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.index = path / "index.csv"
        self.front = path / "front.csv"
        self.categories = path / "categories.csv"
        self.failed = path / "failed.jsonl"
        self.gallery = path / "gallery.html"
        self.webdataset = path / "webdataset"

    def run_of(self, job: Job) -> Path:
        """The job's run directory."""
        return self.path / "runs" / job.id

    def part(self, shard: Shard) -> Path:
        """The folder of one part."""
        return self.path / "parts" / f"{shard.number}-of-{shard.count}"

    def make(self, shard: Shard) -> None:
        """Make the folders that are not there; UsageError for one that holds something else."""
        known = {"parts", "runs"}
        if os.path.isdir(self.path) and not known & set(os.listdir(self.path) or known):
            raise UsageError(
                f"{self.path} holds something else than a batch; choose another `out`."
            )
        with naming_errors(self.path):
            self.part(shard).mkdir(parents=True, exist_ok=True)
            (self.path / "runs").mkdir(exist_ok=True)

    @contextlib.contextmanager
    def claimed(self, shard: Shard) -> Iterator[None]:
        """Within this no other process works on the part; RunLockedError at once if one does."""
        with _locked(self.part(shard) / "lock"):
            yield

    @contextlib.contextmanager
    def claimed_tables(self) -> Iterator[None]:
        """Within this no other part writes the tables; waits until it is this one's turn."""
        while True:
            try:
                with _locked(self.path / "parts" / "lock"):
                    yield
                    return
            except RunLockedError:
                time.sleep(_POLL_SECONDS)


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    descriptor, _ = lock.acquire(file)
    try:
        yield
    finally:
        os.close(descriptor)
