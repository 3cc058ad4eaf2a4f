"""Scores of images for a caption, in one call."""

import torch

from evo_t2i.config import BUILTIN_MODELS
from evo_t2i.evaluate.evaluator import score_images
from evo_t2i.evaluate.models import load_scorers

CPU = torch.device("cpu")


def scores_of(images, caption, names, *, models=BUILTIN_MODELS, micro_batch=25):
    """(n, m) of images (n, 3, h, w) in [0, 1]."""
    scorer = load_scorers(names, device=CPU, models=models).for_caption(caption)
    return score_images(scorer, images, micro_batch)
