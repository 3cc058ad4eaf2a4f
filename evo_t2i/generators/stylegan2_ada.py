"""Other people's StyleGAN2-ADA generators, from their own checkpoints."""

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from evo_t2i.checkpoints.cache import expanded
from evo_t2i.checkpoints.model_folder import refused
from evo_t2i.checkpoints.stylegan2_folder import StyleGan2Folder
from evo_t2i.checkpoints.stylegan2_pickle import StyleGan2Pickle
from evo_t2i.errors import ModelError, UsageError
from evo_t2i.generators.base import to_unit
from evo_t2i.generators.discriminator import DiscriminatorFeatures
from evo_t2i.generators.style_space import StyleSpace
from evo_t2i.models.loading import loading
from evo_t2i.models.stylegan2_discriminator import load_discriminator
from evo_t2i.models.stylegan2_generator import load_generator, resolutions_of

if TYPE_CHECKING:
    from evo_t2i.features.base import FeatureExtractor

GENERATOR, DISCRIMINATOR = "G_ema", "D"
"""The networks of a checkpoint that are used: the generator's moving average, and the critic."""
SPACES = ("z", "w", "styles")
_PIXELS_AT_ONCE = 2**19
"""On a CPU, so that a batch of large pictures fits its memory: 8 images of 256x256."""


@dataclass(frozen=True, kw_only=True)
class CheckpointOptions:
    """What a person may ask of a checkpoint: ``-o stylegan2-ada.truncation=0.7``.

    Raises UsageError for what makes no sense.
    """

    truncation: float = dataclasses.field(
        default=1.0,
        metadata={"help": "Draws w to its mean: 1 leaves it, towards 0 pictures become alike."},
    )
    label: int | None = dataclasses.field(
        default=None, metadata={"help": "Class of a class-conditional generator, from 0."}
    )
    space: str = dataclasses.field(
        default="z",
        metadata={
            "help": "What is searched: z, the Gaussian latents; w, what they become; or styles, a "
            "w for each resolution."
        },
    )

    def __post_init__(self) -> None:
        if not 0 < self.truncation < math.inf:
            raise UsageError(
                f"`truncation` is {self.truncation}; give a finite number above 0, such as 0.7."
            )
        if self.space not in SPACES:
            raise UsageError(f"`space` is {self.space!r}; choose from {', '.join(SPACES)}.")
        if self.label is not None and self.label < 0:
            raise UsageError(f"`label` is {self.label}; give a whole number from 0.")


_DEFAULTS = CheckpointOptions()
TRAINED = "model"
"""Folder of the newest generator within that of a training."""


def checkpoint_path(name: str, argument: str | None) -> Path:
    """The file or folder of ``--generator name:argument``; raises UsageError when there is none.

    For the folder of a training it is the model in it.
    """
    if not argument:
        raise UsageError(
            f"--generator {name} needs a checkpoint: {name}:FILE.pkl, or {name}:FOLDER written by "
            "`evo-t2i models convert`."
        )
    path = expanded(argument)
    inside = path / TRAINED
    trained = (inside / "config.json").is_file() and not (path / "config.json").exists()
    return inside if trained else path


def open_checkpoint(path: Path) -> StyleGan2Pickle | StyleGan2Folder:
    """A pickle, or the folder that it was converted to. Raises ModelError."""
    return StyleGan2Folder(path) if path.is_dir() else StyleGan2Pickle(path)


