"""Several runs for one caption, or one run with and without a score, side by side in numbers.

All are measured on common scores, from a common reference point, by

- the relative hypervolume (``evo_t2i.search.hypervolume``), whose box is that of all the runs'
  generations 0 together;
- the coverage C(A, B): the share of B's images that are weakly dominated by some image of A, that
  is, nowhere better (Zitzler & Thiele 1998, Multiobjective optimization using evolutionary
  algorithms);
- attainment: a front attains a point when some image of it is nowhere worse (Grunert da Fonseca,
  Fonseca & Hall 2001, Inferential performance assessment of stochastic optimisers and the
  attainment function).
"""

from collections.abc import Sequence
from typing import Any

import moocore
import numpy as np

from evo_t2i.comparison import Comparison, Entrant, columns_of
from evo_t2i.errors import UsageError
from evo_t2i.picking.methods import pick
from evo_t2i.run import Run
from evo_t2i.search.hypervolume import Box


def compare_runs(runs: Sequence[Run]) -> Comparison:
    """Finished runs for one caption, on the scores that all of them have.

    A run with further scores takes part with those images of its front that are non-dominated on
    the common ones. Every run's pick is its newest. Raises UsageError for fewer than two runs,
    different captions, scores of different models, and runs without a common score.
    """
    if len(runs) < 2:
        raise UsageError("One run alone cannot be compared; give two or more, or --drop-score.")
    for place, run in enumerate(runs):
        if run.path.resolve() in {other.path.resolve() for other in runs[:place]}:
            raise UsageError(f"{run.path} is given twice; give each run once.")
    captions = sorted({run.config.caption for run in runs})
    if len(captions) > 1:
        raise UsageError(
            f"The runs have different captions ({captions[0]!r}, {captions[1]!r}), whose scores "
            "are not comparable; compare runs for one caption."
        )
    _require_same_scorers(runs)
    names = tuple(
        name for name in runs[0].config.scores if all(name in run.config.scores for run in runs)
    )
    if not names:
        raise UsageError("The runs have no score in common; compare runs that share at least one.")
    entrants = []
    for label, run in zip(_labels(runs), runs, strict=True):
        picked = run.picked()
        rows = non_dominated(columns_of(run.arrays, run.arrays.scores, names))
        entrants.append(_entrant(label, run, rows, picked.chosen[0], picked.method))
    notes = []
    if any(set(run.config.scores) != set(names) for run in runs):
        notes.append(
            f"The runs have different scores; they are compared on those that all have: "
            f"{', '.join(names)}. Fronts are sorted anew on these."
        )
    return _measured(entrants, names, notes)


