"""A run on disk: what was asked, every generation, and the pictures that came out.

::

    config.json                  what was asked; never changes
    budget.json                  a later budget, in place of that of config.json; only if given
    journal.jsonl                one line a commit; the line is the commit
    gen/0007.safetensors         scores, ids and parents of generation 7; kept for every generation
    gen/0007.state.safetensors   its latents and the search's state; kept for 0 and the last two
    archive.safetensors          what the search kept, with latents: the front, and other looks
    front/0000.png ...           their pictures, by ascending id
    front.csv                    file, generation, one column a score, look, front
    run.json                     the finished run's facts
    presented.json               digests of the figures that were drawn of it
    lock                         empty; locked while a program writes

Nothing here depends on the clock, the machine's name or the directory's own path, so that a run
that was killed and resumed equals one that was not, byte for byte. One thing depends on the
directory that it was begun in: a model that was given by a relative path is noted with it.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from evo_t2i.config import RunConfig
from evo_t2i.errors import DiskFullError, ModelError, RunDataError, RunLockedError
from evo_t2i.points import Points
from evo_t2i.runs import budget, lock, place, presented
from evo_t2i.runs.atomic import (
    naming_errors,
    read_bytes,
    remove_parts,
    require_directory,
    sync_directory,
    write_bytes,
)
from evo_t2i.runs.generations import GenerationFacts, Generations, environment_warning
from evo_t2i.runs.journal import Journal
from evo_t2i.runs.result import Front, Result
from evo_t2i.runs.stored import is_stored, sha256

FORMAT = 2


class RunDirectory:
    """One run's directory; make it with ``create`` or ``open``.

    Attributes: ``path``; ``config``; ``writable``; ``warnings``, sentences about damage that was
    stepped around and about what this filesystem cannot do. Use as a context manager, or call
    ``close``, to give the lock back.
    """

    def __init__(
        self, path: Path, config: RunConfig, journal: Journal, lock_file: int | None
    ) -> None:
        self.path = path
        self.config = config
        self.warnings: list[str] = []
        self._journal = journal
        self._lock = lock_file
        self._generations = Generations(path, journal, len(config.scores), self.warnings)
        self._result = Result(path, config, journal)

    @classmethod
    def create(cls, path: Path, config: RunConfig) -> Self:
        """Start a run in the new directory ``path`` and lock it.

        An empty directory will do, too. Raises UsageError when something is there already,
        DiskFullError when the run might not fit, RunLockedError when another process is faster.
        """
        path = Path(path)
        place.require_unused(path)
        place.require_space(path, config)
        with naming_errors(path):
            path.mkdir(parents=True, exist_ok=True)
            sync_directory(path.parent)
        lock_file, locked = lock.acquire(path / "lock")
        try:
            place.require_unused(path)
            remove_parts(path)
            text = config.to_json().encode()
            write_bytes(path / "config.json", text)
            journal = Journal(path / "journal.jsonl")
            journal.append(_header(text, config))
            run = cls(path, config, journal, lock_file)
            run._say_what_is_missing(locked)
        except BaseException:
            os.close(lock_file)
            raise
        return run

    @classmethod
    def open(cls, path: Path, *, writable: bool = False) -> Self:
        """Open a run, finished or not; ``writable`` locks it and clears what a crash left.

        Raises RunDataError when ``path`` holds no run or a damaged one, RunLockedError when it is
        to be written and another process has it.
        """
        path = Path(path)
        if not os.path.isdir(path):  # where ``Path.is_dir`` raises for a long name, this does not
            raise RunDataError(
                f"{path} is no run directory; give a folder that `evo-t2i sample` wrote."
            )
        if not os.path.lexists(path / "config.json"):
            raise RunDataError(
                f"{path} has no config.json, so no run began there; "
                "start one with `evo-t2i sample CAPTION --out DIR`."
            )
        lock_file, locked = lock.acquire(path / "lock") if writable else (None, True)
        try:
            text = read_bytes(path / "config.json")
            journal = Journal(path / "journal.jsonl")
            _check_header(journal, text)
            config = budget.read(path, _config(text, path / "config.json"))
            run = cls(path, config, journal, lock_file)
            if writable:
                run._recover(text)
                run._say_what_is_missing(locked)
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
        return self._generations.entries

    @property
    def finished(self) -> bool:
        """Whether ``finish`` came to its end."""
        return self._result.complete

    def facts_of(self, generation: int) -> GenerationFacts:
        """What was committed with ``generation``; RunDataError when there is none such."""
        return self._generations.facts(generation)

    def all_facts(self) -> list[GenerationFacts]:
        """The facts of every committed generation."""
        return [self.facts_of(generation) for generation in range(len(self.journal))]

    def commit(
        self, points: Points, state: Mapping[str, np.ndarray], facts: GenerationFacts
    ) -> None:
        """Make a generation durable: its ``points``, all of one generation, and the search's state.

        Generations come in order; one that is committed already is replaced, with all after it
        (that is how a run goes on from before a damaged file).
        """
        self._require_writable()
        with self._resumable():
            self._generations.commit(points, state, facts)

    def last(self) -> tuple[int, dict[str, np.ndarray]] | None:
        """The newest generation that can be gone on from, and the search's state there.

        Steps back over damaged or missing files, as far as generation 0, and says so in
        ``warnings``; None when the run has to begin anew.
        """
        return self._generations.last()

    def record(self, generation: int) -> Points:
        """Generation 0 or one of the last two, with latents; RunDataError for any other."""
        return self._generations.record(generation)

    def history(self) -> Points:
        """Every committed evaluation by ascending id, without latents, that is, (n, 0)."""
        if not self.journal:
            raise self._going_on() or RunDataError(
                f"{self.path} has no committed generation yet; "
                f"run `evo-t2i resume {self.path}` first."
            )
        return self._generations.history()

    def rebudget(self, config: RunConfig) -> None:
        """Let the run go on, or end, by the budget of ``config``, which is otherwise its own.

        A complete run is no longer so: first that is taken back, then the budget is written.
        """
        self._require_writable()
        self._journal.truncate(1 + len(self.journal))
        budget.write(self.path, config)
        self.config = config
        self._result = Result(self.path, config, self._journal)

    def finish(
        self,
        front: Points,
        images: np.ndarray,
        facts: Mapping[str, Any],
        looks: np.ndarray | None = None,
    ) -> None:
        """Write the front's pictures, front.csv, the archive and run.json, then mark completion.

        ``images`` (n, h, w, 3) uint8 in the order of ``front``, which is by ascending id. ``facts``
        is plain JSON for run.json; its ``models`` (digests by name) also go into the pictures.
        ``looks`` (n,) int64 are as in ``Front``, 0 unless given. Can be repeated after an
        interruption, with the same bytes as the result.
        """
        self._require_writable()
        with self._resumable():
            self._journal.truncate(1 + len(self.journal))
            self._generations.prune()
            numbers = np.zeros(len(front), np.int64) if looks is None else looks
            self._result.finish(front, images, facts, numbers)

    def damaged(self) -> tuple[str, ...]:
        """Names of a finished run's files that were changed or are missing: of the result, and of
        the generations. Going on from ``last`` writes all of them anew."""
        self._require_finished()
        return (*self._generations.damaged(), *self._result.damaged())

    def front(self) -> Front:
        """The finished run's front, read back; RunDataError when unfinished or damaged."""
        self._require_finished()
        return self._result.front(self._generations.generation0_scores())

    def facts(self) -> dict[str, Any]:
        """The finished run's run.json."""
        self._require_finished()
        return self._result.facts()

    @property
    def digest(self) -> str:
        """sha256 over the digests of the finished run's results: it names the front, not the
        folder."""
        self._require_finished()
        return self._result.digest

    def publish(self, file: Path, data: bytes) -> None:
        """Write a figure or a page of the finished run.

        Into the run's own folder under its lock, with its digest recorded; anywhere else as a file
        like any other. Raises UsageError for the run's own files, RunLockedError when another
        process works on the run.
        """
        name = place.figure_name(self.path, file)
        if name is None:
            write_bytes(file, data)
        elif self.writable:
            presented.draw(self.path, name, data)
        else:
            with type(self).open(self.path, writable=True) as run:
                presented.draw(run.path, name, data)

    def is_drawn(self, name: str) -> bool:
        """Whether the figure ``name`` is there as it was published."""
        return presented.is_drawn(self.path, name)

    def changed_figures(self) -> tuple[str, ...]:
        """Published figures that are there, but not as they were published."""
        return tuple(
            name
            for name, digest in presented.recorded(self.path).items()
            if os.path.lexists(self.path / name) and not is_stored(self.path, name, digest)
        )

    def check_environment(self, now: Mapping[str, str | int]) -> None:
        """Warn when the committed generations were computed under another environment.

        Raises RunDataError when the run is finished and its generations are damaged: what the
        search would come to now might be another front.
        """
        warning = environment_warning([facts.environment for facts in self.all_facts()], now)
        if warning is None:
            return
        if self.finished and (damaged := self._generations.damaged()):
            raise RunDataError(
                f"{self.path / damaged[0]} is damaged or missing, and to compute it again might "
                f"give another front here. {warning} Put a copy of the file back, or resume where "
                "the run was made; front/, front.csv and the archive can be used as they are."
            )
        self.warnings.append(warning)

    def require_models_here(self) -> None:
        """Raise ModelError when a model was given by a relative path that leads nowhere from here:
        the message says in which folder the run was begun."""
        begun = self._journal.entries[0].get("begun_in")
        if begun is None:
            return
        for file in begun["files"]:
            if not os.path.lexists(file):
                raise ModelError(
                    f"There is no {file} in {Path.cwd()}; the run was begun in {begun['folder']}, "
                    "where that path led to a model: resume it from there."
                )

    def _recover(self, config_text: bytes) -> None:
        remove_parts(self.path)
        for name in place.WRITTEN_INTO:
            if os.path.lexists(self.path / name):
                require_directory(self.path / name)
                remove_parts(self.path / name)
        if not self._journal.entries:
            self._journal.append(_header(config_text, self.config))
        self._generations.prune()

    def _say_what_is_missing(self, locked: bool) -> None:
        if not locked:
            self.warnings.append(
                f"The filesystem of {self.path} knows no locks; let one program at a time write "
                "there."
            )
        with naming_errors(self.path):
            synced = sync_directory(self.path)
        if not synced:
            self.warnings.append(
                f"The filesystem of {self.path} cannot sync folders; a power cut may cost the "
                "newest generations, a killed process costs nothing."
            )

    @contextlib.contextmanager
    def _resumable(self) -> Iterator[None]:
        try:
            yield
        except DiskFullError as error:
            raise DiskFullError(
                f"No space is left to write into {self.path}; free some, then continue with "
                f"`evo-t2i resume {self.path}` (everything committed so far is kept)."
            ) from error

    def _require_writable(self) -> None:
        if not self.writable:
            raise ValueError("the run directory was opened for reading")

    def _require_finished(self) -> None:
        if not self.finished:
            done = len(self.journal)
            raise self._going_on() or RunDataError(
                f"{self.path} stopped before its end, after {done} of "
                f"{self.config.last_generation + 1} generations; "
                f"finish it with `evo-t2i resume {self.path}`."
            )

    def _going_on(self) -> RunLockedError | None:
        """What to say when another process is at work on the run."""
        if self.writable or not lock.is_held(self.path / "lock"):
            return None
        newest = len(self.journal) - 1
        where = f"generation {newest} of {self.config.last_generation}"
        return RunLockedError(
            f"{self.path} is still going on: {where if newest >= 0 else 'before generation 0'}; "
            "wait until it ends."
        )


