"""Fronts of any size with small pictures, and Debian's chromium to open their pages in."""

import os
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest
from hand_made import generation_facts, result_facts
from playwright.sync_api import Browser, Page, sync_playwright

from evo_t2i.config import RunConfig
from evo_t2i.picking.scale import robust_scale
from evo_t2i.points import Points
from evo_t2i.report import run_page
from evo_t2i.runs.directory import RunDirectory

NAMES = ("text_image", "image_real", "region_word", "word_label", "another")
POPULATION = 24
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


def front_run(
    path: Path,
    count: int,
    *,
    scores: int = 4,
    caption: str = "a cat is lay on the table.",
    generations: int = 6,
    side: int = 24,
    images: np.ndarray | None = None,
    looks: np.ndarray | None = None,
) -> RunDirectory:
    """A finished run whose last ``count`` individuals are its front; children of random parents."""
    config = RunConfig(
        caption=caption, seed=11, population=POPULATION, generations=generations,
        scores=NAMES[:scores],
    )  # fmt: skip
    rng = np.random.default_rng(count)
    most = max(count, POPULATION)
    first, parents = 0, np.full((POPULATION, 2), -1)
    with RunDirectory.create(path, config) as run:
        for generation in range(generations + 1):
            size = most if generation == generations else POPULATION
            if generation:
                parents = rng.integers(first - POPULATION, first, (size, 2))
            record = Points(
                latents=rng.normal(size=(size, 3)).astype(np.float32),
                scores=rng.normal(0.4 * generation, 1.0, (size, scores)),
                ids=np.arange(first, first + size),
                parents=parents,
                generations=np.full(size, generation),
            )
            if not generation:
                record.scores[0] = np.nan
            run.commit(record, {}, generation_facts(scores))
            first += size
        volumes = np.linspace(0.4, 2.0, generations + 1).tolist()
        shown = pictures(count, side) if images is None else images
        run.finish(record[:count], shown, result_facts(hypervolume=volumes), looks)
    return RunDirectory.open(path)


def pictures(count: int, side: int) -> np.ndarray:
    """(count, side, side, 3) uint8: a disc before a sky, no two alike."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[0:side, 0:side] / side
    shades = rng.uniform(60, 255, (count, 2, 3))
    centres = rng.uniform(0.25, 0.75, (count, 2, 1, 1))
    discs = (x - centres[:, 0]) ** 2 + (y - centres[:, 1]) ** 2 < 0.04
    sky = shades[:, 0, None, None] * (0.6 + 0.4 * y[None, ..., None])
    return np.where(discs[..., None], shades[:, 1, None, None], sky).astype(np.uint8)


@pytest.fixture(scope="session")
def browser():
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        pytest.skip("no chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield chromium
        chromium.close()


SET_TASTE = """
async ([method, weights, floors, tolerance, count]) => {
  const put = (id, value, type) => {
    const field = document.getElementById(id);
    field.value = value;
    field.dispatchEvent(new Event(type, {bubbles: true}));
  };
  put('method', method, 'change');
  weights.forEach((weight, j) => put(`weight-${j}`, weight, 'input'));
  floors.forEach((step, j) => put(`floor-${j}`, step, 'input'));
  put('tolerance', tolerance, 'input');
  put('count', count, 'change');
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}
"""


RECORDER = Path(__file__).with_name("recorder.js").read_text()


@dataclass
class Opened:
    """A page in the browser with what went wrong in it."""

    page: Page
    problems: list[str] = field(default_factory=list)

    def settle(self) -> None:
        """Wait until everything that was asked is drawn."""
        self.page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def set_taste(
        self,
        method: str = "balanced",
        *,
        weights: Sequence[float] = (1, 1, 1, 1),
        floors: Sequence[int] = (0, 0, 0, 0),
        order: Sequence[int] | None = None,
        tolerance: float = 0.5,
        count: int = 1,
    ) -> None:
        """By the controls; floors are steps of their sliders, order holds places of scores."""
        self.page.evaluate(SET_TASTE, [method, list(weights), list(floors), tolerance, count])
        for place, score in enumerate(order or []):
            for _ in range(10):
                scores = self.page.locator(".sequence input").evaluate_all(
                    "boxes => boxes.map(box => Number(box.id.replace('counts-', '')))"
                )
                if scores.index(score) <= place:
                    break
                self.page.locator(".sequence li").nth(scores.index(score)).get_by_role(
                    "button", name="earlier"
                ).evaluate("button => button.click()")
                self.settle()

    def floors(self, names: Sequence[str]) -> dict[str, float]:
        """Those that are set, as the page's address holds them."""
        address = self.page.evaluate(
            "() => (dispatchEvent(new Event('pagehide')), location.hash.slice(1))"
        )
        values = parse_qs(address).get("f", [""])[0].split(",")
        return {name: float(text) for name, text in zip(names, values, strict=False) if text}

    def exported(self, press: Callable[[], None]) -> str:
        """The text of the file that is downloaded upon ``press``."""
        with self.page.expect_download() as download:
            press()
        return download.value.path().read_text()

    def shown(self) -> list[int]:
        """Ids in the gallery, best first; it is scrolled through, as it holds what is in view."""
        return self.page.evaluate("() => window.scrolledThrough()")

    def drawn(self) -> list[set[int]]:
        """Ids that each view draws: gallery, parallel coordinates, every panel of the matrix."""
        self.page.wait_for_timeout(400)  # until what is out of sight is painted as well
        return [
            set(self.shown()),
            *(set(ids) for ids in self.page.evaluate("() => window.painted()")),
        ]

    def line_of(self, individual: int) -> list[float]:
        """How far down, in per cent, the line of a picture crosses each axis from left to right."""
        return self.page.evaluate("id => window.heightsOf(id)", individual)

    def across(self) -> int:
        """How many tiles lie in a line of the gallery."""
        columns = "getComputedStyle(document.getElementById('gallery')).gridTemplateColumns"
        return len(self.page.evaluate(columns).split())

    def selected(self) -> int:
        return int(re.search(r"picture (\d+) ", self.page.text_content("#stage .name"))[1])


