"""Several runs as one page that works without a network and runs no script.

The template and the style lie in ``web/``. A content security policy admits this style and embedded
pictures, and nothing else.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from evo_t2i.comparison import Comparison, Entrant
from evo_t2i.report import style
from evo_t2i.report.comparison_figure import comparison_figure
from evo_t2i.report.page_pictures import Encoding, data_uri, encoded
from evo_t2i.report.run_page import asset, source_hash

PICK_SIDE, FRONT_SIDE = 384, 128
"""Longest sides of embedded pictures, in pixels."""
FRONT_PICTURES = 12
"""How many pictures of a front are shown."""


def comparison_html(comparison: Comparison) -> bytes:
    """The page of ``comparison``: picks side by side, the measures as tables, the figure, and the
    first pictures of each front in the order of its run's pick.

    Equal comparisons give equal bytes.
    """
    css = asset("comparison.css")
    policy = (
        f"default-src 'none'; style-src '{source_hash(css)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    figure = comparison_figure(comparison, pictures=False)
    entrants = comparison.entrants
    parts = {
        "policy": policy,
        "style": css,
        "caption": escape(comparison.caption),
        "facts": escape(f"{len(entrants)} fronts, compared on {', '.join(comparison.names)}"),
        "notes": "".join(f"<p>{escape(note)}</p>" for note in comparison.notes),
        "picks": "".join(_pick(comparison, number) for number in range(len(entrants))),
        "measures": _measures(comparison),
        "coverage": _coverage(comparison),
        "figure": data_uri("image/png", figure),
        "fronts": "".join(_front(one, number) for number, one in enumerate(entrants)),
    }
    text = re.sub(r"@(\w+)@", lambda match: parts[match[1]], asset("comparison.html"))
    return text.encode()


def _pick(comparison: Comparison, number: int) -> str:
    one = comparison.entrants[number]
    scores = one.picked_scores(comparison.names)
    best = np.max([other.picked_scores(comparison.names) for other in comparison.entrants], axis=0)
    rows = "".join(
        f"<dt>{escape(style.score_title(name))}</dt>"
        f"<dd{' class=best' if score == highest else ''}>{score:.4f}</dd>"
        for name, score, highest in zip(comparison.names, scores, best, strict=True)
    )
    return (
        f"<figure>{_picture(one, one.picked, PICK_SIDE, f'Pick of {one.label}')}"
        f"<figcaption>{_name(one, number)}"
        f'<p class="muted">{escape(one.front.files[one.picked].name)}, {escape(one.method)}'
        f"</p><dl>{rows}</dl></figcaption></figure>"
    )


def _measures(comparison: Comparison) -> str:
    entrants = comparison.entrants
    medians = [np.median(one.scores(comparison.names), axis=0) for one in entrants]
    titles = [f"median {style.score_title(name)}" for name in comparison.names]
    rows = [
        [
            f"{len(one.rows):,}",
            f"{comparison.hypervolume[number]:.3f}",
            f"{comparison.attained_by[number]} of {len(entrants)}",
            *(f"{value:.4f}" for value in medians[number]),
        ]
        for number, one in enumerate(entrants)
    ]
    return _table(["front", "hypervolume", "pick attained by", *titles], entrants, rows)


def _coverage(comparison: Comparison) -> str:
    rows = [[f"{share:.0%}" for share in row] for row in comparison.coverage]
    return _table([one.label for one in comparison.entrants], comparison.entrants, rows)


def _front(one: Entrant, number: int) -> str:
    kept = set(one.rows.tolist())
    first = [row for row in one.ranking if row in kept][:FRONT_PICTURES]
    pictures = "".join(
        _picture(one, row, FRONT_SIDE, f"{place} of {one.label}")
        for place, row in enumerate(first, start=1)
    )
    return f'<section class="front"><h3>{_name(one, number)}</h3><div>{pictures}</div></section>'


def _picture(one: Entrant, row: int, side: int, description: str) -> str:
    source = data_uri("image/webp", encoded(one.front.image(row), Encoding(side, 86)))
    return f'<img src="{source}" alt="{escape(description)}">'


def _table(
    titles: Iterable[str], entrants: Sequence[Entrant], rows: Iterable[Sequence[str]]
) -> str:
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    body = "".join(
        f'<tr><th scope="row">{_name(one, number)}</th>'
        f"{''.join(f'<td>{cell}</td>' for cell in row)}</tr>"
        for number, (one, row) in enumerate(zip(entrants, rows, strict=True))
    )
    return f"<table><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"


def _name(one: Entrant, number: int) -> str:
    """The label behind the colour that the figure gives it."""
    return f'<span class="name series-{number % len(style.SERIES)}">{escape(one.label)}</span>'
