"""`evo-t2i compare`: several runs for one caption, or one with and without a score."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evo_t2i.cli.arguments import home_expanded, run_folder
from evo_t2i.cli.terminal.output import print_facts, print_json, print_table, say, shown
from evo_t2i.cli.terminal.silence import libraries_silenced
from evo_t2i.errors import UsageError

if TYPE_CHECKING:
    from evo_t2i.comparison import Comparison


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Folders of finished runs.", callback=run_folder),
    ],
    dropped: Annotated[
        list[str] | None,
        typer.Option(
            "--drop-score",
            metavar="NAME",
            help="Compare one run with its own selection without this score; repeatable.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for comparison.html, comparison.png and comparison.json.",
            show_default="none",
            callback=home_expanded,
        ),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Compare the fronts and picks of runs for one caption, on the scores that all of them have.

    \b
    evo-t2i compare runs/skyline-at-sunset-7 runs/skyline-at-sunset-8 --out comparison
    evo-t2i compare runs/skyline-at-sunset-7 --drop-score word_label

    Hypervolume counts in boxes of all the runs' generations 0 together.
    """
    from evo_t2i.compare import compare_runs, comparison_json, drop_scores
    from evo_t2i.run import Run
    from evo_t2i.runs.atomic import make_directory, write_bytes

    if dropped and len(runs) > 1:
        raise UsageError("--drop-score looks into one run; give one, or leave the option out.")
    opened = [Run(run) for run in runs]
    comparison = drop_scores(opened[0], dropped) if dropped else compare_runs(opened)
    table = comparison_json(comparison)
    files: list[Path] = []
    if out is not None:
        with libraries_silenced():
            from evo_t2i.report.comparison_figure import comparison_figure
            from evo_t2i.report.comparison_page import comparison_html
            from evo_t2i.report.style import title_note

            parts = {
                "comparison.html": comparison_html(comparison),
                "comparison.png": comparison_figure(comparison),
            }
        if note := title_note(comparison.caption):
            say(note)
        make_directory(out)
        text = json.dumps(table, indent=2, ensure_ascii=False) + "\n"
        parts["comparison.json"] = text.encode()
        for name, data in parts.items():
            files.append(out / name)
            write_bytes(files[-1], data)
    if json_output:
        print_json({**table, "files": [str(file) for file in files]})
        return
    _print_tables(comparison)
    for number, file in enumerate(files):
        print(("" if number else "\n") + shown(file))


def _print_tables(comparison: "Comparison") -> None:
    """Facts, one line an entrant, and who covers whom."""
    names, entrants = comparison.names, comparison.entrants
    print_facts(
        [
            ("caption", comparison.caption),
            ("scores", ", ".join(names)),
            *(("note", note) for note in comparison.notes),
        ]
    )
    print()
    header = ["", "front", "hypervolume", "pick", "attained by", *names]
    rows = []
    for number, one in enumerate(entrants):
        file = one.front.files[one.picked]
        scores = [f"{score:.4f}" for score in one.picked_scores(names)]
        attained = f"{comparison.attained_by[number]} of {len(entrants)}"
        volume = f"{comparison.hypervolume[number]:.3f}"
        cells = [one.label, f"{len(one.rows):,}", volume, f"front/{file.name}", attained]
        rows.append([*cells, *scores])
    print_table(header, rows)
    print()
    labels = [one.label for one in entrants]
    shares = [[f"{share:.0%}" for share in row] for row in comparison.coverage]
    print_table(
        ["covers", *labels], [[label, *row] for label, row in zip(labels, shares, strict=True)]
    )
