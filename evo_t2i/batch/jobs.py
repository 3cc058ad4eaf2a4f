"""A prompts file → jobs: every line is checked before anything starts."""

import dataclasses
import hashlib
import itertools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, get_origin, get_type_hints

from evo_t2i import registry
from evo_t2i.batch.names import default_name, fault_of, folded, seed_of
from evo_t2i.batch.prompt_sets import recognised
from evo_t2i.batch.rows import Fault, Row, read_rows
from evo_t2i.config import OPTIONS_FORM, RunConfig, ScorerModels, configure, is_options
from evo_t2i.errors import EvoError, UsageError, near_miss
from evo_t2i.presets import BUILTIN, with_preset

MOST_EXPANSIONS = 1_000
"""Captions that one line may stand for."""
_CHOICE = re.compile(r"\{([^{}]*\|[^{}]*)\}")
_OWN = ("id", "caption", "seed", "category", "preset", "options")
_TYPES = {
    name: kind
    for form in (RunConfig, ScorerModels)
    for name, kind in get_type_hints(form).items()
    if name not in (*_OWN, "scorer_models")
}
"""Of every setting of `sample`, by its name."""


@dataclass(frozen=True)
class Job:
    """One caption to be evolved."""

    index: int
    """Its place among all jobs of the file, from 0."""
    line: int
    id: str
    """The name of its folder, and of its rows in every table."""
    config: RunConfig
    category: str = ""


@dataclass(frozen=True)
class Jobs:
    """All jobs of a file; ``prompt_set`` is the published list that it is, or empty."""

    jobs: tuple[Job, ...]
    prompt_set: str = ""

    @property
    def digest(self) -> str:
        """sha256 of what is asked."""
        digest = hashlib.sha256()
        for job in self.jobs:
            text = json.dumps([job.id, job.category, job.config.to_json()])
            digest.update(text.encode() + b"\n")
        return digest.hexdigest()


class BadLinesError(UsageError):
    """Lines of a prompts file that cannot be carried out; ``faults`` has a sentence for each."""

    def __init__(self, name: str, faults: Sequence[Fault], lines: int) -> None:
        self.faults = tuple(f"{name}:{fault.line}: {fault.sentence}" for fault in faults)
        more = f" ({self.faults[0].rstrip('.')})" if len(faults) == 1 else ""
        super().__init__(
            f"{len(faults)} of {lines} lines of {name} cannot be used{more}; correct them, "
            "nothing was started."
        )


def read_jobs(
    data: bytes,
    form: str,
    *,
    name: str = "prompts",
    expand: bool = False,
    seed: int = 0,
    preset: str = BUILTIN,
    settings: Mapping[str, Any] = MappingProxyType({}),
) -> Jobs:
    """The jobs of a file's bytes, in its order; ``name`` is what messages call the file.

    Columns or keys are ``id``, ``caption``, ``seed``, ``category``, ``preset``, every setting of
    ``sample``, ``options`` as a mapping, and ``NAME.KEY`` for one option of a plug-in. A line's
    values go over ``settings``, ``preset`` and ``seed``. A job without a seed of its own has one
    that follows from ``seed`` and its id, and one without an id has one that follows from its line
    and caption. ``expand`` makes a job of each choice of ``{a|b}``. Raises BadLinesError.
    """
    if not 0 <= seed < 2**63:
        raise UsageError(f"`seed` is {seed}; give an integer from 0 to 2^63-1.")
    rows = read_rows(data, form)
    known = recognised(rows.columns)
    reader = _Reader(seed, preset, settings)
    if form == "txt" and rows.rows:
        reader.check()
    faults = list(rows.faults)
    if known is None and rows.columns and (said := _fault_of_columns(rows.columns)):
        faults.append(Fault(rows.rows[0].line if form == "jsonl" and rows.rows else 1, said))
    else:
        for row in rows.rows:
            values = dict(row.values) if known is None else known.described(row.values)
            try:
                reader.add(Row(row.line, values), expand=expand)
            except EvoError as error:
                faults.append(Fault(row.line, str(error)))
    sentences = {fault.sentence for fault in faults}
    if len(sentences) == 1 and len(faults) == len(rows.rows) > 1:
        raise UsageError(sentences.pop())  # it is about what all lines share, not about a line
    if faults:
        faults.sort(key=lambda fault: fault.line)
        raise BadLinesError(name, faults, len(rows.rows) + len(rows.faults))
    if not reader.jobs:
        raise UsageError(f"{name} has no caption; write one a line.")
    return Jobs(tuple(reader.jobs), known.name if known else "")


def expanded(caption: str) -> list[str]:
    """Every caption that the choices ``{a|b}`` allow, in their order, each once."""
    captions, found = [caption], True
    while found:
        found, longer = False, []
        for each in captions:
            choice = _CHOICE.search(each)
            if choice is None:
                longer.append(each)
                continue
            found = True
            ends = each[: choice.start()], each[choice.end() :]
            longer += [part.join(ends) for part in choice[1].split("|")]
        captions = list(dict.fromkeys(longer))
        if len(captions) > MOST_EXPANSIONS:
            raise UsageError(
                f"The choices allow more than {MOST_EXPANSIONS:,} captions; split the line."
            )
    return [" ".join(each.split()) if each != caption else each for each in captions]


