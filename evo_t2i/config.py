"""The configuration of a run: one frozen dataclass, checked once, saved with the run."""

import dataclasses
import json
import math
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self

from evo_t2i import registry
from evo_t2i.errors import RunDataError, UsageError, near_miss

DEFAULT_SCORES = ("text_image", "image_real", "region_word", "word_label")
MAX_CAPTION_CHARACTERS = 1_000
PRECISIONS = ("fp32", "bf16")
SCORERS = "Scorers"
MACHINE = "Machine and output"


def described(text: str, default: Any = dataclasses.MISSING, **more: Any) -> Any:
    """A dataclass field with a sentence about it, which the command line shows as help.

    ``more`` is kept beside the sentence: ``panel`` (a heading) and ``show_default``.
    """
    return dataclasses.field(default=default, metadata={"help": text, **more})


@dataclass(frozen=True, kw_only=True)
class ScorerModels:
    """Which networks the features come from; the forms are in docs/scores.md."""

    clip: str = described(
        "builtin, NAME:TAG of open_clip, or local-dir:FOLDER.", "builtin", panel=SCORERS
    )
    classifier: str = described(
        "builtin, vgg19_bn:imagenet, or the FOLDER of a trained classifier.",
        "builtin",
        panel=SCORERS,
    )
    embedder: str = described(
        "builtin, or a sentence encoder's FOLDER or repository.", "builtin", panel=SCORERS
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            given = isinstance(value, str) and value != ""
            require(given, field.name, repr(value), "builtin or the name of a model")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything that decides what a run produces, apart from the models' weights.

    Raises UsageError when a value makes no sense; the message names the field.
    """

    caption: str
    seed: int
    population: int = described("Images in generation 0, and parents kept after it.", 100)
    offspring: int = described("New images in each later generation.", 100)
    generations: int = described("Generations after generation 0.", 50)
    generator: str = described("Name, or name:argument; see `list generators`.", "builtin")
    scores: tuple[str, ...] = described(
        "What to maximise, separated by commas; see `list scores`.", DEFAULT_SCORES
    )
    sampler: str = described("The search; see `list samplers`.", "nsga2")
    device: str = described("auto, cpu, cuda or mps.", "auto", panel=MACHINE)
    micro_batch: int = described(
        "Images that are generated and scored at once; 0 chooses by the device.", 0, panel=MACHINE
    )
    precision: str = described(
        "Of the search's networks: fp32, or bf16, after which the front is scored again in fp32.",
        "fp32",
        panel=MACHINE,
    )
    options: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    """Of the generator, the sampler, the scores and the feature extractors, by their names:
    ``{"nsga2": {"survival": "mnn"}}``."""
    scorer_models: ScorerModels = dataclasses.field(default_factory=ScorerModels)

    def __post_init__(self) -> None:
        check_caption(self.caption)
        for name in ("seed", "population", "offspring", "generations", "micro_batch"):
            value = getattr(self, name)
            require(type(value) is int, name, repr(value), "a whole number")
        require(0 <= self.seed < 2**63, "seed", self.seed, "an integer from 0 to 2^63-1")
        require(self.population >= 2, "population", self.population, "2 or more")
        require(self.offspring >= 1, "offspring", self.offspring, "1 or more")
        require(self.generations >= 0, "generations", self.generations, "0 or more")
        require(self.micro_batch >= 0, "micro_batch", self.micro_batch, "0 (automatic) or more")
        require(self.precision in PRECISIONS, "precision", self.precision, " or ".join(PRECISIONS))
        require(len(self.scores) >= 1, "scores", "nothing", "at least one score name")
        require(
            len(set(self.scores)) == len(self.scores),
            "scores",
            ",".join(self.scores),
            "each score once",
        )

    @property
    def evaluations(self) -> int:
        """Images that the whole run generates and scores."""
        return self.evaluated(self.generations)

    def evaluated(self, generation: int) -> int:
        """Images that have been scored once ``generation`` is; 0 for -1."""
        return self.population + generation * self.offspring if generation >= 0 else 0

    def to_json(self) -> str:
        """Indented JSON with a trailing newline; ``from_json`` reads it back."""
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises RunDataError for anything but a complete, known configuration."""
        try:
            values: dict[str, Any] = json.loads(text)
            values["scores"] = tuple(values["scores"])
            values["scorer_models"] = ScorerModels(**values["scorer_models"])
            values["options"] = {name: dict(given) for name, given in values["options"].items()}
            return cls(**values)
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            RecursionError,
            UsageError,
        ) as error:
            raise RunDataError(
                f"The run's config.json cannot be read ({error}); it was written by another "
                "version or damaged: start a new run with `evo-t2i sample`."
            ) from error


