"""``REPO_OR_DIR,option=value,…``: what a person may ask of a diffusion pipeline."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from evo_t2i.errors import UsageError

DTYPES = ("float32", "bfloat16", "float16")
MAX_STEPS = 100
MAX_SIDE = 4096
_EXAMPLE = "diffusers:stabilityai/sd-turbo,steps=1"


@dataclass(frozen=True, kw_only=True)
class PipelineOptions:
    """Checked options; None leaves the choice to the pipeline's family."""

    source: str
    """A folder, or the name of a repository on the Hugging Face hub."""
    steps: int | None = None
    """Passes of the denoiser, 1 to 100."""
    size: tuple[int, int] | None = None
    """(height, width) in pixels."""
    dtype: str = "float32"
    """Of the weights and activations: float32, bfloat16 or float16."""
    revision: str | None = None
    """A branch, tag or commit of the repository."""
    guidance: float | None = None
    """guidance_scale, 0 or more."""


def parse_options(argument: str | None) -> PipelineOptions:
    """The text after ``diffusers:``; raises UsageError for what is unknown or makes no sense."""
    source, *texts = (argument or "").split(",")
    if not source:
        raise UsageError(
            "The generator diffusers needs a folder or a repository; "
            f"for example --generator {_EXAMPLE}."
        )
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if name not in _READERS:
            near = get_close_matches(name, _READERS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(_READERS)}."
            raise UsageError(f"The generator diffusers has no option {name!r}; {hint}")
        if name in values:
            raise UsageError(f"The option {name!r} of diffusers is given twice; give it once.")
        read, expected = _READERS[name]
        values[name] = read(value)
        if not equals or values[name] is None:
            raise UsageError(f"The option {name!r} of diffusers is {value!r}; give {expected}.")
    return PipelineOptions(source=source, **values)


def _steps(text: str) -> int | None:
    return int(text) if text.isdecimal() and 1 <= int(text) <= MAX_STEPS else None


def _size(text: str) -> tuple[int, int] | None:
    found = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text, re.ASCII)
    if found is None:
        return None
    height, width = int(found[1]), int(found[2] or found[1])
    return (height, width) if min(height, width) >= 1 and max(height, width) <= MAX_SIDE else None


def _guidance(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0.0 <= value < math.inf else None


_READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "steps": (_steps, f"a whole number from 1 to {MAX_STEPS}"),
    "size": (_size, f"pixels such as 512, or height x width such as 512x768, up to {MAX_SIDE}"),
    "dtype": (lambda text: text if text in DTYPES else None, " or ".join(DTYPES)),
    "revision": (lambda text: text or None, "a branch, tag or commit"),
    "guidance": (_guidance, "a finite number, 0 or more"),
}