class StyleGan2AdaGenerator:
    """A StyleGAN2-ADA checkpoint: Gaussian latents → pictures, whatever the caption.

    ``argument`` is a file or a converted folder; the option ``label`` is obligatory for a
    class-conditional generator. Noise inputs are the stored ones.

    Raises UsageError for options that make no sense, ModelError for a checkpoint that is missing,
    damaged, unsafe or of another kind.
    """

    Options = CheckpointOptions
    name = "stylegan2-ada"
    reads_text = False

    def __init__(
        self,
        *,
        device: torch.device,
        argument: str | None = None,
        options: CheckpointOptions = _DEFAULTS,
    ) -> None:
        self._path = checkpoint_path(self.name, argument)
        self._options = options
        self._device = device
        with loading(), refused(f"The checkpoint {self._path}", "get it again."):
            checkpoint = open_checkpoint(self._path)
            stored = checkpoint.network(GENERATOR)
            self._model = load_generator(stored.arguments, stored.tensors).to(device)
        config = self._model.config
        self._require_fit()
        self._label = self._one_hot(config.classes)
        self._space = self._style_space() if options.space != "z" else None
        self.latent_shape = (self._space.size if self._space else config.latent_size,)
        self.image_size = (config.resolution, config.resolution)
        self.digest = checkpoint.digest
        self._text_encoder = checkpoint.text_encoder
        pixels = config.resolution**2
        self._at_once = max(1, _PIXELS_AT_ONCE // pixels) if device.type == "cpu" else 2**31

    def condition(self, caption: str) -> Tensor | None:  # noqa: ARG002
        """Nothing: the pictures follow the caption only as far as the scores pull them."""
        return None

    def sample(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Standard Gaussian latents (count, d) float32; what they become where w is searched."""
        drawn = rng.standard_normal((count, self._model.config.latent_size), dtype=np.float32)
        if self._space is None:
            return drawn
        with torch.no_grad():
            places: np.ndarray = (
                self._space.of_latents(torch.from_numpy(drawn).to(self._device)).cpu().numpy()
            )
        return places

    def generate(self, latents: Tensor, condition: Tensor | None) -> Tensor:
        """Latents (n, d) → images (n, 3, r, r) in [0, 1]."""
        parts = [self._draw(part, condition) for part in latents.split(self._at_once)]
        return to_unit(torch.cat(parts))

    def feature_extractor(self, name: str) -> "FeatureExtractor | None":
        """The checkpoint's discriminator under the name ``discriminator``."""
        if name != "discriminator":
            return None
        checkpoint = open_checkpoint(self._path)
        if DISCRIMINATOR not in checkpoint.networks:
            raise ModelError(
                f"{self._path} holds no discriminator; leave the score 'discriminator' out."
            )
        with loading(), refused(f"The checkpoint {self._path}", "get it again."):
            stored = checkpoint.network(DISCRIMINATOR)
            model = load_discriminator(stored.arguments, stored.tensors).to(self._device)
        label = None if model.config.classes == 0 else self._label
        if model.config.resolution != self.image_size[0] or (
            label is not None and label.shape[1] != model.config.classes
        ):
            raise ModelError(
                f"The discriminator in {self._path} judges other pictures than its "
                "generator draws; leave the score 'discriminator' out."
            )
        return DiscriminatorFeatures(
            model=model,
            label=label,
            text=self.condition if model.config.text_size else None,
            digest=checkpoint.digest,
            at_once=self._at_once,
            device=self._device,
        )

    def _draw(self, latents: Tensor, text: Tensor | None) -> Tensor:
        count = len(latents)
        text = None if text is None else text.expand(count, *text.shape[1:])
        if self._space is not None:
            shown: Tensor = self._model.draw(latents, self._space.to_w(latents), text)
            return shown
        images: Tensor = self._model(
            latents,
            None if self._label is None else self._label.expand(count, -1),
            text,
            self._options.truncation,
        )
        return images

    def _style_space(self) -> StyleSpace:
        """The space that is searched, by the label and truncation of the options."""
        config = self._model.config
        if config.attentive:
            raise UsageError(
                f"A generator that attends to words looks at z in every layer, so {self.name}."
                f"space={self._options.space} is none; use {self.name}.space=z."
            )
        label, truncation = self._one_hot(config.classes), self._options.truncation
        blocks = len(resolutions_of(config)) if self._options.space == "styles" else 1

        def mapping(latents: Tensor) -> Tensor:
            classes = None if label is None else label.expand(len(latents), -1)
            w: Tensor = self._model.mapping(latents, classes, truncation)
            return w

        with torch.no_grad():
            return StyleSpace.measured(mapping, config.latent_size, self._device, blocks)

    def _require_fit(self) -> None:
        config, path = self._model.config, self._path
        if (config.text_size > 0) != self.reads_text:
            reads, other = (
                ("reads text", "lafite") if config.text_size else ("reads no text", "stylegan2-ada")
            )
            raise ModelError(f"The generator in {path} {reads}; use --generator {other}:{path}.")
        if self._options.truncation != 1.0 and not config.averaged:
            raise UsageError(
                f"The generator in {path} stores no mean of w; leave the option "
                f"{self.name}.truncation out."
            )

    def _one_hot(self, classes: int) -> Tensor | None:
        label, path = self._options.label, self._path
        if classes == 0:
            if label is not None:
                raise UsageError(
                    f"The generator in {path} has no classes; leave the option {self.name}.label "
                    "out."
                )
            return None
        if label is None or label >= classes:
            raise UsageError(
                f"The generator in {path} draws one of {classes} classes; choose one from 0 to "
                f"{classes - 1}: -o {self.name}.label=0."
            )
        return one_hot(torch.tensor([label]), classes).float().to(self._device)
