"""Gradient steps on the prior's shell: latents moved to where a mix of the scores is higher.

A step turns a latent by a small angle towards the gradient, so that it keeps its norm and with it
its place among what the generator was trained on. Scorers can be fooled, and gradients find out how
sooner than chance does: docs/search.md has what was measured.
"""

import numpy as np
import torch
from torch import Tensor

from evo_t2i.config import REFINING_STEPS
from evo_t2i.errors import UsageError
from evo_t2i.evaluate.evaluator import Evaluator

ANGLE = 0.1
"""Of one step, in radians."""
_LEAST = 1e-12
_ROUNDING = 1e-5
"""A part of a direction up to this share of it is what rounding left."""


def refined(
    latents: np.ndarray,
    chosen: int,
    evaluator: Evaluator,
    scale: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """(n, d) float32, of which ``chosen`` rows made ``REFINING_STEPS`` steps, each uphill in a mix
    of the scores of its own.

    ``scale`` (m,) is generation 0's spread of each score; those without any are left out. Rows and
    mixes, uniform over the simplex, are drawn from ``rng``. Raises UsageError where the generator
    or the scores give no gradient.
    """
    rows = np.sort(rng.choice(len(latents), size=chosen, replace=False))
    mixes = rng.dirichlet(np.ones(len(scale)), size=chosen)
    weights = np.where(scale > 0, mixes / np.where(scale > 0, scale, 1.0), 0.0).astype(np.float32)
    moved = latents.copy()

    def steps(part: slice) -> np.ndarray:
        batch = torch.from_numpy(latents[rows[part]].astype(np.float32)).to(evaluator.device)
        shares = torch.from_numpy(weights[part]).to(evaluator.device)
        for _ in range(REFINING_STEPS):
            batch = turned(batch, _uphill(batch, shares, evaluator))
        found: np.ndarray = batch.cpu().numpy()
        return found

    moved[rows] = evaluator.batches.map(chosen, steps)
    return moved


def turned(latents: Tensor, directions: Tensor, angle: float = ANGLE) -> Tensor:
    """Latents (n, d) turned by ``angle`` towards the part of ``directions`` (n, d) that is at right
    angles to them; their norms stay. One whose direction has no such part stays where it is."""
    norms = latents.norm(dim=1, keepdim=True)
    along = latents / norms.clamp_min(_LEAST)
    across = directions - (directions * along).sum(dim=1, keepdim=True) * along
    length = across.norm(dim=1, keepdim=True)
    there = np.cos(angle) * latents + np.sin(angle) * norms * across / length.clamp_min(_LEAST)
    aside = length > _ROUNDING * directions.norm(dim=1, keepdim=True)
    return torch.where(aside & (length > _LEAST), there, latents)


def _uphill(latents: Tensor, weights: Tensor, evaluator: Evaluator) -> Tensor:
    """(n, d) gradients of the scores' mixes by ``weights`` (n, m); 0 where one is not finite."""
    with torch.inference_mode(False), torch.enable_grad():
        place = latents.clone().requires_grad_()
        total = (evaluator.differentiable(place) * weights.clone()).nan_to_num().sum()
        if not total.requires_grad:
            raise UsageError(
                "`refine` needs a generator and scores that give gradients, and these do not; use "
                "`refine` 0."
            )
        (gradient,) = torch.autograd.grad(total, place)
    return gradient.nan_to_num(0.0, 0.0, 0.0)
