"""The page that tells the story: from a caption to a Pareto front of pictures.

caption → condition → latents → images → features → scores → survival → front → run directory
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from evo_t2i import registry
from evo_t2i.budget import Budget
from evo_t2i.config import RunConfig, configure
from evo_t2i.errors import RunDataError, UsageError
from evo_t2i.evaluate.evaluator import LOOK, Evaluator
from evo_t2i.evaluate.models import Models, environment, load, networks_of
from evo_t2i.evaluate.refine import refined
from evo_t2i.evaluate.screen import Screen
from evo_t2i.events import Announcer, Progress
from evo_t2i.looks import grouped, thumbnails
from evo_t2i.picking.methods import pick
from evo_t2i.picking.scale import rank_correlations, robust_scale
from evo_t2i.points import Points
from evo_t2i.present import NEED_MODELS, mend, missing, present, present_anew
from evo_t2i.presets import BUILTIN, with_preset
from evo_t2i.report.run_page import PAGE
from evo_t2i.run import Run, set_pick_aside
from evo_t2i.runs.directory import RunDirectory
from evo_t2i.runs.generations import GenerationFacts
from evo_t2i.runs.place import default_out, require_unused
from evo_t2i.search.archive import extend
from evo_t2i.search.generational import random_generator
from evo_t2i.search.hypervolume import Box
from evo_t2i.search.protocol import Search, takes


def sample(
    caption: str,
    *,
    out: Path | str | None = None,
    seed: int | None = None,
    preset: str = BUILTIN,
    progress: Progress | None = None,
    models: Models | None = None,
    **settings: Any,
) -> Run:
    """Evolve pictures for a caption and write them to a new run directory.

    ``out`` defaults to ``runs/<caption>-<seed>``, ``seed`` to a random one. ``preset`` is one of
    ``evo_t2i.presets.PRESETS``; ``settings`` go over it and are the other fields of RunConfig and
    ScorerModels (``population``, ``generations``, ``generator``, ``scores``, ``sampler``,
    ``options``, ``clip``, …), by the names of the command line. ``models`` are networks that
    ``evo_t2i.evaluate.models.load`` gave for such settings, so that many captions share them.
    Raises the errors of ``evo_t2i.errors``.

    ``progress`` hears an Event at every step, and can show pictures while the run goes on:

    >>> def show(event):
    ...     if event.snapshot is not None and event.generation % 10 == 0:
    ...         event.snapshot.best()[0].image.show()
    >>> run = evo_t2i.sample("a red bus", progress=show)  # doctest: +SKIP
    """
    config = configure(caption, seed=seed, **with_preset(preset, settings))
    directory = Path(out) if out is not None else default_out(config)
    require_unused(directory)
    announce = Announcer(config, progress)
    models, search = prepare(config, announce, models)
    with RunDirectory.create(directory, config) as run:
        _evolve(run, models, search, announce)
        return Run(directory, warnings=run.warnings)


def resume(
    path: Path | str,
    *,
    progress: Progress | None = None,
    models: Models | None = None,
    **budget: float,
) -> Run:
    """Go on with an unfinished run; the result equals that of an uninterrupted one.

    That holds bit for bit on the same machine, library versions and device. What is damaged in a
    finished run is made again; a person's own pick is left as it is. Sentences about what could not
    be done are in the result's ``warnings``. ``models`` as for ``sample``.

    ``budget`` are some of ``evo_t2i.config.BUDGETS`` in place of the run's own: with a larger one a
    run that is complete goes on as well, to what it would have come to with that budget from the
    beginning. A pick that a person made of the smaller front is set aside then. Raises UsageError
    for a budget that is used up already.
    """
    with RunDirectory.open(Path(path), writable=True) as run:
        if budget:
            _extend(run, budget)
        if run.finished and not run.damaged():
            mend(run)
            if needed := [name for name in NEED_MODELS if name in missing(run)]:
                _draw_again(run, needed, Announcer(run.config, progress))
        else:
            run.require_models_here()
            announce = Announcer(run.config, progress)
            models, search = prepare(run.config, announce, models)
            _evolve(run, models, search, announce)
        return Run(path, warnings=run.warnings)


def prepare(
    config: RunConfig, announce: Announcer, models: Models | None = None
) -> tuple[Models, Search]:
    """Load the models, unless they are here, and set up the search; everything that can be refused
    is refused here."""
    announce.loading()
    registry.load("sampler", config.sampler)  # refuses an unknown one before the models load
    if models is None:
        models = load(config)
    elif models.networks != networks_of(config):
        raise UsageError(
            f"`models` were loaded for {models.networks or 'no configuration'}, and this run asks "
            f"for {networks_of(config)}; pass those that `load` gives for its configuration."
        )
    return models, search_of(config, models)


def search_of(config: RunConfig, models: Models) -> Search:
    """The search that ``config`` names, over the latents of the models' generator."""
    shape = {}
    if takes(registry.load("sampler", config.sampler), "latent_shape"):
        shape = {"latent_shape": tuple(models.generator.latent_shape)}
    search: Search = registry.make(
        "sampler",
        config.sampler,
        options=config.options,
        sample=models.prior,
        dimensions=models.dimensions,
        objectives=len(config.scores),
        config=replace(config, offspring=config.drafts, screen=1),
        **shape,
    )
    return search


