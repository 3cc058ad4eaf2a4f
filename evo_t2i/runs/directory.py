"""A run on disk: what was asked, every generation, and the pictures that came out.

::

    config.json                  what was asked; never changes
    journal.jsonl                one line a commit; the line is the commit
    gen/0007.safetensors         scores, ids and parents of generation 7; kept for every generation
    gen/0007.state.safetensors   its latents and the search's state; kept for 0 and the last two
    archive.safetensors          all non-dominated individuals, with their latents
    front/0000.png ...           their pictures, by ascending id
    front.csv                    file, generation, and one column a score
    run.json                     the finished run's facts
    lock                         empty; locked while a program writes

Nothing here depends on the clock, the machine's name or the directory's own path, so that a run
that was killed and resumed equals one that was not, byte for byte.
"""

import csv
import hashlib
import io
import json
import os
import re
import shutil
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from evo_t2i import __version__
from evo_t2i.config import RunConfig
from evo_t2i.errors import DiskFullError, RunDataError, UsageError
from evo_t2i.points import Points
from evo_t2i.runs import lock
from evo_t2i.runs.atomic import (
    make_directory,
    naming_errors,
    read_bytes,
    remove_parts,
    require_directory,
    sync_directory,
    write_bytes,
)
from evo_t2i.runs.generations import GenerationFacts
from evo_t2i.runs.images import decode_png, png_bytes, provenance
from evo_t2i.runs.journal import Journal

FORMAT = 1
STATES_KEPT = 2
"""Besides generation 0, so many of the newest generations keep their full state."""
BASE_BYTES = 16 * 2**20
BYTES_PER_EVALUATION = 16 * 2**10
"""Generous: a picture of 64 pixels, its latent and its scores together take about 12 KiB."""

_STATE_FILE = re.compile(r"(\d{4,})\.state\.safetensors")
_RECORD_KEYS = ("latents", "scores", "ids", "parents")
_WRITTEN_INTO = ("gen", "front", "pick")


@dataclass(frozen=True, eq=False)
class Front(Points):
    """The finished run's non-dominated pictures."""

    score_names: tuple[str, ...]
    files: tuple[Path, ...]
    generation0_scores: np.ndarray
    digests: tuple[str, ...]

    def png(self, row: int) -> bytes:
        """The file of ``row``; RunDataError when it was changed or is missing."""
        return _verified(self.files[row], self.digests[row])

    def image(self, row: int) -> np.ndarray:
        """The picture of ``row`` as (h, w, 3) uint8; RunDataError as for ``png``."""
        return decode_png(self.png(row), self.files[row])


GenerationRecord = History = FrontArrays = Points


