"""The page as a file: its data, its policy, its weight. What it does is tested in a browser."""

import base64
import hashlib
import io
import json
import re
import shutil
from html.parser import HTMLParser
from importlib import resources

import numpy as np
import pytest
from PIL import Image

from evo_t2i.errors import RunDataError
from evo_t2i.picking.methods import METHODS, robust_scale
from evo_t2i.report import gallery_page, page_pictures, run_page
from evo_t2i.runs.directory import RunDirectory


class Parts(HTMLParser):
    """Scripts, styles and the policy of a page, as a browser's parser takes them apart."""

    def __init__(self, text):
        super().__init__(convert_charrefs=False)
        self.scripts, self.styles, self.policy, self.inside = [], [], "", None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if values.get("http-equiv") == "Content-Security-Policy":
            self.policy = values["content"]
        if tag in ("script", "style"):
            self.inside = self.scripts if tag == "script" else self.styles
            self.inside.append("")

    def handle_endtag(self, tag):
        if tag in ("script", "style"):
            self.inside = None

    def handle_data(self, data):
        if self.inside is not None:
            self.inside[-1] += data


def parts_of(run):
    return Parts(run_page.page_html(run_page.run_data(run)).decode())


def test_the_data_is_the_front_without_rounding(fronts):
    run = fronts(100)
    front = run.front()
    data = json.loads(parts_of(run).scripts[0])
    np.testing.assert_array_equal(np.array(data["front"]["scores"]), front.scores)
    assert data["front"]["id"] == front.ids.tolist()
    assert data["front"]["parents"] == front.parents.tolist()
    centre, scale = robust_scale(front.generation0_scores)
    np.testing.assert_array_equal(data["centre"], centre)
    np.testing.assert_array_equal(data["scale"], scale)
    assert data["names"] == list(run.config.scores)
    assert data["run"]["evaluations"] == len(run.history().ids)


def test_the_policy_admits_this_script_and_this_style_alone(fronts):
    parts = parts_of(fronts(1))

    def source(text):
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    assert len(parts.scripts) == 2
    assert f"script-src {source(parts.scripts[1])};" in parts.policy
    assert f"style-src {source(parts.styles[0])};" in parts.policy
    assert parts.policy.startswith("default-src 'none'; ")
    for directive in ("img-src data: 'self'", "base-uri 'none'", "form-action 'none'"):
        assert directive in parts.policy
    assert "unsafe" not in parts.policy


def test_a_caption_cannot_leave_its_block(make_run, tmp_path):
    caption = "</script><script>alert(1)</script><!-- & @script@ @data@"
    run = make_run(tmp_path / "run", 2, caption=caption)
    text = run_page.page_html(run_page.run_data(run)).decode()
    parts = Parts(text)
    assert json.loads(parts.scripts[0])["run"]["caption"] == caption
    assert not set("<>&") & set(parts.scripts[0])
    assert len(parts.scripts) == 2
    assert "alert(1)" not in text.replace(parts.scripts[0], "")


def test_no_text_becomes_markup_or_code():
    code = "".join(run_page.asset(name) for name in run_page.SCRIPTS)
    for way in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "Function("):
        assert way not in code


def test_equal_runs_give_equal_pages_wherever_they_lie(fronts, tmp_path):
    run = fronts(100)
    shutil.copytree(run.path, tmp_path / "elsewhere")
    copy = RunDirectory.open(tmp_path / "elsewhere")
    run_page.report(copy, copy.path / run_page.PAGE)
    assert (copy.path / run_page.PAGE).read_bytes() == (run.path / run_page.PAGE).read_bytes()
    assert str(tmp_path) not in (copy.path / run_page.PAGE).read_text()


def test_a_digest_names_the_front_and_not_its_folder(fronts, make_run, tmp_path):
    run = fronts(1)
    shutil.copytree(run.path, tmp_path / "elsewhere")
    assert RunDirectory.open(tmp_path / "elsewhere").digest == run.digest
    assert make_run(tmp_path / "other", 2).digest != run.digest


def decoded(address):
    data = base64.b64decode(address.removeprefix("data:image/webp;base64,"))
    picture = Image.open(io.BytesIO(data))
    assert picture.format == "WEBP"
    return picture.convert("RGB"), len(data)


@pytest.mark.parametrize(("count", "side", "longest"), [(2, 24, 24), (2, 600, 512), (60, 200, 200)])
def test_pictures_are_embedded_as_large_as_they_are(count, side, longest, make_run, tmp_path):
    run = make_run(tmp_path / "run", count, side=side, generations=1)
    data = run_page.run_data(run)["front"]
    assert {decoded(text)[0].size for text in data["thumbnail"]} == {(longest, longest)}
    assert (data["size"], data["embedded_side"]) == ([side, side], longest)


