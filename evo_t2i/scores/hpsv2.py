"""Would people prefer this picture of the caption to another? By HPS v2.1."""

from collections.abc import Mapping

from torch import Tensor

from evo_t2i.scores.text_image import text_image


class HpsV2:
    """Cosine of HPS v2.1's embeddings of image and caption; in [-1, 1]."""

    name = "hpsv2"
    needs = frozenset({"hpsv2.image", "hpsv2.text"})

    def __call__(self, features: Mapping[str, Tensor]) -> Tensor:
        return text_image(features["hpsv2.image"], features["hpsv2.text"])