def drop_scores(run: Run, dropped: Sequence[str]) -> Comparison:
    """One run's selection as it was, and repeated without each of the ``dropped`` scores.

    Without a score, what the run evaluated is sorted anew, and the balanced pick made, on the other
    scores. All are measured on all scores. An image that is non-dominated on some of the scores is
    so on all, but for equal ones, so the new front is a part of the old. What it cannot tell is
    where a search without the score would have gone. Raises UsageError for an unknown score and for
    the only one.
    """
    names = run.config.scores
    for name in dropped:
        if name not in names:
            raise UsageError(
                f"--drop-score names {name}, which this run does not have; "
                f"give one of {', '.join(names)}."
            )
        if len(names) == 1:
            raise UsageError(f"--drop-score {name} leaves no score; give a run with two or more.")
    entrants = [_selected(run, "all scores", names)]
    for name in dict.fromkeys(dropped):
        kept = tuple(other for other in names if other != name)
        entrants.append(_selected(run, f"without {name}", kept))
    return _measured(entrants, names, [])


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison as plain JSON values."""
    names = comparison.names

    def entrant(number: int, one: Entrant) -> dict[str, Any]:
        return {
            "label": one.label,
            "run": str(one.path),
            "seed": one.config.seed,
            "generator": one.config.generator,
            "sampler": one.config.sampler,
            "scores": list(one.config.scores),
            "front": len(one.rows),
            "hypervolume": float(comparison.hypervolume[number]),
            "median": _named(names, np.median(one.scores(names), axis=0)),
            "covers": _named([e.label for e in comparison.entrants], comparison.coverage[number]),
            "pick": {
                "file": f"front/{one.front.files[one.picked].name}",
                "method": one.method,
                "scores": _named(names, one.picked_scores(names)),
                "attained_by": int(comparison.attained_by[number]),
            },
        }

    return {
        "caption": comparison.caption,
        "scores": list(names),
        "reference": _named(names, comparison.reference),
        "best": _named(names, comparison.best),
        "compared": [entrant(number, one) for number, one in enumerate(comparison.entrants)],
        "notes": list(comparison.notes),
    }


def non_dominated(scores: np.ndarray) -> np.ndarray:
    """Ascending rows of ``scores`` (n, m) that no other row dominates; equal rows all stay."""
    return np.flatnonzero(moocore.is_nondominated(scores, maximise=True, keep_weakly=True))


def coverage(first: np.ndarray, second: np.ndarray) -> float:
    """C(first, second) in [0, 1] of two fronts (n, m), (k, m): the share of ``second`` that is
    weakly dominated by some row of ``first``."""
    return float(np.mean([attains(first, row) for row in second]))


def attains(front: np.ndarray, point: np.ndarray) -> bool:
    """Whether some row of ``front`` (n, m) is nowhere worse than ``point`` (m,)."""
    return bool((front >= point).all(axis=1).any())


def _measured(
    entrants: Sequence[Entrant], names: Sequence[str], notes: Sequence[str]
) -> Comparison:
    whole = {id(one.front): one.front for one in entrants}.values()
    started = np.concatenate(
        [columns_of(front, front.generation0_scores, names) for front in whole]
    )
    box = Box.around(started)
    fronts = [one.scores(names) for one in entrants]
    picks = [one.picked_scores(names) for one in entrants]
    return Comparison(
        caption=entrants[0].config.caption,
        names=tuple(names),
        entrants=tuple(entrants),
        reference=np.array(box.reference),
        best=np.array(box.best),
        hypervolume=np.array([box.volume(front) for front in fronts]),
        coverage=np.array([[coverage(first, second) for second in fronts] for first in fronts]),
        attained_by=np.array([sum(attains(front, point) for front in fronts) for point in picks]),
        notes=tuple(notes),
    )


def _selected(run: Run, label: str, kept: Sequence[str]) -> Entrant:
    front = run.arrays
    scores = columns_of(front, front.scores, kept)
    rows = non_dominated(scores)
    started = columns_of(front, front.generation0_scores, kept)
    best = pick(scores[rows], started, kept).chosen[0]
    return _entrant(label, run, rows, int(rows[best]), "balanced")


def _entrant(label: str, run: Run, rows: np.ndarray, picked: int, method: str) -> Entrant:
    ranking = run.rank().ranking
    return Entrant(label, run.path, run.config, run.arrays, rows, picked, method, ranking)


def _require_same_scorers(runs: Sequence[Run]) -> None:
    """Raise UsageError unless equal names of scores mean equal formulas and models."""
    first = runs[0]
    for run in runs[1:]:
        here, there = _score_options(first), _score_options(run)
        if here != there:
            option = next(key for key in here | there if here.get(key) != there.get(key))
            raise UsageError(
                f"{first.path} and {run.path} were scored with different {option}, so their "
                "scores are not comparable; compare runs with the same score options."
            )
        mine, others = _digests(first), _digests(run)
        for model in sorted(mine.keys() & others.keys() - {"generator"}):
            if mine[model] != others[model]:
                raise UsageError(
                    f"{first.path} and {run.path} were scored by different models ({model}), so "
                    "their scores are not comparable; sample one of them again."
                )


def _score_options(run: Run) -> dict[str, object]:
    """The options of the run's scores that are not the default, as ``score.key``."""
    return {
        f"{name}.{key}": value
        for name, given in run.config.options.items()
        if name in run.config.scores
        for key, value in given.items()
    }


def _digests(run: Run) -> dict[str, str]:
    models: Any = run.facts.get("models", {})
    return dict(models)


def _labels(runs: Sequence[Run]) -> list[str]:
    """Folder names, or the whole paths when two are the same."""
    names = [run.path.resolve().name for run in runs]
    return names if len(set(names)) == len(names) else [str(run.path) for run in runs]


def _named(names: Sequence[str], values: np.ndarray) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))
