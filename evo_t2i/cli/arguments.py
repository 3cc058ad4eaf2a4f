"""Texts of the command line → checked values, without loading any plug-in."""

from collections.abc import Sequence

from evo_t2i import registry
from evo_t2i.errors import UsageError


def score_names(text: str) -> tuple[str, ...]:
    """``"a,b"`` → ``("a", "b")``, each installed."""
    names = listed_names(text)
    for name in names:
        require_installed("score", name)
    return names


def listed_names(text: str | None) -> tuple[str, ...]:
    """``"a, b c"`` → ``("a", "b_c")``; nothing → nothing."""
    return tuple(_name(part) for part in (text or "").split(",") if part.strip())


def require_installed(kind: str, name: str) -> None:
    """Raise UsageError, with the nearest name, unless a plug-in is registered under it."""
    if name not in registry.names(kind):
        registry.load(kind, name)  # refuses the name, so nothing is loaded


def named_numbers(option: str, texts: Sequence[str]) -> dict[str, float]:
    """``["a=2", "b c=0.5"]`` → ``{"a": 2.0, "b_c": 0.5}``; UsageError names the ``option``."""
    numbers: dict[str, float] = {}
    for text in texts:
        given, _, value = text.partition("=")
        name = _name(given)
        try:
            number = float(value)
        except ValueError:
            raise UsageError(
                f"{option} is {text!r}; give name=number, for example {option} text_image=0.5."
            ) from None
        if name in numbers:
            raise UsageError(f"{option} names {name!r} twice; give each score once.")
        numbers[name] = number
    return numbers


def _name(text: str) -> str:
    """A score's name; figures and the page write its underscores as spaces."""
    return "_".join(text.split())