@pytest.fixture
def open_page(browser: Browser):
    """``open_page(file, hash)`` → Opened; afterwards nothing may have gone wrong in any of them."""
    opened: list[Opened] = []
    context = browser.new_context(viewport={"width": 1440, "height": 900})

    def open_file(file: Path, address: str = "", **emulated: Any) -> Opened:
        tab = Opened(context.new_page())
        tab.page.add_init_script(RECORDER)
        opened.append(tab)
        if emulated:
            tab.page.emulate_media(**emulated)
        url = file.as_uri()
        tab.page.on("pageerror", lambda error: tab.problems.append(f"error: {error}"))
        tab.page.on(
            "console",
            lambda message: tab.problems.append(f"{message.type}: {message.text}"),
        )
        tab.page.on(
            "request",
            lambda request: (
                request.url.split("#")[0] == url
                or request.url.startswith(("data:", "blob:"))
                or tab.problems.append(f"request: {request.url}")
            ),
        )
        tab.page.goto(url + address)
        tab.settle()
        return tab

    yield open_file
    context.close()
    assert [problem for tab in opened for problem in tab.problems] == []


@pytest.fixture(scope="session")
def fronts(tmp_path_factory):
    """``fronts(100)`` → its run, written once with its page."""
    runs: dict[int, RunDirectory] = {}
    folder = tmp_path_factory.mktemp("fronts")

    def run_of(count: int) -> RunDirectory:
        if count not in runs:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(os, "fsync", os.fstat)  # hundreds of files, and nothing to survive
                runs[count] = front_run(folder / str(count), count)
                run_page.report(runs[count], runs[count].path / run_page.PAGE)
        return runs[count]

    return run_of


@pytest.fixture
def open_scores(fronts, open_page, tmp_path):
    """``open_scores(front, generation0)`` → the page of a front with these scores."""
    whole = run_page.run_data(fronts(100))

    def opened(front, generation0):
        centre, scale = robust_scale(generation0)
        kept = {
            name: values[: len(front)] if isinstance(values, list) else values
            for name, values in whole["front"].items()
            if name != "size"
        }
        data = whole | {
            "centre": centre.tolist(),
            "scale": scale.tolist(),
            "front": kept | {"size": whole["front"]["size"], "scores": front.tolist()},
        }
        file = tmp_path / "page.html"
        file.write_bytes(run_page.page_html(data))
        return open_page(file)

    return opened


@pytest.fixture
def make_run(monkeypatch):
    monkeypatch.setattr(os, "fsync", os.fstat)
    return front_run
