"""The page of compared runs in a real browser: nothing is refused, nothing is fetched."""

from evo_t2i.compare import compare_runs
from evo_t2i.report.comparison_page import comparison_html
from evo_t2i.run import Run


def test_every_picture_and_number_is_shown_under_the_policy(tmp_path, make_run, open_page):
    runs = [Run(make_run(tmp_path / str(count), count).path) for count in (5, 20)]
    file = tmp_path / "comparison.html"
    comparison = compare_runs(runs)
    file.write_bytes(comparison_html(comparison))
    pictures = 1 + sum(1 + min(len(one.rows), 12) for one in comparison.entrants)
    for scheme in ("light", "dark"):
        opened = open_page(file, color_scheme=scheme)
        widths = opened.page.evaluate("() => [...document.images].map(image => image.naturalWidth)")
        assert len(widths) == pictures
        assert min(widths) > 0
        assert opened.page.locator("table").nth(1).locator("td").all_inner_texts()[1] == "100%"
        background = opened.page.evaluate("() => getComputedStyle(document.body).backgroundColor")
        assert background == {"light": "rgb(250, 249, 246)", "dark": "rgb(22, 24, 27)"}[scheme]
