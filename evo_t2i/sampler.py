"""The page that tells the story: from a caption to a Pareto front of pictures.

caption → condition → latents → images → features → scores → survival → front → run directory
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from evo_t2i import registry
from evo_t2i.config import RunConfig, configure
from evo_t2i.errors import RunDataError
from evo_t2i.evaluate import Evaluator
from evo_t2i.generators.base import Generator
from evo_t2i.models.device import choose_device
from evo_t2i.models.precision import check_precision
from evo_t2i.picking.methods import Pick, pick
from evo_t2i.presets import BUILTIN, with_preset
from evo_t2i.run import Run, write_pick
from evo_t2i.runs.directory import GenerationRecord, RunDirectory, default_out, require_unused
from evo_t2i.search.archive import extend
from evo_t2i.search.base import Archive, Search
from evo_t2i.search.hypervolume import best_point, reference_point, relative_hypervolume
from evo_t2i.snapshot import Snapshot


@dataclass(frozen=True)
class Event:
    """What a run is doing now, for progress displays and whoever wants to see pictures."""

    stage: str
    """``models`` (loading), ``scoring``, ``generation`` (one was committed), ``rescoring`` (the
    front, after a search in bf16) or ``writing``."""
    generation: int = 0
    evaluations: int = 0
    """Images scored so far, earlier sessions of a resumed run included."""
    front: int = 0
    """Images on the front after the newest committed generation."""
    hypervolume: float = 0.0
    """In units of generation 0's box, see ``evo_t2i.search.hypervolume.relative_hypervolume``."""
    snapshot: Snapshot | None = None
    """After a ``generation``: the front as it is now, which draws its pictures when asked."""


Progress = Callable[[Event], None]


def sample(
    caption: str,
    *,
    out: Path | str | None = None,
    seed: int | None = None,
    preset: str = BUILTIN,
    progress: Progress | None = None,
    **options: Any,
) -> Run:
    """Evolve pictures for a caption and write them to a new run directory.

    ``out`` defaults to ``runs/<caption>-<seed>``, ``seed`` to a random one. ``preset`` is one of
    ``evo_t2i.presets.PRESETS``; ``options`` go over it and are the other fields of RunConfig,
    ScoreOptions and ScorerModels (``population``, ``generations``, ``generator``, ``scores``,
    ``sampler``, ``temperature``, ``clip``, …), by the names of the command line. Raises the errors
    of ``evo_t2i.errors``.

    ``progress`` hears an Event at every step, and can show pictures while the run goes on:

    >>> def show(event):
    ...     if event.snapshot is not None and event.generation % 10 == 0:
    ...         event.snapshot.best()[0].image.show()
    >>> run = evo_t2i.sample("a red bus", progress=show)  # doctest: +SKIP
    """
    config = configure(caption, seed=seed, **with_preset(preset, options))
    directory = Path(out) if out is not None else default_out(config)
    require_unused(directory)
    evaluator, search = build(config, progress)
    with RunDirectory.create(directory, config) as run:
        _evolve(run, evaluator, search, progress)
    return Run(directory)


def resume(path: Path | str, *, progress: Progress | None = None) -> Run:
    """Go on with an unfinished run; the result equals that of an uninterrupted one.

    That holds bit for bit on the same machine, library versions and device.
    """
    with RunDirectory.open(Path(path), writable=True) as run:
        missing = [name for name in _PRESENTED if _is_missing(run.path / name)]
        whole = run.finished and not run.damaged() and run.last() is not None
        if not whole or missing:
            evaluator, search = build(run.config, progress)
            if whole:
                _present(run, evaluator, missing)
            else:
                _evolve(run, evaluator, search, progress)
    return Run(path)


def build(config: RunConfig, progress: Progress | None = None) -> tuple[Evaluator, Search]:
    """Load the models and prepare the search; everything that can be refused is refused here."""
    _tell(progress, Event("models"))
    registry.load("sampler", config.sampler)  # refuses an unknown one before the models load
    device = choose_device(config.device)
    check_precision(config.precision, device)
    name, argument = registry.split_argument(config.generator)
    generator: Generator = registry.make("generator", name, device=device, argument=argument)
    dimensions = math.prod(generator.latent_shape)

    def prior(count: int, rng: np.random.Generator) -> np.ndarray:
        return generator.sample(count, rng).reshape(count, dimensions)

    search: Search = registry.make(
        "sampler",
        config.sampler,
        sample=prior,
        dimensions=dimensions,
        objectives=len(config.scores),
        config=config,
    )
    evaluator = Evaluator(
        generator=generator,
        score_names=config.scores,
        options=config.score_options,
        device=device,
        micro_batch=config.micro_batch,
        precision=config.precision,
        models=config.scorer_models,
    )
    evaluator.prepare(config.caption)
    evaluator.require_precision()
    return evaluator, search


