"""Contract checks for plug-ins: call them from your own tests; no test framework is needed.

Each raises AssertionError with a sentence on what is broken, and returns nothing.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor

from evo_t2i.config import RunConfig
from evo_t2i.evaluate.models import load_scorers
from evo_t2i.features.base import FeatureExtractor
from evo_t2i.generators.base import Generator
from evo_t2i.looks import NUMBERS
from evo_t2i.models.precision import computing_in
from evo_t2i.points import Points
from evo_t2i.scores.base import Score
from evo_t2i.search.protocol import Search

TOLERANCE = 1e-4
"""Largest difference that another batch size or order may make, relative to values above 1: a
fortieth of one of a pixel's 256 levels. Deep networks in fp32 come to a third of it."""
BF16_TOLERANCE = 0.03
"""The same for networks in bfloat16, whose numbers have 8 bits: one rounding is up to 0.004."""


@torch.inference_mode()
def check_generator(
    generator: Generator,
    *,
    device: torch.device | None = None,
    caption: str = "skyline at sunset.",
    count: int = 5,
    precision: str = "fp32",
) -> None:
    """Prior, shape, range, finiteness, determinism, and independence of the batch, of previews too
    where the generator has some.

    ``precision`` is as in RunConfig: with ``bf16`` pictures are drawn in bfloat16 and another batch
    may change them by BF16_TOLERANCE.
    """
    latents = generator.sample(count, np.random.default_rng(0))
    expected = (count, *generator.latent_shape)
    _require(
        latents.shape == expected and latents.dtype == np.float32,
        f"sample({count}, rng) gave {latents.shape} {latents.dtype}, expected {expected} float32",
    )
    _require(
        np.array_equal(latents, generator.sample(count, np.random.default_rng(0))),
        "sample gave other latents for the same random stream: draw from rng alone",
    )
    _require(bool(np.isfinite(latents).all()), "sample gave latents that are not finite")
    batch = torch.from_numpy(latents).to(device or torch.device("cpu"))
    condition = generator.condition(caption)

    def generate(rows: list[int]) -> dict[str, Tensor]:
        with computing_in(precision, batch.device):
            return {"images": generator.generate(batch[rows], condition).float()}

    images = generate(list(range(count)))["images"]
    height, width = generator.image_size
    _require(
        images.shape == (count, 3, height, width),
        f"generate gave the shape {tuple(images.shape)}, expected {(count, 3, height, width)}",
    )
    _check_pixels("generate", images)
    _check_batches("generate", generate, count, precision)
    if (drawing := getattr(generator, "preview", None)) is not None:

        def preview(rows: list[int]) -> dict[str, Tensor]:
            with computing_in(precision, batch.device):
                return {"images": drawing(batch[rows], condition).float()}

        previews = preview(list(range(count)))["images"]
        _require(
            previews.ndim == 4 and previews.shape[:2] == (count, 3),
            f"preview gave the shape {tuple(previews.shape)}, expected ({count}, 3, height, width)",
        )
        _check_pixels("preview", previews)
        _check_batches("preview", preview, count, precision)
    _require(
        count < 2 or not torch.equal(images[0], images[1]),
        "generate gave the same image for different latents",
    )


@torch.inference_mode()
def check_feature_extractor(
    extractor: FeatureExtractor,
    *,
    device: torch.device | None = None,
    caption: str = "skyline at sunset.",
    size: tuple[int, int] = (64, 64),
    count: int = 5,
    precision: str = "fp32",
    needed: Callable[[Tensor], Mapping[str, Tensor]] | None = None,
) -> None:
    """Keys, shape, finiteness, determinism, and independence of the batch.

    ``precision`` is that of ``images``, as in ``check_generator``. ``needed`` gives the features of
    images (n, 3, h, w) that an extractor with ``needs`` reads.
    """
    text = extractor.text(caption)
    batch = _random_images(count, size).to(device or torch.device("cpu"))

    def images(rows: list[int]) -> dict[str, Tensor]:
        with computing_in(precision, batch.device):
            given = text if needed is None else {**text, **needed(batch[rows])}
            found = extractor.images(batch[rows], given)
        return {key: value.float() for key, value in found.items()}

    features = images(list(range(count)))
    found = text.keys() | features.keys()
    _require(
        found == extractor.provides,
        f"text and images gave {sorted(found)}, but provides says {sorted(extractor.provides)}",
    )
    for key, value in (*text.items(), *features.items()):
        _require(bool(value.isfinite().all()), f"the feature {key!r} is not finite")
    for key, value in features.items():
        _require(
            len(value) == count, f"the feature {key!r} has {len(value)} rows for {count} images"
        )
    again = extractor.text(caption)
    for key, value in text.items():
        _require(torch.equal(value, again[key]), f"text gave another {key!r} for the same caption")
    _check_batches("images", images, count, precision)