@pytest.mark.parametrize(("count", "least"), [(40, 16), (90, 16)])
def test_many_pictures_are_embedded_smaller(count, least, make_run, tmp_path, monkeypatch):
    """Of noise, the worst there is: they stay within their weight, and use most of it."""
    monkeypatch.setattr(page_pictures, "PICTURES_BYTES", 60_000)
    noise = np.random.default_rng(1).integers(0, 256, (count, 96, 96, 3), dtype=np.uint8)
    run = make_run(tmp_path / "run", count, images=noise, generations=1)
    data = run_page.run_data(run)["front"]
    pictures = [decoded(text) for text in data["thumbnail"]]
    assert 25_000 < sum(size for _, size in pictures) <= 60_000
    assert {max(picture.size) for picture, _ in pictures} == {data["embedded_side"]}
    assert least < data["embedded_side"] < 96


def test_an_embedded_picture_is_the_picture(fronts):
    front = fronts(100).front()
    lossy = page_pictures.encoded(front.image(5), page_pictures.Encoding(256, 86))
    shrunk = np.array(Image.open(io.BytesIO(lossy)).convert("RGB"))
    assert shrunk.shape == front.image(5).shape
    assert np.abs(shrunk.astype(int) - front.image(5)).mean() < 4
    addresses, side = page_pictures.page_pictures(front)
    assert side == max(front.image(5).shape)
    np.testing.assert_array_equal(np.array(decoded(addresses[5])[0]), front.image(5))
    wide = np.zeros((40, 400, 3), np.uint8)
    file = page_pictures.encoded(wide, page_pictures.Encoding(100, 86))
    assert Image.open(io.BytesIO(file)).size == (100, 10)


def test_lineage_reaches_back_to_generation_0(fronts):
    run = fronts(100)
    history, lineage = run.history(), run_page.run_data(run)["lineage"]
    known = set(lineage["id"])
    assert known >= set(run.front().ids.tolist())
    parents = {parent for pair in lineage["parents"] for parent in pair if parent >= 0}
    assert parents <= known
    assert len(known) == len(lineage["id"])
    assert min(lineage["generation"]) == 0
    assert not lineage["cut"]
    for row, individual in enumerate(lineage["id"]):
        assert lineage["parents"][row] == history.parents[individual].tolist()
        if lineage["scores"][row] is not None:
            np.testing.assert_allclose(
                lineage["scores"][row], history.scores[individual], rtol=1e-5
            )


def test_a_huge_lineage_keeps_the_nearest_and_says_so(fronts, monkeypatch):
    monkeypatch.setattr(run_page, "MOST_ANCESTORS", 101)
    lineage = run_page.run_data(fronts(100))["lineage"]
    assert lineage["cut"]
    assert set(lineage["generation"]) == {5, 6}


def test_convergence_is_the_best_of_each_generation(fronts):
    run = fronts(100)
    history, convergence = run.history(), run_page.run_data(run)["convergence"]
    last = history.scores[history.generations == 6]
    assert [column[6] for column in convergence["best"]] == pytest.approx(
        last.max(axis=0), rel=1e-5
    )
    first = history.scores[history.generations == 0]
    best = [column[0] for column in convergence["best"]]
    assert best == pytest.approx(np.nanmax(first, axis=0), rel=1e-5)
    assert convergence["hypervolume"] == run.facts()["hypervolume"]


def test_the_methods_of_the_page_are_those_of_the_command():
    code = run_page.asset("formulas.js")
    methods = re.search(r"const METHODS = \{(.*?)\n\};", code, re.DOTALL)[1]
    assert re.findall(r'^  "?([\w-]+)"?: \{', methods, re.MULTILINE) == list(METHODS)


def test_every_script_is_in_the_page():
    folder = resources.files("evo_t2i.report").joinpath("web")
    scripts = [file.name for file in folder.iterdir() if file.name.endswith(".js")]
    assert sorted(scripts) == sorted({*run_page.SCRIPTS, *gallery_page.SCRIPTS})


def test_the_code_is_small(fronts):
    parts = parts_of(fronts(1))
    empty = len(run_page.page_html({}))
    assert len(parts.scripts[1]) + len(parts.styles[0]) < empty < 130_000


def test_an_unfinished_run_has_no_page(make_run, tmp_path):
    make_run(tmp_path / "run", 2)
    journal = tmp_path / "run" / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.raises(RunDataError, match="resume"):
        run_page.report(RunDirectory.open(tmp_path / "run"), tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