class RunDirectory:
    """One run's directory; make it with ``create`` or ``open``.

    Attributes: ``path``; ``config``; ``writable``; ``warnings``, sentences about damage that was
    stepped around. Use as a context manager, or call ``close``, to give the lock back.
    """

    def __init__(self, path: Path, config: RunConfig, journal: Journal, lock_file: int | None):
        self.path = path
        self.config = config
        self.warnings: list[str] = []
        self._journal = journal
        self._lock = lock_file

    @classmethod
    def create(cls, path: Path, config: RunConfig) -> Self:
        """Start a run in the new directory ``path`` and lock it.

        An empty directory will do, too. Raises UsageError when something is there already,
        DiskFullError when the run might not fit, RunLockedError when another process is faster.
        """
        path = Path(path)
        require_unused(path)
        _require_space(path, config)
        with naming_errors(path):
            path.mkdir(parents=True, exist_ok=True)
            sync_directory(path.parent)
        lock_file = lock.acquire(path / "lock")
        try:
            require_unused(path)
            remove_parts(path)
            text = config.to_json().encode()
            write_bytes(path / "config.json", text)
            journal = Journal(path / "journal.jsonl")
            journal.append(_header(text))
        except BaseException:
            os.close(lock_file)
            raise
        return cls(path, config, journal, lock_file)

    @classmethod
    def open(cls, path: Path, *, writable: bool = False) -> Self:
        """Open a run, finished or not; ``writable`` locks it and clears what a crash left.

        Raises RunDataError when ``path`` holds no run or a damaged one, RunLockedError when it is
        to be written and another process has it.
        """
        path = Path(path)
        if not path.is_dir():
            raise RunDataError(f"{path} is no run directory; give the --out of `evo-t2i sample`.")
        if not (path / "config.json").exists():
            raise RunDataError(
                f"{path} has no config.json, so no run began there; "
                "start one with `evo-t2i sample CAPTION --out DIR`."
            )
        lock_file = lock.acquire(path / "lock") if writable else None
        try:
            text = read_bytes(path / "config.json")
            journal = Journal(path / "journal.jsonl")
            _check_entries(journal, text)
            run = cls(path, RunConfig.from_json(_decoded(text, path)), journal, lock_file)
            if writable:
                run._recover(text)
        except BaseException:
            if lock_file is not None:
                os.close(lock_file)
            raise
        return run

    def close(self) -> None:
        """Give the lock back; reading still works."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def writable(self) -> bool:
        return self._lock is not None

    @property
    def journal(self) -> list[dict[str, Any]]:
        """One entry a committed generation: ``generation``, ``files`` (digests by name) and the
        facts that ``commit`` was given."""
        return [entry for entry in self._journal.entries if "generation" in entry]

    @property
    def finished(self) -> bool:
        """Whether ``finish`` came to its end."""
        return bool(self._journal.entries) and "complete" in self._journal.entries[-1]

    def commit(
        self,
        record: Points,
        state: Mapping[str, np.ndarray],
        facts: GenerationFacts,
    ) -> None:
        """Make ``generation`` durable: its files, then its journal line.

        Generations come in order; one that is committed already is replaced, with all after it
        (that is how a run goes on from before a damaged file). ``facts`` is plain JSON without NaN,
        and without the clock or the machine.
        """
        self._require_writable()
        generation = int(record.generations[0])
        facts = asdict(facts)
        committed = len(self.journal)
        if not 0 <= generation <= committed:
            raise ValueError(f"generation {generation} cannot follow {committed} committed ones")
        self._journal.truncate(1 + generation)
        make_directory(self.path / "gen")
        scored = {"scores": record.scores, "ids": record.ids, "parents": record.parents}
        full = {"latents": record.latents} | {f"state.{key}": state[key] for key in sorted(state)}
        files = {}
        for name, arrays in ((_scores_name(generation), scored), (_state_name(generation), full)):
            data = _packed(arrays)
            write_bytes(self.path / name, data)
            files[name] = _sha256(data)
        self._journal.append({"generation": generation, "files": files, **facts})
        self._prune()

    def last(self) -> tuple[int, dict[str, np.ndarray]] | None:
        """The newest generation that can be gone on from, and the search's state there.

        Steps back over damaged or missing files, as far as generation 0, and says so in
        ``warnings``; None when the run has to begin anew.
        """
        entries = self.journal
        usable = 0
        for entry in entries:
            if not self._intact(entry, _scores_name(entry["generation"])):
                break
            usable += 1
        found: tuple[int, dict[str, np.ndarray]] | None = None
        for entry in reversed(entries[:usable]):
            generation = entry["generation"]
            if self._intact(entry, _state_name(generation)):
                found = generation, self._state(generation)[1]
                break
        if found is not None and not self._intact(entries[0], _state_name(0)):
            found = None  # generation 0 is shown beside the pick, so it is needed as well
        if entries and (found is None or found[0] < len(entries) - 1):
            place = "the start" if found is None else f"generation {found[0]}"
            self.warnings.append(
                f"Files of generation {len(entries) - 1} or before it are damaged or missing; "
                f"the run goes on from {place} and comes to the same result."
            )
        return found

    def record(self, generation: int) -> GenerationRecord:
        """Generation 0 or one of the last two, with latents; RunDataError for any other."""
        scored = self._scored(generation)
        latents, _ = self._state(generation)
        return Points(latents=latents, generations=np.full(len(latents), generation), **scored)

    def facts_of(self, generation):
        e = dict(self.journal[generation])
        e.pop("generation")
        e.pop("files")
        return GenerationFacts(**e)

    def all_facts(self):
        return [self.facts_of(g) for g in range(len(self.journal))]

    def history(self) -> History:
        """Scores, ids, parents and generations of every committed evaluation."""
        parts = [self._scored(entry["generation"]) for entry in self.journal]
        if not parts:
            raise RunDataError(
                f"{self.path} has no committed generation yet; "
                f"run `evo-t2i resume {self.path}` first."
            )
        joined = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        counts = [len(part["ids"]) for part in parts]
        generations = np.repeat(np.arange(len(parts), dtype=np.int64), counts)
        return Points(
            latents=np.empty((len(generations), 0), np.float32), generations=generations, **joined
        )

    def finish(self, front: FrontArrays, images: np.ndarray, facts: Mapping[str, Any]) -> None:
        """Write the front's pictures, front.csv, the archive and run.json, then mark completion.

        ``images`` (n, h, w, 3) uint8 in the order of ``front``, which is by ascending id. ``facts``
        is plain JSON; its ``models`` (digests by name) also go into the pictures. Can be repeated
        after an interruption, with the same bytes as the result.
        """
        self._require_writable()
        self._journal.truncate(1 + len(self.journal))
        self._prune()
        make_directory(self.path / "front")
        names = _picture_names(len(front.ids))
        digests = {}
        for row, name in enumerate(names):
            texts = provenance(
                self.config,
                individual=int(front.ids[row]),
                generation=int(front.generations[row]),
                parents=(int(front.parents[row, 0]), int(front.parents[row, 1])),
                scores=dict(zip(self.config.scores, front.scores[row].tolist(), strict=True)),
                latent=front.latents[row],
                size=(images.shape[1], images.shape[2]),
                models=facts.get("models", {}),
            )
            digests[name] = self._write(name, png_bytes(images[row], texts))
        table = _front_csv(names, front, self.config.scores)
        digests["front.csv"] = self._write("front.csv", table)
        arrays = {
            "latents": front.latents,
            "scores": front.scores,
            "ids": front.ids,
            "parents": front.parents,
            "generations": front.generations,
        }
        digests["archive.safetensors"] = self._write("archive.safetensors", _packed(arrays))
        summary = {
            "version": __version__,
            "caption": self.config.caption,
            "seed": self.config.seed,
            "scores": list(self.config.scores),
            "front": len(names),
            **facts,
        }
        text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        digests["run.json"] = self._write("run.json", text.encode())
        self._journal.append({"complete": True, "files": digests})

    def damaged(self) -> tuple[str, ...]:
        """Names of a finished run's result files that were changed or are missing.

        ``finish`` writes them anew.
        """
        self._require_finished()
        entry = self._journal.entries[-1]
        return tuple(name for name in entry["files"] if not self._intact(entry, name))

    def front(self) -> Front:
        """The finished run's front, read back; RunDataError when unfinished or damaged."""
        self._require_finished()
        entry = self._journal.entries[-1]
        archive = self._arrays(entry, "archive.safetensors")
        names = _picture_names(len(archive["ids"]))
        if os.path.lexists(self.path / "front"):
            require_directory(self.path / "front")
        return Front(
            score_names=self.config.scores,
            files=tuple(self.path / name for name in names),
            generation0_scores=self._scored(0)["scores"],
            digests=tuple(entry["files"].get(name, "") for name in names),
            **archive,
        )

    def facts(self) -> dict[str, Any]:
        """The finished run's run.json."""
        self._require_finished()
        facts: dict[str, Any] = json.loads(self._read(self._journal.entries[-1], "run.json"))
        return facts

    @property
    def digest(self) -> str:
        """sha256 over the digests of the finished run's results: it names the front, not the
        folder."""
        self._require_finished()
        return _sha256(json.dumps(self._journal.entries[-1]["files"], sort_keys=True).encode())

    def _recover(self, config_text: bytes) -> None:
        remove_parts(self.path)
        for name in _WRITTEN_INTO:
            if os.path.lexists(self.path / name):
                require_directory(self.path / name)
                remove_parts(self.path / name)
        if not self._journal.entries:
            self._journal.append(_header(config_text))
        self._prune()

    def _prune(self) -> None:
        """Remove the full states that are no longer kept."""
        if not os.path.lexists(self.path / "gen"):
            return
        require_directory(self.path / "gen")
        committed = len(self.journal)
        with naming_errors(self.path / "gen"):
            for name in sorted(os.listdir(self.path / "gen")):
                match = _STATE_FILE.fullmatch(name)
                if match and 0 < int(match[1]) < committed - STATES_KEPT:
                    os.unlink(self.path / "gen" / name)

    def _write(self, name: str, data: bytes) -> str:
        write_bytes(self.path / name, data)
        return _sha256(data)

    def _scored(self, generation: int) -> dict[str, np.ndarray]:
        return self._arrays(self._entry(generation), _scores_name(generation))

    def _state(self, generation: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        arrays = self._arrays(self._entry(generation), _state_name(generation))
        prefix = "state."
        state = {key.removeprefix(prefix): arrays[key] for key in arrays if key.startswith(prefix)}
        return arrays["latents"], state

    def _entry(self, generation: int) -> dict[str, Any]:
        entries = self.journal
        if not 0 <= generation < len(entries):
            raise RunDataError(
                f"{self.path} has no generation {generation}, only {len(entries)} committed ones; "
                f"run `evo-t2i resume {self.path}` to go on."
            )
        return entries[generation]

    def _arrays(self, entry: dict[str, Any], name: str) -> dict[str, np.ndarray]:
        data = self._read(entry, name)
        try:
            arrays: dict[str, np.ndarray] = load(data)
        except (SafetensorError, ValueError) as error:
            raise RunDataError(
                f"{self.path / name} is not what a run writes; start a new run."
            ) from error
        return arrays

    def _read(self, entry: dict[str, Any], name: str) -> bytes:
        """A file of the run with the digest that ``entry`` gives it; RunDataError otherwise."""
        path = self.path / name
        if path.parent != self.path and os.path.lexists(path.parent):
            require_directory(path.parent)
        return _verified(path, entry["files"].get(name, ""))

    def _intact(self, entry: dict[str, Any], name: str) -> bool:
        try:
            self._read(entry, name)
        except RunDataError:
            return False
        return True

    def _require_writable(self) -> None:
        if not self.writable:
            raise ValueError("the run directory was opened for reading")

    def _require_finished(self) -> None:
        if not self.finished:
            done = len(self.journal)
            raise RunDataError(
                f"{self.path} stopped before its end, after {done} of "
                f"{self.config.generations + 1} generations; "
                f"finish it with `evo-t2i resume {self.path}`."
            )


def _scores_name(generation: int) -> str:
    return f"gen/{generation:04d}.safetensors"


def _state_name(generation: int) -> str:
    return f"gen/{generation:04d}.state.safetensors"


def _picture_names(count: int) -> list[str]:
    return [f"front/{row:04d}.png" for row in range(count)]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _verified(path: Path, digest: str) -> bytes:
    """The file's bytes when they have this sha256, RunDataError otherwise."""
    try:
        data = read_bytes(path)
    except FileNotFoundError as error:
        raise RunDataError(
            f"{path} is missing; write it again with `evo-t2i resume RUN`."
        ) from error
    if _sha256(data) != digest:
        raise RunDataError(
            f"{path} is not what the run wrote (its sha256 differs); "
            "write it again with `evo-t2i resume RUN`."
        )
    return data


def _packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    data: bytes = save({key: np.array(array, order="C") for key, array in arrays.items()})
    return data


def _header(config_text: bytes) -> dict[str, Any]:
    return {"format": FORMAT, "config_sha256": _sha256(config_text)}


def _decoded(text: bytes, path: Path) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise RunDataError(
            f"{path / 'config.json'} is not UTF-8 text, so it was damaged; start a new run."
        ) from error


def _check_entries(journal: Journal, config_text: bytes) -> None:
    """Raise RunDataError unless the lines are a header, generations in order and an end."""
    if not journal.entries:
        return
    header, *rest = journal.entries
    if header.get("format") != FORMAT:
        raise RunDataError(
            f"{journal.path} has format {header.get('format')}, and this version reads {FORMAT}; "
            "use the version of evo-t2i that wrote the run."
        )
    if header.get("config_sha256") != _sha256(config_text):
        raise RunDataError(
            f"{journal.path.parent / 'config.json'} was changed after the run began; "
            "put the original back or start a new run."
        )
    if rest and "complete" in rest[-1]:
        rest = rest[:-1] if isinstance(rest[-1].get("files"), dict) else [{}]
    for number, entry in enumerate(rest):
        if entry.get("generation") != number or not isinstance(entry.get("files"), dict):
            raise RunDataError(
                f"{journal.path} does not list the generations in order; "
                "restore a copy or start a new run."
            )


def _front_csv(names: Sequence[str], front: FrontArrays, score_names: Sequence[str]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["file", "generation", *score_names])
    for name, generation, scores in zip(names, front.generations, front.scores, strict=True):
        writer.writerow([name, int(generation), *(f"{score:.6f}" for score in scores)])
    return buffer.getvalue().encode()


def default_out(config: RunConfig) -> Path:
    """``runs/<caption in plain letters>-<seed>``."""
    letters = unicodedata.normalize("NFKD", config.caption).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", letters.lower()).strip("-")[:60].rstrip("-")
    return Path("runs") / f"{slug or 'caption'}-{config.seed}"


def require_unused(path: Path) -> None:
    """Raise UsageError unless ``path`` is new, empty, or was left before its run began."""
    if not os.path.lexists(path):
        return
    traces = {"lock", ".config.json.part"}
    if not path.is_dir() or set(os.listdir(path)) - traces:
        raise UsageError(
            f"{path} exists already; choose another --out, or go on with a run that is there by "
            f"`evo-t2i resume {path}`."
        )


def _require_space(path: Path, config: RunConfig) -> None:
    existing = next(parent for parent in path.absolute().parents if parent.exists())
    needed = BASE_BYTES + config.evaluations * BYTES_PER_EVALUATION
    free = shutil.disk_usage(path if path.exists() else existing).free
    if free < needed:
        raise DiskFullError(
            f"{existing} has {free / 2**20:,.0f} MiB free and the run may take "
            f"{needed / 2**20:,.0f} MiB; free some or choose another --out."
        )
