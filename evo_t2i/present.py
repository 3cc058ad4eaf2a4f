"""What a person looks at first, drawn once a run is complete; it can be made again at any time."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from evo_t2i.evaluate.evaluator import Evaluator
from evo_t2i.picking.methods import Pick, pick
from evo_t2i.report.run_page import PAGE, is_live, report
from evo_t2i.run import Run, write_pick
from evo_t2i.runs.directory import RunDirectory

PRESENTED = (
    "pareto.png",
    "contact_sheet.png",
    "before_after.png",
    PAGE,
    "pick/pick.json",
)
"""What ``present`` writes; pick.json is the last file of its folder."""


def missing(run: RunDirectory) -> list[str]:
    """The names in PRESENTED that are yet to be written; a page from before the run's end is none
    that counts."""
    return [name for name in PRESENTED if _is_missing(run.path / name)]


def present(run: RunDirectory, evaluator: Evaluator, names: Sequence[str]) -> None:
    """Draw ``names``, some of PRESENTED, for a complete run, and pick the balanced picture."""
    from evo_t2i.report.plots import pareto
    from evo_t2i.report.sheets import front_sheet

    finished = Run(run.path)
    picked = finished.rank()
    if "pareto.png" in names:
        pareto(run, run.path / "pareto.png", picked=picked.chosen)
    if "contact_sheet.png" in names:
        front_sheet(run, picked, run.path / "contact_sheet.png")
    if "before_after.png" in names:
        _before_after(run, finished, evaluator, picked)
    if PAGE in names:
        report(run, run.path / PAGE)
    if "pick/pick.json" in names:
        write_pick(finished, picked)


def _is_missing(file: Path) -> bool:
    return not file.exists() or is_live(file)


def _before_after(run: RunDirectory, finished: Run, evaluator: Evaluator, picked: Pick) -> None:
    """A typical sample (the median of generation 0 in balanced value), its best, the pick."""
    from evo_t2i.report.sheets import before_after

    first = run.record(0)
    front = finished.arrays
    finite = np.isfinite(first.scores).all(axis=1)
    ranked = pick(first.scores, first.scores, front.score_names)
    best = ranked.chosen[0]
    rows = np.flatnonzero(finite)
    typical = int(rows[np.argsort(ranked.value[rows], kind="stable")[(len(rows) - 1) // 2]])
    before = evaluator.render(first.latents[[typical, best]])
    shown = np.concatenate([first.scores[[typical, best]], front.scores])
    z = pick(shown, first.scores, front.score_names)
    labels = [
        ["a typical sample", f"balanced value {z.value[0]:+.2f}"],
        [f"best of generation 0 ({len(first.scores)})", f"balanced value {z.value[1]:+.2f}"],
        [
            "evolved pick" if run.config.generations else "pick",
            f"balanced value {z.value[2 + picked.chosen[0]]:+.2f}",
        ],
    ]
    images = [before[0], before[1], front.image(picked.chosen[0])]
    before_after(images, labels, run.config.caption, run.path / "before_after.png")
