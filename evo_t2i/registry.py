"""Generators, features, scores and samplers by name.

Built-ins and plug-ins come through the same door: a Python entry point in the group
``evo_t2i.<kind>s`` whose value is a factory with keyword-only arguments.
"""

from collections.abc import Callable
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from evo_t2i.errors import UsageError

KINDS = ("generator", "feature", "score", "sampler")


def names(kind: str) -> list[str]:
    """Names of all installed plug-ins of a kind, sorted."""
    return sorted(point.name for point in _points(kind))


def load(kind: str, name: str) -> Callable[..., Any]:
    """The factory registered under ``name``.

    Raises UsageError with the nearest names when nothing is registered under it.
    """
    for point in _points(kind):
        if point.name == name:
            factory: Callable[..., Any] = point.load()
            return factory
    known = names(kind)
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(known)}."
    raise UsageError(f"There is no {kind} called {name!r}; {hint}")


def split_argument(spec: str) -> tuple[str, str | None]:
    """``"lafite:model.pkl"`` → ``("lafite", "model.pkl")``; no colon → ``(spec, None)``."""
    name, colon, argument = spec.partition(":")
    return name, argument if colon else None


def _points(kind: str) -> list[EntryPoint]:
    if kind not in KINDS:
        raise ValueError(f"kind is one of {KINDS}, got {kind!r}")
    return list(entry_points(group=f"evo_t2i.{kind}s"))
