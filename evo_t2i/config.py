"""The configuration of a run: one frozen dataclass, checked once, saved with the run."""

import dataclasses
import json
import math
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from evo_t2i import registry
from evo_t2i.errors import RunDataError, UsageError, first_line, near_miss

DEFAULT_SCORES = ("text_image", "image_real", "region_word", "word_label")
MAX_CAPTION_CHARACTERS = 1_000
PRECISIONS = ("fp32", "bf16")
AUTO = "auto"
FIXED = "fixed"
OPTIONS_FORM = '{"NAME": {"KEY": value}}'
SCORERS = "Scorers"
MACHINE = "Machine and output"
BUDGET = "Budget"
MOST_DRAFTS = 16
BUDGETS = ("generations", "max_evaluations", "max_minutes", "stall")
"""The fields of RunConfig that end a run, and that a later session may change."""
REFINING_STEPS = 3
"""Gradient steps of one refined latent."""
STEP_EVALUATIONS = 3
"""What one of them counts: a picture drawn and scored, and the way back."""


def described(text: str, default: Any = dataclasses.MISSING, **more: Any) -> Any:
    """A dataclass field with a sentence about it, which the command line shows as help.

    ``more`` is kept beside the sentence: ``panel`` (a heading), and ``flag`` where that is not the
    field's name.
    """
    return dataclasses.field(default=default, metadata={"help": text, **more})


