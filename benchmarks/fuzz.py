"""Inputs by the hundred thousand for whatever reads what others wrote: no crash, no hang.

    python benchmarks/fuzz.py --seeds 0-9 --log fuzz.jsonl
    python benchmarks/fuzz.py --readers journal --seeds 17-17

A seed is 250 values that hypothesis makes for one reader, arbitrary ones, well-formed ones with
wrong contents, and good ones with some values changed, each followed by 39 variants with bytes
flipped, put in, cut out or repeated: 10,000 inputs. Where a checksum or a digest stands in the way,
it is made to fit, so that what lies behind is reached. A reader may accept an input or raise an
``EvoError`` of one line. Anything else is a crash, and more than 5 seconds of CPU, or a minute, for
one input a hang. Either is shrunk by hypothesis, printed, and ends with 1.

| reader | what is read |
|---|---|
| caption | a caption: its check, its words, its run's folder, its job's name |
| configuration | ``config.json``, settings and options by name |
| prompts | a prompts file of each form, with and without ``--expand`` |
| journal | ``journal.jsonl``, opened for reading and for going on, and all that follows from it |
| archive | the arrays of a finished run and of its generations, ``run.json``, ``presented.json`` |
| state | a generation's state as the search takes it back |
| checkpoint | the pickles of foreign checkpoints, and the checkpoints of the training |
| pick | the pick.json that a page exports, and a run's own |

A log holds a line a seed: what was done stays done, so the command can be given again until all of
its seeds are. Numbers count for one release of hypothesis, which the log names.
"""

import argparse
import contextlib
import io
import json
import os
import pickle
import random
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import hypothesis
import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from evo_t2i.batch.jobs import read_jobs
from evo_t2i.batch.names import default_name, fault_of
from evo_t2i.batch.rows import FORMS
from evo_t2i.caption import content_words
from evo_t2i.checkpoints import pickles
from evo_t2i.config import RunConfig, configure
from evo_t2i.errors import EvoError, first_line
from evo_t2i.points import Points
from evo_t2i.run import Run, mend_pick, write_pick
from evo_t2i.runs.directory import RunDirectory
from evo_t2i.runs.generations import GenerationFacts
from evo_t2i.runs.journal import line_of, parse_line
from evo_t2i.runs.library import describe
from evo_t2i.runs.place import default_out
from evo_t2i.runs.stored import packed, sha256
from evo_t2i.search.nsga2 import Nsga2
from evo_t2i.training import checkpoint

VALUES_A_SEED, VARIANTS = 250, 39
CPU_SECONDS, SECONDS = 5.0, 60
COUNT, DIMENSIONS, SCORES = 4, 3, ("text_image", "word_label")
CONFIG = RunConfig(
    caption="a red bus.", seed=7, population=COUNT, offspring=COUNT, generations=2, scores=SCORES
)


