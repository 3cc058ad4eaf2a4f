"""Whole runs with the built-in models, small but real."""

import csv
import json
import shutil
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from scoring import scores_of
from whole_runs import CAPTION, SMALL, digests, killed_half_way

import evo_t2i
from evo_t2i.config import DEFAULT_SCORES
from evo_t2i.errors import RunDataError, UsageError
from evo_t2i.looks import grouped, thumbnails
from evo_t2i.picking.methods import pick
from evo_t2i.picking.taste import Taste
from evo_t2i.report.run_page import run_data
from evo_t2i.run import write_pick
from evo_t2i.runs.directory import RunDirectory
from evo_t2i.runs.journal import Journal, line_of

EXACT = SMALL | {"precision": "fp32", "previews": False}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return evo_t2i.sample(CAPTION, out=tmp_path_factory.mktemp("run") / "cat", **SMALL)


def test_a_run_directory_holds_what_people_look_for(run):
    figures = ("pareto.png", "contact_sheet.png", "before_after.png", "report.html")
    for name in ("front.csv", *figures):
        assert (run.path / name).stat().st_size > 0, name
    with (run.path / "front.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["file", "generation", *DEFAULT_SCORES, "look", "front"]
    assert len(rows) == len(run.front) >= 1
    assert [row["file"] for row in rows] == [f"front/{i:04d}.png" for i in range(len(rows))]
    assert all(picture.image.size == (128, 128) for picture in run.front)
    assert (run.path / "pick" / "pick.json").exists()


def test_the_front_is_what_nothing_dominates(run):
    scores = run.arrays.scores
    for row, leads in zip(scores, run.arrays.leading, strict=True):
        dominated_by = (scores >= row).all(axis=1) & (scores > row).any(axis=1)
        assert dominated_by.any() != leads


def test_beside_the_front_are_other_looks_unless_it_is_to_be_alone(tmp_path):
    one = EXACT | {"scores": ("image_real",), "population": 30}
    kept = evo_t2i.sample(CAPTION, out=tmp_path / "kept", **one).arrays
    options = {"nsga2": {"keep": "front"}}
    alone = evo_t2i.sample(CAPTION, out=tmp_path / "alone", options=options, **one).arrays
    assert alone.leading.all()
    assert set(alone.ids) == set(kept.ids[kept.leading])
    assert len(kept) > len(alone)
    assert len(set(kept.looks)) > len(set(alone.looks))


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    """A run whose search sees what is saved."""
    return evo_t2i.sample(CAPTION, out=tmp_path_factory.mktemp("run") / "exact", **EXACT)


def test_the_front_dominates_or_equals_everything_evaluated_that_is_above_the_floor(exact):
    run = exact
    history = RunDirectory.open(run.path).history()
    assert len(history.ids) == run.config.evaluations == 12 + 3 * 8
    floor = np.quantile(history.scores[history.generations == 0], 0.25, axis=0)
    above = (history.scores >= floor).all(axis=1)
    assert 0 < above.sum() < len(above)
    assert (run.arrays.scores >= floor).all()
    for scores in history.scores[above]:
        assert (run.arrays.scores >= scores).all(axis=1).any()


def test_the_hypervolume_never_falls(run):
    volumes = run.facts["hypervolume"]
    assert len(volumes) == 4
    assert all(later >= earlier for earlier, later in pairwise(volumes))


def test_the_same_seed_gives_the_same_files(run, tmp_path):
    again = evo_t2i.sample(CAPTION, out=tmp_path / "again", **SMALL)
    assert digests(again.path) == digests(run.path)


def test_who_looks_on_changes_nothing(exact, tmp_path):
    run = exact
    seen = []

    def look(event):
        if event.snapshot is not None:
            seen.append((event, event.snapshot.best(3)))

    watched = evo_t2i.sample(CAPTION, out=tmp_path / "watched", progress=look, **EXACT)
    assert digests(watched.path) == digests(run.path)
    assert [event.generation for event, _ in seen] == [0, 1, 2, 3]
    assert all(event.front == event.snapshot.front.leading.sum() for event, _ in seen)
    last = seen[-1][1]
    picked = run.pick(count=3)
    assert [image.id for image in last] == [image.id for image in picked]
    assert [image.scores for image in last] == [image.scores for image in picked]
    for ours, theirs in zip(last, picked, strict=True):
        # drawn in other company, a pixel may round the other way: one level of 255
        assert np.abs(np.asarray(ours.image, int) - np.asarray(theirs.image, int)).max() <= 1


def test_another_seed_gives_another_front(run, tmp_path):
    other = evo_t2i.sample(CAPTION, out=tmp_path / "other", **SMALL | {"seed": 6})
    assert (other.path / "front.csv").read_bytes() != (run.path / "front.csv").read_bytes()


def test_scoring_the_saved_pictures_gives_the_recorded_scores(run):
    pixels = np.stack([np.asarray(Image.open(picture.file)) for picture in run.front])
    batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    recorded = np.array([list(picture.scores.values()) for picture in run.front])
    # drawn again in other company, a pixel may round the other way: one level of 255
    found = scores_of(batch, CAPTION, run.config.scores)
    assert np.abs(found - recorded).max() < 2e-3
    shuffled = scores_of(batch.flip(0), CAPTION, run.config.scores)[::-1]
    assert np.abs(shuffled - found).max() < 1e-4


def test_label_coverage_is_said(run, tmp_path):
    assert run.facts["label_matched"] is True
    skyline = evo_t2i.sample(
        "skyline at sunset.", out=tmp_path / "sky", **SMALL | {"generations": 1}
    )
    assert skyline.facts["label_matched"] is False
    assert skyline.facts["coverage"] < run.facts["coverage"]


def test_killed_and_resumed_equals_uninterrupted(run, tmp_path):
    path = tmp_path / "killed"
    killed_half_way(path, SMALL)
    with pytest.raises(RunDataError, match="resume"):
        evo_t2i.Run(path)
    evo_t2i.resume(path)
    assert digests(path) == digests(run.path)


def test_resume_of_a_finished_run_makes_again_what_is_damaged(run, tmp_path):
    path = shutil.copytree(run.path, tmp_path / "mended")
    before = digests(path)
    (path / "front" / "0000.png").write_bytes(b"not a picture")
    (path / "pareto.png").unlink()
    evo_t2i.resume(path)
    assert digests(path) == before
    (path / "gen" / "0000.state.safetensors").write_bytes(b"damaged")
    (path / "before_after.png").unlink()
    evo_t2i.resume(path)
    assert digests(path) == before


def test_what_report_advises_for_a_damaged_generation_helps(run, tmp_path):
    path = shutil.copytree(run.path, tmp_path / "damaged")
    before = digests(path)
    file = path / "gen" / "0001.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    with pytest.raises(RunDataError, match=f"write it again with `evo-t2i resume {path}`"):
        run_data(RunDirectory.open(path))
    resumed = evo_t2i.resume(path)
    assert "goes on from generation 0 and comes to the same result" in resumed.warnings[0]
    assert digests(path) == before
    run_data(RunDirectory.open(path))


def journal_changed(path, change):
    """Write the journal again, the entry of each generation as ``change`` leaves it."""
    journal = Journal(path / "journal.jsonl")
    for entry in journal.entries[1:-1]:
        change(entry)
    lines = [line_of(entry) for entry in journal.entries]
    (path / "journal.jsonl").write_bytes(b"".join(lines))


def test_another_generator_than_the_runs_draws_nothing_for_it(run, tmp_path):
    path = shutil.copytree(run.path, tmp_path / "other")
    journal_changed(path, lambda entry: entry["models"].update(generator="0" * 64))
    (path / "before_after.png").unlink()
    (path / "pareto.png").unlink()
    before = digests(path)
    resumed = evo_t2i.resume(path)
    (note,) = resumed.warnings
    assert "before_after.png was not drawn: the generator is another one than the run's" in note
    after = digests(path)
    assert after.pop("pareto.png") == digests(run.path)["pareto.png"]
    assert "before_after.png" not in after
    assert after.keys() == before.keys()
    (path / "front" / "0000.png").unlink()
    with pytest.raises(RunDataError, match="was begun with other models"):
        evo_t2i.resume(path)


def test_resuming_with_other_libraries_or_threads_warns(run, tmp_path):
    path = shutil.copytree(run.path, tmp_path / "then")
    journal_changed(path, lambda entry: entry["environment"].update(threads=99, torch="1.0"))
    (path / "front" / "0000.png").unlink()
    (warning,) = evo_t2i.resume(path).warnings
    assert "threads 99, now" in warning
    assert "torch 1.0, now" in warning
    (path / "gen" / "0002.safetensors").unlink()
    with pytest.raises(RunDataError, match="might give another front here"):
        evo_t2i.resume(path)


def test_resume_finishes_a_presentation_that_was_cut_short(run, tmp_path):
    for kept in (0, 1, 4):
        path = tmp_path / f"cut-{kept}"
        shutil.copytree(run.path, path)
        (path / "pick" / "pick.json").unlink()
        figures = ("pareto.png", "contact_sheet.png", "before_after.png", "report.html")
        for name in figures[kept:]:
            (path / name).unlink()
        if not kept:
            shutil.rmtree(path / "pick")
            (path / "presented.json").unlink()
        evo_t2i.resume(path)
        assert digests(path) == digests(run.path)


def test_the_random_sampler_is_a_baseline_under_the_same_interface(tmp_path):
    random = evo_t2i.sample(CAPTION, out=tmp_path / "random", sampler="random", **SMALL)
    options = {"nsga2": {"floor": 0.0}}
    evolved = evo_t2i.sample(CAPTION, out=tmp_path / "evolved", options=options, **SMALL)
    assert random.facts["evaluations"] == evolved.facts["evaluations"]
    assert random.facts["hypervolume"][0] == evolved.facts["hypervolume"][0]


def test_the_notes_setting_runs(tmp_path):
    options = {"nsga2": {"operators": "sbx-pm", "survival": "crowding"}}
    notes = evo_t2i.sample(CAPTION, out=tmp_path / "notes", options=options, **SMALL)
    assert len(notes.front) >= 1


def test_one_score_gives_one_best_picture(tmp_path):
    single = evo_t2i.sample(CAPTION, out=tmp_path / "one", scores=("text_image",), **SMALL)
    assert single.arrays.leading.sum() == 1
    assert (single.path / "pareto.png").exists()


def test_an_existing_directory_is_left_alone(run):
    before = digests(run.path)
    with pytest.raises(UsageError, match="exists"):
        evo_t2i.sample(CAPTION, out=run.path, **SMALL)
    assert digests(run.path) == before


def results(path):
    """Digests of all that does not say how the run was begun."""
    begun = {"config.json", "budget.json", "journal.jsonl"}
    return {name: digest for name, digest in digests(path).items() if name not in begun}


def test_a_complete_run_goes_on_with_a_larger_budget(run, tmp_path):
    path = tmp_path / "extended"
    short = evo_t2i.sample(CAPTION, out=path, **SMALL | {"generations": 9}, max_evaluations=20)
    assert (short.facts["ended_by"], short.facts["evaluations"]) == ("max_evaluations", 20)
    with pytest.raises(UsageError, match=r"Generation 1 of .* is done, and the budget ends with"):
        evo_t2i.resume(path, generations=0)
    own = short.pick(count=2)
    with RunDirectory.open(path, writable=True) as directory:
        write_pick(directory, short.rank(Taste(count=2)))
    longer = evo_t2i.resume(path, generations=3, max_evaluations=0)
    assert longer.facts["ended_by"] == "generations"
    aside = {name for name in digests(path) if name.startswith("pick-1/")}
    assert len(aside) == 1 + len(own)
    found = {name: digest for name, digest in results(path).items() if name not in aside}
    assert found == results(run.path)
    before = digests(path)
    evo_t2i.resume(path, generations=3)
    assert digests(path) == before
    (path / "front" / "0000.png").unlink()
    evo_t2i.resume(path)
    assert digests(path) == before


def test_fronts_know_their_looks_and_where_they_began(run):
    looks = run.arrays.looks
    assert run.facts["looks"] == looks.max() >= 1
    assert looks[run.rank().chosen[0]] == 1
    thumbs = thumbnails([run.arrays.image(row) for row in range(len(looks))])
    assert grouped(thumbs, run.rank().ranking).tolist() == looks.tolist()
    first = RunDirectory.open(run.path).record(0)
    record = json.loads(Image.open(run.path / "start.png").text["evo_t2i"])
    best = pick(first.scores, first.scores, DEFAULT_SCORES).chosen[0]
    assert record["individual"] == best
    assert json.loads(Image.open(run.path / "plain.png").text["evo_t2i"])["individual"] == 0
    data = run_data(RunDirectory.open(run.path))
    assert data["before"]["best"]["id"] == best
    assert data["front"]["look"] == looks.tolist()


def test_a_search_that_looks_at_pictures_is_resumed_too(tmp_path):
    options = {"nsga2": {"niche": "embedding", "keep": "looks", "guard": True, "adaptive": True}}
    settings = SMALL | {"options": options, "warm_start": 16, "refine": 2}
    whole = evo_t2i.sample(CAPTION, out=tmp_path / "whole", **settings)
    assert whole.facts["evaluations"] == 16 + 3 * (8 + 18)
    stopped = tmp_path / "stopped"
    evo_t2i.sample(CAPTION, out=stopped, **settings | {"generations": 1})
    evo_t2i.resume(stopped, generations=3)
    assert results(stopped) == results(whole.path)
    latents = RunDirectory.open(whole.path).record(3).latents
    assert np.isfinite(latents).all()


def test_a_search_that_wants_a_feature_nobody_computes_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"wants the feature 'clip\.image', which none of the"):
        evo_t2i.sample(
            CAPTION,
            out=tmp_path / "none",
            scores=("word_label",),
            options={"nsga2": {"guard": True}},
            **SMALL,
        )


def test_what_cannot_be_drawn_is_said_once_before_the_search(tmp_path):
    heard = []
    run = evo_t2i.sample(
        "five dragons",
        out=tmp_path / "run",
        progress=heard.append,
        **SMALL | {"generations": 0, "population": 4},
    )
    stages = [event.stage for event in heard]
    assert stages[:3] == ["models", "doubts", "scoring"]
    doubts = heard[1].doubts
    assert "dragons" in doubts[0]
    assert '"five"' in doubts[1]
    assert run.facts["doubts"] == list(doubts)
    assert run_data(RunDirectory.open(run.path))["run"]["doubts"] == list(doubts)
    quiet = []
    evo_t2i.sample(
        CAPTION,
        out=tmp_path / "known",
        progress=quiet.append,
        **SMALL | {"generations": 0, "population": 4},
    )
    assert "doubts" not in [event.stage for event in quiet]
