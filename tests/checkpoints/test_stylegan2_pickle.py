import io
import os
import pickle
import re
import sys
import time
from collections import OrderedDict

import numpy as np
import pytest
import torch
from foreign_checkpoints import (
    discriminator_arguments,
    generator_arguments,
    make_discriminator,
    make_generator,
    write_checkpoint,
)

from evo_t2i.checkpoints.stylegan2_pickle import StyleGan2Pickle
from evo_t2i.errors import ModelError
from evo_t2i.models.stylegan2_generator import load_generator

ARGUMENTS = generator_arguments(resolution=8, channel_base=32, channel_max=4)
JUDGE = discriminator_arguments(resolution=8)


class Runs:
    """Pickles as a call of ``function``."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def storage_bytes(tensor):
    """A storage as torch pickles it inside a module."""
    return tensor.storage().__reduce__()[1][0]


def raw_tensor(data, offset, size, stride):
    """A tensor of any claims over any storage."""
    storage = Runs(torch.storage._load_from_bytes, data)
    arguments = (storage, offset, size, stride, False, OrderedDict())
    return Runs(torch._utils._rebuild_tensor_v2, *arguments)


def with_mean(value):
    """Puts ``value`` where the generator's w_avg is."""

    def spoil(stored):
        stored.state["_modules"]["mapping"].state["_buffers"]["w_avg"] = value

    return spoil


@pytest.fixture(scope="module")
def generator():
    return make_generator(ARGUMENTS)


@pytest.fixture
def write(generator, tmp_path):
    def call(**options):
        return write_checkpoint(tmp_path / "snapshot.pkl", (generator, ARGUMENTS), **options)

    return call


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_what_was_pickled_is_read(generator, tmp_path, protocol):
    judge = make_discriminator(JUDGE)
    path = write_checkpoint(
        tmp_path / "a.pkl", (generator, ARGUMENTS), (judge, JUDGE), protocol=protocol
    )
    checkpoint = StyleGan2Pickle(path)
    assert checkpoint.entries == ["training_set_kwargs", "G", "D", "G_ema"]
    assert checkpoint.networks == ["G", "D", "G_ema"]
    for name, model, arguments in (("G_ema", generator, ARGUMENTS), ("D", judge, JUDGE)):
        stored = checkpoint.network(name)
        assert stored.arguments == arguments
        wanted = model.state_dict()
        assert stored.tensors.keys() == wanted.keys()
        assert all(torch.equal(stored.tensors[key], wanted[key]) for key in wanted)
    assert checkpoint.network("D").class_name == "Discriminator"


def test_strided_half_and_shifted_tensors_are_read(write):
    whole = torch.arange(60.0).half()
    shifted = whole[10:50].view(2, 4, 5).permute(2, 0, 1)  # dense, not contiguous
    stored = StyleGan2Pickle(write(spoil=with_mean(shifted))).network("G_ema")
    found = stored.tensors["mapping.w_avg"]
    assert torch.equal(found, shifted)
    assert found.is_contiguous()


def test_numpy_numbers_among_the_arguments_become_plain(generator, tmp_path):
    odd = ARGUMENTS | {"c_dim": np.int64(0), "z_dim": np.int32(12)}
    path = write_checkpoint(tmp_path / "a.pkl", (generator, odd))
    assert StyleGan2Pickle(path).network("G_ema").arguments == ARGUMENTS


def test_non_persistent_buffers_are_left_out(write):
    def spoil(stored):
        mapping = stored.state["_modules"]["mapping"].state
        mapping["_buffers"]["passing"] = torch.zeros(3)
        mapping["_non_persistent_buffers_set"] = {"passing"}

    assert "mapping.passing" not in StyleGan2Pickle(write(spoil=spoil)).network("G_ema").tensors


def refused(path, phrase):
    with pytest.raises(ModelError, match=phrase) as caught:
        StyleGan2Pickle(path).network("G_ema")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(f"The checkpoint {path} ")


def test_a_payload_at_the_top_level_is_refused_and_does_not_run(write, tmp_path):
    canary = tmp_path / "canary"
    path = write(extra=Runs(os.system, f"touch {canary}"))
    refused(path, r"nothing in it was run: it asks for 'posix\.system'")
    assert not canary.exists()
    with pytest.raises(ModuleNotFoundError):  # the usual reader goes as far as its own modules
        pickle.loads(path.read_bytes())


