"""How a LAFITE-type generator is trained."""

from dataclasses import dataclass, field

from evo_t2i.config import PRECISIONS, require
from evo_t2i.errors import UsageError
from evo_t2i.training.architecture import Architecture
from evo_t2i.training.terms import ObjectiveSettings


@dataclass(frozen=True, kw_only=True)
class LafiteSettings:
    """How long and how to train; raises UsageError for what makes no sense."""

    images: int
    """Training pictures drawn and judged, repeats included."""
    objective: ObjectiveSettings = field(default_factory=ObjectiveSettings)
    architecture: Architecture = field(default_factory=Architecture)
    seed: int = 0
    batch: int = 32
    generator_rate: float = 2e-3
    discriminator_rate: float = 2e-3
    final_rate: float = 0.2
    """Share of both rates left at the end of a cosine schedule."""
    clip: str = "builtin"
    """As for ``--clip``: reads the captions, and judges itc and iic."""
    classifier: str = "builtin"
    """As for ``--classifier``, or efficientnet_lite0: f_res of the notes."""
    language_free: float = 0.0
    """Share of the pictures whose caption is replaced by a pseudo text; with 1 none is needed."""
    text_noise: float = 0.1
    """Share of noise in a caption's feature, as in LAFITE's code."""
    augment: str = "ada"
    average_images: float = 10_000.0
    """Half-life of the generator's moving average, a tenth of the images seen at first."""
    precision: str = "bf16"
    held_out: float = 0.05
    """Share of the pictures that are not trained on."""
    report_every: int = 4_000
    """Images between metrics, grid, checkpoint and model."""

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
        if self.precision not in PRECISIONS:
            raise UsageError(f"`precision` is {self.precision!r}; choose from fp32, bf16.")

    @property
    def captioned(self) -> bool:
        """Whether every picture needs a caption."""
        return self.language_free < 1 or self.architecture.attentive
