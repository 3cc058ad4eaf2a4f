import io
import os
import pickle
import resource
import struct
import time
from collections import OrderedDict

import pytest

from evo_t2i.checkpoints.pickles import Call, PickleError, read

NAMES = frozenset(
    {"collections.OrderedDict", "builtins.set", "__builtin__.set", "_codecs.encode", "posix.times"}
)
PLAIN = {
    "numbers": [1, -1, 300, 70_000, 2**40, -(2**70), 2.5, True, False, None],
    "texts": ["", "ü" * 300, b"z", b"\x00\xff" * 300],
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
    "sets": {"a", "b"},
    "ordered": OrderedDict(b=1, a=2),
    "again": None,
    3: {"deeper": {}},
}
PLAIN["again"] = PLAIN["numbers"]


class Runs:
    """Pickles as a call of ``function``."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def loads(data, names=NAMES, **options):
    return read(io.BytesIO(data), names, **{"copies": len(data)} | options)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_plain_values_are_read_as_pickle_reads_them(protocol):
    data = pickle.dumps(PLAIN, protocol)
    assert loads(data) == pickle.loads(data)


def test_shared_values_stay_shared():
    read_back = loads(pickle.dumps(PLAIN))
    assert read_back["again"] is read_back["numbers"]


def test_the_stream_ends_up_behind_the_pickle():
    stream = io.BytesIO(pickle.dumps([1]) + pickle.dumps({"a": 2}) + b"rest")
    assert read(stream, NAMES) == [1]
    assert read(stream, NAMES) == {"a": 2}
    assert stream.read() == b"rest"


def test_allowed_calls_are_noted_and_not_made():
    call = loads(pickle.dumps([Runs(os.times)]))[0]
    assert call == Call("posix.times", ())


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_any_other_name_is_refused_and_nothing_runs(protocol, tmp_path):
    canary = tmp_path / "canary"
    data = pickle.dumps({"a": [Runs(os.mkdir, str(canary))]}, protocol)
    with pytest.raises(PickleError, match=r"asks for 'posix\.mkdir'"):
        loads(data)
    assert not canary.exists()
    pickle.loads(data)
    assert canary.exists()  # the usual reader does run it


@pytest.mark.parametrize(
    ("data", "phrase"),
    [
        (b"", "is damaged"),
        (b"{}", "is damaged"),
        (b"\x80\x04N", "is damaged"),
        (b"\x80\x04]q\x00(K\x01.", "ends in the middle"),
        (b"\x80\x04\x94.", "is damaged"),
        (b"\x80\x04h\x05.", "is damaged"),
        (b"\x80\x04e.", "is damaged"),
        (b"\x80\x04\x85.", "lacks its operands"),
        (b"\x80\x04]]\x93.", "a name is not a text"),
        (b"\x80\x04K\x01)R.", "calls something that has no name"),
        (b"\x80\x04}]K\x01s.", "uses a list as a key"),
        (b"\x80\x04}(K\x01u.", "last key has no value"),
        (b"\x80\x04K\x01K\x02a.", "changes a int in an unexpected way"),
        (b"\x80\x04N}b.", "changes a NoneType in an unexpected way"),
        (b"\x80\x04}}b.", "changes a dict in an unexpected way"),
        (b"\x80\x04K\x01Q.", "refers to an object outside"),
        (b"P1\n.", "refers to an object outside"),
        (b"I1\n.", "uses the pickle instruction INT"),
        (b"\x82\x01.", "uses the pickle instruction EXT1"),
        (b"(i__builtin__\nset\n.", "uses the pickle instruction INST"),
        (b"\x80\x05\x97.", "uses the pickle instruction NEXT_BUFFER"),
    ],
)
def test_damage_and_unusual_instructions_are_refused(data, phrase):
    with pytest.raises(PickleError, match=phrase):
        loads(data)


def test_more_instructions_than_allowed_are_refused():
    with pytest.raises(PickleError, match="more than 100 pickle instructions"):
        loads(pickle.dumps(list(range(200))), instructions=100)


def test_a_call_that_copies_is_limited():
    data = pickle.dumps(b"x" * 1000, 2)
    assert loads(data) == b"x" * 1000
    with pytest.raises(PickleError, match="larger unpacked than packed"):
        loads(data, copies=999)


@pytest.mark.parametrize(
    "bomb",
    [
        b"\x80\x04\x8e" + struct.pack("<Q", 2**40),  # bytes of a terabyte
        b"\x80\x04\x8d" + struct.pack("<Q", 2**62),  # a text of four exabytes
        b"\x80\x04]r\xff\xff\xff\xff.",  # the memo's four billionth place
        b"\x80\x04\x8b\xff\xff\xff\x7f",  # a number of two gigabytes
        b"\x80\x04" + b"(" * 10_000_000,  # as many marks
        b"\x80\x04" + b"]" * 999_998 + b"a" * 999_998,  # a list as deep
    ],
)
def test_claims_of_size_cost_neither_memory_nor_time(bomb):
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    try:
        value = loads(bomb)
    except PickleError:
        value = None
    del value
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert time.monotonic() - start < 30
    assert after - before < 1_000_000  # kilobytes
