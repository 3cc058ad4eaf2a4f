"""What a feature extractor is: one network, run once on each batch, whose outputs scores share."""

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor


class FeatureExtractor(Protocol):
    """Named features of a caption and of images.

    A feature's key is ``<name>.<what>`` where ``<name>`` is the name under which the extractor
    is registered: ``clip.image`` comes from the extractor ``clip``. Registered as a factory with
    the keyword-only arguments ``device: torch.device`` and ``models: ScorerModels``.

    An extractor may also have ``needs: frozenset[str]``, features of other extractors that its
    ``images`` reads: these run before it. And ``unread(caption: str) -> str``: the end of the
    caption that it does not read because its encoder has a limit; see ``evo_t2i.caption.unread``.
    And ``reentrant = True`` where two threads may call ``images`` at once.
    """

    provides: frozenset[str]
    """All keys that ``text`` and ``images`` return."""
    digest: str
    """SHA-256 of the weights; part of a run's record."""

    def text(self, caption: str) -> dict[str, Tensor]:
        """Features of the caption, without a batch dimension over images; once per run.

        Whatever ``images`` has to know of the caption is among them: an extractor keeps nothing of
        a caption, so that one serves any number of captions.
        """
        ...

    def images(self, batch: Tensor, text: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Features (n, …) of images (n, 3, h, w) in [0, 1]; owns the resize and normalisation.

        ``text`` holds at least what ``text`` returned for the caption, and the features of other
        extractors that ``needs`` names.
        """
        ...
