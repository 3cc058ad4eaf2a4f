"""Tensors inside a pickle, rebuilt from bytes and bounds alone.

A module that is pickled whole holds each storage as a byte string in torch's first file format:
pickles of a magic number, a version, the machine, the storage's type and length, and its key; then
its length once more, and its numbers. Neither ``torch.load`` nor torch's rebuilding functions are
called: the first allocates whatever a file claims, the second silently grow a storage that is too
short.
"""

import io
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from evo_t2i.checkpoints.pickles import Call, Name, PickleError, read

NAMES = frozenset(
    {
        "collections.OrderedDict",
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_tensor_v2",
        "torch.storage._load_from_bytes",
    }
)
"""What a pickle with tensors may ask for."""

_MAGIC, _VERSION = 0x1950A86A20F9469CFC6C, 1001
_DTYPES = {
    "torch.FloatStorage": torch.float32,
    "torch.DoubleStorage": torch.float64,
    "torch.HalfStorage": torch.float16,
    "torch.BFloat16Storage": torch.bfloat16,
    "torch.LongStorage": torch.int64,
    "torch.IntStorage": torch.int32,
    "torch.ShortStorage": torch.int16,
    "torch.CharStorage": torch.int8,
    "torch.ByteStorage": torch.uint8,
    "torch.BoolStorage": torch.bool,
}
_MAX_INSTRUCTIONS = 1_000
_MAX_DIMENSIONS = 8


@dataclass(frozen=True)
class _Storage:
    dtype: torch.dtype
    data: memoryview
    length: int


def rebuild(call: Any, budget: int) -> Tensor:
    """The tensor or parameter that ``call`` describes, contiguous and with memory of its own.

    Raises PickleError when it is none, when it lies outside its storage or repeats a part of it,
    and when it takes more than ``budget`` bytes.
    """
    match call:
        case Call("torch._utils._rebuild_parameter", (Call(name) as tensor, *_)) if (
            name != "torch._utils._rebuild_parameter"  # a parameter of a parameter is none
        ):
            return rebuild(tensor, budget)
        case Call(
            "torch._utils._rebuild_tensor_v2",
            (
                Call("torch.storage._load_from_bytes", (bytes(data),)),
                offset,
                tuple(size),
                tuple(stride),
                *_,
            ),
        ):
            return _tensor(_storage(data), offset, size, stride, budget)
    raise PickleError("holds something else where a tensor belongs")


def _storage(data: bytes) -> _Storage:
    stream = io.BytesIO(data)
    magic, version, machine = (read(stream, (), instructions=_MAX_INSTRUCTIONS) for _ in range(3))
    known = magic == _MAGIC and version == _VERSION and isinstance(machine, dict)
    if not known or machine.get("little_endian") is not True:
        raise PickleError("has a storage in an unknown format")
    described = read(stream, _DTYPES, references=True, instructions=_MAX_INSTRUCTIONS)
    keys = read(stream, (), instructions=_MAX_INSTRUCTIONS)
    match described:
        case Call("persistent id", (("storage", Name(kind), str(key), _, int(length), None),)):
            dtype = _DTYPES[kind]
        case _:
            raise PickleError("has a storage in an unknown format")
    start = stream.tell() + 8
    if (
        keys != [key]
        or int.from_bytes(data[start - 8 : start], "little", signed=True) != length
        or len(data) - start != length * dtype.itemsize
    ):
        raise PickleError("has a storage whose length is not what it claims")
    return _Storage(dtype, memoryview(data)[start:], length)


def _tensor(
    storage: _Storage, offset: Any, size: tuple[Any, ...], stride: tuple[Any, ...], budget: int
) -> Tensor:
    numbers = (offset, *size, *stride)
    if any(type(number) is not int or not 0 <= number < 2**40 for number in numbers):
        raise PickleError("has a tensor whose shape is no shape")
    if len(size) != len(stride) or len(size) > _MAX_DIMENSIONS:
        raise PickleError("has a tensor whose shape and strides do not fit together")
    count = math.prod(size)
    if count == 0:
        raise PickleError("has a tensor without numbers")
    span = 1 + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if offset + span > storage.length:
        raise PickleError("has a tensor that is larger than its storage")
    if count != span:
        raise PickleError("has a tensor that repeats or skips parts of its storage")
    width = storage.dtype.itemsize
    if count * width > budget:
        raise PickleError("has tensors that are together larger than the file")
    part = bytearray(storage.data[offset * width : (offset + span) * width])
    flat = torch.frombuffer(part, dtype=storage.dtype)
    return flat.as_strided(size, stride).contiguous()