def _evolve(
    run: RunDirectory, evaluator: Evaluator, search: Search, progress: Progress | None
) -> None:
    """Generation after generation until the front can be written."""
    config = run.config
    last = run.last()
    if last is not None:
        search.restore(last[1])
    facts = _models(evaluator)
    started = run.journal[0] if last is not None else None
    if started is not None and started["models"] != facts:
        raise RunDataError(
            f"{run.path} was begun with other models than are installed now; restore them, or "
            "start a new run with `evo-t2i sample`."
        )
    if last is not None:
        evaluator.micro_batch = run.journal[last[0]]["micro_batch"]
    box = [np.array(corner) for corner in started["box"]] if started is not None else []
    first_scores = run.record(0).scores if last is not None else None

    while search.generation <= config.generations:
        generation = search.generation
        done = config.population + (generation - 1) * config.offspring if generation else 0

        def scored(images: int, generation: int = generation, done: int = done) -> None:
            _tell(progress, Event("scoring", generation, done + images, len(search.archive)))

        latents = search.ask()
        scores = evaluator.score_latents(latents, scored)
        parents, first_id = search.parents, done
        search.tell(latents, scores)
        box = box or [reference_point(scores), best_point(scores)]
        first_scores = scores if first_scores is None else first_scores
        volume = relative_hypervolume(search.archive.scores, *box)
        record = GenerationRecord(
            latents=latents,
            scores=scores,
            ids=np.arange(first_id, first_id + len(latents), dtype=np.int64),
            parents=parents,
        )
        run.commit(
            generation,
            record,
            search.state(),
            {
                "evaluations": done + len(latents),
                "front": len(search.archive),
                "hypervolume": volume,
                "box": [corner.tolist() for corner in box],
                "micro_batch": evaluator.micro_batch,
                "models": facts,
            },
        )
        front = search.archive
        snapshot = Snapshot(front, config.scores, first_scores, evaluator.preview)
        evaluations = done + len(latents)
        _tell(
            progress,
            Event("generation", generation, evaluations, len(front), volume, snapshot),
        )

    front, rescored = search.archive, None
    if config.precision == "fp32":
        images = evaluator.render(front.latents)
    else:
        _tell(progress, Event("rescoring", config.generations, config.evaluations, len(front)))
        front, images, rescored = _rescored(front, evaluator, box)
    _tell(progress, Event("writing", config.generations, config.evaluations, len(front)))
    run.finish(
        front,
        images,
        {
            "models": facts,
            "coverage": evaluator.coverage,
            "label_matched": evaluator.label_matched,
            "evaluations": config.evaluations,
            "box": [corner.tolist() for corner in box],
            "hypervolume": [entry["hypervolume"] for entry in run.journal],
            "rescored": rescored,
        },
    )
    _present(run, evaluator, _PRESENTED)


def _rescored(
    found: Archive, evaluator: Evaluator, box: list[np.ndarray]
) -> tuple[Archive, np.ndarray, dict[str, Any]]:
    """What a search in bf16 found, drawn and scored again in fp32: front, images, facts.

    Images that are then dominated, or not finite, leave the front.
    """
    images, scores = evaluator.render_and_score(found.latents)
    none = Archive.empty(found.latents.shape[1], scores.shape[1])
    front = extend(none, replace(found, scores=scores))
    finite = np.isfinite(scores).all(axis=1)
    change = np.abs(scores - found.scores)[finite].max(axis=0)
    names = [score.name for score in evaluator.scores]
    facts = {
        "left": len(found) - len(front),
        "largest_change": dict(zip(names, change.tolist(), strict=True)),
        "hypervolume": relative_hypervolume(front.scores, *box),
    }
    return front, images[np.isin(found.ids, front.ids)], facts


_PRESENTED = (
    "pareto.png",
    "contact_sheet.png",
    "before_after.png",
    "report.html",
    "pick/pick.json",
)
"""What ``_present`` writes; pick.json is the last file of its folder."""


def _present(run: RunDirectory, evaluator: Evaluator, names: tuple[str, ...] | list[str]) -> None:
    """The pictures that a person looks at first, and the balanced pick."""
    from evo_t2i.report.plots import pareto
    from evo_t2i.report.run_page import PAGE, report
    from evo_t2i.report.sheets import front_sheet

    finished = Run(run.path)
    picked = finished.rank()
    if "pareto.png" in names:
        pareto(run, run.path / "pareto.png", picked=picked.chosen)
    if "contact_sheet.png" in names:
        front_sheet(run, picked, run.path / "contact_sheet.png")
    if "before_after.png" in names:
        _before_after(run, finished, evaluator, picked)
    if PAGE in names:
        report(run, run.path / PAGE)
    if "pick/pick.json" in names:
        write_pick(finished, picked)


def _is_missing(file: Path) -> bool:
    """Whether ``_present`` has to write ``file``; a page from before the run's end is none."""
    from evo_t2i.report.run_page import is_live

    return not file.exists() or is_live(file)


def _before_after(run: RunDirectory, finished: Run, evaluator: Evaluator, picked: Pick) -> None:
    """A typical sample (the median of generation 0 in balanced value), its best, the pick."""
    from evo_t2i.report.sheets import before_after

    first = run.record(0)
    front = finished.arrays
    finite = np.isfinite(first.scores).all(axis=1)
    ranked = pick(first.scores, first.scores, front.score_names)
    best = ranked.chosen[0]
    rows = np.flatnonzero(finite)
    typical = int(rows[np.argsort(ranked.value[rows], kind="stable")[(len(rows) - 1) // 2]])
    before = evaluator.render(first.latents[[typical, best]])
    shown = np.concatenate([first.scores[[typical, best]], front.scores])
    z = pick(shown, first.scores, front.score_names)
    labels = [
        ["a typical sample", f"balanced value {z.value[0]:+.2f}"],
        [f"best of generation 0 ({len(first.scores)})", f"balanced value {z.value[1]:+.2f}"],
        [
            "evolved pick" if run.config.generations else "pick",
            f"balanced value {z.value[2 + picked.chosen[0]]:+.2f}",
        ],
    ]
    images = [before[0], before[1], front.image(picked.chosen[0])]
    before_after(images, labels, run.config.caption, run.path / "before_after.png")


def _models(evaluator: Evaluator) -> dict[str, str]:
    """Digest of every model that decides the result."""
    digests = {name: extractor.digest for name, extractor in evaluator.extractors.items()}
    return {"generator": evaluator.generator.digest, **digests}


def _tell(progress: Progress | None, event: Event) -> None:
    if progress is not None:
        progress(event)
