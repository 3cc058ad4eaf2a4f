"""Labels of one's own: where they are read from, and the texts that CLIP reads for them."""

import hashlib
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

from evo_t2i.checkpoints.cache import expanded
from evo_t2i.checkpoints.model_folder import require_regular
from evo_t2i.errors import UsageError, first_line

LABEL_FILE = "clip:"
"""How a classifier begins that is a file of labels, told apart by CLIP."""
TEMPLATES = (
    "a photo of a {}.",
    "a photo of {}.",
    "a picture of a {}.",
    "a picture of {}.",
    "an image of a {}.",
    "a drawing of a {}.",
    "a painting of a {}.",
)
"""The ensemble around each label; with and without the article, since "a snow" is no English."""
MOST_LABELS = 20_000
_LONGEST_LABEL = 200
_MOST_BYTES = 4 * 2**20
_ARTICLE = re.compile(r"\b([Aa]) \{\}")


def own_labels(classifier: str) -> tuple[str, ...]:
    """The labels of a classifier ``clip:FILE``; none for any other.

    Raises UsageError as ``read_labels``.
    """
    if not classifier.startswith(LABEL_FILE):
        return ()
    return read_labels(expanded(classifier.removeprefix(LABEL_FILE)))


def labels_of(text: str) -> tuple[str, ...]:
    """The labels of a file where ``text`` is one's path, else those in it, separated by commas.

    Raises UsageError as ``read_labels``, and for a single word that is no file.
    """
    path = expanded(text)
    if os.path.exists(path):
        return read_labels(path)
    if "," not in text:
        raise UsageError(
            f"`labels` is {text!r}, which is no file here; give a text file with one label a line, "
            "or labels with commas between them."
        )
    return checked_labels(text.split(","), "`labels`")


def read_labels(path: Path) -> tuple[str, ...]:
    """The labels of a UTF-8 text file: one a line, or separated by commas.

    Raises UsageError when it cannot be read, and as ``checked_labels``.
    """
    try:
        if (size := require_regular(path).stat().st_size) > _MOST_BYTES:
            raise UsageError(
                f"{path} has {size:,} bytes, more than the {_MOST_BYTES:,} of any list of labels; "
                "give a text file with one label a line."
            )
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}); give a text file with one label a line."
        ) from None
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is no UTF-8 text ({first_line(error)}); give a text file with one label a "
            "line."
        ) from None
    return checked_labels(re.split(r"[,\n]", text), str(path))


def checked_labels(texts: Sequence[str], where: str) -> tuple[str, ...]:
    """``texts`` with single spaces and without empty ones.

    Raises UsageError, which names ``where`` they stand, for fewer than two labels, since they share
    one probability between them, for one that comes twice, and for more or longer ones than a list
    of labels has.
    """
    labels = [label for text in texts if (label := " ".join(text.split()))]
    if len(labels) < 2:
        raise UsageError(
            f"{where} has {'no label' if not labels else f'one label ({labels[0][:40]})'}; give "
            "two or more, since a picture's probability is shared between them."
        )
    if len(labels) > MOST_LABELS:
        raise UsageError(f"{where} has {len(labels):,} labels; give at most {MOST_LABELS:,}.")
    seen: set[str] = set()
    for label in labels:
        if len(label) > _LONGEST_LABEL or "\0" in label:
            raise UsageError(
                f"{where} has a label of {len(label):,} characters ({label[:40]!r}); give at most "
                f"{_LONGEST_LABEL}, without NUL."
            )
        if label in seen:
            raise UsageError(f"{where} has the label {label!r} twice; give it once.")
        seen.add(label)
    return tuple(labels)


def checked_templates(templates: Sequence[str]) -> tuple[str, ...]:
    """Templates with ``{}`` once, where the label stands; raises UsageError for another."""
    for template in templates:
        if template.count("{}") != 1:
            raise UsageError(
                f"`templates` has {template!r}; write {{}} once, where the label stands: "
                '"a photo of a {}."'
            )
    return tuple(templates)


def label_texts(label: str, templates: Sequence[str] = TEMPLATES) -> list[str]:
    """``label`` in each template; "a" becomes "an" before a vowel."""
    if label[0].lower() in "aeiou":
        templates = [_ARTICLE.sub(r"\1n {}", template) for template in templates]
    return [template.replace("{}", label) for template in templates]


def labels_digest(labels: Sequence[str], templates: Sequence[str] = TEMPLATES) -> str:
    """SHA-256 of labels and templates in their order."""
    return hashlib.sha256(json.dumps([list(labels), list(templates)]).encode()).hexdigest()
