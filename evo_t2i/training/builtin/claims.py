"""Train the reader that the built-in CLIP has: what a caption claims, word by word.

It begins with a reader of `train_text`, whose meaning names all that a caption does and exchanges
the colours of three things now and then, and goes on with heads on its words.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from evo_t2i.models.word_reader import ClaimReader, WordReader
from evo_t2i.training.builtin.text import NAMED, Texts, TextSettings, pad
from evo_t2i.training.supervised import FitSettings, Progress, fit
from evo_t2i.world import COLOURS, NAMES, POSES, RELATIONS, SCENES, TIMES, Truth

WHOLE = ((1, len(SCENES) + 1, len(SCENES)), (1, len(TIMES) + 1, len(TIMES)))
"""Of a caption: scene and time, or none."""
TRAITS = (
    (1, 4, 0),
    (1, len(COLOURS) + 1, len(COLOURS)),
    (1, len(POSES) + 1, len(POSES)),
    (len(RELATIONS), 1, -1),
    (len(RELATIONS), 1, -1),
)
"""Of a name: how many, colour and pose or none, how it stands to others, and others to it. With
`WHOLE` they are `NAMED`, option by option."""


def claim_reader(reader: WordReader) -> ClaimReader:
    """A `ClaimReader` that begins with ``reader``."""
    result = ClaimReader(names=len(NAMES), whole=WHOLE, traits=TRAITS, **reader.arguments)
    result.load_state_dict(reader.state_dict(), strict=False)
    return result


def claims_of(named: Truth) -> Tensor:
    """(n, claims) float32: 1 where a caption, or a picture, makes it, in the order of `NAMED`."""
    parts = []
    for name, shape in NAMED.items():
        values = torch.from_numpy(getattr(named, name)).long()
        if name in ("subjects", "objects"):
            parts.append(values.flatten(1).float())
            continue
        made = values > 0 if name == "counts" else values >= 0
        options = F.one_hot(values.clamp(min=0), shape[-1]) * made[..., None]
        parts.append(options.flatten(1).float())
    return torch.cat(parts, dim=1)


def train_claims(
    texts: Texts,
    reader: WordReader,
    settings: FitSettings,
    out: Path,
    device: torch.device,
    progress: Progress | None = None,
) -> ClaimReader:
    """``reader`` goes on as a `ClaimReader`; ``settings.images`` are captions, repeats included.

    Returns it in eval mode, on the CPU. Resumes from ``out``.
    """
    torch.manual_seed(settings.seed)
    model = claim_reader(reader).to(device)
    words = torch.from_numpy(texts.words).to(device)
    spread = float(words[:20000].float().std())

    def loss(rows: np.ndarray, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        states, mask = pad(words, texts.ends, rows)
        kept = torch.rand(mask.shape, generator=generator) >= TextSettings.dropped
        noise = torch.randn(states.shape, generator=generator)
        states = states + TextSettings.noise * spread * noise.to(device)
        with torch.autocast(device.type, torch.bfloat16):
            read = model(states, mask * kept.to(device))
        claims = read[:, model.meaning :].clamp(1e-6, 1 - 1e-6)
        target = claims_of(texts.named[rows]).to(device)
        wrong = F.binary_cross_entropy(claims, target, reduction="sum") / len(rows)
        return wrong, {"claims": float(wrong.detach())}

    fit(model, loss, texts, settings, out, progress)
    return model.cpu().eval()
