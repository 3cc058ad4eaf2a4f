"""The questions of `evo-t2i pick --ask` on the page: the same ones, and the same weights."""

import json

import numpy as np
import pytest
from random_scores import (
    NAMES,
    few_scores,
    flat_scores,
    random_scores,
    tied_scores,
    trade_offs,
)

from evo_t2i.picking.ask import WeightLearner
from evo_t2i.report import run_page


@pytest.mark.parametrize(
    "scores", [random_scores, trade_offs, tied_scores, flat_scores, few_scores]
)
@pytest.mark.parametrize("seed", range(2))
def test_it_asks_and_learns_what_the_command_does(open_scores, scores, seed):
    rng = np.random.default_rng([seed, 5])
    front, generation0 = scores(rng)
    tab = open_scores(front, generation0)
    ids = tab.page.evaluate("() => JSON.parse(document.getElementById('data').text).front.id")
    learner = WeightLearner(front, generation0, NAMES)
    tab.page.click("#ask-open")
    while not learner.finished:
        question = learner.question()
        asked = tab.page.locator("#ask .choice").evaluate_all(
            "choices => choices.map(choice => Number(choice.dataset.id))"
        )
        assert asked == [ids[row] for row in question]
        worst = int(rng.integers(len(question) + 1))  # the last one is "cannot tell"
        tab.page.keyboard.press("s" if worst == len(question) else str(worst + 1))
        learner.answer(question, None if worst == len(question) else worst)
    assert tab.page.locator("#ask .choice").count() == 0
    tab.page.keyboard.press("Enter")
    assert not tab.page.is_visible("#ask")
    tab.settle()
    taken = json.loads(tab.exported(lambda: tab.page.keyboard.press("e")))
    weights = np.array([taken["weights"][name] for name in NAMES])
    expected = np.array([learner.weights()[name] for name in NAMES])
    np.testing.assert_allclose(weights / weights.sum(), expected / expected.sum(), atol=1e-12)
    picked = learner.pick()
    assert tab.shown() == [ids[row] for row in picked.ranking]
    assert tab.selected() == ids[picked.chosen[0]]


def test_by_mouse_and_by_touch_and_back(fronts, open_page):
    tab = open_page(fronts(100).path / run_page.PAGE)
    tab.set_taste("rank", weights=[2, 1, 1, 0], floors=[40, 0, 0, 0])
    before = tab.shown()
    tab.page.click("#ask-open")
    floor = set(before)
    for place in (0, 3, 1):
        shown = tab.page.locator("#ask .choice")
        ids = shown.evaluate_all("choices => choices.map(choice => Number(choice.dataset.id))")
        assert set(ids) <= floor
        shown.nth(place).click()
    tab.page.get_by_role("button", name="Cannot tell").click()
    assert "Question 5 of" in tab.page.text_content("#ask-progress")
    tab.page.get_by_role("button", name="Enough").click()
    assert "Learned from 4 answers" in tab.page.text_content("#ask-progress")
    tab.settle()
    assert tab.page.input_value("#method") == "balanced"
    assert set(tab.shown()) == floor
    tab.page.get_by_role("button", name="Put my weights back").click()
    tab.settle()
    assert tab.page.input_value("#method") == "rank"
    assert tab.shown() == before


@pytest.mark.parametrize("key", ["q", "Escape"])
def test_enough_before_the_first_answer_changes_nothing(fronts, open_page, key):
    tab = open_page(fronts(100).path / run_page.PAGE)
    before = tab.page.evaluate("location.hash"), tab.shown()
    tab.page.click("#ask-open")
    tab.page.keyboard.press(key)
    tab.settle()
    assert not tab.page.is_visible("#ask")
    assert tab.page.evaluate("document.activeElement.id") == "ask-open"
    assert (tab.page.evaluate("location.hash"), tab.shown()) == before


@pytest.mark.parametrize("count", [0, 1])
def test_a_front_without_a_choice_has_nothing_to_ask(fronts, open_page, count):
    tab = open_page(fronts(count).path / run_page.PAGE)
    tab.page.click("#ask-open")
    assert "There is nothing to ask" in tab.page.text_content("#ask")
    tab.page.keyboard.press("Enter")
    assert not tab.page.is_visible("#ask")


def test_its_keys_do_not_reach_the_page_behind(fronts, open_page):
    tab = open_page(fronts(100).path / run_page.PAGE)
    tab.page.click("#ask-open")
    for key in ("p", ".", "e", "ArrowRight", "End"):
        tab.page.keyboard.press(key)
    tab.settle()
    assert "picked" not in tab.page.text_content("#status")
    assert tab.selected() == tab.shown()[0]
