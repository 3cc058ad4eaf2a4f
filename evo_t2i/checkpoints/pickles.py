"""Reads pickles as data: no name in them is ever looked up, imported or called.

A pickle is a program for a small stack machine (PEP 307, PEP 3154), and its usual reader runs
whatever functions the program names. This one only builds lists, dictionaries and constants; what
the program would have called becomes a ``Call`` with the function's name and arguments, and a name
that is not allowed is refused.
"""

import struct
from collections.abc import Collection
from dataclasses import dataclass
from pickletools import genops
from typing import IO, Any, Protocol, cast

MAX_INSTRUCTIONS = 1_000_000
"""Three StyleGAN2 networks at 1024 pixels take about 60,000."""


class PickleError(ValueError):
    """The pickle is damaged, or asks for something that is not allowed; a phrase on what."""


class Stream(Protocol):
    """What ``read`` needs of a binary file, an ``io.BytesIO`` or a ``mmap``."""

    def read(self, size: int, /) -> bytes: ...
    def readline(self) -> bytes: ...
    def tell(self) -> int: ...


@dataclass(frozen=True)
class Name:
    """An allowed ``module.name`` of the pickle; not the thing itself."""

    text: str


@dataclass
class Call:
    """A call that the pickle asks for and that nobody made."""

    name: str
    arguments: tuple[Any, ...]
    state: Any = None


_CONSTANTS = frozenset(
    {"BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT"}
    | {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}
    | {"SHORT_BINBYTES", "BINBYTES", "BINBYTES8"}
)
_SINGLE = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_DICTIONARIES = frozenset({"dnnlib.util.EasyDict", "collections.OrderedDict"})
_SETS = frozenset({"builtins.set", "__builtin__.set"})


def read(
    stream: Stream,
    names: Collection[str],
    *,
    references: bool = False,
    instructions: int = MAX_INSTRUCTIONS,
    copies: int = 0,
) -> Any:
    """The value of the pickle that begins at the stream's position; the stream ends up behind it.

    ``names`` are the allowed ``module.name``s. Ordered and "easy" dictionaries become dicts, sets
    sets, other calls ``Call``s; with ``references``, persistent ids become ``Call``s named
    ``persistent id``. Protocols 2 to 5 without text, extension or out-of-band instructions.
    Protocols 2 and 3 write sets and bytes as calls with a copy, whose sizes together are at most
    ``copies``, the file's size for a pickle without tricks. The time that reading takes is bounded
    by ``instructions`` and the file's size.

    Raises PickleError for anything else, damage included.
    """
    try:
        return _Machine(names, references, copies).run(stream, instructions)
    except PickleError:
        raise
    except MemoryError:
        raise PickleError("claims more memory than there is") from None
    except (ValueError, LookupError, TypeError, AssertionError, struct.error) as error:
        raise PickleError(f"is damaged ({short(error)})") from error


def short(value: object) -> str:
    """At most 80 characters of a text that comes from a file."""
    text = str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


