"""What a run comes to: the front's pictures, table and archive, and the line that completes it."""

import csv
import io
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evo_t2i.config import RunConfig
from evo_t2i.errors import RunDataError
from evo_t2i.points import Points, usable
from evo_t2i.runs.atomic import make_directory, naming_errors, require_directory
from evo_t2i.runs.generations import is_digests, scored_layout
from evo_t2i.runs.images import decode_png, png_bytes, provenance
from evo_t2i.runs.journal import Journal
from evo_t2i.runs.stored import (
    is_stored,
    json_object,
    packed,
    sha256,
    store,
    stored,
    unpacked,
)
from evo_t2i.version import VERSION

_WRITERS = 4
_PICTURE = re.compile(r"\d{4,}\.png")


@dataclass(frozen=True, eq=False)
class Front(Points):
    """The finished run's pictures, by ascending id: all that are non-dominated, and those that the
    search kept beside them because they look otherwise."""

    score_names: tuple[str, ...]
    files: tuple[Path, ...]
    """Absolute or relative as the run's own path is."""
    digests: tuple[str, ...]
    """Their sha256."""
    generation0_scores: np.ndarray
    """(k, m): what a pick measures against."""
    looks: np.ndarray
    """(n,) int64: the number of each picture's look, from 1 in the order of the balanced pick, so
    that the best picture has look 1; all 0 in runs of versions that knew no looks."""

    def png(self, row: int) -> bytes:
        """The file of ``row``; RunDataError when it was changed or is missing."""
        file = self.files[row]
        return stored(file.parent.parent, f"front/{file.name}", self.digests[row])

    def image(self, row: int) -> np.ndarray:
        """The picture of ``row`` as (h, w, 3) uint8; RunDataError as for ``png``."""
        return decode_png(self.png(row), self.files[row])


