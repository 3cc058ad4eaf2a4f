"""Make the pictures of docs/report.md again, from a finished run.

evo-t2i sample "a dog wearing goggles." --generations 50 --seed 7 --out dog
python docs/screenshots.py dog      # needs chromium and `pip install playwright`
"""

import argparse
import io
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from evo_t2i.report import run_page
from evo_t2i.runs.directory import RunDirectory

IMAGES = Path(__file__).parent / "images"
QUALITY = 82


def starred(tab) -> None:
    """Two starred, one of them picked, the best selected."""
    for key in ("ArrowRight", "ArrowRight", ".", "ArrowRight", "ArrowRight", ".", "p", "Home"):
        tab.keyboard.press(key)


def brushed(tab) -> None:
    """Half way down, the upper half of an axis brushed."""
    starred(tab)
    tab.locator(".parallel-view").evaluate("view => scrollTo(0, view.offsetTop - 330)")
    box = tab.locator('.axis[data-score="image_real"] .bar').bounding_box()
    x = box["x"] + box["width"] / 2
    tab.mouse.move(x, box["y"] + 2)
    tab.mouse.down()
    tab.mouse.move(x, box["y"] + 0.5 * box["height"], steps=4)
    tab.mouse.up()
    tab.mouse.move(2, 2)
    tab.keyboard.press("Home")


def asked(tab) -> None:
    """The third question of the game."""
    tab.click("#ask-open")
    tab.keyboard.press("1")
    tab.keyboard.press("3")


SHOTS: dict[str, tuple[str, tuple[int, int], int, Callable]] = {
    "report-light": ("light", (1440, 900), 1, starred),
    "report-dark": ("dark", (1440, 900), 1, brushed),
    "report-ask": ("light", (1280, 720), 1, asked),
    "report-phone": ("light", (390, 844), 2, starred),
    "report-wide-light": ("light", (1600, 1000), 1, starred),
    "report-wide-dark": ("dark", (1600, 1000), 1, brushed),
}
"""By name: colour scheme, window in pixels, the screen's pixels for each, what is done there."""


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("--out", type=Path, default=IMAGES)
    arguments = parser.parse_args()
    executable = shutil.which("chromium")
    if executable is None:
        sys.exit("There is no chromium; install it with `apt-get install chromium`.")
    file = Path(tempfile.mkdtemp()) / run_page.PAGE
    run_page.report(RunDirectory.open(arguments.run), file)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=["--no-sandbox", "--disable-gpu"]
        )
        for name, (scheme, (width, height), scale, act) in SHOTS.items():
            context = browser.new_context(
                viewport={"width": width, "height": height},
                device_scale_factor=scale,
                color_scheme=scheme,
                has_touch=width < 760,
            )
            tab = context.new_page()
            tab.goto(file.as_uri())
            tab.wait_for_timeout(600)
            act(tab)
            tab.wait_for_timeout(800)
            shot = Image.open(io.BytesIO(tab.screenshot()))
            shot.convert("RGB").save(arguments.out / f"{name}.webp", quality=QUALITY, method=6)
            context.close()
        browser.close()
    shutil.rmtree(file.parent)


if __name__ == "__main__":
    main()
