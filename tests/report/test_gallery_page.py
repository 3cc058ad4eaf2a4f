"""The gallery of many captions, in a real browser."""

from functools import partial

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe

from evo_t2i.report import gallery_page
from evo_t2i.report.gallery_page import GalleryEntry, gallery_html

HOSTILE = [
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror=window.hacked=1>",
    "\u202egnp.exe\u202d \u2066isolated",
    "قطة على الطاولة",
    "雪の中の猫 🐈‍⬛ é e\u0301",
    "x" * 1000,
    "__proto__",
]


def noise(seed, side=16):
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


def entry(number, caption=None, *, side=16, category="", **more):
    facts = {
        "id": f"n{number}",
        "caption": caption or f"picture {number} of a sea",
        "category": category,
        "page": f"runs/n{number} #?/report.html",
        "front": number + 1,
        "scores": {"text_image": number / 10},
        "picture": partial(noise, number, side),
    }
    return GalleryEntry(**facts | more)


@pytest.fixture
def opened(tmp_path, open_page):
    def make(entries, address="", **more):
        file = tmp_path / "gallery.html"
        file.write_bytes(gallery_html("birds", entries, facts="a fact", notes=["a note"]))
        return open_page(file, address, **more).page

    return make


def shown(page):
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    return [text.split("\n")[0] for text in page.locator("#captions li").all_inner_texts()]


def test_every_pick_is_shown_and_leads_to_its_runs_page(opened):
    page = opened([entry(number) for number in range(9)])
    assert shown(page) == [f"picture {number} of a sea" for number in range(9)]
    assert page.evaluate("document.querySelector('#captions img').naturalWidth") == 16
    link = page.locator("#captions a").nth(3)
    assert link.get_attribute("href") == "runs/n3%20%23%3F/report.html"
    assert "4 pictures on the front\ntext image 0.3000" in link.get_attribute("title")
    assert page.inner_text("#status") == "9 captions"
    assert page.inner_text("#notes") == "a note"
    assert not page.is_visible("#category-label")


def test_search_order_and_category_stay_in_the_address(opened):
    entries = [
        entry(0, "Ein Bär", category="A & B"),
        entry(1, "a cat", category="A & B", scores={"text_image": 0.9, "other": 1.0}),
        entry(2, "a dog", category="C"),
    ]
    page = opened(entries)
    page.keyboard.press("/")
    page.keyboard.type("BÄR a")
    assert shown(page) == ["Ein Bär"]
    assert page.inner_text("#status") == "1 of 3 captions"
    page.keyboard.press("Escape")
    page.select_option("#order", label="best text image first")
    assert shown(page) == ["a cat", "a dog", "Ein Bär"]
    page.select_option("#category", label="A & B")
    assert shown(page) == ["a cat", "Ein Bär"]
    page.fill("#search", "nothing like it")
    assert shown(page) == []
    assert page.is_visible("#nothing")
    page.fill("#search", "")
    page.evaluate("new Promise(requestAnimationFrame)")  # the address is written with the frame
    address = page.evaluate("location.hash")
    assert "nothing" not in address
    assert shown(opened(entries, address)) == ["a cat", "Ein Bär"]


def test_the_keys_go_through_the_pictures(opened):
    page = opened([entry(number) for number in range(30)])
    across = page.evaluate(
        "getComputedStyle(document.getElementById('captions')).gridTemplateColumns"
    ).split()
    here = "[...document.querySelectorAll('#captions a')].indexOf(document.activeElement)"
    page.focus("#search")
    for key, expected in (
        ("ArrowDown", 0), ("ArrowRight", 1), ("ArrowDown", 1 + len(across)),
        ("ArrowUp", 1), ("End", 29), ("ArrowRight", 29), ("Home", 0),
    ):  # fmt: skip
        page.keyboard.press(key)
        assert page.evaluate(here) == expected


def test_hostile_captions_are_text(opened):
    page = opened([entry(n, caption, id=caption[:99]) for n, caption in enumerate(HOSTILE)])
    texts = page.locator("#captions .caption").evaluate_all(
        "nodes => nodes.map(node => [node.textContent, node.children.length])"
    )
    assert texts == [[caption, 0] for caption in HOSTILE]
    assert page.evaluate("[document.scripts.length, 'hacked' in window]") == [2, False]
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing_to_complain_of(opened, scheme, width):
    entries = [entry(number, category=f"kind {number}") for number in range(3)]
    page = opened(entries, color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 844})
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"][:90] for node in one["nodes"]]) for one in found] == []
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == {"light": "rgb(250, 249, 246)", "dark": "rgb(22, 24, 27)"}[scheme]


def test_pictures_give_way_until_all_fit(monkeypatch):
    entries = [entry(number, side=64) for number in range(20)]
    whole = gallery_html("birds", entries)
    monkeypatch.setattr(gallery_page, "PICTURES_BYTES", 30_000)
    small = gallery_html("birds", entries)
    assert len(small) < len(whole) - 20 * 64 * 64
    monkeypatch.setattr(gallery_page, "MOST_ENTRIES", 5)
    assert b"The first 5 of 20 captions; the tables have all." in gallery_html("birds", entries)
    assert gallery_html("birds", []) == gallery_html("birds", [])
