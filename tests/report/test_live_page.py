"""The page of a run that goes on, in the browser: it follows the run and keeps what was set."""

import json
import os
import re
import time

import numpy as np
import pytest
from hand_made import generation_facts, result_facts

from evo_t2i.config import RunConfig
from evo_t2i.picking.methods import pick
from evo_t2i.picking.taste import Taste
from evo_t2i.points import Points
from evo_t2i.report import run_page
from evo_t2i.report.live_page import DRAWN_AT_ONCE, MOST_PICTURES, LivePage
from evo_t2i.runs.directory import RunDirectory

CAPTION = "a <b>red</b> bus & a cat"
NAMES = ("text_image", "image_real")
POPULATION = 24


class Going:
    """A run that goes on by ``step``, all of whose newest individuals are its front."""

    def __init__(self, path, count=POPULATION):
        self.config = RunConfig(
            caption=CAPTION, seed=3, population=POPULATION, generations=6, scores=NAMES
        )
        self.run = RunDirectory.create(path, self.config)
        self.page = LivePage(path)
        self.file = path / run_page.PAGE
        self.rng = np.random.default_rng(1)
        self.count, self.next_id, self.asked = count, 0, []
        shades = self.rng.integers(0, 256, (400, 1, 1, 3), dtype=np.uint8)
        self.images = np.broadcast_to(shades, (400, 24, 24, 3))

    def step(self, *, kept=0, **options):
        """One generation more; the first ``kept`` of the front stay on it. Writes the page."""
        generation = len(self.run.journal)
        new = self.count - kept
        record = Points(
            latents=np.arange(self.next_id, self.next_id + new)[:, None].astype(np.float32),
            scores=self.rng.normal(0.4 * generation, 1.0, (new, len(NAMES))),
            ids=np.arange(self.next_id, self.next_id + new),
            parents=np.full((new, 2), -1 if not generation else 0),
            generations=np.full(new, generation),
        )
        facts = generation_facts(len(NAMES), hypervolume=0.5 + generation)
        self.run.commit(record, {}, facts)
        self.next_id += new
        self.front = Points.joined([self.front[:kept], record]) if kept else record
        self.write(**options)

    def write(self, *, interval=0.2, **options):
        first = self.run.history()
        scores = first.scores[first.generations == 0]
        ranked = pick(self.front.scores, scores, NAMES, Taste(count=MOST_PICTURES - len(NAMES)))
        self.page.write(self.front, ranked, self.draw, interval=interval, **options)

    def draw(self, rows):
        self.asked += [int(self.front.ids[row]) for row in rows]
        return self.images[self.front.ids[list(rows)]]

    def finish(self):
        images = self.images[self.front.ids]
        self.run.finish(self.front, images, result_facts(hypervolume=[0.5] * len(self.run.journal)))
        run_page.report(self.run, self.file)