def _header(config_text: bytes, config: RunConfig) -> dict[str, Any]:
    header: dict[str, Any] = {"format": FORMAT, "config_sha256": sha256(config_text)}
    files = place.model_files(config)
    return header | ({"begun_in": {"folder": str(Path.cwd()), "files": files}} if files else {})


def _check_header(journal: Journal, config_text: bytes) -> None:
    """Raise RunDataError unless the journal is empty or begins a run of this configuration, and its
    other lines are of generations, with an end at most once, at the end."""
    if not journal.entries:
        return
    header, *rest = journal.entries
    if header.get("format") != FORMAT:
        raise RunDataError(
            f"{journal.path} has format {header.get('format')}, and this version reads {FORMAT}; "
            "use the version of evo-t2i that wrote the run."
        )
    if header.get("config_sha256") != sha256(config_text):
        raise RunDataError(
            f"{journal.path.parent / 'config.json'} was changed after the run began; "
            "put the original back or start a new run."
        )
    begun = header.get("begun_in", {"folder": "", "files": []})
    ended = rest and "complete" in rest[-1] and "generation" not in rest[-1]
    if (
        not isinstance(begun, dict)
        or not isinstance(begun.get("files"), list)
        or not all(isinstance(file, str) for file in begun["files"])
        or not all("generation" in entry for entry in (rest[:-1] if ended else rest))
        or (ended and len(rest) == 1)
    ):
        raise RunDataError(
            f"{journal.path} has lines that no run writes; restore a copy or start a new run."
        )


def _config(text: bytes, file: Path) -> RunConfig:
    try:
        return RunConfig.from_json(text.decode())
    except UnicodeDecodeError as error:
        raise RunDataError(f"{file} is damaged; restore a copy or start a new run.") from error
