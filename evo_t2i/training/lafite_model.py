"""What a LAFITE training hands out: pictures of held-out captions, and the folder of the model."""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from evo_t2i.checkpoints import stylegan2_folder
from evo_t2i.features.clip import WORD_PROMPT
from evo_t2i.features.scorer_files import LOCAL
from evo_t2i.generators.lafite import FOLDER, TextEncoder
from evo_t2i.generators.stylegan2_ada import DISCRIMINATOR, GENERATOR
from evo_t2i.models.stylegan2_generator import Generator
from evo_t2i.training.architecture import (
    discriminator_arguments,
    gaussian,
    generator_arguments,
    stored,
)
from evo_t2i.training.frozen import FrozenClip, Teachers
from evo_t2i.training.lafite_batches import TrainingData
from evo_t2i.training.lafite_settings import LafiteSettings
from evo_t2i.training.lafite_step import Students

_GRID = 8


@dataclass(frozen=True)
class Draw:
    """The moving average with what it reads: latents and texts → pictures."""

    generator: Generator
    texts: Tensor
    """(m, …) of the held-out captions, on the generator's device."""
    captions: list[str]

    @torch.no_grad()
    def __call__(self, texts: Tensor, seed: int) -> Tensor:
        """One picture a text, (n, 3, r, r) in [0, 1]."""
        random = torch.Generator().manual_seed(seed)
        latents = gaussian((len(texts), self.generator.config.latent_size), random, texts.device)
        parts = [
            self.generator(z, None, t)
            for z, t in zip(latents.split(32), texts.split(32), strict=True)
        ]
        return (torch.cat(parts) / 2 + 0.5).clamp(0, 1)


def held_out_draw(
    average: Generator,
    data: TrainingData,
    held: np.ndarray,
    settings: LafiteSettings,
    device: torch.device,
) -> Draw:
    """Each held-out picture's first caption."""
    rows = np.array([row for row in held if data.pictures.captions[row]], np.int64)
    texts = data.texts[torch.from_numpy(data.first[rows]).to(device)]
    if texts.ndim == 3 and not settings.architecture.attentive:
        texts = texts[:, 0]
    captions = [data.pictures.captions[row][0] for row in rows]
    return Draw(average, texts, captions)


def in_grid(draw: Draw) -> list[int]:
    """Up to eight of the held-out captions, spread evenly."""
    count = min(_GRID, len(draw.texts))
    return [int(index) for index in np.linspace(0, len(draw.texts) - 1, count)]


def grid(draw: Draw) -> Image.Image:
    """A row for each of ``in_grid``, a column for each of eight latents."""
    rows = [
        draw(draw.texts[index : index + 1].expand(_GRID, *draw.texts.shape[1:]), seed=0)
        for index in in_grid(draw)
    ]
    pixels = torch.stack(rows).permute(0, 3, 1, 4, 2)  # (rows, r, columns, r, 3)
    side = pixels.shape[1]
    flat = (pixels.reshape(len(rows) * side, _GRID * side, 3) * 255).round().byte().cpu().numpy()
    return Image.fromarray(flat)


def save_model(
    folder: Path,
    students: Students,
    settings: LafiteSettings,
    teachers: Teachers,
    images: int,
) -> None:
    """Write the generator's moving average and the discriminator, in the place of an older one."""
    architecture, text_size = settings.architecture, teachers.clip.size
    guide_size = students.discriminator.config.guide_size
    regions = students.discriminator.config.regions
    networks = {
        GENERATOR: stored(students.average, generator_arguments(architecture, text_size)),
        DISCRIMINATOR: stored(
            students.discriminator,
            discriminator_arguments(architecture, text_size, guide_size, regions),
        ),
    }
    encoder = text_encoder(teachers.clip, words=architecture.attentive)
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    stylegan2_folder.save(
        fresh,
        networks,
        text_encoder=encoder.record(),
        source={"training": f"evo-t2i, {images} images, preset {settings.objective.preset}"},
        card=_card(settings, images),
    )
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def text_encoder(clip: FrozenClip, *, words: bool) -> TextEncoder:
    """How a model's folder names the CLIP that reads its captions.

    One from a folder is known by its digest alone: where it lies is this machine's business.
    """
    architecture, _, training = clip.spec.partition(":")
    training = "" if clip.spec.startswith(LOCAL) else training
    prompt = WORD_PROMPT if words else None
    return TextEncoder(
        architecture=architecture,
        training=training,
        digest=clip.text_digest,
        word_prompt=prompt,
    )


def _card(settings: LafiteSettings, images: int) -> str:
    if settings.clip.startswith(LOCAL):
        settings = replace(settings, clip=FOLDER)  # where it lay is nobody else's business
    facts = [
        f"trained here on {images:,} images (repeats included) of {settings.images:,}",
        f"resolution: {settings.architecture.resolution}",
        f"text encoder: {settings.clip}",
        f"settings: `{settings!r}`",
        "sha256 of model.safetensors: {digest}",
        "sha256 of config.json: {config_digest}",
    ]
    lines = "\n".join(f"- {fact}" for fact in facts)
    return (
        "# A LAFITE-type generator\n\n"
        f"{lines}\n\nUse it with `--generator lafite:FOLDER`. What may be done with it depends on "
        "the pictures that it was trained on.\n"
    )