class _Machine:
    def __init__(self, names: Collection[str], references: bool, copies: int):
        self._names = names
        self._references = references
        self._copies = copies
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def run(self, stream: Stream, instructions: int) -> Any:
        for count, (opcode, argument, _) in enumerate(genops(cast(IO[bytes], stream))):
            if count >= instructions:
                raise PickleError(f"has more than {instructions:,} pickle instructions")
            self._step(opcode.name, argument)
        if len(self._stack) != 1 or self._below:
            raise PickleError("is damaged (its pickle ends in the middle)")
        return self._stack[0]

    def _step(self, instruction: str, argument: Any) -> None:
        stack = self._stack
        match instruction:
            case "PROTO" | "FRAME" | "STOP":
                pass
            case _ if instruction in _CONSTANTS:
                stack.append(argument)
            case _ if instruction in _SINGLE:
                stack.append(_SINGLE[instruction])
            case "BINPUT" | "LONG_BINPUT":
                self._memo[argument] = stack[-1]
            case "MEMOIZE":
                self._memo[len(self._memo)] = stack[-1]
            case "BINGET" | "LONG_BINGET":
                stack.append(self._memo[argument])
            case "MARK":
                self._below.append(stack)
                self._stack = []
            case "EMPTY_LIST":
                stack.append([])
            case "EMPTY_DICT":
                stack.append({})
            case "EMPTY_SET":
                stack.append(set())
            case _ if instruction in _TUPLES:
                stack.append(tuple(self._pop(_TUPLES[instruction])))
            case "TUPLE":
                items = self._since_mark()
                self._stack.append(tuple(items))
            case "APPEND":
                self._extend(self._pop(1))
            case "APPENDS":
                self._extend(self._since_mark())
            case "SETITEM":
                self._update(self._pop(2))
            case "SETITEMS":
                self._update(self._since_mark())
            case "ADDITEMS":
                items = self._since_mark()
                self._target(set).update(_keys(items))
            case "GLOBAL":
                stack.append(self._name(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                stack.append(self._name(*self._pop(2)))
            case "REDUCE" | "NEWOBJ":
                stack.append(self._called(*self._pop(2)))
            case "BUILD":
                (state,) = self._pop(1)
                self._target(Call).state = state
            case "BINPERSID" if self._references:
                stack.append(Call("persistent id", tuple(self._pop(1))))
            case "BINPERSID" | "PERSID":
                raise PickleError("refers to an object outside of it (a persistent id)")
            case _:
                raise PickleError(f"uses the pickle instruction {instruction}")

    def _pop(self, count: int) -> list[Any]:
        if count > len(self._stack):
            raise PickleError("is damaged (a pickle instruction lacks its operands)")
        at = len(self._stack) - count
        items = self._stack[at:]
        del self._stack[at:]
        return items

    def _since_mark(self) -> list[Any]:
        items = self._stack
        self._stack = self._below.pop()
        return items

    def _target(self, kind: type) -> Any:
        target = self._stack[-1]
        if not isinstance(target, kind):
            raise PickleError(f"changes a {type(target).__name__} in an unexpected way")
        return target

    def _extend(self, items: list[Any]) -> None:
        self._target(list).extend(items)

    def _update(self, items: list[Any]) -> None:
        self._target(dict).update(_pairs(items))

    def _name(self, module: Any, name: Any) -> Name:
        if not isinstance(module, str) or not isinstance(name, str):
            raise PickleError("is damaged (a name is not a text)")
        text = f"{module}.{name}"
        if text not in self._names:
            raise PickleError(f"asks for {short(text)!r}")
        return Name(text)

    def _called(self, name: Any, arguments: Any) -> Any:
        if not isinstance(name, Name) or not isinstance(arguments, tuple):
            raise PickleError("calls something that has no name")
        match name.text, arguments:
            case text, () if text in _DICTIONARIES:
                return {}
            case text, () if text in _SETS:
                return set()
            case text, (list(items),) if text in _SETS:
                self._copy(len(items))
                return set(_keys(items))
            case "_codecs.encode", (str(text), "latin1"):
                self._copy(len(text))
                return text.encode("latin1")
        return Call(name.text, arguments)

    def _copy(self, size: int) -> None:
        self._copies -= size
        if self._copies < 0:
            raise PickleError("is larger unpacked than packed")


def _pairs(items: list[Any]) -> list[tuple[Any, Any]]:
    if len(items) % 2:
        raise PickleError("is damaged (a dictionary's last key has no value)")
    return list(zip(_keys(items[::2]), items[1::2], strict=True))


def _keys(items: list[Any]) -> list[Any]:
    for item in items:
        if not isinstance(item, str) and not (type(item) is int and abs(item) < 2**63):
            raise PickleError(f"uses a {type(item).__name__} as a key")
    return items
