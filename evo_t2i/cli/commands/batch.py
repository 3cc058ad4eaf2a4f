"""`evo-t2i batch`: many captions, each to its own run, with tables and a gallery over all."""

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evo_t2i.cli.arguments import PluginOptions, home_expanded, plugin_options
from evo_t2i.cli.fields import takes_fields
from evo_t2i.cli.scorers import PRESET_FIELDS, PresetOption
from evo_t2i.cli.terminal.batch_progress import BatchView, batch_display
from evo_t2i.cli.terminal.output import print_facts, print_json, print_table, say
from evo_t2i.cli.terminal.silence import libraries_silenced
from evo_t2i.cli.terminal.stop import Stopped
from evo_t2i.config import MACHINE, RunConfig, ScorerModels
from evo_t2i.errors import EvoError, UsageError, near_miss
from evo_t2i.presets import BUILTIN

if TYPE_CHECKING:
    from evo_t2i.batch.jobs import Jobs
    from evo_t2i.batch.run import Begin, Engine, Summary
    from evo_t2i.batch.shards import Shard

STDIN = "-"
MOST_FAULTS = 20
"""Bad lines that are shown."""
OUTPUTS = "Tables and data sets"


@takes_fields(ScorerModels, RunConfig, by_preset=PRESET_FIELDS)
def batch(
    prompts: Annotated[
        str,
        typer.Argument(metavar="FILE", help="txt, csv, tsv or jsonl; - reads standard input."),
    ],
    out: Annotated[
        Path, typer.Option(help="Folder of the batch, new or begun.", callback=home_expanded)
    ],
    options: PluginOptions = None,
    preset: PresetOption = BUILTIN,
    seed: Annotated[
        int, typer.Option(help="The captions' own seeds follow from it and from their ids.")
    ] = 0,
    form: Annotated[
        str | None,
        typer.Option("--format", help="txt, csv, tsv or jsonl.", show_default="by the suffix"),
    ] = None,
    expand: Annotated[
        bool, typer.Option("--expand", help="A caption for each choice of {a|b}.")
    ] = False,
    engine: Annotated[
        str,
        typer.Option(
            help="local (a process a device), loop (this process), or ray.",
            rich_help_panel=MACHINE,
        ),
    ] = "local",
    workers: Annotated[
        int, typer.Option(help="Of local and ray; 0 is one a device.", rich_help_panel=MACHINE)
    ] = 0,
    shard: Annotated[
        str,
        typer.Option(
            metavar="i/n",
            help="This process's part; auto asks torchrun, Slurm or Cloud Run.",
            rich_help_panel=MACHINE,
        ),
    ] = "1/1",
    top_k: Annotated[
        int | None,
        typer.Option(
            help="Picks of each caption.",
            show_default="what lies in its pick",
            rich_help_panel=OUTPUTS,
        ),
    ] = None,
    parquet: Annotated[
        bool, typer.Option("--parquet", help="The tables as Parquet too.", rich_help_panel=OUTPUTS)
    ] = False,
    webdataset: Annotated[
        bool,
        typer.Option("--webdataset", help="The picks as tar files too.", rich_help_panel=OUTPUTS),
    ] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="One JSON object on stdout.", rich_help_panel=MACHINE)
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Check every line; do nothing.", rich_help_panel=MACHINE),
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress.", rich_help_panel=MACHINE)
    ] = False,
    **fields: Any,
) -> None:
    """Evolve pictures for every caption of FILE; the same command again goes on where it stopped.

    \b
    evo-t2i batch captions.txt --out birds --generations 30
    evo-t2i batch captions.csv --out birds --shard auto
    evo-t2i batch PartiPrompts.tsv --out parti --webdataset

    A line of a txt is a caption. Columns of a csv and keys of a jsonl are id, caption, seed,
    category and every option of `sample`, as generations or nsga2.survival; only caption is needed.
    """
    from evo_t2i.batch.shards import read_shard

    jobs = _read(prompts, form, expand=expand, seed=seed, preset=preset, settings={
        **fields, **({"options": given} if (given := plugin_options(options)) else {})
    })  # fmt: skip
    part = read_shard(shard, os.environ)
    if dry_run:
        _print_plan(jobs, part, out, json_output=json_output)
        return
    view = BatchView()
    try:
        with libraries_silenced(), batch_display(view, quiet=quiet) as tell:
            from evo_t2i.batch.outputs import Outputs
            from evo_t2i.batch.run import run_batch

            def begin(there: "Begin") -> None:
                view.begun(there.captions, there.finished)
                if not quiet:
                    say(_what_is_there(there, jobs, part, out))

            summary = run_batch(
                jobs,
                out,
                _engine(engine, workers),
                shard=part,
                outputs=Outputs(top_k, parquet, webdataset),
                title=out.resolve().name,
                begin=begin,
                tell=tell,
            )
    except Stopped as stopped:
        stopped.message = (
            f"Stopped; {view.finished:,} of {view.captions:,} captions are finished, "
            f"{view.left:,} are left. The same command goes on."
        )
        raise
    _print_json(summary, out) if json_output else _print_summary(summary, out, part)
    if summary.failed:
        raise EvoError(
            f"{summary.failed:,} of {summary.captions:,} captions failed; see "
            f"{out / 'failed.jsonl' if summary.files else out / 'parts'}, and give the same "
            "command again to try them once more."
        )


