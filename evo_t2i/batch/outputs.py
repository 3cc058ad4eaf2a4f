"""Everything that a batch writes about all of its captions, in one pass over their runs."""

import contextlib
import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from evo_t2i.batch import tables
from evo_t2i.batch.jobs import Jobs
from evo_t2i.batch.parquet import parquet_table
from evo_t2i.batch.place import Place
from evo_t2i.batch.results import FAILED, FINISHED, JobResult, read_results
from evo_t2i.batch.webdataset import webdataset
from evo_t2i.report.gallery_page import GalleryEntry, gallery_html
from evo_t2i.report.run_page import PAGE
from evo_t2i.runs.atomic import remove_parts, write_bytes

Failures = Sequence[dict[str, Any]]
"""Lines of failed.jsonl: ``id``, ``line``, ``caption``, ``tries``, ``error``, ``reason``."""


@dataclass(frozen=True)
class Outputs:
    """What is asked for besides the tables and the gallery."""

    top_k: int | None = None
    parquet: bool = False
    webdataset: bool = False


def write_outputs(
    jobs: Jobs, place: Place, failures: Failures, outputs: Outputs, title: str
) -> list[Path]:
    """Write the tables, the gallery and what else is asked for; returns the files.

    They depend on the runs and on ``failures`` alone: neither on the clock, nor on who carried out
    what.
    """
    for folder in (place.path, place.webdataset):
        if folder.is_dir():
            remove_parts(folder)
    scores = tables.score_names(jobs.jobs)
    index, front = tables.index_columns(scores), tables.front_columns(scores)
    categories = tables.Categories(scores)
    entries: list[GalleryEntry] = []
    states: list[str] = []
    given_up = {failure["id"] for failure in failures}
    with contextlib.ExitStack() as stack:
        indexes = [stack.enter_context(tables.csv_table(place.index, index))]
        fronts = [stack.enter_context(tables.csv_table(place.front, front))]
        if outputs.parquet:
            path = place.path / "index.parquet"
            indexes.append(stack.enter_context(parquet_table(path, index)))
            path = place.path / "front.parquet"
            fronts.append(stack.enter_context(parquet_table(path, front, numbered=True)))
        tars = stack.enter_context(webdataset(place.webdataset)) if outputs.webdataset else None
        for result in read_results(jobs.jobs, place, given_up, outputs.top_k):
            row = tables.index_row(result, place)
            _add(indexes, [row])
            _add(fronts, tables.front_rows(result, place))
            categories.add(result, row)
            states.append(result.state)
            if tars is not None:
                tars.add(result)
            if result.chosen is not None:
                entries.append(_entry(result, place))
    if len(categories):
        with tables.csv_table(place.categories, categories.columns) as table:
            _add([table], categories.rows())
    _write_failed(place, failures)
    write_bytes(place.gallery, _gallery(title, entries, states, jobs.prompt_set))
    found = [place.gallery, place.index, place.front, place.categories, place.failed]
    found += sorted(place.path.glob("*.parquet")) if outputs.parquet else []
    found += tars.files if tars is not None else []
    return [path for path in found if path.exists()]


def failed_lines(failures: Failures) -> bytes:
    """JSON Lines."""
    lines = (json.dumps(failure, ensure_ascii=False) + "\n" for failure in failures)
    return "".join(lines).encode()


def _write_failed(place: Place, failures: Failures) -> None:
    if failures:
        write_bytes(place.failed, failed_lines(failures))
    else:
        place.failed.unlink(missing_ok=True)


def _add(some: Iterable[tables.Table], rows: Iterable[tables.Values]) -> None:
    some = list(some)
    for row in rows:
        for table in some:
            table.add(row)


def _entry(result: JobResult, place: Place) -> GalleryEntry:
    chosen, config = result.chosen, result.job.config
    assert chosen is not None
    front, best = chosen.front, chosen.picked[0]
    small = dataclasses.replace(  # the latents of thousands of fronts would fill the memory
        front, latents=front.latents[:, :0], generation0_scores=front.generation0_scores[:0]
    )
    return GalleryEntry(
        id=result.job.id,
        caption=config.caption,
        category=result.job.category,
        page=(place.run_of(result.job) / PAGE).relative_to(place.path).as_posix(),
        front=front.led,
        scores=dict(zip(front.score_names, front.scores[best].tolist(), strict=True)),
        picture=partial(small.image, best),
    )


def _gallery(
    title: str, entries: Sequence[GalleryEntry], states: Sequence[str], prompt_set: str
) -> bytes:
    finished, failed = states.count(FINISHED), states.count(FAILED)
    facts = [f"{_captions(finished)} with picks"]
    if prompt_set:
        facts.insert(0, prompt_set)
    notes = []
    if failed:
        notes.append(f"{_captions(failed)} failed; failed.jsonl says why.")
    if others := len(states) - finished - failed:
        notes.append(f"{_captions(others)} not finished; index.csv says which.")
    return gallery_html(title, entries, facts=" · ".join(facts), notes=notes)


def _captions(count: int) -> str:
    return f"{count:,} caption{'' if count == 1 else 's'}"
