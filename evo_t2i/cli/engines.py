"""Where one run's population is scored: here, or by actors; the same in `sample` and `resume`."""

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from evo_t2i.config import MACHINE, RunConfig
from evo_t2i.errors import UsageError, near_miss

if TYPE_CHECKING:
    from evo_t2i.evaluate.models import Models

ENGINES = ("ray",)
EngineOption = Annotated[
    str | None,
    typer.Option(
        help="ray: score each generation on several devices or hosts.",
        show_default="this process",
        rich_help_panel=MACHINE,
    ),
]
WorkersOption = Annotated[
    int, typer.Option(help="Of --engine ray; 0 is one a device.", rich_help_panel=MACHINE)
]


def check_engine(name: str | None) -> None:
    """Raise UsageError for an unknown engine."""
    if name is not None and name not in ENGINES:
        raise UsageError(f"There is no engine {name!r} of one run; {near_miss(name, ENGINES)}")


@contextlib.contextmanager
def models_on(engine: str | None, workers: int, config: RunConfig) -> "Iterator[Models | None]":
    """The models that ``engine`` scores with; None leaves it to the sampler to load them here."""
    if engine is None:
        yield None
        return
    from evo_t2i.batch.devices import shares
    from evo_t2i.batch.population import spread

    with spread(config, workers, shares(workers, os.environ)[0].threads) as models:
        yield models
