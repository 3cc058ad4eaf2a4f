"""Generators, features, scores and samplers by name.

Built-ins and plug-ins come through the same door: a Python entry point in the group
``evo_t2i.<kind>s`` whose value is a factory with keyword-only arguments.
"""

import inspect
from collections.abc import Callable
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from evo_t2i.errors import EvoError, PluginError, UsageError

KINDS = ("generator", "feature", "score", "sampler")
OWN_PACKAGE = "evo-t2i"
_MEMBERS = {
    "generator": ("latent_shape", "image_size", "digest", "condition", "sample", "generate"),
    "feature": ("provides", "digest", "text", "images"),
    "score": ("name", "needs", "__call__"),
    "sampler": (
        "generation",
        "parents",
        "archive",
        "population",
        "ask",
        "tell",
        "state",
        "restore",
    ),
}
"""What the protocols ask for."""


def names(kind: str) -> list[str]:
    """Names of all installed plug-ins of a kind, sorted."""
    return sorted({point.name for point in _points(kind)})


def load(kind: str, name: str) -> Callable[..., Any]:
    """The factory registered under ``name``.

    Raises UsageError with the nearest names when nothing is registered under it, PluginError when
    two packages register it or when it cannot be imported.
    """
    points = [point for point in _points(kind) if point.name == name]
    if not points:
        known = names(kind)
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(known)}."
        raise UsageError(f"There is no {kind} called {name!r}; {hint}")
    if len(points) > 1:
        packages = " and ".join(sorted(_package(point) for point in points))
        raise PluginError(
            f"The {kind} {name!r} is registered by {packages}; uninstall one of them."
        )
    try:
        factory: Callable[..., Any] = points[0].load()
    except Exception as error:
        raise PluginError(
            f"{describe(kind, name)} cannot be imported ({said(error)}); update or uninstall that "
            "package."
        ) from error
    return factory


def make(kind: str, name: str, **arguments: Any) -> Any:
    """What the factory registered under ``name`` makes of the keyword arguments.

    Raises as ``load``, and PluginError when another package's factory fails or makes something
    that lacks a part of its protocol.
    """
    factory = load(kind, name)
    try:
        made = factory(**arguments)
    except EvoError:
        raise
    except Exception as error:
        if not foreign(kind, name):
            raise
        raise PluginError(
            f"{describe(kind, name)} cannot be set up ({said(error)}); update or uninstall that "
            "package."
        ) from error
    if fault := _fault(kind, name, made):
        raise PluginError(
            f"{describe(kind, name)} {fault}; update or uninstall that package, or see "
            "docs/plugins.md if it is yours."
        )
    return made


def _fault(kind: str, name: str, made: Any) -> str:
    """What is wrong with a new plug-in before it is used; empty for nothing."""
    for member in _MEMBERS[kind]:
        if inspect.getattr_static(made, member, None) is None:
            return f"has no {member!r}, which every {kind} needs"
    keys = {"score": "needs", "feature": "provides"}.get(kind)
    if keys is not None:
        value = getattr(made, keys)
        if not isinstance(value, frozenset) or not all(isinstance(key, str) for key in value):
            return f"has {keys} = {value!r}, expected a frozenset of keys"
        if kind == "feature" and not all(key.startswith(f"{name}.") for key in value):
            return f"provides {sorted(value)}, expected keys that begin with '{name}.'"
    if kind == "score" and made.name != name:
        return f"calls itself {made.name!r}, expected the name of its entry point"
    return ""


def foreign(kind: str, name: str) -> bool:
    """Whether ``name`` is registered, and by another package than this one."""
    return any(
        point.name == name and (point.dist is None or point.dist.name != OWN_PACKAGE)
        for point in _points(kind)
    )


def describe(kind: str, name: str) -> str:
    """``The score 'colourfulness' of the package evo-t2i-colourfulness 0.1.0``."""
    packages = [_package(point) for point in _points(kind) if point.name == name]
    return f"The {kind} {name!r}" + (f" of the package {packages[0]}" if packages else "")


def said(error: Exception) -> str:
    """An exception's type and message on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": .")


def split_argument(spec: str) -> tuple[str, str | None]:
    """``"lafite:model.pkl"`` → ``("lafite", "model.pkl")``; no colon → ``(spec, None)``."""
    name, colon, argument = spec.partition(":")
    return name, argument if colon else None


def _package(point: EntryPoint) -> str:
    return "unknown" if point.dist is None else f"{point.dist.name} {point.dist.version}"


def _points(kind: str) -> list[EntryPoint]:
    if kind not in KINDS:
        raise ValueError(f"kind is one of {KINDS}, got {kind!r}")
    return list(entry_points(group=f"evo_t2i.{kind}s"))
