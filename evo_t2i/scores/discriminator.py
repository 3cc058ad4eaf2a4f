"""Does the generator's own discriminator take the picture for a real one?"""

from collections.abc import Mapping

from torch import Tensor


def discriminator(logits: Tensor, image: Tensor, text: Tensor) -> Tensor:
    """Logits (n,) that images are real, and fit the text: logits + image features · text feature.

    Of LAFITE's discriminator: images (n, d), text (d,). d is 0 for one that reads no text.
    Unbounded; above 0 is more likely real than drawn.
    """
    return logits + image @ text


class DiscriminatorScore:
    """The logit of the discriminator that was trained with the generator."""

    name = "discriminator"
    needs = frozenset({"discriminator.logits", "discriminator.image", "discriminator.text"})

    def __call__(self, features: Mapping[str, Tensor]) -> Tensor:
        return discriminator(
            features["discriminator.logits"],
            features["discriminator.image"],
            features["discriminator.text"],
        )
