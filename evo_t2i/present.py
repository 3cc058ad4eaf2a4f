"""What a person looks at first, drawn once a run is complete; it can be made again at any time."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from evo_t2i.errors import RunDataError
from evo_t2i.picking.methods import Pick, pick
from evo_t2i.picking.start import PLAIN, START, beginning
from evo_t2i.report.run_page import PAGE, report
from evo_t2i.run import PICK, Run, mend_pick, write_pick
from evo_t2i.runs.directory import RunDirectory
from evo_t2i.runs.images import png_bytes, provenance

SHEET = "contact_sheet.png"
BEFORE_AFTER = "before_after.png"
NEED_MODELS = (PLAIN, START, BEFORE_AFTER)
"""What only the run's own generator can draw."""
PRESENTED = (PICK, "pareto.png", SHEET, *NEED_MODELS, PAGE)
"""What ``present`` writes. The figures mark the pick, so it comes first; the page shows pictures of
generation 0, so it comes last."""

Render = Callable[[np.ndarray], np.ndarray]
"""Pictures (n, h, w, 3) uint8 of latents (n, d)."""


def missing(run: RunDirectory) -> list[str]:
    """The names in PRESENTED that are not there, or not as they were drawn.

    Of the pick only whether there is one: it may be a person's own, see ``mend``.
    """
    return [
        name
        for name in PRESENTED
        if (not (run.path / name).exists() if name == PICK else not run.is_drawn(name))
    ]


def present(run: RunDirectory, names: Sequence[str], render: Render | None = None) -> None:
    """Draw ``names``, some of PRESENTED, for a complete run that is open for writing.

    The pick that is written is the balanced one; the one that is there is marked in the figures.
    ``render`` is the run's own generator; only those of NEED_MODELS need it.
    """
    from evo_t2i.report.plots import pareto
    from evo_t2i.report.sheets import front_sheet_png

    finished = Run(run.path)
    if PICK in names:
        write_pick(run, finished.rank())
    picked = shown_pick(finished)
    with ThreadPoolExecutor(1) as pool:  # the sheet is made while the others are
        if SHEET in names:
            sheet = pool.submit(front_sheet_png, run, picked)
        if "pareto.png" in names:
            pareto(run, run.path / "pareto.png", picked=picked.chosen)
        if render is not None:
            for name in (PLAIN, START):
                if name in names:
                    _begun(run, name, render)
            if BEFORE_AFTER in names:
                _before_after(run, finished, render)
        if SHEET in names:
            run.publish(run.path / SHEET, sheet.result())
    if PAGE in names:
        report(run, run.path / PAGE)


def present_anew(run: RunDirectory, render: Render) -> None:
    """Draw everything of a run that was just completed; a pick that is there already is kept."""
    kept = [PICK] if (run.path / PICK).exists() else []
    present(run, [name for name in PRESENTED if name not in kept], render)
    mend(run)


def mend(run: RunDirectory) -> None:
    """Restore what can be without the models in a complete run that is open for writing.

    What cannot be, as only a person can make it again, is said in the run's ``warnings``: a
    damaged pick, and a changed figure that is none of PRESENTED.
    """
    present(run, [name for name in missing(run) if name not in NEED_MODELS])
    try:
        mend_pick(run)
    except RunDataError as error:
        run.warnings.append(str(error))
    for name in run.changed_figures():
        if name not in PRESENTED:
            run.warnings.append(
                f"{run.path / name} was changed since it was drawn; draw it again with "
                f"`evo-t2i plot {run.path}`."
            )


def shown_pick(finished: Run) -> Pick:
    """The pick that is there; the balanced one where it is damaged."""
    try:
        return finished.picked()
    except RunDataError:
        return finished.rank()


def _begun(run: RunDirectory, name: str, render: Render) -> None:
    """Draw the plain sample or the best of generation 0."""
    first = run.record(0)
    begun = beginning(first.scores, run.config.scores)
    row = begun.plain if name == PLAIN else begun.best
    image = render(first.latents[[row]])[0]
    texts = provenance(
        run.config,
        individual=int(first.ids[row]),
        generation=0,
        parents=(-1, -1),
        scores=dict(zip(run.config.scores, first.scores[row].tolist(), strict=True)),
        latent=first.latents[row],
        size=image.shape[:2],
        models=run.facts()["models"],
    )
    run.publish(run.path / name, png_bytes(image, texts))


def _before_after(run: RunDirectory, finished: Run, render: Render) -> None:
    """A typical sample (the median of generation 0 in balanced value), its best, the pick."""
    from evo_t2i.report.sheets import row_png

    first = run.record(0)
    front = finished.arrays
    evolved = finished.rank().chosen[0]
    finite = np.isfinite(first.scores).all(axis=1)
    ranked = pick(first.scores, first.scores, front.score_names)
    best = ranked.chosen[0]
    rows = np.flatnonzero(finite)
    typical = int(rows[np.argsort(ranked.value[rows], kind="stable")[(len(rows) - 1) // 2]])
    before = render(first.latents[[typical, best]])
    shown = np.concatenate([first.scores[[typical, best]], front.scores])
    z = pick(shown, first.scores, front.score_names)
    labels = [
        ["a typical sample", f"balanced value {z.value[0]:+.2f}"],
        [f"best of generation 0 ({len(first.scores)})", f"balanced value {z.value[1]:+.2f}"],
        [
            "evolved pick" if run.config.generations else "pick",
            f"balanced value {z.value[2 + evolved]:+.2f}",
        ],
    ]
    images = [before[0], before[1], front.image(evolved)]
    run.publish(run.path / BEFORE_AFTER, row_png(images, labels, run.config.caption))
