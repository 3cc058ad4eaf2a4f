"""How a CLIP and a classifier are trained on people's own pictures."""

from dataclasses import dataclass

from evo_t2i.config import MACHINE, PRECISIONS, described, require
from evo_t2i.errors import UsageError, near_miss

CLIP_LOSSES = ("clip", "siglip")
_LENGTH, _MODEL = "Length and pace", "Model"
_FRESH_RATE, _FURTHER_RATE = 1e-3, 2e-5


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """What both have in common; raises UsageError for what makes no sense."""

    images: int = described("Training pictures, repeats included.", 100_000, panel=_LENGTH)
    batch: int = described("Pictures a step.", 128, panel=_LENGTH)
    rate: float = described(
        f"Learning rate at the height of its course; 0 is {_FRESH_RATE:g}, or {_FURTHER_RATE:g} "
        "with --start.",
        0.0,
        panel=_LENGTH,
    )
    weight_decay: float = described("Of AdamW.", 0.02, panel=_LENGTH)
    seed: int = described("Same seed, same training.", 0, panel=_LENGTH)
    held_out: float = described(
        "Share of the pictures that are not trained on.", 0.1, panel=_LENGTH
    )
    report_every: int = described(
        "Images from one report to the next: metrics, model, checkpoint.", 10_000, panel=_LENGTH
    )
    resolution: int = described(
        "Pixels a side; 0 is what the model of --start or the architecture reads, else 64.",
        0,
        panel=_MODEL,
    )
    start: str = described("Go on from a trained model instead of from nothing.", "", panel=_MODEL)
    precision: str = described("bf16 or fp32.", "bf16", panel=MACHINE)

    def __post_init__(self) -> None:
        for name in ("images", "report_every"):
            require(getattr(self, name) >= 1, name, getattr(self, name), "1 or more")
        require(self.batch >= 2, "batch", self.batch, "2 or more")
        for name in ("rate", "weight_decay", "seed"):
            require(getattr(self, name) >= 0, name, getattr(self, name), "0 or more")
        require(0 < self.held_out < 1, "held_out", self.held_out, "a number between 0 and 1")
        sizes = self.resolution == 0 or 16 <= self.resolution <= 1024
        require(sizes and self.resolution % 8 == 0, "resolution", self.resolution,
                "0, or a multiple of 8 from 16 to 1024")  # fmt: skip
        _known("precision", self.precision, PRECISIONS)

    @property
    def peak_rate(self) -> float:
        """The rate, by its default where none is given."""
        return self.rate or (_FURTHER_RATE if self.start else _FRESH_RATE)


@dataclass(frozen=True, kw_only=True)
class ClipSettings(FitSettings):
    """Of a CLIP."""

    start: str = described(
        "Go on from builtin, NAME:TAG of open_clip, or local-dir:FOLDER, instead of from nothing.",
        "",
        panel=_MODEL,
    )
    loss: str = described("clip (softmax) or siglip (a sigmoid a pair).", "clip", panel=_MODEL)
    balance: float = described(
        "λ of the loss clip: its share that asks which caption fits a picture; the rest asks which "
        "picture fits a caption.",
        0.5,
        panel=_MODEL,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        _known("loss", self.loss, CLIP_LOSSES)
        require(0 <= self.balance <= 1, "balance", self.balance, "a number from 0 to 1")


@dataclass(frozen=True, kw_only=True)
class ClassifierSettings(FitSettings):
    """Of a classifier."""

    start: str = described(
        "Go on from efficientnet_lite0, vgg19_bn:imagenet, or the FOLDER of a classifier, with a "
        "last layer for these labels.",
        "",
        panel=_MODEL,
    )
    architecture: str = described(
        "vgg (the built-in one's, small), torchvision:NAME or timm:NAME.", "vgg", panel=_MODEL
    )
    label: str = described(
        "Column of captions.csv, labels.csv or a .jsonl that names the label; without such a "
        "table the folder that a picture lies in does.",
        "label",
        panel=_MODEL,
    )
    smoothing: float = described("Share of a label given to all labels.", 0.1, panel=_MODEL)

    def __post_init__(self) -> None:
        super().__post_init__()
        require(0 <= self.smoothing < 1, "smoothing", self.smoothing, "a number from 0 to below 1")
        require(self.label != "", "label", "empty", "the name of a column")


def _known(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise UsageError(f"`{name}` is {value!r}; {near_miss(value, known)}")
