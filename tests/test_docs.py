"""Snippets of the documentation run as they stand there."""

import re
from pathlib import Path

import numpy as np
from PIL import Image

import evo_t2i

DOCS = Path(__file__).parents[1] / "docs"


def snippet(page, heading):
    """The first Python block after ``heading``."""
    text = (DOCS / page).read_text("utf-8").split(heading, 1)[1]
    return re.search(r"```python\n(.*?)```", text, re.S)[1]


def test_pymoo_plots_a_front(tmp_path, monkeypatch):
    class Front:
        score_names = ("text_image", "image_real", "region_word")
        scores = np.random.default_rng(0).random((20, 3))

    monkeypatch.setattr(evo_t2i, "Run", lambda _path: type("Run", (), {"arrays": Front})())
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet("plots.md", "## pymoo's own plots"), "plots.md", "exec"), {})
    for name in ("scatter.png", "parallel.png"):
        assert np.ptp(np.asarray(Image.open(name).convert("L"))) > 100