def told(
    search: Search,
    latents: np.ndarray,
    scoring: Evaluator | Screen,
    progress: Callable[[int], None] | None = None,
) -> Points:
    """Score the latents that ``search`` asked, and tell it what it wants to know."""
    wanted = wants_of(search)
    scores, described = scoring.score_and_describe(latents, wanted, progress)
    if wanted:
        return search.tell(latents, scores, described)  # type: ignore[call-arg]
    return search.tell(latents, scores)


def wants_of(search: Search) -> frozenset[str]:
    """What ``search`` has to know of pictures beside their scores."""
    return getattr(search, "wants", frozenset())


def _extend(run: RunDirectory, budget: Mapping[str, float]) -> None:
    """Give the run another budget, and set a person's pick aside where a complete one goes on."""
    config = run.config.with_budget(**budget)
    done = len(run.journal) - 1
    if config.last_generation < done:
        raise UsageError(
            f"Generation {done} of {run.path} is done, and the budget ends with generation "
            f"{config.last_generation}; give a larger one, or start a new run."
        )
    if run.finished and (config == run.config or config.last_generation == done):
        return
    if run.finished:
        set_pick_aside(run)
    run.rebudget(config)


def _evolve(run: RunDirectory, models: Models, search: Search, announce: Announcer) -> None:
    """Generation after generation until the front can be written."""
    config = run.config
    evaluator = models.for_caption(config.caption, config.micro_batch)
    screen = Screen.of(config, models, evaluator)
    surroundings = environment(models.device, models.precision)
    run.check_environment(surroundings)
    evaluator.scorer.require_features(wants_of(search) - {LOOK})
    budget = Budget(config, made=len(run.journal) if run.finished else None)
    doubts = models.doubts(config.caption)
    first = _go_on(run, models, evaluator, search)
    if first is None:
        announce.doubting(doubts)
    volumes = [facts.hypervolume for facts in run.all_facts()[: search.generation]]
    while not budget.used_up(volumes):
        generation = search.generation
        latents = search.ask()
        if config.refine and first is not None:
            rng = random_generator(config.seed, generation, step=2)
            latents = refined(latents, config.refine, evaluator, robust_scale(first.scores)[1], rng)
        scoring = evaluator if screen is None or generation == 0 else screen
        points = told(search, latents, scoring, announce.scoring(generation))
        first = points if first is None else first
        box = Box.around(first.scores)
        volumes.append(box.volume(search.archive.scores))
        facts = GenerationFacts(
            evaluations=config.evaluated(generation),
            front=search.archive.led,
            hypervolume=volumes[-1],
            box=(box.reference, box.best),
            micro_batch=evaluator.batches.size,
            models=models.digests,
            environment=surroundings,
        )
        run.commit(points, search.state(), facts)
        announce.committed(generation, search.archive, volumes[-1], first.scores, evaluator.glance)
    assert first is not None
    run.warnings.extend(getattr(search, "notes", ()))
    _finish(run, models, evaluator, screen, search.archive, first, doubts, announce)


