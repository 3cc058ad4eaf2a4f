"""The figures of `plot --kind`: any number of scores, any format, the same bytes each time."""

import io
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image, ImageColor
from random_runs import finished_run

from evo_t2i.picking.methods import pick
from evo_t2i.report import lines, plots, style
from evo_t2i.report.animation import MOST_FRAMES, animation


def draw(kind, run, picked, file_format="png"):
    if kind == "convergence":
        return lines.convergence(run, file_format)
    function = {"pairs": plots.pairs, "parallel": lines.parallel, "evolution": lines.evolution}
    return function[kind](run, picked, file_format)


def pixels_of(data):
    with Image.open(io.BytesIO(data)) as picture:
        return np.array(picture.convert("RGB"))


def count_of(data, colour):
    return int((pixels_of(data) == np.array(ImageColor.getrgb(colour))).all(axis=-1).sum())


KINDS = ("pairs", "parallel", "convergence", "evolution")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("scores", "front", "generations"), [(1, 1, 0), (2, 5, 2), (5, 19, 2)])
def test_any_number_of_scores_images_and_generations(tmp_path, kind, scores, front, generations):
    run = finished_run(tmp_path / "run", scores=scores, front=front, generations=generations)
    data = draw(kind, run, [0])
    if kind == "convergence":
        assert (generations == 0) or count_of(data, style.FRONT) > 50
    else:
        assert count_of(data, style.PICKED) > 50
        assert count_of(draw(kind, run, []), style.PICKED) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_vector_formats_hold_the_caption_safely_and_no_date(tmp_path, kind):
    run = finished_run(tmp_path / "run", scores=2, caption="<b>$x$ & 雪</b>")
    svg = draw(kind, run, [0], "svg")
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    pdf = draw(kind, run, [0], "pdf")
    assert pdf.startswith(b"%PDF-")
    assert b"CreationDate" not in pdf
    assert svg == draw(kind, run, [0], "svg")
    assert pdf == draw(kind, run, [0], "pdf")


def test_pairs_show_pictures_of_the_front_the_pick_in_gold(tmp_path):
    images = np.zeros((7, 16, 16, 3), np.uint8)
    images[:] = ImageColor.getrgb("#00ff00")
    images[3] = ImageColor.getrgb("#0000ff")
    run = finished_run(tmp_path / "run", scores=2, images=images)
    data = draw("pairs", run, [3])
    side = round(plots.SMALLEST_PANEL_INCHES)  # at least so many pictures of this many pixels
    assert count_of(data, "#00ff00") > side * 40 * 40
    assert 40 * 40 < count_of(data, "#0000ff") < 60 * 60
    plain = plots.scatter_matrix(run.front(), run.history(), "x", ["y"], [3])
    assert count_of(plain, "#00ff00") == 0


def test_the_parallel_axes_reach_from_the_lowest_to_the_highest(tmp_path):
    run = finished_run(tmp_path / "run", scores=3)
    best = int(np.argmax(run.front().scores[:, 0]))
    worst = int(np.argmin(run.front().scores[:, 0]))

    def top(row):
        image = pixels_of(draw("parallel", run, [row]))
        gold = (image == np.array(ImageColor.getrgb(style.PICKED))).all(axis=-1)
        gold[: image.shape[0] // 3 if row == worst else 0] = False  # not the legend's
        rows, columns = np.nonzero(gold[200:])
        return rows[columns <= columns.min() + 2].mean()

    assert top(best) < top(worst)


def test_a_score_that_hardly_varied_at_first_is_drawn_on_a_logarithmic_axis(tmp_path):
    run = finished_run(tmp_path / "run", generations=2)
    calm = lines.convergence(run, "png")
    history = run.history()
    history.scores[history.generations == 0] *= 1e-3
    run.history = lambda: history
    assert lines.convergence(run, "png") != calm


@pytest.mark.parametrize("kind", ["pairs", "convergence", "evolution"])
def test_a_score_beyond_measure_is_drawn_as_none(tmp_path, kind):
    run = finished_run(tmp_path / "run", scores=2, front=5)
    history = run.history()
    run.history = lambda: history
    drawn = []
    for value in (np.nan, np.inf, -1.7e308):
        history.scores[[3, 25]] = value
        drawn.append(draw(kind, run, [0]))
    assert drawn[0] == drawn[1] == drawn[2]


def test_the_animation_shows_the_best_that_was_known(tmp_path):
    images = np.full((7, 16, 16, 3), ImageColor.getrgb("#00ff00"), np.uint8)
    run = finished_run(tmp_path / "run", images=images, generations=4)
    front = run.front()
    front.generations[:] = [2, 3, 4, 4, 4, 4, 4]
    run.front = lambda: front
    choice = pick(front.scores, front.generation0_scores, front.score_names)
    data = animation(run, choice)
    assert data == animation(run, choice)
    green = []
    with Image.open(io.BytesIO(data)) as film:
        assert film.n_frames == 5
        for number in range(5):
            film.seek(number)
            frame = np.array(film.convert("RGB")).astype(int)
            green.append(int(((frame[..., 1] > 240) & (frame[..., 0] < 30)).sum()))
    assert green[:2] == [0, 0]
    assert min(green[2:]) > 200 * 200


def test_a_long_run_is_animated_in_so_many_frames(tmp_path):
    run = finished_run(tmp_path / "run", scores=2, generations=MOST_FRAMES + 9)
    front = run.front()
    choice = pick(front.scores, front.generation0_scores, front.score_names)
    with Image.open(io.BytesIO(animation(run, choice))) as film:
        assert film.n_frames <= MOST_FRAMES
