"""Train the built-in generator's placer: where the world puts what was chosen. No pictures."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from evo_t2i.models.layout_generator import Placer, Things
from evo_t2i.training.builtin.painter import exact, generator_config, soften
from evo_t2i.training.builtin.pool import Pool
from evo_t2i.training.supervised import FitSettings, Progress, fit


def train_placer(
    pool: Pool,
    settings: FitSettings,
    out: Path,
    device: torch.device,
    progress: Progress | None = None,
) -> Placer:
    """Fit a placer to the layouts of renders; the returned model is in eval mode, on the CPU."""
    torch.manual_seed(settings.seed)
    placer = Placer(generator_config()).to(device)

    def loss(rows: np.ndarray, generator: torch.Generator) -> tuple[Tensor, dict[str, float]]:
        choices, amounts, things = exact(pool, rows, device)
        amount = (torch.rand(len(rows), generator=generator) * 0.1).to(device)
        told = placer.logits([soften(choice, amount) for choice in choices], amounts)
        return misplaced(told, things), {}

    fit(placer, loss, pool, settings, out, progress)
    return placer.cpu()


def misplaced(told: Things, things: Things) -> Tensor:
    """Cross-entropies of presence, slot, form and side, and 20 times the boxes' mean error."""
    here = things.present > 0.5
    parts = [F.binary_cross_entropy_with_logits(told.present, things.present)]
    parts.append(F.cross_entropy(told.slots[here], things.slots[here].argmax(1)))
    parts.append(F.cross_entropy(told.forms[here], things.forms[here].argmax(1)))
    parts.append(20 * (told.boxes[here] - things.boxes[here]).abs().mean())
    parts.append(F.binary_cross_entropy_with_logits(told.mirrored[here], things.mirrored[here]))
    return torch.stack(parts).sum()


@torch.inference_mode()
def evaluate(placer: Placer, pool: Pool) -> dict[str, float]:
    """Shares of pictures and things placed as the world does, and the boxes' mean error."""
    choices, amounts, things = exact(pool, np.arange(len(pool)), torch.device("cpu"))
    told = placer(choices, amounts)
    here = things.present > 0.5
    return {
        "presence": float(((told.present > 0.5) == here).all(1).float().mean()),
        "slots": float((told.slots.argmax(2) == things.slots.argmax(2))[here].float().mean()),
        "forms": float((told.forms.argmax(2) == things.forms.argmax(2))[here].float().mean()),
        "sides": float(((told.mirrored > 0.5) == (things.mirrored > 0.5))[here].float().mean()),
        "box_error": float((told.boxes - things.boxes)[here].abs().mean()),
    }