@torch.inference_mode()
def check_installed_score(
    name: str,
    *,
    device: torch.device | None = None,
    caption: str = "skyline at sunset.",
    size: tuple[int, int] = (64, 64),
    count: int = 5,
    value_range: tuple[float, float] | None = None,
) -> None:
    """All of a score's way into a run: entry point, factory, the extractors it needs, itself.

    ``check_feature_extractor`` on each of these and ``check_score`` on what they give for random
    images. Call it where the package is installed. Raises also the errors of
    ``evo_t2i.registry.make`` and UsageError for a feature that nothing provides.
    """
    device = device or torch.device("cpu")
    scorers = load_scorers([name], device=device)
    batch = _random_images(count, size).to(device)
    features: dict[str, Tensor] = {}
    image_keys: set[str] = set()
    before: list[FeatureExtractor] = []

    def seen(images: Tensor) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for each in before:
            found |= each.text(caption)
            found |= each.images(images, found)
        return found

    for extractor in scorers.extractors.values():
        check_feature_extractor(
            extractor, device=device, caption=caption, size=size, count=count, needed=seen
        )
        features |= extractor.text(caption)
        of_images = extractor.images(batch, features)
        image_keys |= of_images.keys()
        features |= of_images
        before.append(extractor)
    check_score(
        scorers.scores[0], features, image_keys=frozenset(image_keys), value_range=value_range
    )


@torch.inference_mode()
def check_score(
    score: Score,
    features: Mapping[str, Tensor],
    *,
    image_keys: frozenset[str],
    value_range: tuple[float, float] | None = None,
) -> None:
    """Shape, finiteness, range, determinism, and independence of the batch.

    ``features`` holds at least ``score.needs``; ``image_keys`` are those with a row an image.
    """
    missing = score.needs - features.keys()
    _require(not missing, f"the features lack {sorted(missing)}, which {score.name!r} needs")
    used = {key: features[key] for key in score.needs}
    counts = {len(value) for key, value in used.items() if key in image_keys}
    _require(len(counts) == 1, f"image features of {score.name!r} have {sorted(counts)} rows")
    count = counts.pop()
    values = score(used)
    _require(
        values.shape == (count,),
        f"{score.name!r} gave the shape {tuple(values.shape)}, expected {(count,)}",
    )
    _require(bool(values.isfinite().all()), f"{score.name!r} gave values that are not finite")
    if value_range is not None:
        low, high = value_range
        _require(
            bool(((values >= low - TOLERANCE) & (values <= high + TOLERANCE)).all()),
            f"{score.name!r} gave values in [{float(values.min()):g}, {float(values.max()):g}], "
            f"expected [{low:g}, {high:g}]",
        )

    def of_rows(rows: list[int]) -> dict[str, Tensor]:
        part = {key: value[rows] if key in image_keys else value for key, value in used.items()}
        return {score.name: score(part)}

    _check_batches(score.name, of_rows, count)