@pytest.fixture
def going(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", os.fstat)
    return Going(tmp_path / "run")


def wait_for(tab, text):
    tab.page.locator("#live", has_text=text).wait_for()
    tab.settle()


def wait_for_address(tab, text):
    end = time.monotonic() + 30
    while text not in tab.page.evaluate("location.hash"):
        assert time.monotonic() < end
        time.sleep(0.05)


def wait_for_front(tab, front):
    led = front.leading.sum()
    text = f"{led} picture{'s' if led > 1 else ''} on the front"
    tab.page.locator("#facts", has_text=text).wait_for()
    tab.settle()


def test_the_page_follows_the_run_to_its_end(going, open_page):
    going.step()
    tab = open_page(going.file)
    wait_for(tab, "Generation 0 of 6")
    assert tab.page.text_content("h1") == CAPTION
    assert set(tab.shown()) == set(going.front.ids.tolist())
    assert not tab.page.is_visible("#export-pick")
    tab.page.keyboard.press("e")
    going.step()
    wait_for(tab, "Generation 1 of 6")
    assert set(tab.shown()) == set(going.front.ids.tolist())
    led = going.front.leading.sum()
    assert f"{led} pictures on the front · 48 evaluated" in tab.page.text_content("#facts")
    going.finish()
    tab.page.wait_for_selector("#export-pick", state="visible")
    assert not tab.page.is_visible("#live")
    assert not run_page.is_live(going.file)
    tab.page.evaluate("window.same = true")
    time.sleep(2.5)
    assert tab.page.evaluate("window.same")


def test_what_was_set_survives_every_reload(going, open_page):
    going.step()
    tab = open_page(going.file)
    wait_for(tab, "Generation 0 of 6")
    first = tab.shown()
    tab.page.keyboard.press("ArrowRight")
    tab.page.keyboard.press(".")
    tab.page.keyboard.press("ArrowRight")
    tab.page.keyboard.press("p")
    tab.page.fill("#filter", f"id<{going.next_id + 9}")
    tab.settle()
    starred, picked = first[1], first[2]
    wait_for_address(tab, f"pick={picked}")
    marked = np.isin(going.front.ids, [starred, picked])
    going.front = going.front[np.argsort(~marked, kind="stable")]
    going.step(kept=2)
    wait_for(tab, "Generation 1 of 6")
    assert tab.selected() == picked
    assert tab.page.text_content(f"[data-id='{starred}'] .marks") == "★"
    assert tab.page.text_content(f"[data-id='{picked}'] .marks") == "✓"
    assert tab.page.input_value("#filter") == "id<33"
    assert all(individual < 33 for individual in tab.shown())
    assert tab.page.evaluate("document.activeElement.id") == "filter"


def test_a_mark_on_a_picture_that_is_not_shown_now_is_kept(going, open_page):
    going.step()
    hidden = int(going.front.ids[5])
    tab = open_page(going.file, f"#star={hidden}&pick={hidden}&w=2,1")
    wait_for(tab, "Generation 0 of 6")
    whole = going.front
    going.front = whole[np.arange(3)]
    going.write()
    wait_for_front(tab, going.front)
    wait_for_address(tab, f"star={hidden}&pick={hidden}")
    going.front = whole
    going.write()
    wait_for_front(tab, going.front)
    assert tab.page.text_content(f"[data-id='{hidden}'] .marks") == "★✓"
    assert "w=2,1" in tab.page.evaluate("location.hash")


def test_without_a_choice_the_best_picture_of_the_moment_is_shown(going, open_page):
    going.step()
    tab = open_page(going.file)
    wait_for(tab, "Generation 0 of 6")
    tab.page.keyboard.press(".")  # makes the page write its address
    assert tab.selected() == tab.shown()[0]
    going.step()
    wait_for(tab, "Generation 1 of 6")
    assert tab.selected() == tab.shown()[0]


def test_nobody_is_interrupted(going, open_page):
    going.step()
    tab = open_page(going.file)
    wait_for(tab, "Generation 0 of 6")
    tab.page.keyboard.press("Enter")
    assert tab.page.is_visible("#enlarged")
    going.step()
    time.sleep(2.5)
    assert tab.page.is_visible("#enlarged")
    assert "Generation 0 of 6" in tab.page.text_content("#live")
    tab.page.keyboard.press("Escape")
    wait_for(tab, "Generation 1 of 6")


def test_a_run_that_was_stopped_says_so_and_reloads_no_more(going, open_page):
    going.step()
    going.page.end("the run was stopped; evo-t2i resume RUN goes on with it")
    tab = open_page(going.file)
    wait_for(tab, "the run was stopped; evo-t2i resume RUN goes on with it")
    going.step()
    time.sleep(2.5)
    assert "Generation 0 of 6" in tab.page.text_content("#live")
    assert run_page.is_live(going.file)


def test_a_run_that_was_killed_is_not_said_to_go_on(going, open_page, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: time.time_ns() / 1e9 - 600)
    going.step()
    tab = open_page(going.file)
    wait_for(tab, "nothing new for 10 min: the run is busy or has ended without a word")
    assert "follows" not in tab.page.text_content("#live")


def test_the_end_of_a_finished_run_leaves_its_page_alone(going):
    going.step()
    going.finish()
    before = going.file.read_bytes()
    going.page.end("the run was stopped")
    assert going.file.read_bytes() == before


def test_each_picture_is_drawn_once_and_some_only(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", os.fstat)
    going = Going(tmp_path / "run", count=150)
    going.step()
    assert len(going.asked) == len(set(going.asked)) <= MOST_PICTURES
    drawn = list(going.asked)
    going.write()
    assert going.asked == drawn
    going.step(kept=100)
    assert len(going.asked) == len(set(going.asked))
    best = set(going.front.ids[going.front.scores.argmax(axis=0)].tolist())
    data = shown_data(going.file)
    assert best <= set(data["front"]["id"])
    assert data["live"]["shown"] == len(data["front"]["id"]) <= MOST_PICTURES
    assert data["live"]["front"] == going.front.leading.sum()


def test_no_more_is_drawn_than_there_is_time_for(going):
    going.step(enough=lambda: True)
    assert len(going.asked) == len(shown_data(going.file)["front"]["id"]) == DRAWN_AT_ONCE
    going.write(enough=lambda: True)
    assert len(going.asked) == len(shown_data(going.file)["front"]["id"]) == 2 * DRAWN_AT_ONCE


def shown_data(file):
    text = re.search(r'id="data">(.*?)</script>', file.read_text(), re.S)[1]
    return json.loads(text)
