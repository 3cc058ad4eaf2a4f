"""The settings and tensors of a stored StyleGAN2 network, checked before anything is built."""

import math
from collections.abc import Callable, Container, Mapping
from typing import Any

from torch import Tensor, nn

from evo_t2i.errors import ModelError

DEFAULT_TAPS = (1, 3, 3, 1)
"""Of the low-pass filter."""
_REMEDY = "give a checkpoint of LAFITE or StyleGAN2-ADA."


class Arguments:
    """A network's stored arguments, taken one by one; what is left over is not understood."""

    def __init__(self, values: Mapping[str, Any], network: str):
        self._values = dict(values)
        self._network = network

    def whole(self, name: str, default: int | None, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``; a default of None makes it obligatory."""
        value = self._values.pop(name, default)
        self._require(type(value) is int and low <= value <= high, name, value)
        return int(value)

    def size(self, name: str) -> int:
        """A number of features."""
        return self.whole(name, None, 1, 2**16)

    def power(self, name: str, low: int, high: int) -> int:
        """A power of two from ``low`` to ``high``."""
        value = self.whole(name, None, low, high)
        self._require(value & (value - 1) == 0, name, value)
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """A finite number above 0."""
        value = self._values.pop(name, default)
        fits = isinstance(value, int | float) and not isinstance(value, bool)
        self._require(fits and 0 < value < math.inf, name, value)
        return float(value)

    def maybe(self, name: str, read: Callable[[str], Any]) -> Any:
        """What ``read`` makes of it; None when it is None or not given."""
        if self._values.get(name) is None:
            self._values.pop(name, None)
            return None
        return read(name)

    def given(self, name: str) -> bool:
        """Whether it is anything but None; not given counts as something."""
        return self._values.pop(name, ...) is not None

    def switch(self, name: str, default: bool) -> bool:
        """True or False."""
        value = self._values.pop(name, default)
        self._require(isinstance(value, bool), name, value)
        return bool(value)

    def choice(self, name: str, default: str, known: Container[str]) -> str:
        """One of the known texts."""
        value = self._values.pop(name, default)
        self._require(isinstance(value, str) and value in known, name, value)
        return str(value)

    def taps(self, name: str) -> list[Any] | None:
        """A filter's taps: up to 64 numbers, or as many rows of as many; None for no filter."""
        value = self._values.pop(name, list(DEFAULT_TAPS))
        self._require(value is None or _is_filter(value), name, value)
        taps: list[Any] | None = value
        return taps

    def group(self, name: str) -> "Arguments":
        """A dictionary of further arguments."""
        value = self._values.pop(name, {})
        self._require(isinstance(value, dict), name, value)
        return Arguments(value, self._network)

    def drop(self, *names: str) -> None:
        """Leave out what does not change the pictures."""
        for name in names:
            self._values.pop(name, None)

    def finish(self) -> None:
        """Raise ModelError for whatever nobody took."""
        for name in self._values:
            self._require(False, name, self._values[name])

    def _require(self, fits: bool, name: str, value: Any) -> None:
        if not fits:
            raise ModelError(
                f"The checkpoint's {self._network} was made with {name[:40]!r} = "
                f"{repr(value)[:40]}, which this version cannot draw; {_REMEDY}"
            )


def _is_filter(value: Any) -> bool:
    if not isinstance(value, list) or not 0 < len(value) <= 64:
        return False
    rows = value if isinstance(value[0], list) else [value]
    return all(
        isinstance(row, list)
        and len(row) == len(value)
        and all(isinstance(tap, int | float) for tap in row)
        for row in rows
    )


def fill(model: nn.Module, tensors: Mapping[str, Tensor], network: str) -> None:
    """Give a model made on the ``meta`` device its tensors, as float32.

    Raises ModelError unless names and shapes fit exactly, or a number is not finite.
    """
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if wanted != found:
        name = min(
            name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
        )
        raise ModelError(
            f"The checkpoint's {network} does not fit its own settings: {name[:80]!r} has the "
            f"shape {found.get(name, 'missing')}, expected {wanted.get(name, 'none')}; {_REMEDY}"
        )
    floats = {name: tensor.float() for name, tensor in tensors.items()}
    for name, tensor in floats.items():
        if not bool(tensor.isfinite().all()):
            raise ModelError(
                f"The checkpoint's {network} is damaged: {name!r} holds numbers that are not "
                "finite; take an earlier snapshot."
            )
    model.load_state_dict(floats, assign=True)
    model.requires_grad_(False).eval()
