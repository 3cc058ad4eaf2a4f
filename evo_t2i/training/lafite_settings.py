"""How a LAFITE-type generator is trained: length, objective, architecture.

Written once, for Python and for the command line, whose help the sentences here are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from evo_t2i.config import MACHINE, PRECISIONS, described, require
from evo_t2i.errors import UsageError, near_miss

PRESETS = ("lafite", "notes", "xmc")
GROUPS = ("image-image", "structure", "guided", "words", "text-label")
"""What can be added to a preset's terms, or left out of them:

- ``image-image``: drawn pictures against their real ones, and against x', in D's image head
- ``structure``: pseudo text h' beside h, and pictures x' drawn from it, as second positives
- ``guided``: the frozen classifier's features, in G and as a guide of D's image head
- ``words``: XMC-GAN's sentence, region-word and image-image losses
- ``text-label``: what the classifier recognises against what the caption says
"""
PRESET_GROUPS = {
    "lafite": (),
    "notes": ("image-image", "structure", "guided"),
    "xmc": ("words",),
}
ADVERSARIAL = ("logistic", "relativistic")
FORMS = ("sharpened", "infonce")
AUGMENTATIONS = ("ada", "none")
NOTES_MIXING = 0.2
"""α of the mixed logits. The notes give no value; this is the ratio of their other weights for h'
and h."""
PRESET_SWITCHES: dict[str, dict[str, Any]] = {
    "lafite": {},
    "notes": {"separate_heads": True, "mixing": NOTES_MIXING, "transform_w": "scaled"},
    "xmc": {"attentive": True},
}
_LENGTH, _OBJECTIVE, _NETWORKS = "Length and pace", "Objective", "Networks"


@dataclass(frozen=True, kw_only=True)
class ObjectiveSettings:
    """Which terms, in which form; raises UsageError for an unknown name."""

    preset: str = described(
        "lafite, notes (the design notes' losses and switches) or xmc (XMC-GAN's).",
        "lafite",
        panel=_OBJECTIVE,
    )
    with_groups: tuple[str, ...] = described(
        f"Groups of terms added to the preset's: {', '.join(GROUPS)}.",
        (),
        panel=_OBJECTIVE,
        flag="--with",
    )
    without_groups: tuple[str, ...] = described(
        "Groups of terms left out.", (), panel=_OBJECTIVE, flag="--without"
    )
    adversarial: str = described("logistic or relativistic.", "logistic", panel=_OBJECTIVE)
    form: str = described(
        "Of the contrastive terms: sharpened, as in LAFITE, or infonce.",
        "sharpened",
        panel=_OBJECTIVE,
    )
    temperature: float = described(
        "Of the contrastive terms; infonce usually has 0.1.", 0.5, panel=_OBJECTIVE
    )
    itd: float = described(
        "Weight of the discriminator's text head; other weights of the notes follow it.",
        5.0,
        panel=_OBJECTIVE,
    )
    itc: float = described(
        "Weight of CLIP; other weights of the notes follow it.", 10.0, panel=_OBJECTIVE
    )
    r1: float = described("γ of the penalty on real pictures.", 10.0, panel=_OBJECTIVE)
    """Half of it is the weight."""
    r2: float = described("γ of the penalty on drawn pictures.", 0.0, panel=_OBJECTIVE)
    """R3GAN's are equal."""
    final_penalty: float = described(
        "Share of both penalties left at the end.", 1.0, panel=_OBJECTIVE
    )
    penalty_every: int = described("Steps from one penalty to the next.", 16, panel=_OBJECTIVE)
    mismatch: float = described(
        "Weight of real pictures under another caption as negatives.", 0.0, panel=_OBJECTIVE
    )
    """GALIP's is 0.5."""

    def __post_init__(self) -> None:
        _known("preset", (self.preset,), PRESETS)
        _known("with_groups", self.with_groups, GROUPS)
        _known("without_groups", self.without_groups, GROUPS)
        _known("adversarial", (self.adversarial,), ADVERSARIAL)
        _known("form", (self.form,), FORMS)
        require(self.temperature > 0, "temperature", self.temperature, "a number above 0")
        require(self.penalty_every >= 1, "penalty_every", self.penalty_every, "1 or more")
        for name in ("itd", "itc", "r1", "r2", "final_penalty", "mismatch"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "0 or more")

    @property
    def groups(self) -> frozenset[str]:
        """Those of the preset, with and without what was asked for."""
        own = {*PRESET_GROUPS[self.preset], *self.with_groups}
        return frozenset(own.difference(self.without_groups))


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Sizes and switches; raises UsageError for what cannot be built."""

    resolution: int = described("Pixels a side: 16, 32, 64, 128 or 256.", 64, panel=_NETWORKS)
    latent_size: int = described("Numbers of a latent.", 64, panel=_NETWORKS)
    style_size: int = described("Numbers of w.", 256, panel=_NETWORKS)
    mapping_layers: int = described("Layers from z to w.", 2, panel=_NETWORKS)
    channel_base: int = described(
        "Channels at a resolution are this over it.", 4096, panel=_NETWORKS
    )
    """LAFITE's is 32768, with at most 512, at 256 px."""
    channel_max: int = described("The most channels.", 256, panel=_NETWORKS)
    transform_w: str = described(
        "The notes' generator layer: none, connected or scaled.", "none", panel=_NETWORKS
    )
    """By either reading of them; one of ``evo_t2i.models.stylegan2_generator.TRANSFORMS``."""
    attentive: bool = described("XMC-GAN's attentional self-modulation.", False, panel=_NETWORKS)
    separate_heads: bool = described(
        "A head of the discriminator for pictures beside that for text.", False, panel=_NETWORKS
    )
    mixing: float = described(
        "Share of the pseudo text in the discriminator's logits.", 0.0, panel=_NETWORKS
    )
    """α of f(x) + (1 - α) ⟨f_txt, h⟩ + α ⟨f_txt, h'⟩; 0 is LAFITE's."""

    def __post_init__(self) -> None:
        from evo_t2i.models.stylegan2_generator import TRANSFORMS  # imports torch

        r = self.resolution
        require(
            16 <= r <= 256 and r & (r - 1) == 0, "resolution", r, "a power of two from 16 to 256"
        )
        for name in ("latent_size", "style_size", "channel_base", "channel_max", "mapping_layers"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "1 or more")
        require(self.channel_base >= r, "channel_base", self.channel_base, f"{r} or more")
        require(0 <= self.mixing < 1, "mixing", self.mixing, "a number from 0 to below 1")
        _known("transform_w", (self.transform_w,), TRANSFORMS)

    @classmethod
    def of_preset(cls, preset: str, **given: Any) -> "Architecture":
        """The switches that belong to a preset of terms, but for what is ``given``."""
        _known("preset", (preset,), PRESETS)
        return cls(**(PRESET_SWITCHES[preset] | given))