@pytest.mark.parametrize("place", range(5))
def test_a_payload_inside_a_storage_is_refused_and_does_not_run(write, tmp_path, place):
    canary = tmp_path / "canary"
    payload = pickle.dumps(Runs(os.system, f"touch {canary}"), 2)
    stream = io.BytesIO(storage_bytes(torch.zeros(20)))
    parts = []
    for _ in range(5):  # magic number, version, machine, storage, keys
        start = stream.tell()
        unpickler = pickle.Unpickler(stream)
        unpickler.persistent_load = lambda _: None
        unpickler.load()
        parts.append(stream.getvalue()[start : stream.tell()])
    parts[place] = payload
    data = b"".join(parts) + stream.read()
    path = write(spoil=with_mean(raw_tensor(data, 0, (20,), (1,))))
    refused(path, r"asks for 'posix\.system'")
    assert not canary.exists()


def test_the_source_code_in_a_module_is_never_run(write, tmp_path):
    canary = tmp_path / "canary"

    class Loud:
        def __reduce__(self):
            function, (meta,), _ = self.stored.__reduce__()
            source = f"open({str(canary)!r}, 'w').close()"
            return function, (meta | {"module_src": source},)

    loud = Loud()

    def spoil(stored):
        loud.stored = stored.state["_modules"]["mapping"]
        stored.state["_modules"]["mapping"] = loud

    assert len(StyleGan2Pickle(write(spoil=spoil)).network("G_ema").tensors) > 10
    assert not canary.exists()


@pytest.mark.parametrize(
    ("offset", "size", "stride", "phrase"),
    [
        (0, (21,), (1,), "larger than its storage"),
        (1, (20,), (1,), "larger than its storage"),
        (0, (4, 5), (6, 1), "larger than its storage"),
        (0, (2**39,), (1,), "larger than its storage"),
        (0, (2**39,), (0,), "repeats or skips"),
        (0, (10,), (2,), "repeats or skips"),
        (0, (5, 4), (1, 1), "repeats or skips"),
        (-1, (20,), (1,), "no shape"),
        (0, (-20,), (1,), "no shape"),
        (0, (20,), (-1,), "no shape"),
        (0, (2**80,), (1,), "no shape"),
        (0, ("a",), (1,), "no shape"),
        (True, (20,), (1,), "no shape"),
        (0, (20,), (1, 1), "do not fit together"),
        (0, (1,) * 9, (1,) * 9, "do not fit together"),
        (0, (0, 2**39, 2**39), (1, 1, 1), "without numbers"),
    ],
)
def test_a_tensor_that_does_not_fit_its_storage_is_refused(write, offset, size, stride, phrase):
    data = storage_bytes(torch.arange(20.0))
    refused(write(spoil=with_mean(raw_tensor(data, offset, size, stride))), phrase)


def test_parameters_of_parameters_are_refused_however_deep(write):
    tensor = raw_tensor(storage_bytes(torch.arange(20.0)), 0, (20,), (1,))
    limit = sys.getrecursionlimit()
    for depth in (2, 3_000):
        nested = tensor
        for _ in range(depth):
            nested = Runs(torch._utils._rebuild_parameter, nested, True, OrderedDict())
        sys.setrecursionlimit(50_000)  # the writer's, not the reader's
        try:
            path = write(spoil=with_mean(nested))
        finally:
            sys.setrecursionlimit(limit)
        refused(path, "something else where a tensor belongs")


def test_storages_that_claim_another_length_are_refused(write):
    data = storage_bytes(torch.arange(20.0))
    huge = data.replace(b"K\x14N", b"\x8a\x08" + (2**50).to_bytes(8, "little") + b"N")
    assert huge != data
    for bad in (huge, data[:-1], data + b"x", data.replace(b"K\x14N", b"K\x15N")):
        refused(write(spoil=with_mean(raw_tensor(bad, 0, (20,), (1,)))), "not what it claims")


def test_storages_of_another_format_are_refused(write, tmp_path):
    zipped = tmp_path / "zipped"
    torch.save(torch.zeros(20), zipped)
    cuda = storage_bytes(torch.zeros(20)).replace(b"FloatStorage", b"QInt8Storage")
    little = storage_bytes(torch.zeros(20))
    big, count = re.subn(rb"(?s)(little_endian(?:q.|\x94)?)\x88", b"\\1\x89", little)
    assert count == 1
    for bad in (zipped.read_bytes(), cuda, big, b""):
        refused(write(spoil=with_mean(raw_tensor(bad, 0, (20,), (1,)))), "is refused")