class Reader(Protocol):
    """Values that hypothesis makes, the bytes that they stand for, and what reads those."""

    def __init__(self, place: Path) -> None: ...

    @staticmethod
    def values() -> st.SearchStrategy[Any]: ...

    def made(self, value: Any) -> tuple[str, bytes]:
        """What kind of input it is, and its bytes, which variants are made of."""

    def read(self, kind: str, data: bytes) -> None:
        """Raises an EvoError or nothing."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--readers", default=",".join(READERS))
    parser.add_argument("--seeds", default="0-0", help="FIRST-LAST of each reader.")
    parser.add_argument("--log", type=Path, default=Path("fuzz.jsonl"))
    wanted = parser.parse_args()
    os.fsync = os.fstat  # what is written here has to survive nothing
    first, last = map(int, wanted.seeds.split("-"))
    done = {(entry["reader"], entry["seed"]) for entry in read_log(wanted.log)}
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="fuzz-", dir=memory if memory.is_dir() else None))
    failed = False
    try:
        for seed in range(first, last + 1):
            for reader in wanted.readers.split(","):
                if (reader, seed) not in done:
                    failed |= not one_seed(reader, seed, folder, wanted.log)
    finally:
        shutil.rmtree(folder)
    print(table(read_log(wanted.log)))
    sys.exit(failed)


def one_seed(reader: str, seed: int, folder: Path, log: Path) -> bool:
    """Whether all inputs of the seed were read or refused."""
    start = time.process_time()
    try:
        tally = fuzzed_by(seed, READERS[reader], folder / reader, VALUES_A_SEED, VARIANTS)
    except Exception as error:
        print(f"{reader}, seed {seed}:", file=sys.stderr)
        traceback.print_exception(error, limit=-6)
        return False
    entry = {
        "reader": reader,
        "seed": seed,
        "inputs": tally.inputs,
        "distinct": len(tally.seen),
        "refused": tally.refused,
        "slowest": round(tally.slowest, 4),
        "seconds": round(time.process_time() - start, 1),
        "hypothesis": hypothesis.__version__,
    }
    with log.open("a") as file:
        file.write(json.dumps(entry) + "\n")
    return True


def fuzzed_by(seed: int, kind: type["Reader"], place: Path, values: int, variants: int) -> "Tally":
    """Read what one seed makes: so many values, each with so many variants."""
    place.mkdir(exist_ok=True)
    tally = Tally(kind(place), variants)

    @settings(
        max_examples=values,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(kind.values(), st.integers(0, 2**32 - 1))
    def fuzzed(value: Any, number: int) -> None:
        tally(value, number)

    hypothesis.seed(seed)(fuzzed)()
    return tally


class Tally:
    """Has inputs read, counts them, and raises what no reader may do."""

    def __init__(self, reader: Reader, variants: int) -> None:
        self.inputs = self.refused = 0
        self.seen: set[int] = set()
        self.slowest = 0.0
        self._reader = reader
        self._variants = variants
        signal.signal(signal.SIGALRM, _hang)

    def __call__(self, value: Any, number: int) -> None:
        kind, data = self._reader.made(value)
        self._one(kind, data)
        chance = random.Random(number)
        for _ in range(self._variants):
            self._one(kind, varied(data, chance))

    def _one(self, kind: str, data: bytes) -> None:
        self.inputs += 1
        self.seen.add(hash((kind, data)))
        start = time.process_time()
        signal.alarm(SECONDS)
        try:
            self._reader.read(kind, data)
        except EvoError as error:
            self.refused += 1
            text = str(error)
            assert len(text.splitlines()) == 1, f"not one line: {text!r}, for {kind} {data!r}"
        except Exception as error:
            error.add_note(f"Read was {kind} {data[:400]!r}")
            raise
        finally:
            signal.alarm(0)
            seconds = time.process_time() - start
        self.slowest = max(self.slowest, seconds)
        assert seconds < CPU_SECONDS, f"{seconds:.1f} s of CPU for {kind} {data[:400]!r}"


def varied(data: bytes, chance: random.Random) -> bytes:
    """``data`` with one to four bytes flipped or put in, or pieces cut out or repeated."""
    bytes_ = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at, byte = chance.randrange(len(bytes_) + 1), chance.randrange(256)
        match chance.randrange(5):
            case 0 if at < len(bytes_):
                bytes_[at] ^= 1 << byte % 8
            case 1:
                bytes_[at:at] = bytes([byte])
            case 2:
                bytes_[at:at] = chance.choice(TOKENS)
            case 3:
                del bytes_[at : at + byte % 32]
            case _:
                bytes_[at:at] = bytes_[at : at + byte % 32]
    return bytes(bytes_)


def _hang(*_: object) -> None:
    raise TimeoutError(f"an input took more than {SECONDS} s")


def read_log(log: Path) -> list[dict[str, Any]]:
    return list(map(json.loads, log.read_text().splitlines())) if log.exists() else []


def table(entries: list[dict[str, Any]]) -> str:
    """A row a reader, and their sum."""
    rows = ["| reader | seeds | inputs | distinct | refused | slowest, s of CPU |",
            "|---|---|---|---|---|---|"]  # fmt: skip
    names = [name for name in READERS if any(entry["reader"] == name for entry in entries)]
    for name in [*names, "all"]:
        own = [entry for entry in entries if name in (entry["reader"], "all")]
        seeds = [entry["seed"] for entry in own]
        sums = [
            f"{sum(entry[key] for entry in own):,}" for key in ("inputs", "distinct", "refused")
        ]
        slowest = max((entry["slowest"] for entry in own), default=0)
        reach = f"{min(seeds)}–{max(seeds)}" if own and name != "all" else str(len(seeds))
        rows.append(f"| {name} | {reach} | {' | '.join(sums)} | {slowest:.2f} |")
    return "\n".join(rows)


# Inputs

NUMBERS = st.one_of(
    st.integers(-2, 9),
    st.integers(),
    st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**30, 10**400]),
    st.floats(),
)
LEAVES = st.one_of(st.none(), st.booleans(), NUMBERS, st.text(max_size=9))
VALUES = st.recursive(
    LEAVES,
    lambda below: st.one_of(
        st.lists(below, max_size=4), st.dictionaries(st.text(max_size=6), below, max_size=4)
    ),
    max_leaves=6,
)
DEEP = [b"[" * 100_000, b'{"a":' * 50_000, b"9" * 5_000, b"\xef\xbb\xbf", b"\xff\xfe", b"\0" * 99]


TOKENS = [b"[", b"]", b"{", b"}", b'"', b",", b"\n", b"-", b"1e999", b"null", b"\\ud800", b"\x80",
          b"\0", b"99999999999999999999", b"NaN"]  # fmt: skip


def paths_in(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Of every part of a JSON value."""
    yield here
    if isinstance(value, dict):
        for key, below in value.items():
            yield from paths_in(below, (*here, key))
    elif isinstance(value, list):
        for number, below in enumerate(value):
            yield from paths_in(below, (*here, number))


