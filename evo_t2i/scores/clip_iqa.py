"""Does the picture look good, whatever it shows?"""

from collections.abc import Mapping

from torch import Tensor


def clip_iqa(image: Tensor, antonyms: Tensor, logit_scale: Tensor) -> Tensor:
    """Probability (n,) in [0, 1] of the first of two antonym prompts.

    CLIP-IQA (Wang et al., 2023): softmax of logit_scale · cosine over both prompts,
    with unit embeddings of images (n, d) and of prompts (2, d) and CLIP's own temperature ().
    """
    return (logit_scale * image @ antonyms.T).softmax(dim=-1)[:, 0]


class ClipIqa:
    """How much nearer CLIP finds the picture to "Good photo." than to "Bad photo."; in [0, 1]."""

    name = "clip_iqa"
    needs = frozenset({"clip.image", "clip.antonyms", "clip.logit_scale"})

    def __call__(self, features: Mapping[str, Tensor]) -> Tensor:
        return clip_iqa(
            features["clip.image"], features["clip.antonyms"], features["clip.logit_scale"]
        )
