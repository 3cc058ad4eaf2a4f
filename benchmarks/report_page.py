"""What the page of a run weighs, how soon it can be used, and how quickly it follows.

    python benchmarks/report_page.py      # needs chromium and `pip install playwright`

Fronts are made up: pictures of noise and discs, which compress worse than drawn ones, and scores at
random. Interactive is the moment from the start of the navigation until every view is drawn and
listens; the medians of fresh tabs are printed. A move is a slider's step by the keyboard, or one of
the mouse along an axis that is being brushed, in a window of 1440 x 900; it takes from the event
until the frame that follows it is painted, which includes waiting for that frame: median and 90th
percentile.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

from evo_t2i.config import RunConfig
from evo_t2i.points import Points
from evo_t2i.report import run_page
from evo_t2i.runs.directory import RunDirectory
from evo_t2i.runs.generations import GenerationFacts

POPULATION, GENERATIONS = 100, 50

FACTS = GenerationFacts(
    evaluations=0,
    front=0,
    hypervolume=1.0,
    box=((0.0,) * 4, (1.0,) * 4),
    micro_batch=1,
    models={},
    environment={},
)


def front_run(path: Path, count: int, side: int) -> RunDirectory:
    """A finished run of 5,100 evaluations whose last generation has the front."""
    config = RunConfig(caption="a cat is lay on the table.", seed=1, generations=GENERATIONS)
    rng = np.random.default_rng(0)
    with RunDirectory.create(path, config) as run:
        for generation in range(GENERATIONS + 1):
            size = max(count, POPULATION) if generation == GENERATIONS else POPULATION
            first = generation * POPULATION
            parents = rng.integers(first - POPULATION, max(first, 1), (size, 2))
            record = Points(
                latents=rng.normal(size=(size, 32)).astype(np.float32),
                scores=rng.normal(generation / 50, 1.0, (size, 4)),
                ids=np.arange(first, first + size),
                parents=parents if generation else np.full((size, 2), -1),
                generations=np.full(size, generation),
            )
            run.commit(record, {}, FACTS)
        volumes = np.linspace(0.5, 2.0, GENERATIONS + 1).tolist()
        facts = {
            "models": {},
            "coverage": 1.0,
            "label_matched": True,
            "evaluations": config.evaluations,
            "hypervolume": volumes,
        }
        run.finish(record[:count], pictures(rng, count, side), facts)
    return RunDirectory.open(path)


def pictures(rng: np.random.Generator, count: int, side: int) -> np.ndarray:
    """(count, side, side, 3) uint8: discs before a sky under noise."""
    y, x = np.mgrid[0:side, 0:side] / side
    centres = rng.uniform(0.2, 0.8, (count, 2, 1, 1))
    discs = ((x - centres[:, 0]) ** 2 + (y - centres[:, 1]) ** 2 < 0.05)[..., None]
    shades = rng.uniform(0, 255, (count, 2, 1, 1, 3))
    images = np.where(discs, shades[:, 1], shades[:, 0] * (0.5 + 0.5 * y[..., None]))
    return np.clip(images + rng.normal(0, 8, images.shape), 0, 255).astype(np.uint8)


def interactive_seconds(browser, file: Path) -> float:
    """From the start of the navigation in a fresh tab until the page can be used."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    tab = context.new_page()
    tab.goto(file.as_uri())
    milliseconds = tab.evaluate(
        """async () => {
          for (;;) {
            const [mark] = performance.getEntriesByName('interactive');
            if (mark) return mark.startTime;
            await new Promise(done => setTimeout(done, 10));
          }
        }"""
    )
    context.close()
    return milliseconds / 1000


WATCH = """() => {
  window.moves = [];
  const watch = () => {
    const start = performance.now();
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => moves.push(performance.now() - start);
    requestAnimationFrame(() => port2.postMessage(null)); // comes after that frame's painting
  };
  addEventListener('input', watch, true);
  addEventListener('pointermove', watch, true);
}"""
FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
MOVES = 40


def move_milliseconds(browser, file: Path) -> tuple[list[float], list[float]]:
    """From each move to its painted frame: of a slider, and of a brush."""
    tab = browser.new_page(viewport={"width": 1440, "height": 900})
    tab.goto(file.as_uri())
    tab.wait_for_timeout(1000)
    tab.evaluate(WATCH)
    tab.focus("#weight-0")
    for _ in range(MOVES):
        tab.keyboard.press("ArrowRight")
        tab.evaluate(FRAMES)
    slider = tab.evaluate("moves.splice(0)")
    box = tab.locator(".axis .bar").first.bounding_box()
    x, top = box["x"] + box["width"] / 2, box["y"]
    reach = min(box["height"], 890 - top)
    tab.mouse.move(x, top + 2)
    tab.mouse.down()
    tab.evaluate(FRAMES)
    tab.evaluate("moves.splice(0)")
    for step in range(MOVES):
        tab.mouse.move(x, top + reach * (0.1 + 0.8 * (step * 7919 % 101) / 101))
        tab.evaluate(FRAMES)
    tab.mouse.up()
    brush = tab.evaluate("moves.splice(0)")
    tab.close()
    return slider[:MOVES], brush[:MOVES]


def median_and_tail(times: list[float]) -> str:
    return f"{statistics.median(times):.0f} ({statistics.quantiles(times, n=10)[-1]:.0f}) ms"


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--fronts", default="100x64,100x256,100x512,100x1024,500x64,500x256,1200x64"
    )
    arguments = parser.parse_args()
    executable = shutil.which("chromium")
    if executable is None:
        sys.exit("There is no chromium; install it with `apt-get install chromium`.")
    os.fsync = os.fstat  # the pages are measured here, not the disk
    folder = Path(tempfile.mkdtemp())
    print("| front | page | pictures in it | interactive after | slider move | brush move |")
    print("|---|---|---|---|---|---|")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu"]
        )
        for front in arguments.fronts.split(","):
            count, side = map(int, front.split("x"))
            run = front_run(folder / f"{count}-{side}", count, side)
            file = run.path / run_page.PAGE
            run_page.report(run, file)
            pictures = run_page.run_data(run)["front"]["embedded_side"]
            seconds = [interactive_seconds(browser, file) for _ in range(arguments.repeats + 1)]
            slider, brush = move_milliseconds(browser, file)
            print(
                f"| {count} pictures of {side} pixels | {file.stat().st_size / 1e6:.2f} MB "
                f"| {pictures} pixels | {statistics.median(seconds[1:]):.2f} s "
                f"| {median_and_tail(slider)} | {median_and_tail(brush)} |",
                flush=True,
            )
        browser.close()
    shutil.rmtree(folder)
    print(f"\nThe page's own code: {len(run_page.page_html({})) / 1000:.0f} kB.")


if __name__ == "__main__":
    main()
