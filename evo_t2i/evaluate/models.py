"""The networks of a run, loaded once for any number of captions."""

import dataclasses
import json
import math
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import torch

from evo_t2i import registry
from evo_t2i.config import AUTO, BUILTIN_MODELS, RunConfig, ScorerModels
from evo_t2i.errors import UsageError
from evo_t2i.evaluate.evaluator import Evaluator
from evo_t2i.evaluate.microbatches import MicroBatches, choose_micro_batch
from evo_t2i.evaluate.scorer import Scorer
from evo_t2i.features.base import FeatureExtractor
from evo_t2i.features.own_words import with_own_words
from evo_t2i.generators.base import Generator
from evo_t2i.models.device import choose_device
from evo_t2i.models.loading import loading
from evo_t2i.models.precision import check_precision, fast_precision
from evo_t2i.scores.base import Score

Options = Mapping[str, Mapping[str, Any]]
"""Of plug-ins, by their names: as ``RunConfig.options``."""

_DECISIVE = ("torch", "torchvision", "numpy", "open_clip_torch", "flair", "transformers", "pymoo")
"""Packages whose versions can change a run's last bits."""


@dataclass(frozen=True)
class ScorerNetworks:
    """Scores, and the feature extractors that they need, on a device."""

    scores: tuple[Score, ...]
    """In the order of their columns."""
    extractors: Mapping[str, FeatureExtractor]
    """By name, each after those that it needs; each feature that some score needs comes from one
    of them."""
    device: torch.device
    own_words: bool = True
    """Whether a caption that no label matches lends its words, see ``features.own_words``."""

    def for_caption(self, caption: str) -> Scorer:
        """What scores images for ``caption``; the networks are shared, not loaded again."""
        scorer = Scorer(caption, self.scores, self.extractors, self.device)
        if not self.own_words or scorer.label_matched is not False:
            return scorer
        told = with_own_words(self.extractors)
        return Scorer(caption, self.scores, told, self.device, own_words=True) if told else scorer


