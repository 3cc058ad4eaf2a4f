"""A text-to-picture generator that decides what to draw, places it and paints it.

Three networks in a row, as in text-to-layout-to-image models (Johnson et al., "Image Generation
from Scene Graphs", 2018) with a canvas composed of things (Niemeyer and Geiger, "GIRAFFE", 2021):

- `Decider` reads a caption's meaning and makes named choices (scene, time, kinds, colours …), one
  after the other. Each option has one Gaussian number z of the latent; the largest
  Gumbel(Φ(z)) + logit is taken (the Gumbel-max trick: Maddison et al., 2014), so that the prior is
  the network's distribution and a small step of the latent seldom changes more than one choice;
- `Placer` turns choices into things with boxes;
- `Painter` draws the backdrop and every thing as feature maps, lays the things on it from back to
  front and renders that at half and at full size.

Choices travel as probabilities, so that pictures are differentiable in the latent.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOTS = 3
HARDLY = 0.02
"""Things less present than this are not drawn."""
DECIDED = 64.0
"""How much sharper choices are when drawn than when learned. Gumbel-max takes the largest; a finite
sharpness keeps gradients. With 4 two pictures of three were undecided somewhere (no option above
0.97), and a search went for such ghosts of two scenes: 9 of 10 on a front. With 64 it is one in
eighteen."""
EDGE = 0.02
"""How far a thing may reach beyond the picture: the world cuts off no more."""
MARGIN = 1.25
"""How far a thing's map reaches beyond its box, for its shadow."""


@dataclass(frozen=True, kw_only=True)
class LayoutGeneratorConfig:
    """Sizes of the generator; saved beside its weights.

    choices: name and number of options of each choice, in the order of the latent's numbers, which
        are followed by one for each of `amounts` amounts.
    behind_first: options of the choice "arrangement" whose first slot is in front of the others.
    """

    choices: tuple[tuple[str, int], ...]
    amounts: int
    behind_first: tuple[int, ...]
    forms: int
    things: int = 3
    text_size: int = 512
    decider_width: int = 320
    style_size: int = 256
    backdrop_channels: tuple[int, ...] = (192, 160, 96, 64, 40)
    """At 4, 8, 16, 32, 64."""
    thing_channels: tuple[int, ...] = (128, 96, 64, 40)
    """At 4, 8, 16, 32."""
    canvas_channels: int = 48
    fine_channels: int = 12

    @property
    def latent_size(self) -> int:
        """One number for every option of every choice, and one for every amount."""
        return sum(size for _, size in self.choices) + self.amounts


class Things(NamedTuple):
    """What is in n pictures: up to `things` each.

    present: (n, t) in [0, 1]; slots: (n, t, 3), forms: (n, t, forms), probabilities.
    boxes: (n, t, 4) x0, y0, x1, y1 as fractions of the picture; mirrored: (n, t) in [0, 1].
    """

    present: Tensor
    slots: Tensor
    forms: Tensor
    boxes: Tensor
    mirrored: Tensor


class Decider(nn.Module):
    """Meaning of a caption (n, text_size) and latents → the probabilities of every choice."""

    def __init__(self, config: LayoutGeneratorConfig):
        super().__init__()
        width = config.decider_width
        self.sizes = [size for _, size in config.choices]
        self.read = nn.Sequential(
            nn.Linear(config.text_size, width * 2), nn.GELU(), nn.Linear(width * 2, width)
        )
        self.embed = nn.ModuleList(nn.Linear(size + 1, width, bias=False) for size in self.sizes)
        self.asked = nn.Linear(config.text_size, width)
        self.compare = nn.ModuleList(_silent(size + 1, width) for size in self.sizes)
        self.heads = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, size + 1)
            )
            for size in self.sizes
        )
        self.log_sharpness = nn.Parameter(torch.tensor(math.log(3.0)))

    def forward(self, meaning: Tensor, latents: Tensor) -> list[Tensor]:
        """(n, options + 1) a choice; the last option is that the choice does not arise."""
        context, asked, decided = self.read(meaning), self.asked(meaning), []
        races = self._races(latents)
        for number, (race, head) in enumerate(zip(races, self.heads, strict=True)):
            chosen = (head(context) + race).mul(self.sharpness * DECIDED).softmax(1)
            context = self._after(number, chosen, context, asked)
            decided.append(chosen)
        return decided

    def logits(self, meaning: Tensor, latents: Tensor, choices: Tensor) -> list[Tensor]:
        """Logits of every choice given those before it, (n, choices) int64, -1 not arisen."""
        context, asked, result = self.read(meaning), self.asked(meaning), []
        races = self._races(latents)
        for number, (race, head) in enumerate(zip(races, self.heads, strict=True)):
            result.append((head(context) + race).mul(self.sharpness))
            taken = choices[:, number]
            taken = torch.where(taken < 0, torch.full_like(taken, self.sizes[number]), taken)
            chosen = F.one_hot(taken, self.sizes[number] + 1).to(context.dtype)
            context = self._after(number, chosen, context, asked)
        return result

    def _after(self, number: int, chosen: Tensor, context: Tensor, asked: Tensor) -> Tensor:
        """What is known once a choice is made: it, and how it compares with what was asked.

        Which side of the picture is which depends on whether the first thing is the one that the
        caption puts to the left: a product of the two, that a sum of them hardly teaches.
        """
        return context + self.embed[number](chosen) + self.compare[number](chosen) * asked

    @property
    def sharpness(self) -> Tensor:
        """What logits are multiplied by; at most 6, so that pictures change without jumps."""
        return self.log_sharpness.exp().clamp(max=6.0)

    def _races(self, latents: Tensor) -> list[Tensor]:
        """−log(−log Φ(z)) of every option's number; 0 for the choice that does not arise."""
        options = sum(self.sizes)
        numbers = latents[:, :options]
        numbers = numbers if numbers.dtype == torch.float64 else numbers.float()
        gumbel = -(-torch.special.log_ndtr(numbers)).clamp(min=1e-20).log()
        return [F.pad(part, (0, 1)) for part in gumbel.split(self.sizes, dim=1)]