def test_one_storage_in_many_tensors_is_bounded_by_the_file(write):
    data = storage_bytes(torch.zeros(100_000))

    def spoil(stored):
        shared = raw_tensor(data, 0, (100_000,), (1,))
        stored.state["_parameters"].update({f"p{i}": shared for i in range(1_000)})

    start = time.monotonic()
    refused(write(spoil=spoil), "together larger than the file")
    assert time.monotonic() - start < 10


def test_a_persistent_id_is_refused(tmp_path):
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, 4)
    pickler.persistent_id = lambda value: "elsewhere" if value == "here" else None
    pickler.dump({"G_ema": "here"})
    path = tmp_path / "a.pkl"
    path.write_bytes(buffer.getvalue())
    refused(path, "refers to an object outside of it")


@pytest.mark.parametrize(
    ("content", "phrase"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04 a zip file", "is damaged|uses the pickle instruction"),
        (pickle.dumps([1, 2]), "holds no networks"),
        (pickle.dumps({"G_ema": {"a": 1}}), "holds no networks"),
    ],
)
def test_other_files_are_refused(tmp_path, content, phrase):
    path = tmp_path / "a.pkl"
    path.write_bytes(content)
    refused(path, phrase)


def test_a_missing_file_and_a_missing_network_are_named(tmp_path, generator):
    with pytest.raises(ModelError, match=r"cannot be read \(No such file or directory\)"):
        StyleGan2Pickle(tmp_path / "none.pkl")
    path = write_checkpoint(tmp_path / "a.pkl", (generator, ARGUMENTS), G_ema=None)
    refused(path, "has no network 'G_ema'")


def deep(levels):
    value = 1
    for _ in range(levels):
        value = {"deeper": value}
    return value


@pytest.mark.parametrize(
    ("arguments", "phrase"),
    [
        ({"z_dim": 2**70}, "gives its networks a int"),
        ({"z_dim": {1, 2}}, "gives its networks a set"),
        ({"z_dim": "x" * 2_000}, "gives its networks a str"),
        ({"z_dim": list(range(2_000))}, "too many arguments"),
        ({"z_dim": deep(20)}, "too many arguments"),
    ],
)
def test_arguments_that_are_no_settings_are_refused(generator, tmp_path, arguments, phrase):
    path = write_checkpoint(tmp_path / "a.pkl", (generator, ARGUMENTS | arguments))
    refused(path, phrase)


def test_modules_that_nest_without_end_are_refused(write):
    def spoil(stored):
        inner = stored.state["_modules"]["mapping"].state
        for _ in range(10):
            mapping = stored.state["_modules"]["mapping"]
            inner = type(mapping).__new__(type(mapping))
            vars(inner).update(vars(mapping))
            inner.state = mapping.state | {"_modules": OrderedDict(a=mapping, b=mapping)}
            stored.state["_modules"]["mapping"] = inner

    refused(write(spoil=spoil), "deeper than any generator")


def corrupted(data, rng):
    """``data`` with one byte, one stretch or its end changed."""
    at = int(rng.integers(len(data)))
    length = int(rng.integers(1, 50))
    match int(rng.integers(5)):
        case 0:
            return data[:at]
        case 1:
            return data[:at] + data[at + length :]
        case 2:
            return data[:at] + data[at : at + length] + data[at:]
        case 3:
            return data[:at] + rng.bytes(length) + data[at + length :]
    return data[:at] + rng.bytes(1) + data[at + 1 :]


def test_a_thousand_corruptions_are_refused_or_read(write, tmp_path):
    data = write(G=None).read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / "corrupted.pkl"
    outcomes = {"read": 0, "refused": 0}
    slowest = 0.0
    for _ in range(1_000):
        path.write_bytes(corrupted(data, rng))
        start = time.monotonic()
        try:
            stored = StyleGan2Pickle(path).network("G_ema")
            load_generator(stored.arguments, stored.tensors)
            outcomes["read"] += 1
        except ModelError as error:
            outcomes["refused"] += "\n" not in str(error)
        slowest = max(slowest, time.monotonic() - start)
    assert sum(outcomes.values()) == 1_000
    assert outcomes["refused"] > 300
    assert outcomes["read"] > 20  # a changed weight is a weight
    assert slowest < 20
