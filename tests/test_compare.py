"""Comparing runs: the measures by hand and by brute force, and what is not comparable."""

import itertools
from html.parser import HTMLParser

import numpy as np
import pytest
from hand_made import generation_facts, result_facts

from evo_t2i.compare import (
    attains,
    compare_runs,
    comparison_json,
    coverage,
    drop_scores,
    non_dominated,
)
from evo_t2i.config import RunConfig
from evo_t2i.errors import UsageError
from evo_t2i.picking.methods import pick
from evo_t2i.points import Points
from evo_t2i.report.comparison_figure import attainment_line, comparison_figure
from evo_t2i.report.comparison_page import comparison_html
from evo_t2i.run import Run
from evo_t2i.runs.directory import RunDirectory

NAMES = ("text_image", "image_real", "region_word")


def evolved(path, seed=0, names=NAMES, models=None, **options):
    """A finished run of random scores whose front are its non-dominated images."""
    options = {"caption": "skyline at sunset."} | options
    config = RunConfig(seed=seed, scores=names, generations=2, **options)
    rng = np.random.default_rng(seed)
    parts = []
    with RunDirectory.create(path, config) as run:
        for generation in range(3):
            parts.append(rng.normal(0.2 * generation, 1.0, (15, len(names))))
            record = Points(
                latents=np.zeros((15, 2), np.float32),
                scores=parts[-1],
                ids=np.arange(15) + 15 * generation,
                parents=np.full((15, 2), -1),
                generations=np.full(15, generation),
            )
            run.commit(record, {}, generation_facts(len(names)))
        scores = np.concatenate(parts)
        best = non_dominated(scores)
        front = Points(
            latents=np.zeros((len(best), 2), np.float32),
            scores=scores[best],
            ids=best,
            parents=np.full((len(best), 2), -1),
            generations=best // 15,
        )
        shades = rng.integers(0, 255, (len(best), 1, 1, 3), np.uint8)
        run.finish(front, np.tile(shades, (1, 8, 8, 1)), result_facts(models=models or {}))
    return Run(path)


def dominates(first, second):
    return (first >= second).all() and (first > second).any()


def test_coverage_and_attainment_by_hand():
    first = np.array([[1.0, 3.0], [3.0, 1.0]])
    second = np.array([[1.0, 2.0], [2.0, 2.0], [3.0, 1.0], [0.0, 0.0]])
    assert coverage(first, second) == 0.75
    assert coverage(second, first) == 0.5
    assert attains(first, np.array([3.0, 1.0]))
    assert not attains(first, np.array([2.0, 2.0]))


def test_the_attainment_line_bounds_what_is_attained():
    points = np.random.default_rng(0).random((40, 2))
    corners = attainment_line(points)
    assert (np.diff(corners[:, 0]) >= 0).all()
    assert (np.diff(corners[:, 1]) <= 0).all()
    rng = np.random.default_rng(1)
    for point in rng.random((300, 2)):
        later = corners[corners[:, 0] >= point[0]]
        below = len(later) > 0 and point[1] <= later[0, 1]
        assert below == attains(points, point)
    np.testing.assert_array_equal(attainment_line(np.array([[1.0, 2.0]] * 3)), [[1.0, 2.0]])


def test_runs_are_measured_from_one_reference_point(tmp_path):
    runs = [evolved(tmp_path / f"run-{seed}", seed) for seed in range(3)]
    comparison = compare_runs(runs)
    started = np.concatenate([run.arrays.generation0_scores for run in runs])
    span = np.ptp(started, axis=0)
    np.testing.assert_allclose(comparison.reference, started.min(axis=0) - 0.1 * span)
    np.testing.assert_allclose(comparison.best, started.max(axis=0))
    box = np.prod(comparison.best - comparison.reference)
    rng = np.random.default_rng(0)
    ceiling = np.max([run.arrays.scores.max(axis=0) for run in runs], axis=0)
    points = rng.uniform(comparison.reference, ceiling, (20_000, 3))
    volume = np.prod(ceiling - comparison.reference)
    for number, run in enumerate(runs):  # by Monte Carlo
        front = run.arrays.scores
        hit = np.mean([(front >= point).all(axis=1).any() for point in points]) * volume / box
        assert comparison.hypervolume[number] == pytest.approx(hit, rel=0.05)
    for first, second in itertools.product(range(3), repeat=2):
        covered = [attains(runs[first].arrays.scores, row) for row in runs[second].arrays.scores]
        assert comparison.coverage[first, second] == np.mean(covered)
    assert (np.diag(comparison.coverage) == 1).all()
    assert ((comparison.attained_by >= 1) & (comparison.attained_by <= 3)).all()
    assert [one.label for one in comparison.entrants] == ["run-0", "run-1", "run-2"]
    assert comparison.notes == ()


def test_different_scores_are_compared_on_the_common_ones(tmp_path):
    full = evolved(tmp_path / "full", 0)
    other = evolved(tmp_path / "other", 1, names=("word_label", "region_word", "text_image"))
    comparison = compare_runs([full, other])
    assert comparison.names == ("text_image", "region_word")
    assert "compared on those that all have: text_image, region_word" in comparison.notes[0]
    columns = full.arrays.scores[:, [0, 2]]
    kept = set(comparison.entrants[0].rows.tolist())
    for row in range(len(columns)):
        assert (row in kept) == (not any(dominates(better, columns[row]) for better in columns))
    swapped = comparison.entrants[1].scores(comparison.names)
    np.testing.assert_array_equal(
        swapped, other.arrays.scores[comparison.entrants[1].rows][:, [2, 1]]
    )


