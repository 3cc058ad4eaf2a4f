"""`evo-t2i pick`: choose from a finished run's front."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evo_t2i.cli.arguments import FinishedRun, home_expanded, listed_names, named_numbers
from evo_t2i.cli.fields import was_given
from evo_t2i.cli.terminal.output import print_facts, print_json, print_table
from evo_t2i.errors import UsageError

if TYPE_CHECKING:
    from evo_t2i.picking.methods import Pick
    from evo_t2i.run import Run

_WITH_FROM = {"run", "exported", "json_output"}
"""What --from leaves to say; method, weights and the like come from the file."""


def pick(
    context: typer.Context,
    run: FinishedRun,
    method: Annotated[
        str,
        typer.Option(
            help="balanced, weighted, asf, topsis, rank, pseudo-weights, knee, lexicographic or "
            "extremes."
        ),
    ] = "balanced",
    weights: Annotated[
        list[str] | None,
        typer.Option(
            "--weight",
            metavar="NAME=NUMBER",
            help="A score's weight, 1 unless given; repeatable.",
        ),
    ] = None,
    floors: Annotated[
        list[str] | None,
        typer.Option(
            "--min", metavar="NAME=NUMBER", help="The least that a score may be; repeatable."
        ),
    ] = None,
    count: Annotated[int, typer.Option(help="How many; the others differ from the best.")] = 1,
    order: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME", help="For lexicographic: scores, the most important first."
        ),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(
            help="For lexicographic: how much of a score may be given up for the next one, in "
            "standard deviations of generation 0.",
            show_default="0.5",
        ),
    ] = None,
    ask: Annotated[
        bool,
        typer.Option(
            "--ask",
            help="Learn the weights: shows four pictures at a time and asks which is the worst.",
        ),
    ] = False,
    exported: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FILE",
            help="Take what was picked on RUN's page: its pick.json.",
            callback=home_expanded,
        ),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Choose the best of RUN's front, say why, and copy it into RUN/pick; an earlier pick goes.

    \b
    evo-t2i pick RUN
    evo-t2i pick RUN --method topsis --weight text_image=2 --count 3
    evo-t2i pick RUN --ask
    evo-t2i pick RUN --method lexicographic --order text_image,word_label --tolerance 0.3
    evo-t2i pick RUN --from pick.json
    """
    from evo_t2i.picking.table import pick_json, pick_table
    from evo_t2i.run import Run, write_pick

    weight = named_numbers("--weight", weights or [])
    least = named_numbers("--min", floors or [])
    finished = Run(run)
    if exported is not None:
        _require_alone(context)
        picked = finished.chosen_on_page(exported)
    elif ask:
        if method != "balanced" or weight or order or tolerance is not None:
            raise UsageError(
                "--ask learns the weights of --method balanced; leave out --method, --weight, "
                "--order and --tolerance."
            )
        picked = _learned(finished, least, count)
    else:
        picked = finished.rank(
            method=method,
            weights=weight,
            floors=least,
            count=count,
            order=listed_names(order),
            tolerance=tolerance,
        )
    copies = [str(file) for file in write_pick(finished, picked)]
    front = finished.arrays
    files = [f"front/{file.name}" for file in front.files]
    if json_output:
        values = pick_json(picked, front.scores, front.score_names, files)
        print_json({"run": str(run), "seed": finished.config.seed, "copies": copies, **values})
        return
    table = pick_table(picked, front.scores, front.score_names, files)
    print_facts(
        [
            ("run", str(run)),
            ("caption", finished.config.caption),
            ("seed", str(finished.config.seed)),
            *table.summary,
            *(("pick", copy) for copy in copies),
        ]
    )
    print()
    print_table(table.header, table.rows)


def _learned(finished: "Run", floors: dict[str, float], count: int) -> "Pick":
    """The pick under weights that a person's answers gave."""
    from evo_t2i.cli.terminal.silence import libraries_silenced
    from evo_t2i.picking.ask import WeightLearner

    with libraries_silenced():
        from evo_t2i.cli.terminal.ask import learn
    if count < 1:
        raise UsageError(f"`count` is {count}; give 1 or more.")
    front = finished.arrays
    learner = WeightLearner(
        front.scores, front.generation0_scores, front.score_names, floors=floors
    )
    ended = learn(learner, front, finished.path / "ask.png")
    picked = learner.pick(count)
    return replace(picked, notes=(f"The weights were learned: {ended}.", *picked.notes))


def _require_alone(context: typer.Context) -> None:
    """Raise UsageError when another choice stands beside --from, which brings its own."""
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in _WITH_FROM and was_given(context, name):
            raise UsageError(f"--from brings its own choice; leave out {parameter.opts[0]}.")