def _go_on(
    run: RunDirectory, models: Models, evaluator: Evaluator, search: Search
) -> Points | None:
    """Put ``search`` where the run stands; generation 0, or None where there is none yet."""
    if run.journal and run.facts_of(0).models != models.digests:
        raise RunDataError(
            f"{run.path} was begun with other models than are installed now; restore them, or "
            "start a new run with `evo-t2i sample`."
        )
    last = run.last()
    if last is None:
        return None
    generation, state = last
    search.restore(state)
    evaluator.batches.size = run.facts_of(generation).micro_batch
    return run.record(0)


def _finish(
    run: RunDirectory,
    models: Models,
    evaluator: Evaluator,
    screen: Screen | None,
    front: Points,
    first: Points,
    doubts: list[str],
    announce: Announcer,
) -> None:
    """Draw the front, write it, and complete the run. ``first`` is generation 0."""
    config, rescored, box = run.config, None, Box.around(first.scores)
    volumes = [facts.hypervolume for facts in run.all_facts()]
    last = len(volumes) - 1
    if evaluator.is_exact:
        images = evaluator.render(front.latents)
    else:
        announce.ending("rescoring", front, last)
        front, images, rescored = _rescored(front, evaluator, box)
    announce.ending("writing", front, last)
    best_first = pick(front.scores, first.scores, config.scores).ranking
    looks = grouped(thumbnails(images), best_first)
    run.finish(
        front,
        images,
        {
            "models": models.digests,
            **evaluator.scorer.label_facts,
            "unread": evaluator.unread,
            "doubts": doubts,
            "evaluations": config.evaluated(last),
            "ended_by": Budget(config).reason(volumes),
            "looks": int(looks.max(initial=0)),
            "box": [box.reference, box.best],
            "hypervolume": volumes,
            "rescored": rescored,
            "screened": screen.facts(front, last) if screen else None,
        },
        looks,
    )
    present_anew(run, evaluator.render)


def _rescored(
    found: Points, evaluator: Evaluator, box: Box
) -> tuple[Points, np.ndarray, dict[str, Any]]:
    """What a search in bf16 or by previews found, drawn and scored again in fp32 and at full size:
    front, images, facts.

    Images that are then dominated, or not finite, leave the front; what an archive held that was
    dominated before stays beside it.
    """
    images, scores = evaluator.render_and_score(found.latents)
    finite = np.isfinite(scores).all(axis=1)
    again = replace(found, scores=scores)
    led = np.isin(found.ids, extend(found[:0], found).ids)
    leads = np.isin(found.ids, extend(found[:0], again[led]).ids)
    kept = leads | (~led & finite)
    front = again[kept]
    change = np.abs(scores - found.scores)[finite].max(axis=0)
    names = evaluator.scorer.names
    facts = {
        "precision": evaluator.precision,
        "previews": evaluator.preview is not None,
        "left": int(len(found) - len(front)),
        "rank_correlation": rank_correlations(found.scores, scores, names),
        "largest_change": dict(zip(names, change.tolist(), strict=True)),
        "hypervolume": box.volume(front.scores),
    }
    return front, images[kept], facts


def _draw_again(run: RunDirectory, names: list[str], announce: Announcer) -> None:
    """Draw what needs the models, unless another generator is here than was then."""
    run.require_models_here()
    models, _ = prepare(run.config, announce)
    if models.generator.digest == run.facts_of(0).models.get("generator"):
        evaluator = models.for_caption(run.config.caption, run.config.micro_batch)
        present(run, [*names, PAGE], evaluator.render)
    else:
        run.warnings.append(
            f"{', '.join(str(run.path / name) for name in names)} was not drawn: the generator is "
            "another one than the run's and would draw other pictures; put the run's own back and "
            "resume again."
        )
