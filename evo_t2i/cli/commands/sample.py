"""`evo-t2i sample`: from a caption to a Pareto front of pictures."""

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from evo_t2i.cli.arguments import (
    PluginOptions,
    home_expanded,
    plugin_options,
    require_installed,
    score_names,
)
from evo_t2i.cli.commands.evolving import evolve, print_summary
from evo_t2i.cli.engines import EngineOption, WorkersOption, check_engine, models_on
from evo_t2i.cli.fields import takes_fields
from evo_t2i.cli.scorers import PRESET_FIELDS, PresetOption
from evo_t2i.cli.terminal.live import LIVE_HELP, checked_live
from evo_t2i.cli.terminal.output import print_facts, print_json, say
from evo_t2i.config import MACHINE, RunConfig, ScorerModels, configure
from evo_t2i.presets import BUILTIN, with_preset
from evo_t2i.registry import split_argument


@takes_fields(ScorerModels, RunConfig, by_preset=PRESET_FIELDS)
def sample(
    caption: Annotated[
        str, typer.Argument(metavar="CAPTION", help="What the picture shows, in plain English.")
    ],
    options: PluginOptions = None,
    preset: PresetOption = BUILTIN,
    seed: Annotated[
        int | None, typer.Option(help="Same seed, same pictures.", show_default="random")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="New folder for the run.",
            show_default="runs/CAPTION-SEED",
            callback=home_expanded,
        ),
    ] = None,
    live: Annotated[
        str | None,
        typer.Option(metavar="WHERE", help=LIVE_HELP, rich_help_panel=MACHINE),
    ] = None,
    engine: EngineOption = None,
    workers: WorkersOption = 0,
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
    **fields: Any,
) -> None:
    """Evolve pictures for CAPTION and pick the best.

    \b
    evo-t2i sample "skyline at sunset." --generations 50
    evo-t2i sample "a red bus" --scores text_image,region_word --seed 7
    evo-t2i sample "a red bus" -o nsga2.survival=mnn -o image_real.form=entropy
    evo-t2i sample "a red bus" --preset paper --generator lafite:coco.pkl

    A caption that begins with a dash comes last, after a double dash: evo-t2i sample -- "-rf"
    """
    from evo_t2i.runs.place import default_out, require_unused

    if "generator" in fields:
        require_installed("generator", split_argument(fields["generator"])[0])
    if "sampler" in fields:
        require_installed("sampler", fields["sampler"])
    if "scores" in fields:
        fields["scores"] = score_names(fields["scores"])
    if given := plugin_options(options):
        fields["options"] = given
    config = configure(caption, seed=seed, **with_preset(preset, fields))
    check_engine(engine)
    where = checked_live(live, quiet=quiet)
    directory = default_out(config) if out is None else out
    require_unused(directory)
    if dry_run:
        _print_plan(config, directory, json_output=json_output)
        return
    if not quiet:
        say(f"{caption} · seed {config.seed} · {config.evaluations:,} images · {directory}")

    def call(progress: Any) -> Any:
        from evo_t2i import sampler as sampling

        every = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
        with models_on(engine, workers, config) as models:
            return sampling.sample(out=directory, progress=progress, models=models, **every)

    facts = evolve(directory, config, call, quiet=quiet, live=where)
    print_json(facts) if json_output else print_summary(facts)


def _print_plan(config: RunConfig, directory: Path, *, json_output: bool) -> None:
    values = dataclasses.asdict(config)
    if json_output:
        print_json({"run": str(directory), "evaluations": config.evaluations, "config": values})
        return
    options = values.pop("options")
    values |= values.pop("scorer_models")
    values["scores"] = ",".join(config.scores)
    values["micro_batch"] = config.micro_batch or "automatic"
    print_facts(
        [
            ("run", f"{directory} (nothing was written)"),
            ("evaluations", f"{config.evaluations:,}"),
            *((name, str(value)) for name, value in values.items()),
            *(
                (f"{name}.{key}", str(value))
                for name, given in options.items()
                for key, value in given.items()
            ),
        ]
    )
