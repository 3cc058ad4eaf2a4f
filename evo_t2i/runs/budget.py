"""A later session's budget, in place of the one that a run was begun with.

``budget.json`` is one line in the journal's form, with its checksum. config.json stays what it was,
so that it still says how the run began.
"""

from pathlib import Path

from evo_t2i.config import BUDGETS, RunConfig
from evo_t2i.errors import RunDataError, UsageError
from evo_t2i.runs.atomic import read_bytes, write_bytes
from evo_t2i.runs.journal import line_of, parse_line

FILE = "budget.json"


def write(run: Path, config: RunConfig) -> None:
    """Keep the budget of ``config`` in the folder ``run``; for the one who holds the lock."""
    values = {name: getattr(config, name) for name in BUDGETS}
    write_bytes(run / FILE, line_of({"budget": values}))


def read(run: Path, config: RunConfig) -> RunConfig:
    """``config`` with the budget that the folder ``run`` keeps, if any; RunDataError for a file
    that is none."""
    try:
        data = read_bytes(run / FILE)
    except FileNotFoundError:
        return config
    entry = parse_line(data.removesuffix(b"\n"))
    try:
        if entry is None or set(entry["budget"]) != set(BUDGETS):
            raise ValueError("not a budget")
        return config.with_budget(**entry["budget"])
    except (ValueError, LookupError, TypeError, UsageError) as error:
        raise RunDataError(
            f"{run / FILE} is no budget of this run; give one again with `evo-t2i resume {run} "
            "--generations N` once the file is removed."
        ) from error