@dataclass(frozen=True, kw_only=True)
class LafiteSettings:
    """How long and how to train; raises UsageError for what makes no sense."""

    images: int = described(
        "Training pictures drawn and judged, repeats included.", 400_000, panel=_LENGTH
    )
    objective: ObjectiveSettings = field(default_factory=ObjectiveSettings)
    architecture: Architecture = field(default_factory=Architecture)
    seed: int = described("Same seed, same training.", 0, panel=_LENGTH)
    batch: int = described("Pictures a step.", 32, panel=_LENGTH)
    generator_rate: float = described("Learning rate of the generator.", 2e-3, panel=_LENGTH)
    discriminator_rate: float = described(
        "Learning rate of the discriminator.", 2e-3, panel=_LENGTH
    )
    final_rate: float = described(
        "Share of both rates left at the end of a cosine schedule.", 0.2, panel=_LENGTH
    )
    clip: str = described(
        "Reads the captions and judges the pictures: builtin, NAME:TAG of open_clip, or "
        "local-dir:FOLDER.",
        "builtin",
        panel=_OBJECTIVE,
    )
    classifier: str = described(
        "Of the groups guided, words and text-label: builtin, efficientnet_lite0, "
        "vgg19_bn:imagenet or a FOLDER.",
        "builtin",
        panel=_OBJECTIVE,
    )
    """f_res of the notes."""
    language_free: float = described(
        "Share of the pictures whose caption is replaced by CLIP's view of them; with 1 no caption "
        "is needed.",
        0.0,
        panel=_OBJECTIVE,
    )
    text_noise: float = described("Share of noise in a caption's feature.", 0.1, panel=_OBJECTIVE)
    augment: str = described(
        "Of what the discriminator sees: ada (adaptive) or none.", "ada", panel=_OBJECTIVE
    )
    average_images: float = described(
        "Half-life, in images, of the moving average that is kept.", 10_000.0, panel=_LENGTH
    )
    """A tenth of the images seen at first."""
    precision: str = described("bf16 or fp32.", "bf16", panel=MACHINE)
    held_out: float = described(
        "Share of the pictures that are not trained on.", 0.05, panel=_LENGTH
    )
    report_every: int = described(
        "Images from one report to the next: metrics, grid, model, checkpoint.",
        10_000,
        panel=_LENGTH,
    )

    def __post_init__(self) -> None:
        for name in ("images", "batch", "report_every", "average_images"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "1 or more")
        require(self.batch >= 2, "batch", self.batch, "2 or more, for pictures to compare")
        for name in ("generator_rate", "discriminator_rate"):
            require(getattr(self, name) > 0, name, getattr(self, name), "a number above 0")
        for name in ("final_rate", "language_free", "text_noise"):
            value = getattr(self, name)
            require(0 <= value <= 1, name, value, "a number from 0 to 1")
        require(0 < self.held_out < 1, "held_out", self.held_out, "a number between 0 and 1")
        require(self.seed >= 0, "seed", self.seed, "0 or more")
        _known("augment", (self.augment,), AUGMENTATIONS)
        _known("precision", (self.precision,), PRECISIONS)

    @property
    def captioned(self) -> bool:
        """Whether every picture needs a caption."""
        return self.language_free < 1 or self.architecture.attentive


def _known(name: str, values: Sequence[str], known: Sequence[str]) -> None:
    for value in values:
        if value not in known:
            raise UsageError(f"`{name}` is {value!r}; {near_miss(value, known)}")
