"""What a person may ask of a diffusion pipeline: ``-o diffusers.steps=2``."""

import dataclasses
import math
import re
from dataclasses import dataclass

from evo_t2i.errors import UsageError

DTYPES = ("float32", "bfloat16", "float16")
MAX_STEPS = 100
MAX_SIDE = 4096
_SIZE = re.compile(r"(\d{1,5})(?:x(\d{1,5}))?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class PipelineOptions:
    """None leaves the choice to the pipeline's family; UsageError for what makes no sense."""

    steps: int | None = dataclasses.field(
        default=None, metadata={"help": f"Passes of the denoiser, 1 to {MAX_STEPS}."}
    )
    preview_steps: int | None = dataclasses.field(
        default=None,
        metadata={"help": "Passes for the pictures that a search goes by, fewer than steps."},
    )
    size: str | None = dataclasses.field(
        default=None, metadata={"help": "Pixels, such as 512, or height x width, such as 512x768."}
    )
    dtype: str = dataclasses.field(
        default="float32", metadata={"help": f"Of the weights: {', '.join(DTYPES)}."}
    )
    revision: str | None = dataclasses.field(
        default=None, metadata={"help": "A branch, tag or commit of the repository."}
    )
    guidance: float | None = dataclasses.field(
        default=None, metadata={"help": "guidance_scale, 0 or more."}
    )

    def __post_init__(self) -> None:
        _require(
            self.steps is None or 1 <= self.steps <= MAX_STEPS,
            "steps",
            self.steps,
            f"a whole number from 1 to {MAX_STEPS}",
        )
        _require(
            self.preview_steps is None or 1 <= self.preview_steps < MAX_STEPS,
            "preview_steps",
            self.preview_steps,
            "a whole number, fewer than steps",
        )
        _require(
            self.size is None or self.pixels is not None,
            "size",
            self.size,
            f"pixels such as 512, or height x width such as 512x768, up to {MAX_SIDE}",
        )
        _require(self.dtype in DTYPES, "dtype", self.dtype, " or ".join(DTYPES))
        _require(self.revision != "", "revision", self.revision, "a branch, tag or commit")
        _require(
            self.guidance is None or 0.0 <= self.guidance < math.inf,
            "guidance",
            self.guidance,
            "a finite number, 0 or more",
        )

    @property
    def pixels(self) -> tuple[int, int] | None:
        """``size`` as (height, width)."""
        found = _SIZE.fullmatch(self.size or "")
        if found is None:
            return None
        height, width = int(found[1]), int(found[2] or found[1])
        fits = min(height, width) >= 1 and max(height, width) <= MAX_SIDE
        return (height, width) if fits else None


def _require(fits: bool, name: str, value: object, expected: str) -> None:
    if not fits:
        raise UsageError(f"`{name}` is {value!r}; give {expected}.")
