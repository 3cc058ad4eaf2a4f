"""`pick --ask`: the dialogue over a pipe, and pictures as coloured half blocks."""

import io
import json
import re

import numpy as np
import pytest

from evo_t2i.cli.ask import GAP, half_blocks
from evo_t2i.run import Run

PIXEL = re.compile(r"\x1b\[38;2;(\d+);(\d+);(\d+);48;2;(\d+);(\d+);(\d+)m▀")


@pytest.fixture
def answering(monkeypatch, evo):
    def call(answers, *arguments):
        monkeypatch.setattr("sys.stdin", io.StringIO(answers))
        return evo("pick", *arguments, "--ask")

    return call


def test_answers_from_a_pipe_become_weights(answering, finished_run):
    result = answering("1\n" * 10, finished_run, "--json")
    assert result.code == 0, result.err
    table = json.loads(result.out)
    assert sum(table["weights"].values()) == pytest.approx(1)
    assert re.match(r"The weights were learned: .* \d+ questions\.", table["notes"][0])
    run = Run(finished_run)
    assert run.picked().chosen == run.rank(weights=table["weights"]).chosen
    assert "Which picture is the worst?" in result.err
    assert "\x1b" not in result.err
    assert not (finished_run / "ask.png").exists()


def test_other_answers(answering, finished_run):
    enough = answering("q\n", finished_run)
    assert enough.code == 0
    assert "enough after 0 questions" in enough.out
    result = answering("5\nhello\x1b\nS\nQ\n", finished_run)
    assert "'5' is no answer; give 1 to 4, s or q." in result.err
    assert "\x1b" not in result.err
    assert "enough after 1 question." in result.out


def test_answers_that_end_too_early_are_said_and_nothing_is_written(answering, finished_run):
    result = answering("s\n", finished_run)
    assert (result.code, result.out) == (2, "")
    assert (
        "The answers ended at question 2; answer --ask in a terminal, or give a line" in result.err
    )
    assert not (finished_run / "pick").exists()
    assert not (finished_run / "ask.png").exists()


@pytest.mark.parametrize(
    "options",
    [("--method", "rank"), ("--weight", "text_image=2"), ("--count", "0")],
)
def test_what_does_not_go_with_asking_is_refused(answering, finished_run, options):
    result = answering("1\n", finished_run, *options)
    assert (result.code, result.out) == (2, "")
    assert result.err.count("\n") == 1


@pytest.mark.parametrize(
    ("columns", "lines", "across"), [(80, 24, 4), (120, 40, 2), (30, 10, 4), (300, 20, 4)]
)
def test_half_blocks_fit_the_terminal_and_keep_the_colours(columns, lines, across):
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (9, 8, 7)]
    images = [np.full((16, 16, 3), colour, np.uint8) for colour in colours]
    text = half_blocks(images, columns, lines).splitlines()
    assert len(text) < lines
    plain = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in text]
    assert max(map(len, plain)) <= columns
    assert plain[0].split() == [str(place + 1) for place in range(across)]
    found = [tuple(map(int, match)) for match in PIXEL.findall(text[1])]
    side = (len(plain[1]) - GAP * (across - 1)) // across
    assert len(found) == across * side
    assert found[0] == (255, 0, 0, 255, 0, 0)
    assert found[-1] == 2 * colours[across - 1]
    assert all(line.endswith("\x1b[0m") for line in text if "▀" in line)


def test_a_half_block_is_the_upper_pixel_above_the_lower():
    image = np.zeros((2, 2, 3), np.uint8)
    image[0], image[1] = (255, 0, 0), (0, 0, 255)
    text = half_blocks([image, image], 2 + 2 * GAP, 9).splitlines()
    assert PIXEL.findall(text[1])[0] == ("255", "0", "0", "0", "0", "255")


def test_half_blocks_of_wide_and_tall_pictures():
    images = [np.full((8, 32, 3), 200, np.uint8), np.full((32, 8, 3), 100, np.uint8)]
    text = half_blocks(images, 60, 30).splitlines()
    rows = [PIXEL.findall(line) for line in text]
    assert any(("200",) * 6 in row for row in rows)
    assert any(("100",) * 6 in row for row in rows)
    assert len(text) < 30
