"""The independent judges: small networks that find the things of a picture, one by one.

They share neither architecture nor weights with anything that the search optimises. Things are
found as peaks of a map of their centres (Zhou et al., "Objects as Points", 2019); what colour and
pose one has is read at its centre, knowing its kind, and how two stand to each other from both
centres.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

CELLS = 16
"""Cells a side in which things are looked for."""
_WIDTH, _KIND = 128, 32


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions around a shortcut (He et al., 2016), half as wide inside."""

    def __init__(self, width: int):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width // 2, 1, bias=False),
            nn.BatchNorm2d(width // 2),
            nn.ReLU(),
            nn.Conv2d(width // 2, width // 2, 3, padding=1, bias=False),
            nn.BatchNorm2d(width // 2),
            nn.ReLU(),
            nn.Conv2d(width // 2, width, 1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.body(x))


def _reduced(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=(kernel - 1) // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )


class Surroundings(nn.Module):
    """(n, 3, 128, 128) pictures → (n, 128, 16, 16), a vector for each cell and what is around."""

    def __init__(self) -> None:
        super().__init__()
        self.near = nn.Sequential(
            nn.Sequential(nn.Conv2d(3, 64, 4, 4, bias=False), nn.BatchNorm2d(64), nn.ReLU()),
            _reduced(64, 64, 3, 1),
            _reduced(64, _WIDTH, 3, 2),
            *(Bottleneck(_WIDTH) for _ in range(3)),
        )
        self.far = nn.Sequential(
            _reduced(_WIDTH, 192, 3, 2),
            *(Bottleneck(192) for _ in range(2)),
            _reduced(192, 256, 3, 2),
            *(Bottleneck(256) for _ in range(2)),
        )
        self.back = nn.Conv2d(256, _WIDTH, 1)
        self.both = nn.Sequential(_reduced(2 * _WIDTH, _WIDTH, 1, 1), Bottleneck(_WIDTH))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The cells, and (n, 256) of the whole."""
        near = self.near(images * 2 - 1)
        far = self.far(near)
        wide = F.interpolate(self.back(far), size=near.shape[-2:], mode="bilinear")
        return self.both(torch.cat([near, wide], dim=1)), far.mean((2, 3))


class Patches(nn.Module):
    """As `Surroundings`, but what is around comes from a transformer over patches of 16 pixels, of
    which each tells of its four cells, behind convolutions as in Xiao et al., "Early Convolutions
    Help Transformers See Better", 2021. No batch norm: it sees each picture by itself."""

    def __init__(self, width: int = 192, layers: int = 3):
        super().__init__()
        self.near = nn.Sequential(
            nn.Conv2d(3, 64, 4, 4),
            nn.GELU(),
            _smoothed(64, _WIDTH, 3, 2),
            _smoothed(_WIDTH, _WIDTH, 3, 1),
            _smoothed(_WIDTH, _WIDTH, 3, 1),
        )
        self.patches = nn.Conv2d(_WIDTH, width, 2, 2)
        self.places = nn.Parameter(torch.randn(1, CELLS * CELLS // 4, width) * 0.1)
        layer = nn.TransformerEncoderLayer(
            width, 6, 2 * width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.transformer = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.back = nn.Linear(width, 4 * _WIDTH)
        self.both = nn.Sequential(
            _smoothed(2 * _WIDTH, _WIDTH, 1, 1),
            _smoothed(_WIDTH, _WIDTH, 3, 1),
            nn.Conv2d(_WIDTH, _WIDTH, 1),
        )
        self.whole = nn.Linear(width, 256)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The cells, and (n, 256) of the whole."""
        near = self.near(images * 2 - 1)
        tokens = self.patches(near).flatten(2).transpose(1, 2)
        far = self.norm(self.transformer(tokens + self.places))
        wide = self.back(far).transpose(1, 2).unflatten(2, (CELLS // 2, CELLS // 2))
        cells = self.both(torch.cat([near, F.pixel_shuffle(wide, 2)], dim=1))
        return cells, F.gelu(self.whole(far.mean(1)))


def _smoothed(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=0 if kernel == stride else kernel // 2),
        nn.GroupNorm(8, outputs),
        nn.GELU(),
    )


EYES: Mapping[str, type[nn.Module]] = {"residual": Surroundings, "transformer": Patches}


@dataclass(frozen=True)
class Looked:
    """What the judge makes of n pictures before it names any thing.

    cells: (n, width, 16, 16); centres: (n, kinds, 16, 16) logits of a thing's centre being there,
        as trained; `Judge.calibrated` makes probabilities of those at their peaks.
    scene, time: (n, scenes) and (n, times) logits.
    """

    cells: Tensor
    centres: Tensor
    scene: Tensor
    time: Tensor


class Judge(nn.Module):
    """Pictures (n, 3, 128, 128) in [0, 1] → what they show.

    The arguments are the numbers of scenes, times, kinds, colours, poses (one more stands for
    none of them) and relations, and which of `EYES` it has.
    """

    calibration: Tensor
    """(2,) scale and shift."""

    def __init__(
        self,
        scenes: int,
        times: int,
        kinds: int,
        colours: int,
        poses: int,
        relations: int,
        eyes: str = "residual",
    ):
        super().__init__()
        self.splits = (colours, poses + 1)
        self.surroundings = EYES[eyes]()
        self.register_buffer("calibration", torch.tensor([1.0, 0.0]))
        self.centres = nn.Conv2d(_WIDTH, kinds, 1)
        if self.centres.bias is not None:
            nn.init.constant_(self.centres.bias, -5.0)  # nearly all cells are no centre
        self.whole = nn.Linear(256, scenes + times)
        self.scenes = scenes
        self.kind = nn.Embedding(kinds, _KIND)
        one = _WIDTH + _KIND
        self.thing = nn.Sequential(nn.Linear(one, 192), nn.GELU(), nn.Linear(192, sum(self.splits)))
        self.pair = nn.Sequential(nn.Linear(2 * one + 2, 192), nn.GELU(), nn.Linear(192, relations))

    def forward(self, images: Tensor) -> Looked:
        cells, whole = self.surroundings(images)
        scene, time = (
            self.whole(whole)
            .float()
            .split((self.scenes, self.whole.out_features - self.scenes), dim=1)
        )
        return Looked(cells.float(), self.centres(cells).float(), scene, time)

    def calibrated(self, logits: Tensor) -> Tensor:
        """How likely peaks of the centres' map are things: a focal loss leaves its logits too near
        0, so they are scaled and shifted as a logistic regression on renders says."""
        return (logits * self.calibration[0] + self.calibration[1]).sigmoid()

    def things(self, cells: Tensor, kinds: Tensor) -> tuple[Tensor, Tensor]:
        """(m, width) cells and (m,) kinds → (m, colours) and (m, poses + 1) logits."""
        read = self.thing(torch.cat([cells, self.kind(kinds)], dim=1))
        colours, poses = read.split(self.splits, dim=1)
        return colours, poses

    def relations(self, cells: Tensor, kinds: Tensor, places: Tensor) -> Tensor:
        """Of m ordered pairs: (m, 2, width) cells, (m, 2) kinds, (m, 2, 2) x and y of the cells.

        Returns (m, relations) logits of the first standing in it to the second.
        """
        ones = torch.cat([cells, self.kind(kinds)], dim=2)
        away = (places[:, 1] - places[:, 0]).float() / CELLS
        return self.pair(torch.cat([ones.flatten(1), away], dim=1))
