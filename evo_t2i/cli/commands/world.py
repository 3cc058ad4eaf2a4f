"""`evo-t2i world`: pictures of the built-in world, with captions and masks."""

from pathlib import Path
from typing import Annotated

import typer

from evo_t2i.cli.arguments import home_expanded
from evo_t2i.cli.terminal.output import print_facts, say

app = typer.Typer(help="Draw pictures of the built-in world, with captions and masks.")

LARGEST = 4096


@app.callback()
def world() -> None:
    """Draw pictures of the built-in world, with captions and masks."""


@app.command()
def render(
    out: Annotated[Path, typer.Option(help="New or empty folder.", callback=home_expanded)],
    count: Annotated[int, typer.Option(min=1, help="Pictures.")],
    size: Annotated[int, typer.Option(min=8, max=LARGEST, help="Pixels a side.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same pictures.")] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Draw random scenes into a folder: images/, masks/ and captions.jsonl.

    \b
    evo-t2i world render --out pictures --count 100 --size 256
    """
    from evo_t2i.runs.atomic import naming_errors
    from evo_t2i.world import export

    def progress(done: int, total: int) -> None:
        if not quiet and (done == total or done * 10 // total > (done - 1) * 10 // total):
            say(f"{done:,} of {total:,} pictures")

    with naming_errors(out):
        export(out, count, seed, size, progress)
    print_facts([("folder", str(out)), ("pictures", f"{count:,}"), ("seed", str(seed))])
