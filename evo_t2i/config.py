"""The configuration of a run: one frozen dataclass, checked once, saved with the run."""

import dataclasses
import json
import math
import secrets
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Self

from evo_t2i.errors import RunDataError, UsageError

DEFAULT_SCORES = ("text_image", "image_real", "region_word", "word_label")
MAX_CAPTION_CHARACTERS = 1_000
PRECISIONS = ("fp32", "bf16")


@dataclass(frozen=True, kw_only=True)
class ScoreOptions:
    """How the four scores are computed; formulas and defaults in docs/scores.md."""

    temperature: float = 1.0
    """Divides the classifier's logits before the softmax of image_real and word_label."""
    image_real: str = "max"
    """``max`` (largest probability), ``entropy`` (1 - H/log K) or ``energy`` (T logsumexp(z/T))."""
    region_sharpness: float = 50.0
    """rho_1: how strongly a word attends to its best region."""
    word_sharpness: float = 5.0
    """rho_2: how strongly the best word dominates."""
    region_temperature: float = 1.0
    """tau: divides the region-word score."""
    top_labels: int = 5
    """How many predicted labels word_label weighs."""
    word_label_text: str = "words"
    """``caption`` (the whole caption against a label) or ``words`` (its best content word)."""

    def __post_init__(self) -> None:
        for name in ("temperature", "region_sharpness", "word_sharpness", "region_temperature"):
            value = getattr(self, name)
            _require(0 < value < math.inf, name, value, "a finite number above 0")
        _require(self.top_labels >= 1, "top_labels", self.top_labels, "1 or more")
        forms = ("max", "entropy", "energy")
        _require(self.image_real in forms, "image_real", self.image_real, " or ".join(forms))
        texts = ("caption", "words")
        _require(
            self.word_label_text in texts,
            "word_label_text",
            self.word_label_text,
            " or ".join(texts),
        )


@dataclass(frozen=True, kw_only=True)
class ScorerModels:
    """Which networks the features come from; the forms are in docs/scores.md."""

    clip: str = "builtin"
    """``builtin``, ``NAME:TAG`` of open_clip, or ``local-dir:FOLDER``."""
    classifier: str = "builtin"
    """``builtin``, ``vgg19_bn:imagenet``, or the folder of a trained classifier."""
    embedder: str = "builtin"
    """``builtin``, or the folder or downloaded repository of a BERT-like sentence encoder."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            given = isinstance(value, str) and value != ""
            _require(given, f"--{field.name}", repr(value), "builtin or the name of a model")


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Everything that decides what a run produces, apart from the models' weights.

    Raises UsageError when a value makes no sense; the message names the option.
    """

    caption: str
    seed: int
    population: int = 100
    offspring: int = 100
    generations: int = 50
    generator: str = "builtin"
    scores: tuple[str, ...] = DEFAULT_SCORES
    sampler: str = "nsga2"
    operators: str = "uniform-pcn"
    survival: str = "reference"
    device: str = "auto"
    micro_batch: int = 0
    """Images that are generated and scored at once; 0 chooses by the device."""
    precision: str = "fp32"
    """Of the networks during the search: ``bf16`` is faster, and the front is scored again in
    fp32."""
    score_options: ScoreOptions = dataclasses.field(default_factory=ScoreOptions)
    scorer_models: ScorerModels = dataclasses.field(default_factory=ScorerModels)

    def __post_init__(self) -> None:
        check_caption(self.caption)
        for name in ("seed", "population", "offspring", "generations", "micro_batch"):
            value = getattr(self, name)
            option = "--" + name.replace("_", "-")
            _require(type(value) is int, option, repr(value), "a whole number")
        _require(0 <= self.seed < 2**63, "--seed", self.seed, "an integer from 0 to 2^63-1")
        _require(self.population >= 2, "--population", self.population, "2 or more")
        _require(self.offspring >= 1, "--offspring", self.offspring, "1 or more")
        _require(self.generations >= 0, "--generations", self.generations, "0 or more")
        _require(self.micro_batch >= 0, "--micro-batch", self.micro_batch, "0 (automatic) or more")
        _require(
            self.precision in PRECISIONS, "--precision", self.precision, " or ".join(PRECISIONS)
        )
        _require(len(self.scores) >= 1, "--scores", "nothing", "at least one score name")
        _require(
            len(set(self.scores)) == len(self.scores),
            "--scores",
            ",".join(self.scores),
            "each score once",
        )

    @property
    def evaluations(self) -> int:
        """Images that the whole run generates and scores."""
        return self.population + self.generations * self.offspring

    def to_json(self) -> str:
        """Indented JSON with a trailing newline; ``from_json`` reads it back."""
        return json.dumps(dataclasses.asdict(self), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Raises RunDataError for anything but a complete, known configuration."""
        try:
            values: dict[str, Any] = json.loads(text)
            values["scores"] = tuple(values["scores"])
            values["score_options"] = ScoreOptions(**values["score_options"])
            values["scorer_models"] = ScorerModels(**values.get("scorer_models", {}))
            return cls(**values)
        except (ValueError, KeyError, TypeError, UsageError) as error:
            raise RunDataError(
                f"The run's config.json cannot be read ({error}); it was written by another "
                "version or damaged: start a new run with `evo-t2i sample`."
            ) from error


def configure(caption: str, *, seed: int | None = None, **options: Any) -> RunConfig:
    """A checked configuration; draws a seed when none is given.

    ``options`` are the other fields of RunConfig and, as on the command line, those of
    ScoreOptions and ScorerModels; ``scores`` may be one string with commas. Raises UsageError for
    an unknown name or a value that makes no sense.
    """
    parts = {"score_options": ScoreOptions, "scorer_models": ScorerModels}
    known = _names_of(RunConfig).union(*map(_names_of, parts.values())) - {"caption"}
    for name in sorted(options.keys() - known):
        near = get_close_matches(name, sorted(known), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(sorted(known))}."
        raise UsageError(f"There is no option {name!r}; {hint}")
    for part, kind in parts.items():
        given = {name: options.pop(name) for name in _names_of(kind) & options.keys()}
        if given:
            options[part] = dataclasses.replace(options.get(part, kind()), **given)
    if isinstance(scores := options.get("scores"), str):
        options["scores"] = tuple(name.strip() for name in scores.split(",") if name.strip())
    elif scores is not None:
        options["scores"] = tuple(scores)
    return RunConfig(
        caption=caption, seed=secrets.randbelow(2**31) if seed is None else seed, **options
    )


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


def _require(condition: bool, name: str, got: object, expected: str) -> None:
    if not condition:
        raise UsageError(f"{name} is {got}; give {expected}.")


BUILTIN_MODELS = ScorerModels()
"""The networks that come with the package."""