def check_search(
    factory: Callable[..., Search], *, objectives: int = 2, floored: bool = False
) -> None:
    """Shape, determinism by the seed, the archive, failed images, and going on from a saved state.

    ``factory`` is called as for a run, with small numbers. A ``floored`` search may leave out of
    its archive what is, in some score, below all that it holds.
    """
    dimensions, population, offspring = 8, 12, 10
    config = RunConfig(caption="a test", seed=3, population=population, offspring=offspring)
    targets = np.eye(dimensions)[:objectives]

    def make() -> Search:
        return factory(
            sample=lambda count, rng: rng.standard_normal((count, dimensions), dtype=np.float32),
            dimensions=dimensions,
            objectives=objectives,
            config=config,
        )

    def advance(search: Search) -> tuple[np.ndarray, np.ndarray]:
        latents = search.ask()
        count = offspring if search.generation else population
        _require(
            latents.shape == (count, dimensions) and latents.dtype == np.float32,
            f"ask gave {latents.shape} {latents.dtype}, expected {(count, dimensions)} float32",
        )
        _require(np.array_equal(latents, search.ask()), "ask gave other latents before tell")
        scores = -((latents[:, None] - targets) ** 2).sum(axis=2)  # (n, m)
        scores[0] = np.nan
        before = search.generation
        if wants := getattr(search, "wants", None):
            described = {name: _pictured(name, latents) for name in wants}
            points = search.tell(latents, scores, described)  # type: ignore[call-arg]
        else:
            points = search.tell(latents, scores)
        _require(search.generation == before + 1, "tell did not count the generation")
        _check_points(points, before, scores)
        return latents, scores

    def _check_points(points: Points, generation: int, scores: np.ndarray) -> None:
        count, first_id = (
            len(scores),
            population + (generation - 1) * offspring if generation else 0,
        )
        _require(
            isinstance(points, Points)
            and np.array_equal(points.ids, np.arange(first_id, first_id + count))
            and np.array_equal(points.generations, np.full(count, generation))
            and np.array_equal(points.scores, scores, equal_nan=True),
            "tell did not give back the points that it was told, with ids in the order of "
            "evaluation",
        )
        _require(points.parents.shape == (count, 2), f"parents are not of the shape {(count, 2)}")

    first, second = make(), make()
    told = []
    for _ in range(3):
        state = {name: array.copy() for name, array in first.state().items()}
        told.append(advance(first))
        _require(
            np.array_equal(told[-1][0], advance(second)[0]),
            "ask gave other latents for the same seed and scores: draw from the seed alone",
        )
    continued = make()
    continued.restore(state)
    _require(
        np.array_equal(told[-1][0], advance(continued)[0]),
        "after restore, ask gave other latents than where state was taken",
    )
    scores = np.concatenate([scores for _, scores in told])
    finite = np.isfinite(scores).all(axis=1)
    no_worse = np.all(scores[None] >= scores[:, None], axis=-1)  # (n, n), the second than the first
    dominated = np.any(no_worse & ~no_worse.T, axis=1)
    expected = np.flatnonzero(finite & ~dominated)
    held = first.archive.ids
    if floored:
        below = (scores[expected] < scores[held].min(axis=0)).any(axis=1)
        expected = expected[~below]
    _require(
        bool(np.isin(expected, held).all() and finite[held].all() and (np.diff(held) > 0).all())
        and np.array_equal(first.archive.scores, scores[held]),
        f"the archive holds the ids {held.tolist()}, expected the finite non-dominated ones "
        f"{expected.tolist()}, and others only beside them, ascending and with their own scores",
    )


def _pictured(name: str, latents: np.ndarray) -> np.ndarray:
    """Descriptors (n, k) float32 of pictures that depend on the latents (n, d) alone."""
    numbers = NUMBERS if name == "look" else 16
    mixing = np.random.default_rng(numbers).standard_normal((latents.shape[1], numbers))
    described: np.ndarray = (np.tanh(latents @ mixing) / numbers**0.5).astype(np.float32)
    return described


def _random_images(count: int, size: tuple[int, int]) -> Tensor:
    """Images (n, 3, h, w) in [0, 1], the same each time."""
    return torch.from_numpy(np.random.default_rng(0).random((count, 3, *size), dtype=np.float32))


def _check_pixels(name: str, images: Tensor) -> None:
    _require(bool(images.isfinite().all()), f"{name} gave pixels that are not finite")
    _require(
        float(images.min()) >= 0.0 and float(images.max()) <= 1.0,
        f"{name} gave pixels in [{float(images.min()):g}, {float(images.max()):g}], "
        "expected [0, 1]",
    )


def _check_batches(
    name: str,
    compute: Callable[[list[int]], dict[str, Tensor]],
    count: int,
    precision: str = "fp32",
) -> None:
    tolerance = BF16_TOLERANCE if precision == "bf16" else TOLERANCE
    rows = list(range(count))
    whole = compute(rows)
    for key, value in compute(rows).items():
        _require(torch.equal(value, whole[key]), f"{name} gave another {key!r} for the same batch")
    backwards = compute(rows[::-1])
    singles = [compute([row]) for row in rows]
    for key, value in whole.items():
        _require(
            _close(backwards[key].flip(0), value, tolerance),
            f"{name} gave another {key!r} when the batch was reversed: "
            "rows must not depend on order",
        )
        _require(
            _close(torch.cat([single[key] for single in singles]), value, tolerance),
            f"{name} gave another {key!r} one image at a time: rows must not depend on the batch",
        )


def _close(a: Tensor, b: Tensor, tolerance: float) -> bool:
    if a.shape != b.shape or b.numel() == 0:
        return a.shape == b.shape
    scale = max(1.0, float(b.abs().max()))
    return float((a - b).abs().max()) <= tolerance * scale


def _require(condition: bool, sentence: str) -> None:
    if not condition:
        raise AssertionError(sentence)