class Result:
    """The result of the run in the folder ``path``; complete when the journal's last line says so.

    Raises RunDataError for a last line that no run writes.
    """

    def __init__(self, path: Path, config: RunConfig, journal: Journal) -> None:
        self._path = path
        self._config = config
        self._journal = journal
        if self.complete and not is_digests(self._journal.entries[-1].get("files")):
            raise RunDataError(
                f"{journal.path} ends with a line that no run writes; restore a copy or start a "
                "new run."
            )

    @property
    def complete(self) -> bool:
        """Whether ``finish`` came to its end."""
        return bool(self._journal.entries) and "complete" in self._journal.entries[-1]

    @property
    def digests(self) -> dict[str, str]:
        """sha256 of every file of the result."""
        digests: dict[str, str] = self._journal.entries[-1]["files"]
        return digests

    def finish(
        self, front: Points, images: np.ndarray, facts: Mapping[str, Any], looks: np.ndarray
    ) -> None:
        """Write the pictures, front.csv, the archive and run.json, then the completing line."""
        make_directory(self._path / "front")
        names = _picture_names(len(front))
        self._remove_others(names)

        def written(row: int) -> str:
            texts = provenance(
                self._config,
                individual=int(front.ids[row]),
                generation=int(front.generations[row]),
                parents=(int(front.parents[row, 0]), int(front.parents[row, 1])),
                scores=dict(zip(self._config.scores, front.scores[row].tolist(), strict=True)),
                latent=front.latents[row],
                size=(images.shape[1], images.shape[2]),
                models=facts["models"],
            )
            return store(self._path, names[row], png_bytes(images[row], texts))

        with ThreadPoolExecutor(_WRITERS) as pool:  # while one is synced others are encoded
            digests = dict(zip(names, pool.map(written, range(len(names))), strict=True))
        rest = {
            "front.csv": _front_csv(names, front, self._config.scores, looks),
            "archive.safetensors": packed(front.arrays() | {"looks": looks}),
            "run.json": self._run_json(len(front), facts),
        }
        digests |= {name: store(self._path, name, data) for name, data in rest.items()}
        self._journal.append({"complete": True, "files": digests})

    def damaged(self) -> tuple[str, ...]:
        """Names of the files that were changed or are missing."""
        return tuple(
            name for name, digest in self.digests.items() if not is_stored(self._path, name, digest)
        )

    def front(self, generation0_scores: np.ndarray) -> Front:
        """The front, read back; RunDataError when it is damaged."""
        layout = {
            "latents": (np.float32, (None, None)),
            **scored_layout(len(self._config.scores)),
            "generations": (np.int64, (None,)),
        }
        file = "archive.safetensors"
        arrays = unpacked(self._stored(file), self._path / file, layout)
        if not usable(arrays["scores"]).all() or not usable(generation0_scores).any():
            raise RunDataError(
                f"{self._path / file} or generation 0 has scores that no front is made of, such as "
                "nan; start a new run."
            )
        names = _picture_names(len(arrays["ids"]))
        if os.path.lexists(self._path / "front"):
            require_directory(self._path / "front")
        return Front(
            **{name: arrays[name] for name in layout},
            score_names=self._config.scores,
            files=tuple(self._path / name for name in names),
            digests=tuple(self.digests.get(name, "") for name in names),
            generation0_scores=generation0_scores,
            looks=_looks(arrays),
        )

    def facts(self) -> dict[str, Any]:
        """run.json; RunDataError when it is damaged or lacks what every run has."""
        facts = json_object(self._stored("run.json"), self._path / "run.json")
        for name, fits in _FACTS.items():
            if name not in facts or not fits(facts[name]):
                raise RunDataError(
                    f"{self._path / 'run.json'} has no {name} as a run writes it; start a new run."
                )
        return facts

    @property
    def digest(self) -> str:
        """sha256 over the digests of the files: it names the front, not the folder."""
        return sha256(json.dumps(self.digests, sort_keys=True).encode())

    def _remove_others(self, names: Sequence[str]) -> None:
        """Remove the pictures of a larger front that was there before."""
        with naming_errors(self._path / "front"):
            for old in sorted(os.listdir(self._path / "front")):
                if _PICTURE.fullmatch(old) and f"front/{old}" not in names:
                    os.unlink(self._path / "front" / old)

    def _run_json(self, front: int, facts: Mapping[str, Any]) -> bytes:
        summary = {
            "version": VERSION,
            "caption": self._config.caption,
            "seed": self._config.seed,
            "scores": list(self._config.scores),
            "front": front,
            **facts,
        }
        text = json.dumps(summary, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        return text.encode()

    def _stored(self, name: str) -> bytes:
        return stored(self._path, name, self.digests.get(name, ""))


def _picture_names(count: int) -> list[str]:
    return [f"front/{row:04d}.png" for row in range(count)]


def _front_csv(
    names: Sequence[str], front: Points, score_names: Sequence[str], looks: np.ndarray
) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["file", "generation", *score_names, "look", "front"])
    rows = zip(names, front.generations, front.scores, looks, front.leading, strict=True)
    for name, generation, scores, look, leads in rows:
        values = [f"{score:.6f}" for score in scores]
        writer.writerow([name, int(generation), *values, int(look), int(leads)])
    return buffer.getvalue().encode()


def _looks(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """Of an archive; zeros where it has none that fit."""
    count = len(arrays["ids"])
    looks = arrays.get("looks")
    if looks is None or looks.dtype != np.int64 or looks.shape != (count,):
        return np.zeros(count, np.int64)
    return looks


def _number(value: object) -> bool:
    return isinstance(value, float) and math.isfinite(value)


_FACTS = {
    "models": is_digests,
    "coverage": lambda value: value is None or _number(value),
    "label_matched": lambda value: value is None or isinstance(value, bool),
    "front": lambda value: type(value) is int,
    "evaluations": lambda value: type(value) is int,
    "hypervolume": lambda value: (
        isinstance(value, list) and value != [] and all(_number(one) for one in value)
    ),
}
"""What is read out of run.json, and how it has to look."""
