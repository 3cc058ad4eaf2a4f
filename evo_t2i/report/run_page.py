"""The interactive page of a run: one file that works without a network, from any folder.

Its parts lie in ``web/``: the template, the style, and the scripts in the order of ``SCRIPTS``,
joined into one. The data is a block of JSON that the browser never runs; a content security policy
admits this script, this style and embedded pictures, and nothing else.
"""

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from evo_t2i.picking.methods import pick, robust_scale
from evo_t2i.picking.start import PLAIN, START, beginning
from evo_t2i.points import Points, usable
from evo_t2i.report.different import most_different
from evo_t2i.report.page_pictures import Encoding, data_uri, encoded, page_pictures
from evo_t2i.runs.atomic import read_bytes
from evo_t2i.runs.directory import Front, RunDirectory
from evo_t2i.runs.images import decode_png

PAGE = "report.html"
SCRIPTS = (
    "dom.js",
    "scale.js",
    "order.js",
    "formulas.js",
    "rank.js",
    "uniform.js",
    "learner.js",
    "query.js",
    "store.js",
    "address.js",
    "sequence.js",
    "taste.js",
    "ask.js",
    "gallery.js",
    "detail.js",
    "before.js",
    "lineage.js",
    "parallel.js",
    "scatter.js",
    "convergence.js",
    "exports.js",
    "keys.js",
    "peek.js",
    "live.js",
    "main.js",
)
MOST_ANCESTORS = 20_000
MOST_OF_GENERATION_0 = 300
MOST_DIFFERENT = 60
BEFORE = Encoding(256, 86)
"""Of the pictures of generation 0."""
LIVE_MARK = " data-live"
"""Attribute at the beginning of a page that was written while its run went on."""


def report(run: RunDirectory, out: Path) -> None:
    """Publish the finished ``run``'s page as the file ``out``, see ``RunDirectory.publish``.

    Equal runs give equal bytes, wherever they lie. Raises RunDataError for an unfinished or damaged
    run.
    """
    run.publish(out, page_html(run_data(run)))


def is_live(file: Path) -> bool:
    """Whether a page was written while its run went on; False when there is none."""
    try:
        return LIVE_MARK.encode() in read_bytes(file)[:200]
    except FileNotFoundError:
        return False


