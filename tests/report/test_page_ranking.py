"""The page orders a front as `evo-t2i pick` does, whatever the method."""

import re

import numpy as np
import pytest
from random_scores import NAMES, few_scores, flat_scores, random_scores, tied_scores

from evo_t2i.picking.methods import METHODS, pick
from evo_t2i.picking.taste import Taste
from evo_t2i.report import run_page
from evo_t2i.run import Run


def random_wish(rng, method, count):
    """What `Opened.set_taste` takes, and the same for `pick`, floors left out."""
    weights = rng.choice(np.arange(81) / 20, 4).round(2)
    if not METHODS[method].weights:
        weights = rng.integers(0, 2, 4).astype(float)
    if weights.sum() == 0:
        weights[rng.integers(4)] = 1.0
    taste = {"weights": weights.tolist(), "count": int(rng.choice([1, 1, 4, 9]))}
    taste["count"] = min(taste["count"], count)
    wish = {
        "weights": dict(zip(NAMES, weights.tolist(), strict=True)),
        "count": taste["count"],
    }
    if method == "lexicographic":
        taste["order"] = rng.permutation(4).tolist()
        taste["tolerance"] = float(rng.choice([0, 0.05, 0.5, 1, 2.4]))
        wish["order"] = [NAMES[score] for score in taste["order"]]
        wish["tolerance"] = taste["tolerance"]
    if method == "extremes":
        wish = {}
    return taste, wish


@pytest.mark.parametrize("scores", [random_scores, tied_scores, flat_scores, few_scores])
@pytest.mark.parametrize("method", METHODS)
def test_the_order_is_that_of_the_command(open_scores, method, scores):
    rng = np.random.default_rng([len(method), 1])
    front, generation0 = scores(rng)
    tab = open_scores(front, generation0)
    ids = tab.page.evaluate("() => JSON.parse(document.getElementById('data').text).front.id")
    orders = set()
    for round_ in range(50 if scores is random_scores else 20):
        taste, wish = random_wish(rng, method, len(front))
        steps = np.where(rng.random(4) < 0.2, rng.integers(0, 60, 4), 0) * (round_ % 2)
        tab.set_taste(method, floors=steps.tolist(), **taste)
        floors = {}
        if steps.any():
            floors = tab.floors(NAMES)
            if not (front >= [floors.get(name, -np.inf) for name in NAMES]).all(axis=1).any():
                continue
        expected = pick(front, generation0, NAMES, Taste(method=method, floors=floors, **wish))
        rest = [row for row in expected.ranking if row not in expected.chosen]
        shown = tab.shown()
        assert shown == [ids[row] for row in (*expected.chosen, *rest)], (taste, floors)
        assert tab.page.locator(".notes li").count() == len(expected.notes)
        if method != "extremes":
            said = tab.page.text_content("#status").replace("\u2212", "-")
            value = re.match(rf"Best by {method}: front/\d+\.png, (-?\d+\.\d+)", said)[1]
            best = expected.value[expected.ranking[0]]
            assert float(value) == pytest.approx(best, abs=0.51e-4)
        orders.add(tuple(shown))
    if scores is random_scores:
        assert len(orders) > (10 if METHODS[method].weights else 5)


def test_only_what_a_method_uses_can_be_set(fronts, open_page):
    tab = open_page(fronts(100).path / run_page.PAGE)
    shown = {}
    for method in METHODS:
        tab.set_taste(method)
        shown[method] = {
            part
            for part in ("weight-0", "counts-0", "tolerance", "count")
            if tab.page.is_visible(f"#{part}")
        }
        if tab.page.locator(".sequence button:visible").count():
            shown[method].add("order")
    for method, of_method in METHODS.items():
        if of_method.weights:
            assert shown[method] == {"weight-0", "count"}
    assert shown["knee"] == {"counts-0", "count"}
    assert shown["lexicographic"] == {"counts-0", "order", "tolerance", "count"}
    assert shown["extremes"] == set()


@pytest.mark.parametrize("method", ["lexicographic", "extremes", "knee"])
def test_what_is_exported_is_what_the_command_takes(fronts, open_page, tmp_path, method):
    run = Run(fronts(100).path)
    tab = open_page(run.path / run_page.PAGE)
    taste = {"order": [2, 0, 3, 1], "tolerance": 1.5} if method == "lexicographic" else {}
    weights = [1, 0, 1, 1] if method != "extremes" else [1] * 4
    tab.set_taste(method, weights=weights, count=1 if method == "extremes" else 3, **taste)
    best = tab.shown()
    tab.page.click("#take")
    tab.settle()
    file = tmp_path / "pick.json"
    file.write_text(tab.exported(lambda: tab.page.click("#export-pick")))
    chosen = run.chosen_on_page(file)
    ids = [run.arrays.ids[row] for row in chosen.chosen]
    assert ids == best[: len(ids)]
    assert len(ids) == (4 if method == "extremes" else 3)
    wish = {}
    if method == "lexicographic":
        names = run.arrays.score_names
        wish = {"order": [names[score] for score in taste["order"]], "tolerance": 1.5}
    if method != "extremes":
        wish |= {"weights": {"image_real": 0}, "count": 3}
    assert run.rank(Taste(method=method, **wish)).chosen == chosen.chosen