def _silent(inputs: int, outputs: int) -> nn.Linear:
    """A layer that says nothing before it is trained."""
    layer = nn.Linear(inputs, outputs, bias=False)
    nn.init.zeros_(layer.weight)
    return layer


def taken(decided: Sequence[Tensor]) -> Tensor:
    """The likeliest options (n, choices) int64 of the probabilities, -1 where none arises."""
    columns = []
    for part in decided:
        options = part.argmax(1)
        columns.append(options.masked_fill(options == part.shape[1] - 1, -1))
    return torch.stack(columns, dim=1)


class Placer(nn.Module):
    """Choices and amounts → things with boxes."""

    def __init__(self, config: LayoutGeneratorConfig, width: int = 384):
        super().__init__()
        self.things, self.forms = config.things, config.forms
        inputs = sum(size + 1 for _, size in config.choices) + 5 * config.amounts
        self.layers = nn.Sequential(
            nn.Linear(inputs, width),
            nn.GELU(),
            nn.Linear(width, width),
            nn.GELU(),
            nn.Linear(width, width),
            nn.GELU(),
            nn.Linear(width, self.things * (1 + SLOTS + self.forms + 4 + 1)),
        )

    def forward(self, choices: Sequence[Tensor], amounts: Tensor) -> Things:
        """Probabilities (n, options + 1) a choice and (n, amounts) in [0, 1]."""
        present, slots, forms, boxes, mirrored = self.logits(choices, amounts)
        return Things(
            present.sigmoid(),
            slots.softmax(2),
            forms.softmax(2),
            _inside(boxes),
            mirrored.sigmoid(),
        )

    def logits(self, choices: Sequence[Tensor], amounts: Tensor) -> Things:
        """The same before their activations."""
        x = self.layers(torch.cat([*choices, waves(amounts)], dim=1))
        x = x.unflatten(1, (self.things, -1))
        present, slots, forms, boxes, mirrored = x.split((1, SLOTS, self.forms, 4, 1), dim=2)
        return Things(present[..., 0], slots, forms, boxes, mirrored[..., 0])


def _inside(boxes: Tensor) -> Tensor:
    """Boxes (..., 4) moved, not cut, so that none reaches more than ``EDGE`` beyond the left or
    upper edge of the picture, nor, unless it is larger, beyond the others."""
    first, last = boxes[..., :2], boxes[..., 2:]
    moved = (1 + EDGE - last).clamp(max=0).maximum(-EDGE - first)
    return boxes + torch.cat([moved, moved], dim=-1)


class Film(nn.Module):
    """3x3 convolution, then each channel scaled and shifted by a style (Perez et al., 2018)."""

    def __init__(self, inputs: int, outputs: int, style: int, *, upsample: bool = False):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.affine = nn.Linear(style, 2 * outputs)
        nn.init.normal_(self.affine.weight, std=0.3 / math.sqrt(style))
        nn.init.zeros_(self.affine.bias)
        nn.init.kaiming_normal_(self.conv.weight, a=0.2)
        if self.conv.bias is not None:
            nn.init.zeros_(self.conv.bias)
        self.upsample = upsample

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        y = self.conv(x)
        if self.upsample:
            y = F.interpolate(y, scale_factor=2, mode="bilinear", align_corners=False)
        scale, shift = self.affine(style).to(y.dtype)[..., None, None].chunk(2, dim=1)
        return F.leaky_relu_(torch.addcmul(shift, y, 1 + scale), 0.2)


