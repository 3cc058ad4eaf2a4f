"""One description of the world's distribution, decided by chance, by a latent and by choices."""

import numpy as np
import pytest

from evo_t2i.errors import UsageError
from evo_t2i.world import (
    AMOUNTS,
    CHOICES,
    LATENT_LAYOUT,
    LATENT_SIZE,
    NOTES_CAPTIONS,
    Caption,
    captions,
    choices_of,
    describes,
    sample_scene,
    scene_from_choices,
    scene_of,
)

COUNT = 4000


@pytest.fixture(scope="module")
def sampled():
    rng = np.random.default_rng(1)
    return np.array([choices_of(sample_scene(rng)) for _ in range(COUNT)])


@pytest.fixture(scope="module")
def latents():
    return np.random.default_rng(2).standard_normal((COUNT, LATENT_SIZE))


@pytest.fixture(scope="module")
def decided(latents):
    return np.array([choices_of(scene_of(None, latent)) for latent in latents])


def chi_square(first: np.ndarray, second: np.ndarray, options: int) -> tuple[float, int]:
    """The statistic for two samples of option indices from -1, and its degrees of freedom."""
    counts = np.array([np.bincount(x + 1, minlength=options + 1) for x in (first, second)], float)
    counts = counts[:, counts.sum(0) > 0]
    expected = counts.mean(0)
    return float((((counts - expected) ** 2) / expected).sum()), counts.shape[1] - 1


@pytest.mark.parametrize("number", range(len(CHOICES)), ids=[c.name for c in CHOICES])
def test_latents_choose_as_often_as_chance_does(sampled, decided, number):
    value, freedom = chi_square(
        sampled[:, number], decided[:, number], len(CHOICES[number].options)
    )
    assert value < freedom + 5 * np.sqrt(2 * freedom)


def test_the_same_holds_for_what_a_caption_leaves_open(latents):
    caption = Caption("a cat", things=(("cat", None, 1),))
    rng = np.random.default_rng(3)
    first = np.array([choices_of(sample_scene(rng, caption)) for _ in range(1500)])
    second = np.array([choices_of(scene_of(caption, latent)) for latent in latents[:1500]])
    for number, choice in enumerate(CHOICES):
        value, freedom = chi_square(first[:, number], second[:, number], len(choice.options))
        assert value < freedom + 5 * np.sqrt(2 * freedom) + 1, choice.name


def test_latent_layout_covers_the_latent_once():
    covered = np.concatenate([np.arange(LATENT_SIZE)[where] for where in LATENT_LAYOUT.values()])
    assert covered.tolist() == list(range(LATENT_SIZE))
    assert list(LATENT_LAYOUT) == [*(choice.name for choice in CHOICES), *AMOUNTS]


def test_a_latent_decides_once_and_for_all(latents):
    for latent in latents[:20]:
        assert scene_of(None, latent) == scene_of(None, latent.copy())
        assert scene_of(None, latent) == scene_of(None, latent.tolist())


def test_extreme_latents_still_make_scenes():
    for value in (-60.0, -8.0, 8.0, 60.0):
        scene_of(None, np.full(LATENT_SIZE, value))


def test_every_caption_holds_of_the_scene_made_of_it():
    rng = np.random.default_rng(4)
    for _ in range(400):
        for caption in captions(sample_scene(rng), rng, 2):
            made = scene_of(caption, rng.standard_normal(LATENT_SIZE))
            assert describes(caption, made), caption


def test_choices_round_trip(latents):
    for latent in latents[:400]:
        scene = scene_of(None, latent)
        again = scene_from_choices(choices_of(scene))
        assert again.choices == scene.choices
        assert [(t.kind, t.colour, t.pose, t.slot, t.mirrored) for t in again.things] == [
            (t.kind, t.colour, t.pose, t.slot, t.mirrored) for t in scene.things
        ]


def test_choices_and_amounts_give_the_scene_back():
    rng = np.random.default_rng(5)
    for _ in range(50):
        amounts = rng.random(3)
        latent = rng.standard_normal(LATENT_SIZE)
        for name, amount in zip(AMOUNTS, amounts, strict=True):
            latent[LATENT_LAYOUT[name]] = _quantile(amount)
        scene = scene_of(None, latent)
        again = scene_from_choices(choices_of(scene), amounts)
        assert abs(again.drift - scene.drift) < 1e-6
        for one, other in zip(again.things, scene.things, strict=True):
            assert np.allclose(one.box, other.box, atol=1e-6)


def _quantile(share: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(share)


def test_a_choice_that_does_not_arise_says_so():
    rng = np.random.default_rng(6)
    names = [choice.name for choice in CHOICES]
    empty = next(s for s in iter(lambda: sample_scene(rng), None) if s.arrangement == "empty")
    made = dict(zip(names, choices_of(empty).tolist(), strict=True))
    assert all(
        made[f"{what} {slot}"] == -1 for what in ("kind", "colour", "pose") for slot in (0, 1, 2)
    )
    assert made["placement"] == -1
    assert made["scene"] >= 0


@pytest.mark.parametrize("wanted", NOTES_CAPTIONS, ids=lambda caption: caption.text)
def test_notes_captions_are_drawn(wanted):
    rng = np.random.default_rng(7)
    for _ in range(20):
        assert describes(wanted, scene_of(wanted, rng.standard_normal(LATENT_SIZE)))


def test_unnamed_things_are_rare():
    rng = np.random.default_rng(8)
    caption = Caption("skyline at sunset", "skyline", "sunset")
    bare = [not sample_scene(rng, caption).things for _ in range(300)]
    assert 0.7 < np.mean(bare) < 0.95


@pytest.mark.parametrize(
    ("caption", "said"),
    [
        (Caption("a blue cat", things=(("cat", "blue", 1),)), "no blue cat"),
        (Caption("a bus at sea", "sea", things=(("bus", None, 1),)), "a bus at sea"),
        (Caption("a zebra", things=(("zebra", None, 1),)), "no 'zebra'"),
        (Caption("a jungle", "jungle"), "no 'jungle'"),
        (Caption("a pink cup", things=(("cup", "pink", 1),)), "no 'pink'"),
        (Caption("four cats", things=(("cat", None, 4),)), "four cats"),
        (
            Caption(
                "a house on a cup",
                things=(("house", None, 1), ("cup", None, 1)),
                relations=((0, "on", 1),),
            ),
            "a house on a cup",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_world_cannot_draw_is_refused(caption, said):
    with pytest.raises(UsageError, match=said):
        scene_of(caption, np.zeros(LATENT_SIZE))


def test_a_latent_of_another_length_is_refused():
    with pytest.raises(UsageError, match="`latent` has 32 numbers; give"):
        scene_of(None, np.zeros(32))


def test_choices_that_cannot_follow_one_another_are_refused():
    rng = np.random.default_rng(9)
    scene = next(s for s in iter(lambda: sample_scene(rng), None) if s.arrangement == "empty")
    choices = choices_of(scene)
    names = [choice.name for choice in CHOICES]
    choices[names.index("scene")] = CHOICES[names.index("scene")].options.index("portrait")
    with pytest.raises(UsageError, match="'portrait' for 'scene'"):
        scene_from_choices(choices)