class _Reader:
    """Rows → jobs, with what has been seen before."""

    def __init__(self, seed: int, preset: str, settings: Mapping[str, Any]) -> None:
        self.jobs: list[Job] = []
        self._seed = seed
        self._preset = preset
        self._settings = settings
        self._lines: dict[str, int] = {}
        self._templates: dict[str, RunConfig] = {}

    def check(self) -> None:
        """Raise the error that every line without settings of its own would raise."""
        self._template({})

    def add(self, row: Row, *, expand: bool) -> None:
        """The jobs of a row; raises an EvoError that says what is wrong with it."""
        values = _split_options(row.values)
        caption = values.pop("caption", None)
        if not isinstance(caption, str):
            raise UsageError(
                f"`caption` is {'missing' if caption is None else repr(caption)}; give a text."
            )
        name, category = values.pop("id", None), values.pop("category", "")
        if isinstance(name, int) and not isinstance(name, bool):
            name = str(name)
        if name is not None and not isinstance(name, str):
            raise UsageError(f"`id` is {name!r}; give a text.")
        if not isinstance(category, str):
            raise UsageError(f"`category` is {category!r}; give a text.")
        seed = _typed("seed", values.pop("seed"), int) if "seed" in values else None
        template = self._template(values)
        captions = expanded(caption) if expand else [caption]
        for number, each in enumerate(captions, start=1):
            whole = default_name(row.line, caption) if name is None else name
            if len(captions) > 1:
                whole = f"{whole}-{number}"
            self._claim(whole, row.line)
            own = seed_of(self._seed, whole) if seed is None else seed
            config = dataclasses.replace(template, caption=each, seed=own)
            self.jobs.append(Job(len(self.jobs), row.line, whole, config, category))

    def _claim(self, name: str, line: int) -> None:
        if fault := fault_of(name):
            raise UsageError(f"the id {name!r} {fault}; give one that can name a folder.")
        if (first := self._lines.setdefault(folded(name), line)) != line:
            raise UsageError(
                f"the id {name!r} is taken by line {first} (capitals do not tell folders apart "
                "everywhere); give another."
            )

    def _template(self, values: Mapping[str, Any]) -> RunConfig:
        """The configuration of all rows with these values, but for caption and seed."""
        given = {
            key: value if key in ("preset", "options") else _typed(key, value, _TYPES[key])
            for key, value in values.items()
        }
        key = json.dumps(given, sort_keys=True, default=str)
        if key not in self._templates:
            preset = given.pop("preset", self._preset)
            if not isinstance(preset, str):
                raise UsageError(f"`preset` is {preset!r}; give its name.")
            merged = dict(self._settings) | given
            options = _over(self._settings.get("options", {}), given.get("options", {}))
            if options:
                merged["options"] = options
            config = configure("a caption", seed=0, **with_preset(preset, merged))
            _require_installed(config)
            self._templates[key] = config
        return self._templates[key]


def _require_installed(config: RunConfig) -> None:
    generator = registry.split_argument(config.generator)[0]
    wanted = [("generator", generator), ("sampler", config.sampler)]
    for kind, name in [*wanted, *(("score", score) for score in config.scores)]:
        if name not in registry.names(kind):
            registry.load(kind, name)  # refuses the name, so nothing is loaded


def _fault_of_columns(columns: Sequence[str]) -> str | None:
    known = sorted({*_OWN, *_TYPES})
    for column in columns:
        if column not in known and not _names_an_option(column):
            return f"there is no setting {column!r}; {near_miss(column, known)}"
    if "caption" not in columns:
        return "there is no `caption`; name the column of the captions so."
    return None


def _split_options(values: Mapping[str, Any]) -> dict[str, Any]:
    """``NAME.KEY`` values gathered under ``options``, over what stands there already."""
    plain = {key: value for key, value in values.items() if not _names_an_option(key)}
    given = plain.pop("options", {})
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"`options` is no JSON ({error}); write an object.") from None
    if not is_options(given):
        raise UsageError(f"`options` is {given!r}; give {OPTIONS_FORM}.")
    options = {name: dict(each) for name, each in given.items()}
    for key in values.keys() - plain.keys() - {"options"}:
        name, _, option = key.rpartition(".")
        options.setdefault(name, {})[option] = values[key]
    return plain | ({"options": options} if options else {})


def _names_an_option(column: str) -> bool:
    name, _, option = column.rpartition(".")
    return bool(name and option)


def _over(
    below: Mapping[str, Mapping[str, Any]], above: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    names = dict.fromkeys(itertools.chain(below, above))
    return {name: {**below.get(name, {}), **above.get(name, {})} for name in names}


def _typed(name: str, value: Any, kind: Any) -> Any:
    """``value`` as a setting of type ``kind``; a text is read as what it says."""
    if kind is int:
        if isinstance(value, str):
            try:
                return int(value)
            except ValueError:
                pass
        elif type(value) is int:
            return value
        raise UsageError(f"`{name}` is {value!r}; give a whole number.")
    if get_origin(kind) is tuple and isinstance(value, list):
        if all(isinstance(each, str) for each in value):
            return tuple(value)
    elif isinstance(value, str):
        return value.strip()
    raise UsageError(f"`{name}` is {value!r}; give a text.")
