"""Figures of a run: they show the data, survive odd input, and are the same bytes each time."""

import dataclasses
import io

import numpy as np
import pytest
from PIL import Image, ImageColor
from random_runs import finished_run, pictures

from evo_t2i.picking.methods import pick
from evo_t2i.picking.taste import Taste
from evo_t2i.report import plots, sheets, style
from evo_t2i.report.figure import DOTS_PER_INCH


def opened(file):
    with Image.open(file) as picture:
        return np.array(picture.convert("RGB"))


def count_of(pixels, colour):
    return int((pixels == np.array(ImageColor.getrgb(colour))).all(axis=-1).sum())


@pytest.mark.parametrize(("scores", "front"), [(1, 1), (2, 5), (3, 7), (4, 1), (5, 7)])
def test_pareto_draws_the_front_and_the_pick_for_any_number_of_scores(tmp_path, scores, front):
    run = finished_run(tmp_path / "run", scores=scores, front=front)
    plots.pareto(run, tmp_path / "plain.png")
    plots.pareto(run, tmp_path / "picked.png", picked=[0])
    plain, picked = opened(tmp_path / "plain.png"), opened(tmp_path / "picked.png")
    assert count_of(plain, style.FRONT) > 50
    assert count_of(plain, style.PICKED) == 0
    assert count_of(picked, style.PICKED) > 50 * scores
    assert (plain[0] == np.array(ImageColor.getrgb(style.PAPER))).all()


def test_pareto_needs_no_spread_and_no_later_generation(tmp_path):
    run = finished_run(tmp_path / "run", generations=0)
    front, history = run.front(), run.history()
    history.scores[:] = 0.5
    front.scores[:] = 0.5
    data = plots.scatter_matrix(front, history, "flat", ["0 generations"], [0])
    assert count_of(opened(io.BytesIO(data)), style.PICKED) > 50


def test_figures_are_the_same_bytes_each_time_and_carry_no_date(tmp_path):
    run = finished_run(tmp_path / "run")
    front = run.front()
    choice = pick(front.scores, front.generation0_scores, front.score_names)
    for name in ("a", "b"):
        plots.pareto(run, tmp_path / f"pareto-{name}.png", picked=choice.chosen)
        sheets.front_sheet(run, choice, tmp_path / f"sheet-{name}.png")
    for kind in ("pareto", "sheet"):
        first = (tmp_path / f"{kind}-a.png").read_bytes()
        assert first == (tmp_path / f"{kind}-b.png").read_bytes()
        with Image.open(io.BytesIO(first)) as picture:
            assert not {"Software", "Creation Time", "date"} & set(picture.info)


@pytest.mark.parametrize(
    "caption",
    [
        "costs $5 or $x_1$ or \\frac{1}{2}",
        "雪の中の猫 " * 30,
        "x" * 1000,
        "\x1b[31mred\x1b[0m \u202egnp \n\t tab",
        "emoji 🐈 and é",
        "..",
    ],
)
def test_any_caption_can_be_a_title(tmp_path, caption, recwarn):
    run = finished_run(tmp_path / "run", scores=2, caption=caption)
    front = run.front()
    choice = pick(front.scores, front.generation0_scores, front.score_names)
    plots.pareto(run, tmp_path / "pareto.png", picked=choice.chosen)
    sheets.front_sheet(run, choice, tmp_path / "sheet.png")
    for name in ("pareto.png", "sheet.png"):
        pixels = opened(tmp_path / name)
        assert (pixels[:, -20:] == np.array(ImageColor.getrgb(style.PAPER))).all()
    assert not recwarn.list


def test_the_caption_is_literal_and_changes_only_the_title(tmp_path):
    run = finished_run(tmp_path / "run", scores=2)
    front, history = run.front(), run.history()
    images = {
        caption: opened(io.BytesIO(plots.scatter_matrix(front, history, caption, ["x"], [])))
        for caption in ("$a$", "a")
    }
    different = np.flatnonzero((images["$a$"] != images["a"]).any(axis=(1, 2)))
    assert len(different) > 0
    assert different.max() < 0.8 * DOTS_PER_INCH