@dataclass(frozen=True, kw_only=True)
class ScorerModels:
    """Which networks the features come from; the forms are in docs/scores.md."""

    clip: str = described(
        "builtin, NAME:TAG of open_clip, or local-dir:FOLDER.", "builtin", panel=SCORERS
    )
    classifier: str = described(
        "builtin, efficientnet_lite0, vgg19_bn:imagenet, clip:FILE with a label a line, or the "
        "FOLDER of a trained classifier.",
        "builtin",
        panel=SCORERS,
    )
    embedder: str = described(
        "builtin, or a sentence encoder's FOLDER or repository.", "builtin", panel=SCORERS
    )
    labels: str = described(
        "What the classifier can say: auto (where none of its labels is near any word of the "
        "caption, CLIP tells them and these words apart) or fixed (its own labels alone).",
        AUTO,
        panel=SCORERS,
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            given = isinstance(value, str) and value != ""
            require(given, field.name, repr(value), "builtin or the name of a model")
        require(self.labels in (AUTO, FIXED), "labels", self.labels, f"{AUTO} or {FIXED}")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything that decides what a run produces, apart from the models' weights.

    Raises UsageError when a value makes no sense; the message names the field.
    """

    caption: str
    seed: int
    population: int = described("Images in generation 0, and parents kept after it.", 100)
    offspring: int = described("New images in each later generation.", 100)
    generations: int = described("Generations after generation 0, at most.", 50)
    warm_start: int = described(
        "Images drawn for generation 0, of which the best survive; 0 is as many as --population.",
        0,
    )
    max_evaluations: int = described(
        "Stop before the generation with which more images would be evaluated; 0 is no limit.",
        0,
        panel=BUDGET,
    )
    max_minutes: float = described(
        "Stop after the generation that ends later than this; 0 is no limit.", 0.0, panel=BUDGET
    )
    stall: int = described(
        "Stop when the hypervolume grew by less than 1 % in so many generations; 0 is never.",
        0,
        panel=BUDGET,
    )
    refine: int = described(
        "Offspring a generation that gradients of the scores move before they are scored.", 0
    )
    screen: int = described(
        "Draft so many times the offspring as cheaper pictures and finish the best of them; 1 is "
        "off.",
        1,
    )
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
        "Of the search's networks: fp32; bf16, after which the front is scored again in fp32; "
        "auto is bf16 on a processor that has it.",
        AUTO,
        panel=MACHINE,
    )
    previews: bool = described(
        "Search by cheaper pictures where the generator offers them, and score the front again.",
        True,
        panel=MACHINE,
    )
    options: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict)
    """Of the generator, the sampler, the scores and the feature extractors, by their names:
    ``{"nsga2": {"survival": "mnn"}}``."""
    scorer_models: ScorerModels = dataclasses.field(default_factory=ScorerModels)

    def __post_init__(self) -> None:
        check_caption(self.caption)
        for name in _WHOLE:
            value = getattr(self, name)
            require(type(value) is int, name, repr(value), "a whole number")
        for name in ("generator", "sampler", "device"):
            value = getattr(self, name)
            require(isinstance(value, str) and value != "", name, repr(value), "a name")
        named = isinstance(self.scores, tuple) and all(isinstance(one, str) for one in self.scores)
        require(named, "scores", repr(self.scores), "names")
        require(is_options(self.options), "options", repr(self.options), OPTIONS_FORM)
        models = isinstance(self.scorer_models, ScorerModels)
        require(models, "scorer_models", repr(self.scorer_models), "a ScorerModels")
        for name, least in _WHOLE.items():
            value = getattr(self, name)
            require(value >= least or name == "seed", name, value, f"{least} or more")
        require(0 <= self.seed < 2**63, "seed", self.seed, "an integer from 0 to 2^63-1")
        self._check_budget()
        require(self.screen <= MOST_DRAFTS, "screen", self.screen, f"at most {MOST_DRAFTS}")
        require(
            self.screen == 1 or self.refine == 0,
            "screen",
            f"{self.screen} and `refine` {self.refine}",
            "one of the two",
        )
        require(type(self.previews) is bool, "previews", repr(self.previews), "true or false")
        precisions = (AUTO, *PRECISIONS)
        require(self.precision in precisions, "precision", self.precision, ", ".join(precisions))
        require(len(self.scores) >= 1, "scores", "nothing", "at least one score name")
        require(
            len(set(self.scores)) == len(self.scores),
            "scores",
            ",".join(self.scores),
            "each score once",
        )

    def _check_budget(self) -> None:
        require(
            self.warm_start == 0 or self.warm_start >= self.population,
            "warm_start",
            self.warm_start,
            f"0, or at least the population of {self.population}",
        )
        require(
            self.refine <= self.offspring,
            "refine",
            self.refine,
            f"at most the {self.offspring} offspring of a generation",
        )
        require(
            self.max_evaluations == 0 or self.max_evaluations >= self.started,
            "max_evaluations",
            self.max_evaluations,
            f"0 (no limit), or at least the {self.started} images of generation 0",
        )
        minutes = self.max_minutes
        number = type(minutes) in (int, float) and 0 <= minutes < math.inf
        require(number, "max_minutes", repr(minutes), "0 (no limit) or a number above it")
        object.__setattr__(self, "max_minutes", float(minutes))

    @property
    def started(self) -> int:
        """Images of generation 0."""
        return self.warm_start or self.population

    @property
    def last_generation(self) -> int:
        """The last one that fits ``generations`` and ``max_evaluations``."""
        if self.max_evaluations == 0:
            return self.generations
        return min(self.generations, (self.max_evaluations - self.started) // self._a_generation)

    @property
    def evaluations(self) -> int:
        """Images that the whole run generates and scores, at most."""
        return self.evaluated(self.last_generation)

    def evaluated(self, generation: int) -> int:
        """Images that have been scored once ``generation`` is; 0 for -1. Gradient steps count as
        ``STEP_EVALUATIONS`` each."""
        return self.started + generation * self._a_generation if generation >= 0 else 0

    @property
    def drafts(self) -> int:
        """Latents of a generation: as many as are finished, or more that are screened first."""
        return self.offspring * self.screen

    @property
    def _a_generation(self) -> int:
        return self.offspring + self.refine * REFINING_STEPS * STEP_EVALUATIONS

    def with_budget(self, **budget: float) -> Self:
        """With some of ``BUDGETS`` in place of its own; UsageError for any other name."""
        for name in sorted(budget.keys() - set(BUDGETS)):
            raise UsageError(f"`{name}` is no budget; {near_miss(name, BUDGETS)}")
        changes: dict[str, Any] = dict(budget)
        return dataclasses.replace(self, **changes)

    def to_json(self) -> str:
        """Indented JSON with a trailing newline; ``from_json`` reads it back."""
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises RunDataError for anything but a complete, known configuration."""
        try:
            values: dict[str, Any] = json.loads(text)
            values["scores"] = tuple(values["scores"])
            before = {"labels": FIXED}  # of runs from when nothing else was to be had
            values["scorer_models"] = ScorerModels(**before | values["scorer_models"])
            values["options"] = {name: dict(given) for name, given in values["options"].items()}
            return cls(**values)
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            UsageError,
        ) as error:
            raise RunDataError(
                f"The run's config.json cannot be read ({first_line(error)}); it was written by "
                "another version or damaged: start a new run with `evo-t2i sample`."
            ) from error
        except RecursionError as error:
            raise RunDataError(
                "The run's config.json is damaged; restore a copy or start a new run."
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
        require(isinstance(chosen, ScorerModels), "scorer_models", repr(chosen), "a ScorerModels")
        settings["scorer_models"] = dataclasses.replace(chosen, **given)
    if isinstance(scores := settings.get("scores"), str):
        settings["scores"] = tuple(name.strip() for name in scores.split(",") if name.strip())
    elif isinstance(scores, Iterable):
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


def is_options(value: object) -> bool:
    """Whether this has the form of ``RunConfig.options``."""
    return isinstance(value, Mapping) and all(
        isinstance(name, str)
        and isinstance(given, Mapping)
        and all(isinstance(key, str) for key in given)
        for name, given in value.items()
    )


def check_caption(caption: str) -> None:
    """Raise UsageError unless the caption has something to draw and can be written to a file."""
    require(isinstance(caption, str), "caption", repr(caption), "a text")
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


_WHOLE = {
    "seed": 0,
    "population": 2,
    "offspring": 1,
    "screen": 1,
    "generations": 0,
    "micro_batch": 0,
    "warm_start": 0,
    "max_evaluations": 0,
    "stall": 0,
    "refine": 0,
}
"""Fields of RunConfig that are whole numbers, and the least of each."""
BUILTIN_MODELS = ScorerModels()
"""The networks that come with the package."""