def with_parts(value: Any, parts: list[tuple[int, Any]]) -> Any:
    """A JSON value with other values, or nothing, in some places."""
    value = json.loads(json.dumps(value))
    for where, part in parts:
        paths = list(paths_in(value))
        path = paths[where % len(paths)]
        if not path:
            value = part
            continue
        holder = value
        for key in path[:-1]:
            holder = holder[key]
        if part == "remove":
            del holder[path[-1]]
        else:
            holder[path[-1]] = part
    return value


PARTS = st.lists(st.tuples(st.integers(0, 999), st.one_of(st.just("remove"), VALUES)), max_size=3)


def text_of(value: Any) -> bytes:
    """JSON; numbers that JSON has not are written as Python reads them, surrogates escaped."""
    return json.dumps(value).encode()


def json_values() -> st.SearchStrategy[Any]:
    """("parts", …), ("value", …) or ("bytes", …)."""
    return st.one_of(
        st.tuples(st.just("parts"), PARTS),
        st.tuples(st.just("value"), VALUES),
        st.tuples(st.just("bytes"), st.one_of(st.binary(max_size=200), st.sampled_from(DEEP))),
    )


def json_bytes(good: Any, value: tuple[str, Any]) -> bytes:
    """What such a value makes of a good one."""
    kind, given_ = value
    if kind == "parts":
        return text_of(with_parts(good, given_))
    return text_of(given_) if kind == "value" else given_


