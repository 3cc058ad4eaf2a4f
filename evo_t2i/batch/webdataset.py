"""The picks as a WebDataset: tar files of ``KEY.png``, ``KEY.txt`` and ``KEY.json``.

Equal batches give equal bytes: members have no time and no owner, and the keys are numbers, since a
reader takes all that follows a dot for the member's kind.
"""

import contextlib
import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from evo_t2i.batch.files import replacing
from evo_t2i.batch.results import JobResult
from evo_t2i.runs.atomic import make_directory

MOST_BYTES = 1_000_000_000
"""Of one tar file."""
_BLOCK = 512
_END = tarfile.RECORDSIZE


class WebDataset:
    """Tar files ``picks-000000.tar`` … in a folder; use ``webdataset``."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._stack = ExitStack()
        self._tar: tarfile.TarFile | None = None
        self._bytes = 0
        self.files: list[Path] = []

    def add(self, result: JobResult) -> None:
        """The picks of a finished job."""
        if (chosen := result.chosen) is None:
            return
        for place, row in enumerate(chosen.picked, start=1):
            names = chosen.front.score_names
            facts = {
                "id": result.job.id,
                "caption": result.job.config.caption,
                "category": result.job.category or None,
                "seed": result.job.config.seed,
                "place": place,
                "individual": int(chosen.front.ids[row]),
                "generation": int(chosen.front.generations[row]),
                "scores": dict(zip(names, chosen.front.scores[row].tolist(), strict=True)),
                "z": dict(zip(names, chosen.z[row].tolist(), strict=True)),
                "sha256": chosen.front.digests[row],
            }
            self._add_sample(
                f"{result.job.index:08d}-{place:02d}",
                {
                    "png": chosen.front.png(row),
                    "txt": result.job.config.caption.encode(),
                    "json": json.dumps(facts, ensure_ascii=False).encode(),
                },
            )

    def _add_sample(self, key: str, parts: dict[str, bytes]) -> None:
        size = sum(_BLOCK + -(-len(data) // _BLOCK) * _BLOCK for data in parts.values())
        if self._tar is None or self._bytes + size + _END > self._most_bytes:
            self._next()
        assert self._tar is not None
        self._bytes += size
        for kind, data in parts.items():
            member = tarfile.TarInfo(f"{key}.{kind}")
            member.size = len(data)
            member.mode = 0o644
            self._tar.addfile(member, io.BytesIO(data))

    def _next(self) -> None:
        self._stack.close()
        path = self._folder / f"picks-{len(self.files):06d}.tar"
        file = self._stack.enter_context(replacing(path))
        self._tar = self._stack.enter_context(
            tarfile.TarFile(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT)
        )
        self._bytes = 0
        self.files.append(path)

    def close(self) -> None:
        """Finish the last file, and remove those of an earlier, larger data set."""
        self._stack.close()
        for old in self._folder.glob("picks-*.tar"):
            if old not in self.files:
                old.unlink()

    def abandon(self, error: BaseException) -> None:
        """Leave the file that was being written as it was before."""
        self._stack.__exit__(type(error), error, error.__traceback__)


@contextlib.contextmanager
def webdataset(folder: Path, most_bytes: int = MOST_BYTES) -> Iterator[WebDataset]:
    """A data set that replaces the one in ``folder``."""
    make_directory(folder)
    written = WebDataset(folder, most_bytes)
    try:
        yield written
    except BaseException as error:
        written.abandon(error)
        raise
    written.close()