def test_the_contact_sheet_shows_the_pictures_best_first_and_frames_the_pick(tmp_path):
    run = finished_run(tmp_path / "run")
    front = run.front()
    choice = pick(front.scores, front.generation0_scores, front.score_names, Taste(count=2))
    sheets.front_sheet(run, choice, tmp_path / "sheet.png")
    sheet = opened(tmp_path / "sheet.png")
    order = [*choice.chosen, *choice.ranking]
    places = [
        np.array(
            Image.fromarray(front.image(row)).resize(
                (sheets.TILE, sheets.TILE), Image.Resampling.LANCZOS
            )
        )
        for row in dict.fromkeys(order)
    ]
    tops = [_position(sheet, tile) for tile in places]
    assert tops == sorted(tops)
    assert len({x for _, x in tops}) == 4
    for y, x in tops[:2]:
        assert count_of(sheet[y - 7 : y, x : x + sheets.TILE], style.FRONT) == 4 * sheets.TILE
    for y, x in tops[2:]:
        assert count_of(sheet[y - 7 : y, x + 10 : x + sheets.TILE - 10], style.FRONT) == 0


def _position(sheet, tile):
    """(y, x) where ``tile`` lies in ``sheet``."""
    columns = range(sheets.MARGIN, sheet.shape[1] - sheets.TILE, sheets.TILE + sheets.GAP)
    for y in range(sheet.shape[0] - sheets.TILE):
        for x in columns:
            part = sheet[y : y + sheets.TILE, x : x + sheets.TILE]
            if (part[0] == tile[0]).all() and (part == tile).all():
                return y, x
    raise AssertionError("the picture is not on the sheet")


def test_of_a_large_front_the_sheet_shows_what_looks_different(tmp_path, monkeypatch):
    images = np.repeat(pictures(1), 9, axis=0)
    images[:, 0, 0] += np.arange(9, dtype=np.uint8)[:, None]  # near copies
    images[4], images[7] = 255, 0
    run = finished_run(tmp_path / "run", front=9, images=images)
    front = run.front()
    choice = pick(front.scores, front.generation0_scores, front.score_names)
    monkeypatch.setattr(sheets, "MOST_PICTURES", 3)
    sheets.front_sheet(run, choice, tmp_path / "sheet.png")
    shown = {4, 7, choice.chosen[0]} if choice.chosen[0] not in (4, 7) else {4, 7}
    order = [row for row in choice.ranking if row in shown]
    sheet = opened(tmp_path / "sheet.png")
    size = (sheets.TILE, sheets.TILE)
    tiles = [
        np.array(Image.fromarray(front.image(row)).resize(size, Image.Resampling.LANCZOS))
        for row in order
    ]
    places = [_position(sheet, tile) for tile in tiles]
    assert places == sorted(places)


def test_the_sheet_of_a_large_front_begins_with_one_of_each_look(tmp_path, monkeypatch):
    images = np.repeat(pictures(1), 12, axis=0)
    images[:, 0, :, 0] = np.arange(12, dtype=np.uint8)[:, None] * 9
    looks = np.array([1, 1, 1, 1, 1, 1, 1, 2, 2, 3, 1, 1])
    run = finished_run(tmp_path / "run", front=12, images=images, looks=looks)
    front = run.front()
    choice = pick(front.scores, front.generation0_scores, front.score_names)
    choice = dataclasses.replace(choice, z=np.ones_like(choice.z))
    monkeypatch.setattr(sheets, "MOST_PICTURES", 11)
    sheets.front_sheet(run, choice, tmp_path / "sheet.png")
    sheet = opened(tmp_path / "sheet.png")
    size = (sheets.TILE, sheets.TILE)
    found = {}
    for row in range(12):
        tile = np.array(Image.fromarray(images[row]).resize(size, Image.Resampling.LANCZOS))
        try:
            found[row] = _position(sheet, tile)
        except AssertionError:
            continue
    shown = sorted(found, key=found.get)
    firsts = [next(row for row in choice.ranking if looks[row] == look) for look in (1, 2, 3)]
    assert shown[:3] == sorted(firsts, key=list(choice.ranking).index)
    assert sorted(looks[shown].tolist()) == [1, 1, 1, 1, 2, 2, 3]


def test_of_a_large_front_what_is_worse_than_a_plain_sample_is_left_out(tmp_path, monkeypatch):
    images = np.repeat(pictures(1), 9, axis=0)
    images[4], images[7] = 255, 0
    run = finished_run(tmp_path / "run", front=9, images=images)
    front = run.front()
    choice = pick(front.scores, front.generation0_scores, front.score_names)
    worse = next(row for row in (4, 7) if row not in choice.chosen)
    z = np.ones_like(choice.z)
    z[worse] = (9.0, *[-3.0] * (z.shape[1] - 1))  # leads in one score, far ahead
    monkeypatch.setattr(sheets, "MOST_PICTURES", 8)
    sheets.front_sheet(run, dataclasses.replace(choice, z=z), tmp_path / "sheet.png")
    sheet = opened(tmp_path / "sheet.png")
    size = (sheets.TILE, sheets.TILE)
    tile = np.array(Image.fromarray(images[worse]).resize(size, Image.Resampling.LANCZOS))
    with pytest.raises(AssertionError, match="not on the sheet"):
        _position(sheet, tile)
    z[worse] = 1.0
    sheets.front_sheet(run, dataclasses.replace(choice, z=z), tmp_path / "all.png")
    _position(opened(tmp_path / "all.png"), tile)


