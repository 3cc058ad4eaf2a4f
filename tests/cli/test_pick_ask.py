"""`pick --ask`: the dialogue over a pipe and in a terminal."""

import io
import json
import re

import pytest

from evo_t2i.picking.taste import Taste
from evo_t2i.run import Run


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
    assert run.picked().chosen == run.rank(Taste(weights=table["weights"])).chosen
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


def test_questions_in_a_terminal_come_with_pictures(answering, finished_run, terminal):
    with terminal(80, 24, TERM="xterm-256color", COLORTERM="truecolor") as shown:
        assert answering("2\nq\n", finished_run).code == 0
    text = shown.screen.display
    assert any(line.split() == ["1", "2", "3", "4"] for line in text)
    assert sum("▀" in line for line in text) >= 4
    assert "q)?" in "".join(text)
