"""The networks inside a checkpoint of StyleGAN2-ADA (PyTorch) or LAFITE, as data.

Such a file is a pickle of whole modules, ``dict(training_set_kwargs, G, D, G_ema, augment_pipe,
…)``, each module with the source code of its class. The usual way of loading runs that code; here
it is left unread (``evo_t2i.checkpoints.pickles``).
"""

import hashlib
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from evo_t2i.checkpoints import pickled_tensors
from evo_t2i.checkpoints.model_folder import require_regular
from evo_t2i.checkpoints.pickles import Call, PickleError, read
from evo_t2i.errors import ModelError

_MODULE = "torch_utils.persistence._reconstruct_persistent_obj"
_SCALARS = frozenset({"numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"})
NAMES = (
    pickled_tensors.NAMES
    | _SCALARS
    | {
        _MODULE,
        "dnnlib.util.EasyDict",
        "numpy.dtype",
        "builtins.set",
        "__builtin__.set",
        "_codecs.encode",
    }
)
"""Everything that these files ask for, and all that this reader lets them name."""

_MAX_ENTRIES = 20_000
"""Of all tables of one network; a generator at 1024 pixels has about 1,500."""
_MAX_ARGUMENTS = 1_000
_MAX_DEPTH = 8


@dataclass(frozen=True)
class StoredNetwork:
    """One network of a checkpoint."""

    class_name: str
    arguments: dict[str, Any]
    """The keyword arguments that it was made with: plain JSON values."""
    tensors: dict[str, Tensor]
    """Its state dict: parameters and persistent buffers by dotted name."""


class StyleGan2Pickle:
    """A checkpoint file, read without running any of it.

    Raises ModelError when the file cannot be read, asks for anything but ``NAMES``, is damaged, or
    holds no networks. ``network`` raises the same.
    """

    text_encoder: dict[str, Any] | None = None
    """Such a file does not say which one its generator was trained with."""

    def __init__(self, path: Path):
        self.path = path
        try:
            with require_regular(path).open("rb") as file, _mapped(file) as data:
                self.digest = hashlib.sha256(data).hexdigest()
                self._bytes = len(data)
                self._content = read(data, NAMES, copies=len(data))
        except OSError as error:
            raise ModelError(
                f"The checkpoint {path} cannot be read ({error.strerror or error}); check its path."
            ) from error
        except PickleError as error:
            raise self._refused(error) from error
        if not isinstance(self._content, dict) or not self.networks:
            raise self._refused(PickleError("holds no networks"))

    @property
    def entries(self) -> list[str]:
        """What the file holds by name, such as ``G_ema`` and ``training_set_kwargs``."""
        return [str(name) for name, value in self._content.items() if value is not None]

    @property
    def networks(self) -> list[str]:
        """Those of ``entries`` that are modules."""
        return [str(name) for name, value in self._content.items() if _is_module(value)]

    def network(self, name: str) -> StoredNetwork:
        """The network stored under ``name``, one of ``networks``."""
        if name not in self.networks:
            raise self._refused(PickleError(f"has no network {name!r}"))
        module = self._content[name]
        tensors: dict[str, Tensor] = {}
        try:
            _Walk(tensors, self._bytes).collect("", module, 0)
            state = _state(module)
            if state.get("_init_args"):
                raise PickleError(f"has a {name} that was made in an unknown way")
            arguments = _Plain().value(state.get("_init_kwargs"), 0)
            if not isinstance(arguments, dict):
                raise PickleError(f"does not say how its {name} was made")
        except PickleError as error:
            raise self._refused(error) from error
        return StoredNetwork(str(module.arguments[0].get("class_name")), arguments, tensors)

    def _refused(self, error: PickleError) -> ModelError:
        return ModelError(
            f"The checkpoint {self.path} is refused, and nothing in it was run: it {error}; give a "
            "network-snapshot pickle of LAFITE or of StyleGAN2-ADA's PyTorch version."
        )


def _mapped(file: Any) -> mmap.mmap:
    try:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except ValueError:
        raise PickleError("is empty") from None


def _is_module(value: Any) -> bool:
    return isinstance(value, Call) and value.name == _MODULE


def _state(module: Any) -> dict[str, Any]:
    match module:
        case Call(name, ({"type": "class", "state": dict(state)},)) if name == _MODULE:
            return state
    raise PickleError("holds something else where a module belongs")


class _Walk:
    """Gathers a module tree's parameters and persistent buffers."""

    def __init__(self, tensors: dict[str, Tensor], budget: int):
        self._tensors = tensors
        self._budget = budget
        self._entries = 0

    def collect(self, prefix: str, module: Any, depth: int) -> None:
        if depth > _MAX_DEPTH:
            raise PickleError("nests its modules deeper than any generator")
        state = _state(module)
        passing = state.get("_non_persistent_buffers_set", set())
        if not isinstance(passing, set):
            raise PickleError("has a module without a set of buffers")
        for kind in ("_parameters", "_buffers"):
            for name, value in self._table(state, kind):
                if name not in passing:
                    tensor = pickled_tensors.rebuild(value, self._budget)
                    self._budget -= tensor.nbytes
                    self._tensors[f"{prefix}{name}"] = tensor
        for name, child in self._table(state, "_modules"):
            self.collect(f"{prefix}{name}.", child, depth + 1)

    def _table(self, state: dict[str, Any], kind: str) -> list[tuple[Any, Any]]:
        table = state.get(kind)
        if not isinstance(table, dict):
            raise PickleError(f"has a module without {kind}")
        self._entries += len(table)
        if self._entries > _MAX_ENTRIES:
            raise PickleError("has more modules and tensors than any generator")
        return [(name, value) for name, value in table.items() if value is not None]


class _Plain:
    """Constructor arguments as JSON values."""

    def __init__(self) -> None:
        self._left = _MAX_ARGUMENTS

    def value(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if self._left < 0 or depth > _MAX_DEPTH:
            raise PickleError("gives its networks too many arguments")
        match value:
            case None | bool() | float():
                return value
            case int() if abs(value) < 2**63:
                return value
            case str() if len(value) < 1_000:
                return value
            case list() | tuple():
                return [self.value(item, depth + 1) for item in value]
            case dict():
                return {str(key): self.value(item, depth + 1) for key, item in value.items()}
            case Call(name, (Call("numpy.dtype", (str(kind), *_)), bytes(data))) if (
                name in _SCALARS
            ):
                return _number(kind, data)
        raise PickleError(f"gives its networks a {type(value).__name__} as an argument")


def _number(kind: str, data: bytes) -> Any:
    """A numpy scalar: its dtype's code, such as ``f8``, and its bytes, little endian."""
    codes = {"f8": "<d", "f4": "<f", "i8": "<q", "i4": "<i", "b1": "<?"}
    if kind not in codes or struct.calcsize(codes[kind]) != len(data):
        raise PickleError(f"gives its networks a number of an unknown kind, {kind[:20]!r}")
    return struct.unpack(codes[kind], data)[0]