@pytest.mark.parametrize("shape", [(64, 64), (512, 512), (30, 90), (90, 30), (1, 1)])
def test_pictures_of_any_shape_fit(tmp_path, shape):
    images = pictures(3, *shape)
    labels = [["a typical sample", "mean z -0.2"], ["best of generation 0"], ["evolved pick", "1"]]
    sheets.before_after(images, labels, "A cat", tmp_path / "three.png")
    sheets.contact_sheet(images, labels, "A cat", tmp_path / "sheet.png", framed=[1])
    large = opened(tmp_path / "three.png")
    assert large.shape[1] >= 3 * sheets.LARGE * min(1, shape[1] / shape[0])
    assert count_of(large, style.FRONT) > 100
    assert count_of(opened(tmp_path / "sheet.png"), style.FRONT) > 100


def test_an_empty_sheet_is_still_a_picture(tmp_path):
    sheets.contact_sheet([], [], "nothing", tmp_path / "sheet.png")
    assert count_of(opened(tmp_path / "sheet.png"), style.INK) > 20


def test_what_the_font_lacks_is_escaped_and_named():
    caption = "猫 and 🐈 über ☀ кот, 猫\u202e\n"
    assert style.undrawn(caption) == "猫🐈"
    assert style.plain(caption) == "\\u732b and \\U0001f408 über ☀ кот, \\u732b"
    assert "no letters for 猫🐈 and" in style.title_note(caption)
    assert style.title_note("über ☀ кот γάτα") is None


RIGHT_TO_LEFT = "قطة على الطاولة"


@pytest.mark.skipif(bool(style.undrawn(RIGHT_TO_LEFT)), reason="no library lays out Arabic here")
def test_arabic_is_joined_and_runs_leftwards(tmp_path):
    """The first letter stands at the right, and letters are joined: narrower than apart."""
    face = style.font(60, leftwards=True)
    drawn = {}
    for text in (RIGHT_TO_LEFT, RIGHT_TO_LEFT[1:]):
        sheets.contact_sheet([], [], text, tmp_path / "sheet.png")
        pixels = opened(tmp_path / "sheet.png")
        drawn[text] = np.flatnonzero((pixels != pixels[0, 0]).any(axis=(0, 2)))
    whole, rest = drawn.values()
    assert whole.max() - rest.max() > 5  # it is shorter at its right
    assert whole.min() == rest.min()
    assert face.getlength("طا") < face.getlength("ط") + face.getlength("ا")


def test_without_a_library_for_it_arabic_is_escaped_and_named(monkeypatch):
    monkeypatch.setattr(style.features, "check", lambda name: name != "fribidi")
    style._drawable.cache_clear()
    try:
        assert style.plain("قط cat") == "\\u0642\\u0637 cat"
        assert "no letters for قط and" in style.title_note("قط cat")
    finally:
        style._drawable.cache_clear()


def test_a_title_without_letters_of_its_own_is_no_row_of_boxes(tmp_path):
    """Both libraries draw a box for what they lack, the same for every character."""
    sizes = set()
    for caption in ("猫", "犬"):
        sheets.contact_sheet([], [], caption, tmp_path / "sheet.png")
        sizes.add((tmp_path / "sheet.png").read_bytes())
    run = finished_run(tmp_path / "run", scores=2)
    front, history = run.front(), run.history()
    figures = [plots.scatter_matrix(front, history, text, ["x"], []) for text in ("猫", "犬")]
    assert len(sizes) == 2
    assert figures[0] != figures[1]


def test_text_is_broken_at_spaces_and_never_too_wide():
    face = style.font(20)
    text = "a bird that is on a tree and looks at the camera " * 4
    lines = style.wrapped(text, face, 300, lines=3)
    assert len(lines) == 3
    assert lines[-1].endswith("…")
    assert all(face.getlength(line) <= 300 for line in lines)
    assert " ".join(style.wrapped(text, face, 300, lines=99)) == text.strip()
    assert style.wrapped("  two\n\twords\x07 ", face, 300) == ["two words"]
    assert style.wrapped("", face, 300) == []
    assert "".join(style.wrapped("x" * 100, face, 100, lines=99)) == "x" * 100
    assert all(style.wrapped("abc", face, 1, lines=5))