class Maps(nn.Module):
    """A style (n, style_size) → feature maps of twice the size a stage, from 4x4 on.

    Besides the first, two more sizes get a map of their own from the style: what stands always in
    the same place need not be found by convolutions.
    """

    def __init__(self, channels: Sequence[int], style: int, dense: Sequence[int]):
        super().__init__()
        self.first = nn.Linear(style, channels[0] * 16)
        self.channels = channels[0]
        self.grow = nn.ModuleList(Film(a, b, style, upsample=True) for a, b in pairwise(channels))
        self.refine = nn.ModuleList(
            Film(b + extra, b, style) for b, extra in zip(channels[1:], dense, strict=True)
        )
        self.dense = nn.ModuleList(
            nn.Linear(style, extra * (8 * 2**i) ** 2) if extra else nn.Identity()
            for i, extra in enumerate(dense)
        )
        self.extras = tuple(dense)

    def forward(self, style: Tensor) -> Tensor:
        x = self.first(style).unflatten(1, (self.channels, 4, 4))
        x = x.contiguous(memory_format=torch.channels_last)
        for grow, refine, dense, extra in zip(
            self.grow, self.refine, self.dense, self.extras, strict=True
        ):
            x = grow(x, style)
            if extra:
                own = dense(style).unflatten(1, (extra, *x.shape[2:]))
                x = torch.cat([x, own.to(x.dtype)], dim=1)
            x = refine(x, style)
        return x


