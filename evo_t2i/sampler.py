"""The page that tells the story: from a caption to a Pareto front of pictures.

caption → condition → latents → images → features → scores → survival → front → run directory
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
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
from evo_t2i.points import Points
from evo_t2i.present import BEFORE_AFTER, mend, missing, present, present_anew
from evo_t2i.presets import BUILTIN, with_preset
from evo_t2i.run import Run
from evo_t2i.runs.directory import RunDirectory
from evo_t2i.runs.generations import GenerationFacts
from evo_t2i.runs.place import default_out, require_unused
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
        return Run(directory, warnings=run.warnings)


def resume(path: Path | str, *, progress: Progress | None = None) -> Run:
    """Go on with an unfinished run; the result equals that of an uninterrupted one.

    That holds bit for bit on the same machine, library versions and device. What is damaged in a
    finished run is made again; a person's own pick is left as it is. Sentences about what could not
    be done are in the result's ``warnings``.
    """
    with RunDirectory.open(Path(path), writable=True) as run:
        if run.finished and not run.damaged():
            mend(run)
            if BEFORE_AFTER in missing(run):
                _draw_before_after(run, progress)
        else:
            run.require_models_here()
            evaluator, search = build(run.config, progress)
            _evolve(run, evaluator, search, progress)
        return Run(path, warnings=run.warnings)


def _draw_before_after(run: RunDirectory, progress: Progress | None) -> None:
    """Draw the one figure that needs the models, unless another generator is here than was then."""
    run.require_models_here()
    evaluator, _ = build(run.config, progress)
    if evaluator.generator.digest == run.facts_of(0).models.get("generator"):
        present(run, [BEFORE_AFTER], evaluator.render)
    else:
        run.warnings.append(
            f"{run.path / BEFORE_AFTER} was not drawn: the generator is another one than the run's "
            "and would draw other pictures; put the run's own back and resume again."
        )


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
    environment = _environment()
    run.check_environment(environment)
    last = run.last()
    if last is not None:
        search.restore(last[1])
    facts = _models(evaluator)
    started = run.facts_of(0) if run.journal else None
    if started is not None and started.models != facts:
        raise RunDataError(
            f"{run.path} was begun with other models than are installed now; restore them, or "
            "start a new run with `evo-t2i sample`."
        )
    if last is not None:
        evaluator.micro_batch = run.facts_of(last[0]).micro_batch
    box = [np.array(corner) for corner in run.facts_of(0).box] if last is not None else []
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
        points = Points(
            latents=latents,
            scores=scores,
            ids=np.arange(first_id, first_id + len(latents), dtype=np.int64),
            parents=parents,
            generations=np.full(len(latents), generation, dtype=np.int64),
        )
        reference, best = (tuple(corner.tolist()) for corner in box)
        generation_facts = GenerationFacts(
            evaluations=done + len(latents),
            front=len(search.archive),
            hypervolume=volume,
            box=(reference, best),
            micro_batch=evaluator.micro_batch,
            models=facts,
            environment=environment,
        )
        run.commit(points, search.state(), generation_facts)
        front = _points(search.archive)
        snapshot = Snapshot(front, config.scores, first_scores, evaluator.preview)
        evaluations = done + len(latents)
        _tell(
            progress,
            Event("generation", generation, evaluations, len(front), volume, snapshot),
        )

    front, rescored = _points(search.archive), None
    if config.precision == "fp32":
        images = evaluator.render(front.latents)
    else:
        _tell(progress, Event("rescoring", config.generations, config.evaluations, len(front)))
        front, images, rescored = _rescored(search.archive, evaluator, box)
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
            "hypervolume": [one.hypervolume for one in run.all_facts()],
            "rescored": rescored,
        },
    )
    present_anew(run, evaluator.render)


def _rescored(
    found: Archive, evaluator: Evaluator, box: list[np.ndarray]
) -> tuple[Points, np.ndarray, dict[str, Any]]:
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
    return _points(front), images[np.isin(found.ids, front.ids)], facts


def _points(found: Archive) -> Points:
    return Points(found.latents, found.scores, found.ids, found.parents, found.generations)


def _environment() -> dict[str, str | int]:
    """What beside the models and the configuration can change the last bits of a score."""
    import torch

    packages = ("torch", "numpy", "pymoo", "moocore")
    return {
        "threads": torch.get_num_threads(),
        **{package: version(package) for package in packages},
    }


def _models(evaluator: Evaluator) -> dict[str, str]:
    """Digest of every model that decides the result."""
    digests = {name: extractor.digest for name, extractor in evaluator.extractors.items()}
    return {"generator": evaluator.generator.digest, **digests}


def _tell(progress: Progress | None, event: Event) -> None:
    if progress is not None:
        progress(event)