def page_html(data: dict[str, Any]) -> bytes:
    """The page around ``data``, which is plain JSON as ``run_data`` gives it."""
    style, script = asset("page.css"), "".join(asset(name) for name in SCRIPTS)
    script = f'"use strict";\n(() => {{\n{script}}})();\n'
    policy = "; ".join(
        [
            "default-src 'none'",
            f"script-src '{source_hash(script)}'",
            f"style-src '{source_hash(style)}'",
            "img-src data: 'self'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )
    parts = {"policy": policy, "style": style, "script": script, "data": data_block(data)}
    parts["live"] = LIVE_MARK if "live" in data else ""
    text = re.sub(r"@(\w+)@", lambda match: parts[match[1]], asset("page.html"))
    return text.encode()


def run_data(run: RunDirectory) -> dict[str, Any]:
    """What the page shows, as plain JSON; the scores of the front without rounding.

    ``centre`` and ``scale`` (m,) are those of ``robust_scale`` over generation 0. ``lineage`` has
    the front and its ancestors, nearest first, in columns. ``different`` are the rows of a larger
    front that look most unlike one another, ``beside`` is how many pictures are dominated and were
    kept for their looks. Nothing depends on the run's path.
    """
    front, history = run.front(), run.history()
    facts = run.facts()
    data = described(
        run, front, history, facts.get("hypervolume", []), doubts=facts.get("doubts", [])
    )
    data["run"]["digest"] = run.digest
    files = [f"front/{file.name}" for file in front.files]
    data["front"] |= {"file": files, **_pictures(front)}
    if beside := len(front) - front.led:
        data["front"]["beside"] = beside
    if front.looks.any():
        data["front"]["look"] = front.looks.tolist()
    if (before := _before(run, history)) is not None:
        data["before"] = before
    if len(front) > MOST_DIFFERENT:
        best_first = pick(front.scores, front.generation0_scores, front.score_names).ranking
        images = (front.image(row) for row in range(len(front)))
        data["front"]["different"] = most_different(images, best_first, MOST_DIFFERENT)
    return data


def described(
    run: RunDirectory,
    front: Points,
    history: Points,
    hypervolume: list[float],
    *,
    doubts: Sequence[str] = (),
) -> dict[str, Any]:
    """As ``run_data``, for the individuals of ``front``, without the digest, files and pictures.

    ``doubts`` are sentences about what the generator does not draw as the caption asks.
    """
    generation0_scores = history.scores[history.generations == 0]
    centre, scale = robust_scale(generation0_scores)
    return {
        "run": {
            "caption": run.config.caption,
            "seed": run.config.seed,
            "generations": int(history.generations.max()),
            "evaluations": len(history.ids),
            "doubts": list(doubts),
        },
        "names": list(run.config.scores),
        "centre": centre.tolist(),
        "scale": scale.tolist(),
        "front": {
            "id": front.ids.tolist(),
            "generation": front.generations.tolist(),
            "parents": front.parents.tolist(),
            "scores": front.scores.tolist(),
        },
        "generation0": _thinned(generation0_scores),
        "convergence": {"hypervolume": hypervolume, "best": _best_a_generation(history)},
        "lineage": _lineage(history, front.ids.tolist()),
    }


def _pictures(front: Front) -> dict[str, Any]:
    """The embedded pictures, and the size (width, height) of the files."""
    addresses, side = page_pictures(front)
    height, width = front.image(0).shape[:2] if len(front) else (1, 1)
    return {"thumbnail": addresses, "size": [width, height], "embedded_side": side}


def _before(run: RunDirectory, history: Points) -> dict[str, Any] | None:
    """The two pictures that were drawn of generation 0, each with its scores; None where they are
    not there."""
    if not all(run.is_drawn(name) for name in (PLAIN, START)):
        return None
    first = history[history.generations == 0]
    begun = beginning(first.scores, run.config.scores)
    shown = {}
    for name, row, file in (("plain", begun.plain, PLAIN), ("best", begun.best, START)):
        data = read_bytes(run.path / file)
        image = decode_png(data, run.path / file)
        shown[name] = {
            "id": int(first.ids[row]),
            "scores": first.scores[row].tolist(),
            "picture": data_uri("image/webp", encoded(image, BEFORE)),
        }
    return shown


def _thinned(scores: np.ndarray) -> list[list[float]]:
    """At most 300 of generation 0's finite rows, evenly chosen, for the background."""
    finite = scores[usable(scores)]
    rows = np.linspace(0, len(finite) - 1, min(len(finite), MOST_OF_GENERATION_0)).astype(int)
    return [_short(finite[row]) for row in rows]


def _best_a_generation(history: Points) -> list[list[float | None]]:
    """For each score the best value that each generation evaluated; None where it had none."""
    best: list[list[float | None]] = [[] for _ in range(history.scores.shape[1])]
    for generation in range(int(history.generations.max()) + 1):
        scores = history.scores[history.generations == generation]
        scores = scores[usable(scores)]
        values = _short(scores.max(axis=0)) if len(scores) else [None] * len(best)
        for column, value in zip(best, values, strict=True):
            column.append(value)
    return best


def _lineage(history: Points, front_ids: Sequence[int]) -> dict[str, Any]:
    row_of = {individual: row for row, individual in enumerate(history.ids.tolist())}
    parents = history.parents.tolist()
    rows: dict[int, None] = {}
    level = [row_of[individual] for individual in front_ids if individual in row_of]
    while level and len(rows) < MOST_ANCESTORS:
        rows |= dict.fromkeys(level)
        above = [row_of[parent] for row in level for parent in parents[row] if parent in row_of]
        level = [row for row in dict.fromkeys(above) if row not in rows]
    scores, known = history.scores, usable(history.scores)
    return {
        "id": [int(history.ids[row]) for row in rows],
        "generation": [int(history.generations[row]) for row in rows],
        "parents": [parents[row] for row in rows],
        "scores": [_short(scores[row]) if known[row] else None for row in rows],
        "cut": bool(level),
    }


def _short(values: np.ndarray) -> list[float]:
    """Six significant digits: enough to draw."""
    return [float(f"{value:.6g}") for value in values]


def data_block(data: dict[str, Any]) -> str:
    """JSON that stays inside its script element, whatever a caption holds."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def source_hash(text: str) -> str:
    """How a content security policy names an inline script or style."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def asset(name: str) -> str:
    """The text of a file of ``web/``."""
    return resources.files("evo_t2i.report").joinpath("web", name).read_text(encoding="utf-8")
