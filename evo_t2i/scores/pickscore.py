"""Would people pick this picture for the caption? By PickScore."""

from collections.abc import Mapping

from torch import Tensor

from evo_t2i.scores.text_image import text_image


class PickScore:
    """logit_scale · cosine of PickScore's embeddings of image and caption.

    As published: two pictures' difference is the logit of the probability that the first one is
    picked.
    """

    name = "pickscore"
    needs = frozenset({"pickscore.image", "pickscore.text", "pickscore.logit_scale"})

    def __call__(self, features: Mapping[str, Tensor]) -> Tensor:
        cosine = text_image(features["pickscore.image"], features["pickscore.text"])
        return features["pickscore.logit_scale"] * cosine
