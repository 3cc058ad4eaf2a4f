"""What a search is: it proposes latents and learns from their scores, a generation at a time."""

import inspect
from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from evo_t2i.errors import UsageError
from evo_t2i.points import Points

Sample = Callable[[int, np.random.Generator], np.ndarray]
"""Draws ``count`` latents from the prior: (count, rng) → (count, d) float32."""


class Search(Protocol):
    """Proposes latents and learns from their scores, generation after generation.

    A factory takes keyword-only ``sample`` (Sample), ``dimensions``, ``objectives`` and ``config``
    (RunConfig), and ``latent_shape`` (that of one latent, before it is flattened) if it has an
    argument of that name. ``evo_t2i.search.generational`` has what generational searches share.

    A search may also have ``wants: frozenset[str]``, what it has to know of each picture beside its
    scores: ``look`` (the thumbnail, see ``evo_t2i.looks``) or the key of an image feature that the
    scores compute, such as ``clip.image``. ``tell`` then gets a third argument, these by name, each
    (n, k) float32. A search may have ``notes: tuple[str, ...]``, sentences for those who read the
    run's summary.
    """

    @property
    def generation(self) -> int:
        """Generations told so far; 0 before the first ``tell``."""

    @property
    def archive(self) -> Points:
        """All finite non-dominated points told so far, ids ascending, and such others as the search
        keeps beside them. A search may leave out what is below a floor by some score."""

    @property
    def population(self) -> Points:
        """The points that the next generation starts from."""

    def ask(self) -> np.ndarray:
        """(n, d) float32: ``config.started`` latents first, then ``config.offspring`` each time.

        Asking again before ``tell`` gives the same latents.
        """

    def tell(self, latents: np.ndarray, scores: np.ndarray) -> Points:
        """Learn what ``ask`` just returned scored; the points that came of it, ids ascending.

        ``scores`` is (n, m), higher is better. A row that is not finite counts as a failure: it
        never displaces a finite one and is never archived. Raises ValueError without an ``ask``
        before it or for another shape.
        """

    def state(self) -> dict[str, np.ndarray]:
        """Everything ``restore`` needs, as arrays."""

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue where ``state`` was taken, bit for bit; RunDataError if it does not fit."""


def takes(factory: Callable[..., object], argument: str) -> bool:
    """Whether ``factory`` has a parameter of that name."""
    return argument in inspect.signature(factory).parameters


def check_choice(option: str, name: str, choices: tuple[str, ...]) -> None:
    """Raise UsageError, naming the choices, unless ``name`` is one of them."""
    if name not in choices:
        raise UsageError(f"`{option}` is {name!r}; choose from {', '.join(choices)}.")
