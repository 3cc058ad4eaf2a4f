"""The picks of many captions as one page that works without a network, from any folder.

Its parts lie in ``web/``: the template, the style and the scripts. The data is a block of JSON that
the browser never runs; a content security policy admits this script, this style and embedded
pictures, and nothing else.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import numpy as np

from evo_t2i.report.page_pictures import ENCODINGS, LOSSLESS, SMALL, Encoding, data_uri, encoded
from evo_t2i.report.run_page import asset, data_block, source_hash

PICTURES_BYTES = 9_500_000
"""All pictures together, as files; in the page they weigh a third more."""
MOST_ENTRIES = 10_000
"""Captions on one page; it says so when there are more."""
SCRIPTS = ("dom.js", "captions.js")
_LARGEST = 256
_TRIED = 24


@dataclass(frozen=True)
class GalleryEntry:
    """A caption with its pick."""

    id: str
    caption: str
    category: str
    page: str
    """The run's page, as a path from the gallery's folder, with slashes."""
    front: int
    scores: Mapping[str, float]
    """Of the pick, by name; higher is better."""
    picture: Callable[[], np.ndarray]
    """Gives the pick as (h, w, 3) uint8."""


def gallery_html(
    title: str, entries: Sequence[GalleryEntry], *, facts: str = "", notes: Sequence[str] = ()
) -> bytes:
    """The page of ``entries``, at most MOST_ENTRIES of them, in their order.

    ``facts`` stands under the title, ``notes`` below it. Equal entries give equal bytes.
    """
    shown = entries[:MOST_ENTRIES]
    if len(shown) < len(entries):
        more = f"The first {len(shown):,} of {len(entries):,} captions; the tables have all."
        notes = [*notes, more]
    names = list(dict.fromkeys(name for entry in shown for name in entry.scores))
    data: dict[str, Any] = {
        "title": title,
        "facts": facts,
        "notes": list(notes),
        "names": names,
        "id": [entry.id for entry in shown],
        "caption": [entry.caption for entry in shown],
        "category": [entry.category for entry in shown],
        "page": [quote(entry.page) for entry in shown],
        "front": [entry.front for entry in shown],
        "scores": [
            [None if name not in entry.scores else round(entry.scores[name], 4) for name in names]
            for entry in shown
        ],
        "picture": _pictures(shown),
    }
    style, script = asset("captions.css"), "".join(asset(name) for name in SCRIPTS)
    script = f'"use strict";\n(() => {{\n{script}}})();\n'
    policy = (
        f"default-src 'none'; script-src '{source_hash(script)}'; "
        f"style-src '{source_hash(style)}'; img-src data:; base-uri 'none'; form-action 'none'"
    )
    parts = {"policy": policy, "style": style, "script": script, "data": data_block(data)}
    text = re.sub(r"@(\w+)@", lambda match: parts[match[1]], asset("captions.html"))
    return text.encode()


def _pictures(entries: Sequence[GalleryEntry]) -> list[str]:
    """A data: address for each entry, all in the best encoding that fits PICTURES_BYTES."""
    if not entries:
        return []
    sample = sorted({*np.linspace(0, len(entries) - 1, _TRIED).astype(int).tolist()})
    tried = [entries[number].picture() for number in sample]
    for encoding in _encodings(max(max(image.shape[:2]) for image in tried)):
        size = sum(len(encoded(image, encoding)) for image in tried)
        if size * len(entries) / len(sample) > PICTURES_BYTES:
            continue
        files = [encoded(entry.picture(), encoding) for entry in entries]
        if sum(map(len, files)) <= PICTURES_BYTES:
            break
    else:
        files = [encoded(entry.picture(), ENCODINGS[-1]) for entry in entries]
    return [data_uri("image/webp", file) for file in files]


def _encodings(largest: int) -> list[Encoding]:
    lossless = [LOSSLESS] if largest <= SMALL else []
    return lossless + [each for each in ENCODINGS if each.side <= _LARGEST]
