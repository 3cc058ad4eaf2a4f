"""Does the picture as a whole show the caption?"""

from collections.abc import Mapping

from torch import Tensor


def text_image(image: Tensor, text: Tensor) -> Tensor:
    """Cosine (n,) in [-1, 1] of unit embeddings: images (n, d) and caption (d,)."""
    return image @ text


class TextImage:
    """Cosine similarity of the CLIP embeddings of image and caption; in [-1, 1]."""

    name = "text_image"
    needs = frozenset({"clip.image", "clip.text"})

    def __call__(self, features: Mapping[str, Tensor]) -> Tensor:
        return text_image(features["clip.image"], features["clip.text"])
