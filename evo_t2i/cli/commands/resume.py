"""`evo-t2i resume`: go on with a run that was stopped."""

from pathlib import Path
from typing import Annotated, Any

import typer

from evo_t2i.cli.arguments import run_folder
from evo_t2i.cli.commands.evolving import evolve, print_summary
from evo_t2i.cli.engines import EngineOption, WorkersOption, check_engine, models_on
from evo_t2i.cli.terminal.live import LIVE_HELP, checked_live
from evo_t2i.cli.terminal.output import print_json, say


def resume(
    run: Annotated[
        Path,
        typer.Argument(metavar="RUN", help="Folder of the run, or latest.", callback=run_folder),
    ],
    live: Annotated[
        str | None,
        typer.Option(metavar="WHERE", help=LIVE_HELP),
    ] = None,
    generations: Annotated[
        int | None, typer.Option(help="Another number of generations than the run's own.")
    ] = None,
    max_evaluations: Annotated[
        int | None, typer.Option(help="Another limit of images; 0 is none.")
    ] = None,
    max_minutes: Annotated[
        float | None, typer.Option(help="Minutes from now on; 0 is no limit.")
    ] = None,
    stall: Annotated[
        int | None,
        typer.Option(help="Generations without growth after which to stop; 0 is never."),
    ] = None,
    engine: EngineOption = None,
    workers: WorkersOption = 0,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Go on with RUN to its end: the result equals that of an uninterrupted run.

    \b
    evo-t2i resume runs/skyline-at-sunset-7
    evo-t2i resume runs/skyline-at-sunset-7 --generations 100

    With a larger budget a run that is complete goes on, too.
    """
    given = {
        "generations": generations,
        "max_evaluations": max_evaluations,
        "max_minutes": max_minutes,
        "stall": stall,
    }
    budget = {name: value for name, value in given.items() if value is not None}
    from evo_t2i.runs.directory import RunDirectory

    check_engine(engine)
    where = checked_live(live, quiet=quiet)
    with RunDirectory.open(run) as directory:
        config = directory.config
        last = directory.last()
        if not quiet:
            for warning in directory.warnings:
                say(warning)
            place = "the start" if last is None else f"generation {last[0]}"
            whole = directory.finished and not directory.damaged() and not budget
            state = "complete" if whole else f"going on from {place}"
            say(f"{config.caption} · seed {config.seed} · {run} · {state}")

    def call(progress: Any) -> Any:
        from evo_t2i import sampler as sampling

        with models_on(engine, workers, config) as models:
            return sampling.resume(run, progress=progress, models=models, **budget)

    config = config.with_budget(**budget)
    facts = evolve(run, config, call, quiet=quiet, live=where)
    print_json(facts) if json_output else print_summary(facts)