@pytest.mark.parametrize("dropped", NAMES)
def test_dropping_a_score_sorts_everything_evaluated_anew(tmp_path, dropped):
    run = evolved(tmp_path / "run", 3)
    comparison = drop_scores(run, [dropped])
    kept = [column for column, name in enumerate(NAMES) if name != dropped]
    history = RunDirectory.open(run.path).history()
    columns = history.scores[:, kept]
    expected = [
        individual
        for individual, row in zip(history.ids, columns, strict=True)
        if not any(dominates(better, row) for better in columns)
    ]
    everything, without = comparison.entrants
    assert run.arrays.ids[without.rows].tolist() == expected
    assert len(everything.rows) == len(run.arrays)
    started = run.arrays.generation0_scores[:, kept]
    names = [NAMES[column] for column in kept]
    best = pick(run.arrays.scores[without.rows][:, kept], started, names).chosen[0]
    assert without.picked == without.rows[best]
    assert comparison.names == NAMES
    assert comparison.hypervolume[1] <= comparison.hypervolume[0]
    assert comparison.coverage[0, 1] == 1.0


def test_what_is_not_comparable_is_refused(tmp_path):
    run = evolved(tmp_path / "run", models={"clip": "aa", "generator": "x"})
    other = evolved(tmp_path / "caption", caption="a cat")
    options = evolved(tmp_path / "options", options={"image_real": {"temperature": 2.0}})
    clip = evolved(tmp_path / "clip", models={"clip": "bb", "generator": "x"})
    drawn = evolved(tmp_path / "drawn", models={"clip": "aa", "generator": "y"})
    strange = evolved(tmp_path / "strange", names=("word_label",))
    for runs, message in [
        ([run], "give two or more"),
        ([run, Run(tmp_path / "run")], "is given twice"),
        ([run, other], "different captions"),
        ([run, options], r"scored with different image_real\.temperature"),
        ([run, clip], r"scored by different models \(clip\)"),
        ([run, strange], "no score in common"),
    ]:
        with pytest.raises(UsageError, match=message):
            compare_runs(runs)
    assert compare_runs([run, drawn]).names == NAMES
    with pytest.raises(UsageError, match="--drop-score names beauty, which this run does not have"):
        drop_scores(run, ["beauty"])
    with pytest.raises(UsageError, match="leaves no score"):
        drop_scores(strange, ["word_label"])


def test_folders_of_one_name_are_told_apart_by_their_paths(tmp_path):
    runs = [evolved(tmp_path / folder / "run", seed) for seed, folder in enumerate("ab")]
    labels = [one.label for one in compare_runs(runs).entrants]
    assert labels == [str(run.path) for run in runs]


def test_json_tells_the_same(tmp_path):
    runs = [evolved(tmp_path / f"run-{seed}", seed) for seed in range(2)]
    comparison = compare_runs(runs)
    table = comparison_json(comparison)
    first = table["compared"][0]
    assert first["covers"] == {"run-0": 1.0, "run-1": comparison.coverage[0, 1]}
    assert first["hypervolume"] == comparison.hypervolume[0]
    best = runs[0].rank().chosen[0]
    assert first["pick"]["file"] == f"front/{runs[0].arrays.files[best].name}"
    assert first["pick"]["scores"]["image_real"] == runs[0].arrays.scores[best, 1]


@pytest.mark.parametrize("scores", [1, 2, 3])
def test_the_figure_is_drawn_for_any_number_of_scores_and_runs(tmp_path, scores):
    runs = [evolved(tmp_path / f"run-{n}", n, names=NAMES[:scores]) for n in range(2 * scores)]
    comparison = compare_runs(runs)
    data = comparison_figure(comparison)
    assert data.startswith(b"\x89PNG")
    assert data == comparison_figure(comparison)


@pytest.mark.parametrize("caption", ["</style><script>alert(1)</script>", "<img src=x>", 'a & "b"'])
def test_the_page_holds_the_numbers_and_captions_as_text(tmp_path, caption):
    runs = [evolved(tmp_path / name, n, caption=caption) for n, name in enumerate(["<b>", "b"])]
    comparison = compare_runs(runs)
    data = comparison_html(comparison)
    assert data == comparison_html(comparison)
    page = PageText()
    page.feed(data.decode())
    assert page.headings[0] == caption
    assert page.elements.isdisjoint({"script", "iframe", "object", "b"})
    shown = {cell for row in page.rows for cell in row}
    assert {"<b>", "b", f"{comparison.hypervolume[1]:.3f}"} < shown
    assert f"{comparison.coverage[0, 1]:.0%}" in shown
    pictures = 1 + sum(1 + min(len(one.rows), 12) for one in comparison.entrants)
    assert len(page.sources) == pictures
    assert all(source.startswith("data:image/") for source in page.sources)


class PageText(HTMLParser):
    """Elements, headings, table rows and pictures of a page."""

    def __init__(self):
        super().__init__()
        self.elements, self.headings, self.rows, self.sources = set(), [], [], []
        self._inside = []

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self._inside.append(tag)
        if tag == "h1":
            self.headings.append("")
        if tag == "tr":
            self.rows.append([])
        if tag == "img":
            self.sources.append(dict(attrs)["src"])

    def handle_endtag(self, tag):
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data):
        if "h1" in self._inside:
            self.headings[-1] += data
        elif "tr" in self._inside:
            self.rows[-1].append(data)
