"""A folder with somebody's model: read as data, and refused where a library would run code for it.

Libraries that load such folders take Python from them when their configuration says so. Here the
configuration is read first, and what asks for code never reaches a library.
"""

import errno
import json
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evo_t2i.errors import EvoError, ModelError, first_line

MAX_JSON = 64 * 2**20
"""Bytes of a JSON file; the largest published vocabularies take half of them."""
MAX_LAYERS = 1_000
"""Of a network; building more would take hours before anything could be said of them."""
TOKENIZERS = frozenset(
    {
        "AlbertTokenizer",
        "BertTokenizer",
        "CLIPTokenizer",
        "CamembertTokenizer",
        "DebertaTokenizer",
        "DebertaV2Tokenizer",
        "DistilBertTokenizer",
        "ElectraTokenizer",
        "GemmaTokenizer",
        "MPNetTokenizer",
        "PreTrainedTokenizer",
        "RobertaTokenizer",
        "T5Tokenizer",
        "XLMRobertaTokenizer",
    }
)
"""Classes of transformers that a folder may name for its tokenizer, also with Fast at the end."""
_DEPTHS = ("layers", "layers_per_block")
"""Endings of the keys that count layers."""
_READ = (".json", ".txt", ".model", ".jinja")
"""Endings of the files from which configurations and tokenizers are read."""
_ADAPTER = "adapter_config.json"
_CODE = ("auto_map", "custom_pipelines", "trust_remote_code")
"""Keys by which a configuration makes a library take Python from somewhere."""
_ELSEWHERE = ("vocab_file", "merges_file", "tokenizer_file")
"""Keys by which a tokenizer's configuration can lead out of its folder."""


def read_json(path: Path, remedy: str = "fetch it again.") -> dict[str, Any]:
    """A JSON object with finite numbers.

    Raises ModelError when the file is missing, no regular file, larger than ``MAX_JSON``, nested
    too deeply, or holds something else; its last part is ``remedy``.
    """
    try:
        value = json.loads(_text(path), parse_constant=_not_finite, parse_float=_finite)
    except OSError as error:
        raise ModelError(
            f"{path} cannot be read ({error.strerror}); give another folder."
        ) from None
    except RecursionError:
        raise ModelError(f"{path} is damaged (it is nested too deeply); {remedy}") from None
    except ValueError as error:
        raise ModelError(f"{path} is damaged ({first_line(error)}); {remedy}") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path} is damaged (not an object); {remedy}")
    return value


def require_data(folder: Path) -> None:
    """Raise ModelError where a JSON file directly in ``folder`` asks for more than that folder.

    That is Python of its own, a class that is not known here, another model or another file. And
    where a configuration claims more layers than any model has.
    Broken files are left to whoever needs them.
    """
    for path in sorted(folder.glob("*.json")):
        if path.name == _ADAPTER:
            raise ModelError(
                f"{path} makes {folder} an addition to another model; merge the two, save the "
                "whole and give that folder."
            )
        try:
            value = json.loads(_text(path))
        except (OSError, ValueError, RecursionError):
            continue
        for key, each in _entries(value):
            if reason := _reason(key, each):
                raise ModelError(
                    f"{path} {reason}; nothing in a model's folder is ever run, so give a model "
                    "that needs no code of its own."
                )
            if path.name == "config.json" and key.endswith(_DEPTHS) and _too_deep(each):
                raise ModelError(
                    f"{path} says that its {key} is {str(each)[:40]}, more than any model has "
                    f"({MAX_LAYERS:,}); fetch it again."
                )


def require_file(path: Path) -> Path:
    """``path``, or a ModelError that says what is there instead."""
    if path.is_file():
        return path
    pickles = [each.name for each in path.parent.glob("*.bin")] if path.parent.is_dir() else []
    there = f"; {pickles[0]} can run code and is not read" if pickles else ""
    raise ModelError(f"{path.parent} lacks {path.name}{there}; save the model as safetensors.")


def files_read(folder: Path, weights: Iterable[str] = ()) -> tuple[str, ...]:
    """Names of the files directly in ``folder`` that a library reads for a model, sorted.

    These are ``weights`` and all from which configurations and tokenizers are read. Raises OSError.
    """
    texts = (path.name for path in folder.iterdir() if path.suffix in _READ and path.is_file())
    return tuple(sorted({*weights, *texts}))


@contextmanager
def refused(what: str, remedy: str) -> Iterator[None]:
    """Whatever a library raises while it loads ``what`` becomes a ModelError.

    The package's own errors pass, and so does memory that ran out.
    """
    try:
        yield
    except (EvoError, MemoryError):
        raise
    except Exception as error:
        if type(error).__name__ == "OutOfMemoryError":  # torch's, which takes a second to import
            raise
        raise ModelError(f"{what} cannot be loaded ({first_line(error)}); {remedy}") from error


def require_regular(path: Path) -> Path:
    """``path``, unless it is a pipe, a device or a folder, which might never end; OSError then."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return path


def _text(path: Path) -> str:
    if (size := require_regular(path).stat().st_size) > MAX_JSON:
        raise ModelError(
            f"{path} has {size:,} bytes, more than the {MAX_JSON:,} of any model's; fetch it again."
        )
    return path.read_text("utf-8")


def _not_finite(text: str) -> float:
    raise ValueError(f"{text} is no number of a model")


def _finite(text: str) -> float:
    return number if math.isfinite(number := float(text)) else _not_finite(text)


def _entries(value: Any) -> Iterator[tuple[str, Any]]:
    """Keys and values of all objects in a JSON value, at any depth."""
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, list):
            left += item
        elif isinstance(item, dict):
            left += item.values()
            yield from item.items()


def _too_deep(value: Any) -> bool:
    counts = value if isinstance(value, list) else [value]
    return any(isinstance(count, int) and count > MAX_LAYERS for count in counts)


def _reason(key: str, value: Any) -> str:
    """Why an entry asks for more than data; empty where it does not."""
    if value is None or type(value) is int:  # an integer numbers a word of a vocabulary
        return ""
    if key in _CODE and value is not False:
        return f"asks for code of its own ({key!r})"
    if key == "tokenizer_class" and str(value).removesuffix("Fast") not in TOKENIZERS:
        return f"names the tokenizer {str(value)[:60]!r}, which is not known here"
    if key.endswith("attn_implementation") and "/" in json.dumps(value):
        return f"asks for code from elsewhere ({key!r})"
    if key in _ELSEWHERE:
        return f"leads to another file ({key!r})"
    return ""
