"""`evo-t2i sample`: from a caption to a Pareto front of pictures."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from evo_t2i.cli.arguments import require_installed, score_names
from evo_t2i.cli.commands.evolving import evolve, print_summary
from evo_t2i.cli.scorers import ClassifierOption, ClipOption, EmbedderOption, PresetOption
from evo_t2i.cli.terminal.live import LIVE_HELP, checked_live
from evo_t2i.cli.terminal.output import print_facts, print_json, say
from evo_t2i.config import DEFAULT_SCORES, RunConfig, ScoreOptions, configure
from evo_t2i.presets import BUILTIN, with_preset
from evo_t2i.registry import split_argument

FORMULAS = "Score formulas"
MACHINE = "Machine and output"


def sample(
    caption: Annotated[
        str, typer.Argument(metavar="CAPTION", help="What the picture shows, in plain English.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="New folder for the run.", show_default="runs/CAPTION-SEED"),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Same seed, same pictures.", show_default="random")
    ] = None,
    population: Annotated[
        int, typer.Option(help="Images in generation 0, and parents kept after it.")
    ] = RunConfig.population,
    offspring: Annotated[
        int, typer.Option(help="New images in each later generation.")
    ] = RunConfig.offspring,
    generations: Annotated[
        int, typer.Option(help="Generations after generation 0.")
    ] = RunConfig.generations,
    preset: PresetOption = BUILTIN,
    generator: Annotated[
        str | None,
        typer.Option(
            help="Name, or name:argument; see `list generators`.", show_default="by preset"
        ),
    ] = None,
    scores: Annotated[
        str, typer.Option(help="What to maximise, separated by commas; see `list scores`.")
    ] = ",".join(DEFAULT_SCORES),
    sampler: Annotated[
        str, typer.Option(help="The search; see `list samplers`.")
    ] = RunConfig.sampler,
    operators: Annotated[
        str, typer.Option(help="How offspring are made: uniform-pcn or sbx-pm.")
    ] = RunConfig.operators,
    survival: Annotated[
        str, typer.Option(help="Who survives: reference, mnn or crowding.")
    ] = RunConfig.survival,
    temperature: Annotated[
        float, typer.Option(help="Divides the classifier's logits.", rich_help_panel=FORMULAS)
    ] = ScoreOptions.temperature,
    image_real: Annotated[
        str, typer.Option(help="max, entropy or energy.", rich_help_panel=FORMULAS)
    ] = ScoreOptions.image_real,
    region_sharpness: Annotated[
        float,
        typer.Option(help="How strongly a word attends to a region.", rich_help_panel=FORMULAS),
    ] = ScoreOptions.region_sharpness,
    word_sharpness: Annotated[
        float,
        typer.Option(help="How strongly the best word dominates.", rich_help_panel=FORMULAS),
    ] = ScoreOptions.word_sharpness,
    region_temperature: Annotated[
        float, typer.Option(help="Divides region_word.", rich_help_panel=FORMULAS)
    ] = ScoreOptions.region_temperature,
    top_labels: Annotated[
        int, typer.Option(help="Labels that word_label weighs.", rich_help_panel=FORMULAS)
    ] = ScoreOptions.top_labels,
    word_label_text: Annotated[
        str | None,
        typer.Option(
            help="words or caption: what labels match.",
            show_default="by preset",
            rich_help_panel=FORMULAS,
        ),
    ] = None,
    clip: ClipOption = None,
    classifier: ClassifierOption = None,
    embedder: EmbedderOption = None,
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda or mps.", rich_help_panel=MACHINE)
    ] = RunConfig.device,
    micro_batch: Annotated[
        int, typer.Option(help="Images at once; 0 is automatic.", rich_help_panel=MACHINE)
    ] = RunConfig.micro_batch,
    live: Annotated[
        str | None,
        typer.Option(metavar="WHERE", help=LIVE_HELP, rich_help_panel=MACHINE),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="Of the search's networks: fp32 or bf16.",
            show_default="by preset",
            rich_help_panel=MACHINE,
        ),
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="One JSON object on stdout.", rich_help_panel=MACHINE)
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Say what would be done; do nothing.", rich_help_panel=MACHINE
        ),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress.", rich_help_panel=MACHINE)
    ] = False,
) -> None:
    """Evolve pictures for CAPTION and pick the best.

    \b
    evo-t2i sample "skyline at sunset." --generations 50
    evo-t2i sample "a red bus" --scores text_image,region_word --seed 7
    evo-t2i sample "a red bus" --preset paper --generator lafite:coco.pkl

    A caption that begins with a dash comes last, after a double dash: evo-t2i sample -- "-rf"
    """
    from evo_t2i.runs.directory import default_out, require_unused
    from evo_t2i.search.base import OPERATORS, SURVIVALS, check_choice

    given = {
        "generator": generator,
        "word_label_text": word_label_text,
        "clip": clip,
        "classifier": classifier,
        "embedder": embedder,
        "precision": precision,
    }
    config = configure(
        caption,
        seed=seed,
        population=population,
        offspring=offspring,
        generations=generations,
        scores=score_names(scores),
        sampler=sampler,
        operators=operators,
        survival=survival,
        device=device,
        micro_batch=micro_batch,
        temperature=temperature,
        image_real=image_real,
        region_sharpness=region_sharpness,
        word_sharpness=word_sharpness,
        region_temperature=region_temperature,
        top_labels=top_labels,
        **with_preset(preset, {name: value for name, value in given.items() if value is not None}),
    )
    require_installed("generator", split_argument(config.generator)[0])
    require_installed("sampler", sampler)
    check_choice("--operators", operators, OPERATORS)
    check_choice("--survival", survival, SURVIVALS)
    where = checked_live(live, quiet=quiet)
    directory = default_out(config) if out is None else out
    require_unused(directory)
    if dry_run:
        _print_plan(config, directory, json_output=json_output)
        return
    if not quiet:
        say(f"{caption} · seed {config.seed} · {config.evaluations:,} images · {directory}")
    options = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}

    def call(progress: Any) -> Any:
        from evo_t2i import sampler as sampling

        return sampling.sample(out=directory, progress=progress, **options)

    facts = evolve(directory, config, call, quiet=quiet, live=where)
    print_json(facts) if json_output else print_summary(facts)


def _print_plan(config: RunConfig, directory: Path, *, json_output: bool) -> None:
    values = dataclasses.asdict(config)
    if json_output:
        print_json({"run": str(directory), "evaluations": config.evaluations, "config": values})
        return
    formulas = values.pop("score_options") | values.pop("scorer_models")
    values["scores"] = ",".join(config.scores)
    values["micro_batch"] = config.micro_batch or "automatic"
    print_facts(
        [
            ("run", f"{directory} (nothing was written)"),
            ("evaluations", f"{config.evaluations:,}"),
            *((name, str(value)) for name, value in (values | formulas).items()),
        ]
    )