class Painter(nn.Module):
    """Choices, amounts and things → pictures of half and of full size."""

    def __init__(self, config: LayoutGeneratorConfig):
        super().__init__()
        self.names = [name for name, _ in config.choices]
        self.behind_first = list(config.behind_first)
        sizes = dict(config.choices)
        style, paint = config.style_size, config.backdrop_channels[-1]
        general = sum(sizes[name] + 1 for name in _GENERAL) + 5 * config.amounts
        self.general = nn.Sequential(
            nn.Linear(general, style), nn.GELU(), nn.Linear(style, style), nn.GELU()
        )
        own = sizes["kind 0"] + sizes["colour 0"] + config.forms + 1 + 2 + style
        self.own = nn.Sequential(
            nn.Linear(own, style), nn.GELU(), nn.Linear(style, style), nn.GELU()
        )
        self.backdrop = Maps(config.backdrop_channels, style, (48, 16, 0, 0))
        self.thing = Maps(config.thing_channels, style, (48, 12, 0))
        self.paint = nn.Conv2d(config.thing_channels[-1], paint + 1, 1)
        self.canvas = nn.ModuleList(
            (
                Film(paint, config.canvas_channels, style),
                Film(config.canvas_channels, config.canvas_channels, style),
            )
        )
        self.to_half = nn.Conv2d(config.canvas_channels, 3, 1)
        self.finer = nn.Conv2d(config.canvas_channels, 4 * config.fine_channels, 3, padding=1)
        self.fine = nn.Conv2d(config.fine_channels, config.fine_channels, 3, padding=1)
        self.to_full = nn.Conv2d(config.fine_channels, 3, 1)
        nn.init.zeros_(self.to_full.weight)

    def forward(
        self, choices: Sequence[Tensor], amounts: Tensor, things: Things, *, half: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """(n, 3, 64, 64) and (n, 3, 128, 128), around [-1, 1]; None for the latter if ``half``."""
        by_name = dict(zip(self.names, choices, strict=True))
        general = self.general(
            torch.cat([*(by_name[name] for name in _GENERAL), waves(amounts)], dim=1)
        )
        canvas = self.backdrop(general)
        whole = by_name["mirrored"][:, 1] > 0.5
        canvas = torch.where(whole[:, None, None, None], canvas.flip(3), canvas)
        ahead = by_name["arrangement"][:, self.behind_first].sum(1) > 0.5
        there = (things.present.flatten() > HARDLY).nonzero()[:, 0]
        if len(there):
            maps = self._things(by_name, things, general, there)
            canvas = self._lay(canvas, maps, things, there, ahead)
        for layer in self.canvas:
            canvas = layer(canvas, general)
        small = self.to_half(canvas)
        if half:
            return small.float(), None
        fine = F.leaky_relu(F.pixel_shuffle(self.finer(canvas), 2), 0.2)
        detail = self.to_full(F.leaky_relu(self.fine(fine), 0.2))
        enlarged = F.interpolate(small, scale_factor=2, mode="bilinear", align_corners=False)
        return small.float(), (enlarged + detail).float()

    def _things(
        self, choices: Mapping[str, Tensor], things: Things, general: Tensor, there: Tensor
    ) -> Tensor:
        """A map (k, paint + 1, 32, 32) of each thing ``there``, the last channel its opacity."""
        kinds = torch.stack([choices[f"kind {slot}"][:, :-1] for slot in range(SLOTS)], dim=1)
        colours = torch.stack([choices[f"colour {slot}"][:, :-1] for slot in range(SLOTS)], dim=1)
        sides = things.boxes[..., 2:] - things.boxes[..., :2]
        count = things.present.shape[1]
        whole = choices["mirrored"][:, 1:2].expand(-1, count)
        turned = (things.mirrored - whole).abs()
        own = torch.cat(
            [
                things.slots @ kinds,
                things.slots @ colours,
                things.forms,
                turned[..., None],
                sides.clamp(min=0.02).log(),
                general[:, None].expand(-1, count, -1),
            ],
            dim=2,
        )
        maps: Tensor = self.paint(self.thing(self.own(own.flatten(0, 1)[there])))
        return maps

    def _lay(
        self, canvas: Tensor, maps: Tensor, things: Things, there: Tensor, ahead: Tensor
    ) -> Tensor:
        """Lay the things ``there`` on the canvas, the last on top or, if ``ahead``, the first.

        ``canvas`` may be written over.
        """
        count = things.present.shape[1]
        side = canvas.shape[-1]
        boxes = things.boxes.flatten(0, 1)[there].float()
        middle = (boxes[:, :2] + boxes[:, 2:]) / 2
        reach = (boxes[:, 2:] - boxes[:, :2]).clamp(min=0.02) / 2 * MARGIN
        turn = torch.where(things.mirrored.flatten()[there] > 0.5, -1.0, 1.0)
        ticks = (torch.arange(side, device=canvas.device) + 0.5) / side
        across = (ticks[None] - middle[:, :1]) / reach[:, :1] * turn[:, None]
        down = (ticks[None] - middle[:, 1:]) / reach[:, 1:]
        grid = torch.stack(
            [across[:, None].expand(-1, side, -1), down[:, :, None].expand(-1, -1, side)], dim=3
        )
        laid = F.grid_sample(maps.float(), grid, padding_mode="zeros", align_corners=False)
        inside = (grid.abs() < 1).all(3)[:, None]
        present = things.present.flatten()[there]
        cover = laid[:, -1:].sigmoid() * inside * present[:, None, None, None]
        rows, places = there // count, there % count
        depth = torch.where(ahead[rows], count - 1 - places, places)
        canvas = canvas.float()
        for index in range(count):
            on = (depth == index).nonzero()[:, 0]
            below = canvas[rows[on]]
            canvas.index_copy_(0, rows[on], torch.lerp(below, laid[on, :-1], cover[on]))
        return canvas.to(maps.dtype)


_GENERAL = ("time", "arrangement", "scene", "view", "placement", "mirrored")


class LayoutGenerator(nn.Module):
    """Latents (n, latent_size) and meanings (n, text_size) → pictures of two sizes.

    The decider may be of another precision than the rest: its sharp choices enlarge rounding
    errors, so that in float64 a picture does not depend on its company in a batch.
    """

    def __init__(self, config: LayoutGeneratorConfig):
        super().__init__()
        self.config = config
        self.decider = Decider(config)
        self.placer = Placer(config)
        self.painter = Painter(config)

    def forward(
        self, latents: Tensor, meaning: Tensor, *, half: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """(n, 3, 64, 64) and (n, 3, 128, 128) around [-1, 1]; None for the latter if ``half``."""
        exact = self.decider.log_sharpness.dtype
        choices = [part.float() for part in self.decider(meaning.to(exact), latents.to(exact))]
        amounts = torch.special.ndtr(latents[:, -self.config.amounts :].float())
        things = self.placer(choices, amounts)
        return self.painter(choices, amounts, things, half=half)


def waves(amounts: Tensor) -> Tensor:
    """(n, k) in [0, 1] → (n, 5 k): themselves and two octaves of sine and cosine."""
    angles = torch.cat([amounts * math.pi, amounts * 2 * math.pi], dim=1)
    return torch.cat([amounts, angles.sin(), angles.cos()], dim=1)


def load(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> LayoutGenerator:
    """The generator of a saved configuration, which may hold other entries, and its weights."""
    sizes = {field.name: config[field.name] for field in fields(LayoutGeneratorConfig)}
    sizes = {k: tuple(v) if isinstance(v, list) else v for k, v in sizes.items()}
    sizes["choices"] = tuple((name, size) for name, size in sizes["choices"])
    model = LayoutGenerator(LayoutGeneratorConfig(**sizes))
    model.load_state_dict(dict(tensors))
    return model


def described(config: LayoutGeneratorConfig) -> dict[str, Any]:
    """``config`` as what JSON can hold."""
    return asdict(config)