@dataclass(frozen=True)
class Models:
    """All networks of a run."""

    generator: Generator
    scorers: ScorerNetworks
    precision: str
    """Of the networks during the search, see ``RunConfig.precision``."""
    previews: bool = False
    """Whether the search goes by previews, see ``RunConfig.previews``."""
    networks: str = ""
    """What they were loaded for, see ``networks_of``."""

    @property
    def device(self) -> torch.device:
        """Where they run."""
        return self.scorers.device

    @property
    def reentrant(self) -> bool:
        """Whether several threads may draw and score at once."""
        networks = [self.generator, *self.scorers.extractors.values()]
        return all(getattr(network, "reentrant", False) for network in networks)

    @property
    def dimensions(self) -> int:
        """Numbers in one latent."""
        return math.prod(self.generator.latent_shape)

    @property
    def digests(self) -> dict[str, str]:
        """Of every model that decides a result, the generator's first."""
        extractors = self.scorers.extractors.items()
        return {
            "generator": self.generator.digest,
            **{name: extractor.digest for name, extractor in extractors},
        }

    def doubts(self, caption: str) -> list[str]:
        """What the generator says that it will not draw as ``caption`` asks; mostly nothing."""
        ask = getattr(self.generator, "doubts", None)
        return [] if ask is None else list(ask(caption))

    def prior(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """``count`` latents (count, dimensions) float32 from the generator's prior."""
        return self.generator.sample(count, rng).reshape(count, self.dimensions)

    def for_caption(
        self, caption: str, micro_batch: int = 0, *, previews: bool | None = None
    ) -> Evaluator:
        """What draws and scores latents for ``caption``; the networks are shared.

        ``micro_batch`` 0 chooses by the device; ``previews`` goes before the models' own.
        """
        size = micro_batch or choose_micro_batch(self.device, self.generator.image_size)
        return Evaluator(
            generator=self.generator,
            caption=caption,
            scorer=self.scorers.for_caption(caption),
            batches=MicroBatches(size, self.device, threaded=self.reentrant),
            device=self.device,
            precision=self.precision,
            previews=self.previews if previews is None else previews,
        )


def networks_of(config: RunConfig) -> str:
    """All of ``config`` that decides which networks ``load`` gives, as JSON: equal for two
    configurations that can share them."""
    generator = registry.split_argument(config.generator)[0]
    elsewhere = {config.sampler} - {generator, *config.scores}
    options = {name: given for name, given in config.options.items() if name not in elsewhere}
    parts = {
        "device": config.device,
        "generator": config.generator,
        "options": options,
        "precision": config.precision,
        "previews": _by_previews(config),
        "scorer_models": dataclasses.asdict(config.scorer_models),
        "scores": config.scores,
    }
    return json.dumps(parts, sort_keys=True)


def _by_previews(config: RunConfig) -> bool:
    """Drafts that are screened by previews are finished and scored whole."""
    return config.previews and config.screen == 1


def load(config: RunConfig) -> Models:
    """Load all networks that ``config`` names, on its device.

    Raises UsageError for an unknown name, device or option and for a precision that the networks or
    the device do not have, ModelError for weights that are missing or damaged.
    """
    device = choose_device(config.device)
    precision = fast_precision(device) if config.precision == AUTO else config.precision
    check_precision(precision, device)
    name, argument = registry.split_argument(config.generator)
    with loading():
        generator: Generator = registry.make(
            "generator", name, options=config.options, device=device, argument=argument
        )
    scorers = load_scorers(
        config.scores,
        device=device,
        options=config.options,
        models=config.scorer_models,
        own_extractor=getattr(generator, "feature_extractor", None),
    )
    by_previews = _by_previews(config)
    models = Models(generator, scorers, precision, by_previews, networks_of(config))
    if precision != "fp32":
        try:
            models.for_caption(config.caption).require_precision()
        except UsageError:
            if config.precision != AUTO:
                raise
            return dataclasses.replace(models, precision="fp32")
    return models


def load_scorers(
    names: Sequence[str],
    *,
    device: torch.device,
    options: Options | None = None,
    models: ScorerModels = BUILTIN_MODELS,
    own_extractor: Callable[[str], FeatureExtractor | None] | None = None,
) -> ScorerNetworks:
    """Load scores and the extractors that they need.

    The scores' needs are unioned, and only the extractors that provide some of them are loaded,
    and those that these need in turn.
    ``own_extractor`` finds extractors that are installed under no name, such as the generator's
    own. Raises UsageError for an unknown score or a feature that nothing provides, ModelError for
    weights that are missing or damaged.
    """
    with loading():
        scores: tuple[Score, ...] = tuple(
            registry.make("score", name, options=options) for name in names
        )

        def made(name: str) -> FeatureExtractor | None:
            own = own_extractor(name) if own_extractor is not None else None
            if own is None and name in registry.names("feature"):
                own = registry.make("feature", name, options=options, device=device, models=models)
            return own

        needs = frozenset[str]().union(*(score.needs for score in scores))
        extractors = _in_order(needs, made)
    provided = frozenset[str]().union(*(extractor.provides for extractor in extractors.values()))
    asking = [(f"score {score.name!r}", score.needs) for score in scores]
    asking += [(f"feature {name!r}", _needs(each)) for name, each in extractors.items()]
    for what, needs in asking:
        if missing := needs - provided:
            raise UsageError(
                f"The {what} needs the feature {min(missing)!r}, which neither the "
                "generator nor an installed extractor provides; leave that score out or install "
                "its plug-in."
            )
    return ScorerNetworks(scores, extractors, device, own_words=models.labels == AUTO)


def _in_order(
    needs: frozenset[str], made: Callable[[str], FeatureExtractor | None]
) -> dict[str, FeatureExtractor]:
    """The extractors of the features ``needs``, by name, each after those that it needs itself."""
    extractors: dict[str, FeatureExtractor] = {}
    begun: set[str] = set()

    def add(keys: frozenset[str]) -> None:
        for name in sorted({key.partition(".")[0] for key in keys} - begun):
            begun.add(name)
            if (extractor := made(name)) is not None:
                add(_needs(extractor))
                extractors[name] = extractor

    add(needs)
    return extractors


def _needs(extractor: FeatureExtractor) -> frozenset[str]:
    """Features of other extractors that ``extractor`` reads."""
    return frozenset(getattr(extractor, "needs", ()))


def environment(device: torch.device, precision: str) -> dict[str, str | int]:
    """What beside the models and the configuration can change the last bits of a score, and the
    ``precision`` that was possible here.

    A run repeats byte for byte where this is the same.
    """
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.machine()
    return {
        "device": f"{device.type} {name}",
        "precision": precision,
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        **{package: version(package) for package in _DECISIVE},
    }