def _read(prompts: str, form: str | None, **more: Any) -> "Jobs":
    """The jobs of the file; every bad line is said before the error that ends the command."""
    from evo_t2i.batch.jobs import BadLinesError, read_jobs
    from evo_t2i.batch.rows import FORMS, form_of, form_of_stream

    if form is not None and form not in FORMS:
        raise UsageError(f"There is no format {form!r}; {near_miss(form, FORMS)}")
    if prompts == STDIN:
        name, data = "standard input", sys.stdin.buffer.read()
        form = form or form_of_stream(data)
    else:
        file = home_expanded(prompts)
        name, form = str(file), form or form_of(file)
        try:
            data = file.read_bytes()
        except OSError as error:
            raise UsageError(
                f"{file} cannot be read ({error.strerror}); give a file of captions, or - for "
                "standard input."
            ) from error
    try:
        return read_jobs(data, form, name=name, **more)
    except BadLinesError as error:
        if len(error.faults) > 1:
            for fault in error.faults[:MOST_FAULTS]:
                say(fault)
            if len(error.faults) > MOST_FAULTS:
                say(f"… and {len(error.faults) - MOST_FAULTS:,} more.")
        raise


def _engine(name: str, workers: int) -> "Engine":
    from evo_t2i.batch.devices import shares
    from evo_t2i.batch.run import ENGINES, local_engine

    if name not in ENGINES:
        raise UsageError(f"There is no engine {name!r}; {near_miss(name, ENGINES)}")
    if name == "loop":
        from evo_t2i.batch import loop

        return loop.carry_out
    parts = shares(workers, os.environ)
    if name == "local":
        return local_engine(parts, libraries_silenced)
    from evo_t2i.batch import actors

    return partial(actors.carry_out, workers=workers, threads=parts[0].threads)


def _what_is_there(there: "Begin", jobs: "Jobs", part: "Shard", out: Path) -> str:
    parts = [jobs.prompt_set] if jobs.prompt_set else []
    parts.append(f"{there.captions:,} captions" + (f" of part {part}" if part.count > 1 else ""))
    if there.finished:
        parts.append(f"{there.finished:,} finished")
    if there.begun:
        parts.append(f"{there.begun:,} begun")
    left = there.captions - there.finished
    parts.append(f"{left:,} left with {there.images:,} images" if left else "nothing left")
    return " · ".join([*parts, str(out)])


def _print_plan(jobs: "Jobs", part: "Shard", out: Path, *, json_output: bool) -> None:
    own = part.of(jobs.jobs)
    images = sum(job.config.evaluations for job in own)
    if json_output:
        asked = [
            {"id": job.id, "caption": job.config.caption, "seed": job.config.seed} for job in own
        ]
        print_json({"out": str(out), "captions": len(own), "evaluations": images, "jobs": asked})
        return
    print_facts(
        [
            ("batch", f"{out} (nothing was written)"),
            ("captions", f"{len(own):,}" + (f", part {part}" if part.count > 1 else "")),
            ("evaluations", f"{images:,}"),
        ]
    )
    print()
    rows = [[job.id, str(job.config.seed), job.config.caption] for job in own]
    print_table(["id", "seed", "caption"], rows)


def _print_json(summary: "Summary", out: Path) -> None:
    print_json(
        {
            "batch": str(out),
            "captions": summary.captions,
            "finished": summary.finished,
            "failed": summary.failed,
            "files": [str(file) for file in summary.files],
        }
    )


def _print_summary(summary: "Summary", out: Path, part: "Shard") -> None:
    facts = [
        ("batch", str(out)),
        ("captions", f"{summary.finished:,} of {summary.captions:,} finished"),
    ]
    if summary.memory:
        held = f"{summary.memory / 2**20:,.0f} MiB at most in one worker"
        facts.append(("memory", f"{held}, models loaded {_times(summary.loads)}"))
    if summary.files:
        gallery, *tables = summary.files
        facts += [("gallery", str(gallery)), ("tables", ", ".join(file.name for file in tables))]
    else:
        facts.append(("tables", f"when the other parts of {part.count} have come to their end"))
    print_facts(facts)
    if summary.files and (categories := out / "categories.csv") in summary.files:
        import csv

        with categories.open(newline="", encoding="utf-8") as file:
            header, *rows = csv.reader(file)
        print()
        print_table(header, rows)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
