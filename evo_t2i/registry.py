"""Generators, features, scores and samplers by name.

Built-ins and plug-ins come through the same door: a Python entry point in the group
``evo_t2i.<kind>s`` whose value is a factory with keyword-only arguments. What people may set about
it are the fields of its ``Options``: a frozen dataclass of texts, numbers and booleans with
defaults, which checks itself and raises UsageError.
"""

import contextlib
import dataclasses
import inspect
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, get_args, get_type_hints

from evo_t2i.errors import EvoError, PluginError, UsageError, near_miss

KINDS = ("generator", "feature", "score", "sampler")
OWN_PACKAGE = "evo-t2i"
_MEMBERS = {
    "generator": ("latent_shape", "image_size", "digest", "condition", "sample", "generate"),
    "feature": ("provides", "digest", "text", "images"),
    "score": ("name", "needs", "__call__"),
    "sampler": ("generation", "archive", "population", "ask", "tell", "state", "restore"),
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
        raise UsageError(f"There is no {kind} called {name!r}; {near_miss(name, names(kind))}")
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


def make(
    kind: str,
    name: str,
    *,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    **arguments: Any,
) -> Any:
    """What the factory registered under ``name`` makes of the keyword arguments.

    A factory with a dataclass ``Options`` is given one more, ``options``, filled from the entry of
    ``options`` under its name. Raises as ``load`` and ``read_options``, and PluginError when
    another package's factory fails or makes something that lacks a part of its protocol.
    """
    factory = load(kind, name)
    if (form := _options_form(factory)) is not None:
        given = (options or {}).get(name, {})
        own = {key: value for key, value in given.items() if key in _typed_fields(form)}
        arguments["options"] = _filled(name, form, own)
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


def read_options(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Options of everything that is registered under ``name``, typed and checked, keys sorted.

    A text is read as the type of the field, so that a command line can pass what it was given.
    Raises UsageError for an unknown key, with the nearest one, and for a value of the wrong type or
    that the ``Options`` of the factory refuse.
    """
    forms = [
        form
        for kind in KINDS
        if name in names(kind) and (form := _options_form(load(kind, name))) is not None
    ]
    types: dict[str, Any] = {}
    for form in forms:
        types |= _typed_fields(form)
    values: dict[str, Any] = {}
    for key, value in sorted(given.items()):
        if not types:
            raise UsageError(f"{name} has no options, so {name}.{key} means nothing; leave it out.")
        if key not in types:
            raise UsageError(f"{name} has no option {key!r}; {near_miss(key, sorted(types))}")
        values[key] = _read(f"{name}.{key}", value, types[key])
    for form in forms:
        own = {key: value for key, value in values.items() if key in _typed_fields(form)}
        _filled(name, form, own)
    return values


def option_fields(kind: str, name: str) -> tuple[dataclasses.Field[Any], ...]:
    """The fields of the ``Options`` of a factory; none where it has no options."""
    form = _options_form(load(kind, name))
    return () if form is None else dataclasses.fields(form)


def _options_form(factory: Callable[..., Any]) -> type[Any] | None:
    form = getattr(factory, "Options", None)
    return form if isinstance(form, type) and dataclasses.is_dataclass(form) else None


def _typed_fields(form: type[Any]) -> dict[str, Any]:
    types = get_type_hints(form)
    return {field.name: types[field.name] for field in dataclasses.fields(form)}


def _filled(name: str, form: type[Any], values: Mapping[str, Any]) -> Any:
    try:
        return form(**values)
    except UsageError as error:
        raise UsageError(f"Options of {name}: {error}") from None


def _read(option: str, value: Any, expected: Any) -> Any:
    """``value``, or what a text says, as one of the types that ``expected`` names."""
    kinds = [kind for kind in (get_args(expected) or (expected,)) if kind is not type(None)]
    if value is None and type(None) in get_args(expected):
        return None
    for kind in kinds:
        if type(value) is kind or (kind is float and type(value) is int):
            return kind(value)
        if isinstance(value, str):
            with contextlib.suppress(ValueError, KeyError):
                return _FROM_TEXT[kind](value)
    expected_names = " or ".join(_NAMES_OF_TYPES[kind] for kind in kinds)
    raise UsageError(f"{option} is {value!r}; give {expected_names}.")


_FROM_TEXT: Mapping[type, Callable[[str], Any]] = {
    bool: {"true": True, "false": False}.__getitem__,
    int: int,
    float: float,
    str: str,
}
_NAMES_OF_TYPES = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


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
