"""The one family of errors that users see.

Every message is one sentence that says what was expected, what was found and what to do next.
The command line prints it without a traceback and exits with the class's ``exit_code``.

A message calls an argument by its name in Python, in backquotes: "`count` is 0; give 1 or more."
The command line puts its own flag there.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class EvoError(Exception):
    """Something failed; exit code 1."""

    exit_code = 1


class UsageError(EvoError):
    """The request itself is wrong (a caption, a count, a name, a path); exit code 2."""

    exit_code = 2


class ModelError(EvoError):
    """A model file is missing, damaged or unsafe; exit code 3."""

    exit_code = 3


class RunLockedError(EvoError):
    """Another process works on the run directory; exit code 4."""

    exit_code = 4


class RunDataError(EvoError):
    """A run directory is corrupt or does not fit this version; exit code 5."""

    exit_code = 5


class DeviceMemoryError(EvoError):
    """Not even one image at a time fits the device's memory; exit code 6."""

    exit_code = 6


class DiskFullError(EvoError):
    """No space is left for the run; exit code 7."""

    exit_code = 7


class NonFiniteScoresError(EvoError):
    """More than half of a generation has no finite score; exit code 8."""

    exit_code = 8


class PluginError(EvoError):
    """A plug-in cannot be imported or breaks its protocol; exit code 9."""

    exit_code = 9


def near_miss(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str:
    """What to write instead of an unknown ``name``: ``did you mean 'x'?``, or all that is known.

    ``cutoff`` is that of ``difflib.get_close_matches``.
    """
    known = list(known)
    near = get_close_matches(name, known, n=1, cutoff=cutoff)
    return f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(known)}."


def first_line(error: BaseException) -> str:
    """An exception's first line without its full stop, or its type where it says nothing."""
    said = str(error).strip() or type(error).__name__
    return said.splitlines()[0].rstrip(".: ")