def parsed(data: bytes) -> Any:
    """JSON as a caller of the library would have it; EvoError where it is none."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise EvoError("no JSON") from error


# Readers


class Caption:
    def __init__(self, place: Path) -> None: ...

    @staticmethod
    def values() -> st.SearchStrategy[Any]:
        odd = st.sampled_from(["\u202e", "\0", "\ud800", "../", "CON", "{a|b}", "\x1b[31m", "🏳️‍🌈",
                               "é" * 700])  # fmt: skip
        anything = st.text(st.characters(codec=None), max_size=40)
        return st.lists(st.one_of(anything, odd), max_size=4).map("".join)

    def made(self, value: str) -> tuple[str, bytes]:
        return "caption", value.encode("utf-8", "surrogatepass")

    def read(self, _: str, data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape")
        content_words(text or " ")
        name = default_name(12, text)
        assert fault_of(name) is None, name
        config = configure(text, seed=1)
        out = default_out(config)
        assert len(out.parts) == 2
        assert len(out.name.encode()) < 255
        assert RunConfig.from_json(config.to_json()) == config


class Configuration:
    def __init__(self, _: Path) -> None:
        self._good = json.loads(CONFIG.to_json())

    @staticmethod
    def values() -> st.SearchStrategy[Any]:
        fields = st.sampled_from(
            ["seed", "population", "generations", "generator", "scores", "sampler", "device",
             "clip", "precision", "options", "scorer_models", "embedder", "populatoin"]
        )  # fmt: skip
        plugins = st.sampled_from(["nsga2", "word_label", "clip", "random", "nsga3"])
        keys = st.sampled_from(["survival", "crossover", "top_labels", "bound", "x"])
        options = st.dictionaries(plugins, st.dictionaries(keys, LEAVES), max_size=2)
        return st.one_of(
            st.tuples(st.just("file"), json_values()),
            st.tuples(st.just("settings"), st.dictionaries(fields, VALUES, max_size=3)),
            st.tuples(st.just("options"), options),
        )

    def made(self, value: tuple[str, Any]) -> tuple[str, bytes]:
        kind, given_ = value
        return kind, json_bytes(self._good, given_) if kind == "file" else text_of(given_)

    def read(self, kind: str, data: bytes) -> None:
        if kind == "file":
            with contextlib.suppress(UnicodeDecodeError):  # whoever reads the file says that
                RunConfig.from_json(data.decode())
            return
        values = parsed(data)
        if kind == "options":
            configure("a bus", seed=1, options=values)
        elif isinstance(values, dict) and "caption" not in values:
            configure("a bus", **values)


class Prompts:
    def __init__(self, place: Path) -> None: ...

    @staticmethod
    def values() -> st.SearchStrategy[Any]:
        columns = st.sampled_from(
            ["id", "caption", "seed", "category", "generations", "options", "nsga2.survival",
             "preset", "scores", "Prompts", "Category", "tag", "include", "prompt", ""]
        )  # fmt: skip
        cells = st.one_of(
            st.text(max_size=12),
            st.sampled_from(["7", "a {red|blue} bus", "{a|b}" * 12, "mnn", '"', "CON", "../x"]),
        )

        def table(head: list[str], rows: list[list[str]], by: str) -> bytes:
            return "\n".join(by.join(row) for row in [head, *rows]).encode("utf-8", "replace")

        heads = st.lists(columns, min_size=1, max_size=4)
        tables = st.builds(
            table, heads, st.lists(st.lists(cells, max_size=4), max_size=4), st.sampled_from(",\t")
        )
        objects = st.dictionaries(columns, st.one_of(cells, VALUES), max_size=4)
        lines = st.lists(objects, max_size=3).map(lambda rows: b"\n".join(map(text_of, rows)))
        data = st.one_of(st.binary(max_size=120), tables, lines, st.sampled_from(DEEP))
        return st.tuples(st.sampled_from(FORMS), st.sampled_from(["", " expanded"]), data)

    def made(self, value: tuple[str, str, bytes]) -> tuple[str, bytes]:
        return value[0] + value[1], value[2]

    def read(self, kind: str, data: bytes) -> None:
        form, _, expanded = kind.partition(" ")
        jobs = read_jobs(data, form, expand=bool(expanded)).jobs
        assert jobs
        assert all(fault_of(job.id) is None for job in jobs)
        assert len({job.id for job in jobs}) == len(jobs)


class Folder:
    """A finished run that is written anew for every input, and its own pick."""

    def __init__(self, place: Path) -> None:
        self.path = place / "run"
        shutil.rmtree(self.path, ignore_errors=True)
        rng = np.random.default_rng(1)
        with RunDirectory.create(self.path, CONFIG) as run:
            for generation in range(CONFIG.generations + 1):
                points = _points(rng, generation)
                run.commit(points, _state(points, generation), _facts())
            images = rng.integers(0, 256, (COUNT, 8, 8, 3), np.uint8)
            run.finish(points, images, RESULT)
            write_pick(run, Run(self.path).rank())
        self.files = {
            file.relative_to(self.path).as_posix(): file.read_bytes()
            for file in self.path.rglob("*")
            if file.is_file()
        }
        entries = [parse_line(line) for line in self.files["journal.jsonl"].splitlines()]
        self.entries: list[Any] = entries

    def write(self, changes: dict[str, bytes]) -> None:
        """All files, some of them others, and a journal whose digests fit them."""
        digests = {name: sha256(data) for name, data in changes.items()}
        entries = json.loads(json.dumps(self.entries))
        for entry in entries:
            own = entry.get("files", {})
            own.update({name: digests[name] for name in own.keys() & digests.keys()})
        journal = b"".join(map(line_of, entries))
        for name, data in (self.files | {"journal.jsonl": journal} | changes).items():
            file = self.path / name
            if not file.exists() or file.read_bytes() != data:
                file.write_bytes(data)

    def read(self, *, writable: bool = False) -> None:
        """Whatever commands read of it."""
        describe(self.path)
        with RunDirectory.open(self.path, writable=writable) as run:
            run.all_facts()
            last = run.last()
            if last is not None:
                _search().restore(last[1])
                run.record(0)
            run.changed_figures()
            run.is_drawn("pareto.png")
            if run.journal:
                run.history()
            if not run.finished:
                return
            run.damaged()
            run.facts()
            run.front()
            if writable and (self.path / "pick" / "pick.json").exists():
                mend_pick(run)
        finished = Run(self.path)
        finished.pick_table(finished.picked())


def _points(rng: np.random.Generator, generation: int) -> Points:
    latents = rng.standard_normal((COUNT, DIMENSIONS)).astype(np.float32)
    return Points(
        latents=latents,
        scores=latents[:, : len(SCORES)].astype(np.float64),
        ids=np.arange(COUNT, dtype=np.int64) + generation * COUNT,
        parents=np.full((COUNT, 2), generation - 1, np.int64),
        generations=np.full(COUNT, generation, np.int64),
    )


def _state(points: Points, generation: int) -> dict[str, np.ndarray]:
    return {
        **points.to_state("population"),
        **points.to_state("archive"),
        "generation": np.array(generation + 1),
        "evaluations": np.array((generation + 1) * COUNT),
        "rank": np.zeros(COUNT, np.int64),
        "crowding": np.ones(COUNT),
        "floor.least": np.zeros(len(SCORES)),
        "floor.scale": np.ones(len(SCORES)),
    }


def _facts() -> GenerationFacts:
    return GenerationFacts(
        evaluations=COUNT,
        front=COUNT,
        hypervolume=1.0,
        box=((0.0, 0.0), (1.0, 1.0)),
        micro_batch=2,
        models={"generator": "ab" * 32},
        environment={"threads": 1},
    )


RESULT: dict[str, Any] = {
    "models": {"generator": "ab" * 32},
    "coverage": 0.5,
    "label_matched": True,
    "evaluations": 3 * COUNT,
    "hypervolume": [1.0, 1.0, 1.0],
    "rescored": None,
}


def _search() -> Nsga2:
    return Nsga2(
        sample=lambda count, rng: rng.standard_normal((count, DIMENSIONS)).astype(np.float32),
        dimensions=DIMENSIONS,
        objectives=len(SCORES),
        config=CONFIG,
        options=Nsga2.Options(keep="front"),
    )


class Journal:
    """Entries with other contents under right checksums, or a file of any bytes."""

    def __init__(self, place: Path) -> None:
        self._folder = Folder(place)

    @staticmethod
    def values() -> st.SearchStrategy[Any]:
        kinds = st.sampled_from(["finished", "unfinished", "finished writable",
                                 "unfinished writable", "as they are"])  # fmt: skip
        return st.tuples(kinds, json_values())

    def made(self, value: tuple[str, tuple[str, Any]]) -> tuple[str, bytes]:
        kind, given_ = value
        entries = self._folder.entries[: -1 if kind.startswith("unfinished") else None]
        if kind == "as they are":
            return kind, b"".join(map(line_of, entries)) if given_[0] == "parts" else b"{}\n"
        made = with_parts(entries, given_[1]) if given_[0] == "parts" else [given_[1]]
        if given_[0] == "bytes":
            return kind, given_[1]
        return kind, b"\n".join(map(text_of, made if isinstance(made, list) else [made]))

    def read(self, kind: str, data: bytes) -> None:
        checked = b"".join(map(checked_line, data.split(b"\n")))
        self._folder.write({"journal.jsonl": data if kind == "as they are" else checked})
        self._folder.read(writable=kind.endswith("writable"))


def checked_line(body: bytes) -> bytes:
    """A journal's line of any text, with its checksum."""
    return b'{"crc32":"' + f"{zlib.crc32(body):08x}".encode() + b'","entry":' + body + b"}\n"


