"""Evolutionary multi-objective text-to-image sampling.

>>> run = evo_t2i.sample("skyline at sunset.", generations=50)  # doctest: +SKIP
>>> run.pick()[0].image.show()  # doctest: +SKIP
"""

import os
from typing import TYPE_CHECKING, Any

from evo_t2i.version import VERSION

if TYPE_CHECKING:
    from evo_t2i.run import FrontImage, Run
    from evo_t2i.sampler import resume, sample

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # read once, as the library is imported

__version__ = VERSION
__all__ = ["FrontImage", "Run", "resume", "sample"]

_HOMES = {"FrontImage": "run", "Run": "run", "resume": "sampler", "sample": "sampler"}


def __getattr__(name: str) -> Any:
    """Import late: the sampler brings torch with it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"evo_t2i.{_HOMES[name]}"), name)