def configure(caption: str, *, seed: int | None = None, **settings: Any) -> RunConfig:
    """A checked configuration; draws a seed when none is given.

    ``settings`` are the other fields of RunConfig and those of ScorerModels; ``scores`` may be one
    string with commas, and values in ``options`` may be texts, which are read as the options'
    types. Raises UsageError for an unknown name or a value that makes no sense.
    """
    models = _names_of(ScorerModels)
    known = (_names_of(RunConfig) | models) - {"caption"}
    for name in sorted(settings.keys() - known):
        raise UsageError(f"There is no option {name!r}; {near_miss(name, sorted(known))}")
    if given := {name: settings.pop(name) for name in models & settings.keys()}:
        chosen = settings.get("scorer_models", BUILTIN_MODELS)
        settings["scorer_models"] = dataclasses.replace(chosen, **given)
    if isinstance(scores := settings.get("scores"), str):
        settings["scores"] = tuple(name.strip() for name in scores.split(",") if name.strip())
    elif scores is not None:
        settings["scores"] = tuple(scores)
    seed = secrets.randbelow(2**31) if seed is None else seed
    config = RunConfig(caption=caption, seed=seed, **settings)
    used = {registry.split_argument(config.generator)[0], config.sampler, *config.scores}
    return dataclasses.replace(config, options=checked_options(config.options, used))


def checked_options(
    options: Mapping[str, Mapping[str, Any]], used: Collection[str]
) -> dict[str, dict[str, Any]]:
    """Options of plug-ins by name and key, typed and checked, in the order of names and keys.

    Raises UsageError, with the nearest name, unless each plug-in is among ``used`` or is a feature
    extractor, and as ``evo_t2i.registry.read_options``.
    """
    known = {*used, *registry.names("feature")}
    for name in options:
        if name not in known:
            installed = any(name in registry.names(kind) for kind in registry.KINDS)
            next_step = "add it or leave that option out." if installed else ""
            raise UsageError(
                f"`options` names {name!r}, which nothing here uses; "
                f"{next_step or near_miss(name, sorted(known))}"
            )
    return {name: registry.read_options(name, given) for name, given in sorted(options.items())}


def check_caption(caption: str) -> None:
    """Raise UsageError unless the caption has something to draw and can be written to a file."""
    if not caption.strip():
        raise UsageError(
            'The caption is empty; describe a picture, for example "skyline at sunset."'
        )
    if len(caption) > MAX_CAPTION_CHARACTERS:
        raise UsageError(
            f"The caption has {len(caption):,} characters; "
            f"shorten it to {MAX_CAPTION_CHARACTERS:,}."
        )
    if "\0" in caption or not _is_utf8(caption):
        raise UsageError("The caption holds a NUL or an unpaired surrogate; remove that character.")


def _names_of(configuration: Any) -> set[str]:
    return {field.name for field in dataclasses.fields(configuration)}


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def require(condition: bool, name: str, got: object, expected: str) -> None:
    """Raise UsageError, naming the field, unless ``condition`` holds."""
    if not condition:
        raise UsageError(f"`{name}` is {got}; give {expected}.")


def require_positive(name: str, value: float) -> None:
    """Raise UsageError unless ``value`` is above 0 and finite."""
    require(0 < value < math.inf, name, value, "a finite number above 0")


BUILTIN_MODELS = ScorerModels()
"""The networks that come with the package."""