ARRAYS = {
    "archive.safetensors": ("latents", "scores", "ids", "parents", "generations"),
    "gen/0000.safetensors": ("scores", "ids", "parents"),
    "gen/0002.safetensors": ("scores", "ids", "parents"),
}


def array_changes(names: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Arrays of other shapes, types and contents, by name."""
    kinds = st.sampled_from(["f2", "f4", "f8", "i1", "i4", "i8", "u1", "?"])
    numbers = st.sampled_from([0, 1, -1, 3, 1e308, -1e101, np.nan, np.inf, 2**31, 2**62])
    shapes = st.lists(st.integers(0, 5), max_size=3)
    contents = st.tuples(st.none(), st.none(), numbers)
    change = st.one_of(st.none(), contents, contents, st.tuples(kinds, shapes, numbers))
    return st.dictionaries(names, change, max_size=2)


def with_arrays(data: bytes, changes: dict[str, Any]) -> bytes:
    """A safetensors file with other arrays, or without some."""
    arrays = load(data)
    for name, change in changes.items():
        if change is None or (name not in arrays and change[1] is None):
            arrays.pop(name, None)
            continue
        kind, shape, number = change
        with np.errstate(all="ignore"):
            filled = np.full(arrays[name].shape if shape is None else shape, number)
            arrays[name] = filled.astype(arrays[name].dtype if kind is None else kind)
    return packed(arrays)


def raw_tensors() -> st.SearchStrategy[bytes]:
    """A safetensors file by hand: a header of any values, and some data behind it."""
    infos = st.fixed_dictionaries(
        {},
        optional={
            "dtype": st.sampled_from(["F64", "I64", "F32", "BF16", "F8_E4M3", "BOOL", "X", 3]),
            "shape": st.one_of(st.lists(NUMBERS, max_size=3), VALUES),
            "data_offsets": st.one_of(st.lists(NUMBERS, max_size=3), VALUES),
        },
    )
    names = st.sampled_from(["scores", "ids", "parents", "latents", "__metadata__", "x"])
    headers = st.one_of(st.dictionaries(names, infos, max_size=3), VALUES).map(text_of)
    length = st.one_of(st.just(None), st.integers(0, 2**64 - 1))

    def file(head: bytes, size: int | None, data: bytes) -> bytes:
        return struct.pack("<Q", len(head) if size is None else size) + head + data

    return st.builds(file, headers, length, st.binary(max_size=64))


class Archive:
    def __init__(self, place: Path) -> None:
        self._folder = Folder(place)

    @staticmethod
    def values() -> st.SearchStrategy[Any]:
        def of_file(file: str) -> st.SearchStrategy[Any]:
            changes = array_changes(st.sampled_from(ARRAYS[file]))
            return st.tuples(st.just(file), st.one_of(changes, changes, raw_tensors()))

        texts = st.sampled_from(["run.json", "presented.json"])
        return st.one_of(
            st.sampled_from(sorted(ARRAYS)).flatmap(of_file), st.tuples(texts, json_values())
        )

    def made(self, value: tuple[str, Any]) -> tuple[str, bytes]:
        name, given_ = value
        if name == "presented.json":
            return name, json_bytes({"files": {"pareto.png": "00" * 32}}, given_)
        if name == "run.json":
            return name, json_bytes(json.loads(self._folder.files[name]), given_)
        good = self._folder.files[name]
        return name, given_ if isinstance(given_, bytes) else with_arrays(good, given_)

    def read(self, kind: str, data: bytes) -> None:
        if kind == "presented.json":
            (self._folder.path / kind).write_bytes(checked_line(data))
        else:
            self._folder.write({kind: data})
        self._folder.read()


STATE_FILE = "gen/0002.state.safetensors"


class State:
    def __init__(self, place: Path) -> None:
        self._folder = Folder(place)
        self._folder.entries = self._folder.entries[:-1]

    @staticmethod
    def values() -> st.SearchStrategy[Any]:
        names = [f"state.{part}.{name}" for part in ("population", "archive")
                 for name in ("latents", "scores", "ids", "parents", "generations")]  # fmt: skip
        names += [f"state.{name}" for name in ("generation", "evaluations", "rank", "crowding",
                                               "floor.least", "floor.scale")]  # fmt: skip
        changes = array_changes(st.sampled_from([*names, "latents"]))
        return st.one_of(changes, changes, raw_tensors())

    def made(self, value: Any) -> tuple[str, bytes]:
        good = self._folder.files[STATE_FILE]
        return "state", value if isinstance(value, bytes) else with_arrays(good, value)

    def read(self, _: str, data: bytes) -> None:
        self._folder.write({STATE_FILE: data})
        self._folder.read()


NAMES = ("collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "builtins.set",
         "_codecs.encode")  # fmt: skip


class Checkpoint:
    def __init__(self, place: Path) -> None:
        torch.manual_seed(0)
        self._file = place / "state.safetensors"
        net, adam = self._training()
        net(torch.ones(1, 2)).sum().backward()
        adam.step()
        checkpoint.save(self._file, 3, "all", {"net": net}, {"adam": adam})
        self._good = self._file.read_bytes()

    @staticmethod
    def _training() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        net = torch.nn.Linear(2, 2)
        return net, torch.optim.Adam(net.parameters())

    @staticmethod
    def values() -> st.SearchStrategy[Any]:
        codes = [bytes([code]) for code in
                 b"\x80\x95(.0]}l)tauesbcRQPqrhj\x94\x8c\x93\x81K\x85\x86\x8f\x90"]  # fmt: skip
        pieces = st.one_of(
            st.sampled_from(codes),
            st.sampled_from([b"K\x01", b"\x8c\x01a", b"q\x00", b"h\x00", b"N", b"G" * 9]),
            st.sampled_from([b"c" + name.replace(".", "\n").encode() + b"\n" for name in NAMES]),
            st.binary(max_size=5),
        )
        programs = st.lists(pieces, max_size=25).map(
            lambda all_: b"\x80\x02" + b"".join(all_) + b"."
        )
        plain = st.one_of(VALUES, st.binary(max_size=30), st.sets(st.integers()))
        pickled = st.builds(pickle.dumps, plain, st.integers(2, 5))
        own = ["net/weight", "net/bias"]
        own += [f"optimizer/adam/{key}" for key in ("0/step", "0/exp_avg", "x/step", "7/y", "1")]
        return st.one_of(
            st.tuples(st.just("pickle"), st.one_of(programs, pickled, st.binary(max_size=60))),
            st.tuples(st.just("tensors"), raw_tensors()),
            st.tuples(st.just("arrays"), array_changes(st.sampled_from(own))),
            st.tuples(st.just("step"), VALUES.map(json.dumps)),
        )

    def made(self, value: tuple[str, Any]) -> tuple[str, bytes]:
        kind, given_ = value
        if kind in ("arrays", "step"):
            data = with_arrays(self._good, given_ if kind == "arrays" else {})
            step = given_ if kind == "step" else "3"
            return "tensors", save(load(data), metadata={"step": step, "identity": repr("all")})
        return kind, given_

    def read(self, kind: str, data: bytes) -> None:
        if kind == "tensors":
            self._file.write_bytes(data)
            net, adam = self._training()
            checkpoint.restore(self._file, "all", {"net": net}, {"adam": adam})
            return
        try:
            pickles.read(io.BytesIO(data), NAMES, references=True, copies=len(data))
        except pickles.PickleError as error:
            raise EvoError(first_line(error)) from error


class Picked:
    def __init__(self, place: Path) -> None:
        self._folder = Folder(place)
        self._file = place / "export.json"
        self._run = Run(self._folder.path)
        self._exported = {
            "kind": "evo-t2i pick", "format": 1, "run": RunDirectory.open(self._run.path).digest,
            "caption": "a bus", "seed": 7, "method": "lexicographic", "weights": {SCORES[0]: 1.0},
            "floors": {SCORES[1]: -1.0}, "order": [SCORES[1]], "tolerance": 0.5, "picked": [8],
            "starred": [9],
        }  # fmt: skip
        self._own = json.loads(self._folder.files["pick/pick.json"])
        self._own.pop("checksum")

    @staticmethod
    def values() -> st.SearchStrategy[Any]:
        kinds = st.sampled_from(["exported", "own", "own writable", "as it is"])
        return st.tuples(kinds, json_values())

    def made(self, value: tuple[str, tuple[str, Any]]) -> tuple[str, bytes]:
        kind, given_ = value
        return kind, json_bytes(self._exported if kind == "exported" else self._own, given_)

    def read(self, kind: str, data: bytes) -> None:
        if kind == "exported":
            self._file.write_bytes(data)
            self._run.pick_table(self._run.chosen_on_page(self._file))
            return
        if kind != "as it is" and isinstance(table := parsed(data), dict):
            text = json.dumps(table, sort_keys=True, separators=(",", ":"))
            data = text_of(table | {"checksum": sha256(text.encode())})
        self._folder.write({"pick/pick.json": data})
        self._folder.read(writable=kind == "own writable")


READERS: dict[str, type[Reader]] = {
    "caption": Caption,
    "configuration": Configuration,
    "prompts": Prompts,
    "journal": Journal,
    "archive": Archive,
    "state": State,
    "checkpoint": Checkpoint,
    "pick": Picked,
}

if __name__ == "__main__":
    main()
