import threading

import numpy as np
import pytest
import torch

from evo_t2i import registry
from evo_t2i.config import DEFAULT_SCORES
from evo_t2i.errors import DeviceMemoryError, NonFiniteScoresError, UsageError
from evo_t2i.evaluate.evaluator import checked_scores, score_images
from evo_t2i.evaluate.microbatches import CPU_MICRO_BATCH, fitting_micro_batch
from evo_t2i.evaluate.models import Models, load_scorers
from evo_t2i.evaluate.refine import refined, turned
from evo_t2i.looks import thumbnails
from evo_t2i.testing import check_generator

CPU = torch.device("cpu")
CAPTION = "a cat is lay on the table."


class Painter:
    """A small deterministic generator: latents (n, 12) → smooth 64x64 pictures."""

    latent_shape = (3, 2, 2)
    image_size = (64, 64)
    digest = "painter"
    largest_batch: int | None = None
    message = "CUDA out of memory. Tried to allocate 2.00 GiB"
    calls = 0

    def condition(self, caption):
        return len(caption) / 1000

    def sample(self, count, rng):
        return rng.standard_normal((count, *self.latent_shape), dtype=np.float32)

    def generate(self, latents, condition):
        self.calls += 1
        if self.largest_batch is not None and len(latents) > self.largest_batch:
            raise RuntimeError(self.message)
        return torch.nn.functional.interpolate(latents + condition, (64, 64)).sigmoid()


def latents_of(count):
    return Painter().sample(count, np.random.default_rng(0)).reshape(count, -1)


def make(scores=DEFAULT_SCORES, micro_batch=4, generator=None):
    models = Models(generator or Painter(), load_scorers(scores, device=CPU), "fp32")
    return models.for_caption(CAPTION, micro_batch)


@pytest.fixture(scope="module")
def shared(random_weights, tmp_path_factory):
    from evo_t2i.checkpoints import builtin

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builtin, "weights_folder", lambda: random_weights)
        patch.setenv("EVO_T2I_CACHE", str(tmp_path_factory.mktemp("cache")))
        return make()


@pytest.fixture
def evaluator(shared):
    shared.batches.size = 4
    shared.generator = Painter()
    return shared


@pytest.fixture
def light(random_models):  # noqa: ARG001
    return make(("image_real",))


def test_the_painter_keeps_the_generators_contract():
    check_generator(Painter())


def test_four_scores_share_one_pass_of_each_network_per_micro_batch(evaluator):
    passes = {"clip": [], "vgg": []}
    hooks = [
        evaluator.scorer._extractors["clip"]._model.visual.register_forward_hook(
            lambda _module, inputs, _output: passes["clip"].append(len(inputs[0]))
        ),
        evaluator.scorer._extractors["vgg"]._model.register_forward_hook(
            lambda _module, inputs, _output: passes["vgg"].append(len(inputs[0]))
        ),
    ]
    done = []
    scores = evaluator.score_latents(latents_of(10), done.append)
    for hook in hooks:
        hook.remove()
    assert passes == {"clip": [4, 4, 2], "vgg": [4, 4, 2]}
    assert evaluator.generator.calls == 3
    assert done == [4, 8, 10]
    assert scores.shape == (10, 4)
    assert scores.dtype == np.float64
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("micro_batch", [1, 3, 10])
def test_scores_do_not_depend_on_batch_size_or_order(evaluator, micro_batch):
    expected = evaluator.score_latents(latents_of(10))
    evaluator.batches.size = micro_batch
    order = np.random.default_rng(1).permutation(10)
    found = evaluator.score_latents(latents_of(10)[order])
    np.testing.assert_allclose(found, expected[order], atol=1e-5)


def test_columns_follow_the_order_of_the_names(evaluator, random_models):  # noqa: ARG001
    backwards = make(DEFAULT_SCORES[::-1])
    np.testing.assert_allclose(
        backwards.score_latents(latents_of(3))[:, ::-1],
        evaluator.score_latents(latents_of(3)),
        atol=1e-6,
    )


def test_what_is_rendered_is_what_was_scored(evaluator):
    pixels = evaluator.render(latents_of(5))
    assert pixels.shape == (5, 64, 64, 3)
    assert pixels.dtype == np.uint8
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255
    np.testing.assert_allclose(
        score_images(evaluator.scorer, images, 4),
        evaluator.score_latents(latents_of(5)),
        atol=1e-6,
    )


def test_coverage_is_known_only_where_a_score_asks_for_words(evaluator, light):
    assert evaluator.scorer.coverage == pytest.approx(1.0, abs=1e-4)
    assert evaluator.scorer.label_matched is True
    skyline = load_scorers(DEFAULT_SCORES, device=CPU).for_caption("skyline at sunset.")
    assert skyline.coverage < 0.45
    assert skyline.label_matched is False
    assert light.scorer.coverage is None
    assert light.scorer.label_matched is None
    assert light.scorer._extractors.keys() == {"vgg"}


@pytest.mark.parametrize(
    "message",
    [
        "CUDA out of memory. Tried to allocate 2.00 GiB",
        "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory",
        "DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes.",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    ],
)
def test_out_of_memory_halves_the_micro_batch_and_goes_on(light, message):
    expected = light.score_latents(latents_of(10))
    light.generator.largest_batch = 3
    light.generator.message = message
    light.batches.size = 8
    done = []
    np.testing.assert_allclose(
        light.score_latents(latents_of(10), done.append), expected, atol=1e-5
    )
    assert light.batches.size == 2
    assert done == [2, 4, 6, 8, 10]


class TwoAtOnce(Painter):
    """Draws only while another thread does, each with one of torch's two threads."""

    reentrant = True

    def __init__(self):
        self.both = threading.Barrier(2, timeout=30)
        self.threads = set()

    def generate(self, latents, condition):
        self.threads.add(torch.get_num_threads())
        self.both.wait()
        return super().generate(latents, condition)


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("random_models", "two_threads")
def test_two_micro_batches_at_once_give_what_one_after_the_other_gives():
    generator = TwoAtOnce()
    both, alone = make(generator=generator), make()
    done, threads_elsewhere = [], []
    images, scores = both.render_and_score(latents_of(16), done.append)
    assert done == [4, 8, 12, 16]
    assert generator.threads == {1}
    assert torch.get_num_threads() == 2
    later = threading.Thread(target=lambda: threads_elsewhere.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert threads_elsewhere == [2]
    torch.set_num_threads(1)
    expected_images, expected = alone.render_and_score(latents_of(16))
    np.testing.assert_array_equal(images, expected_images)
    np.testing.assert_array_equal(scores, expected)


@pytest.mark.usefixtures("random_models", "two_threads")
def test_out_of_memory_ends_two_at_once():
    generator = TwoAtOnce()
    both = make(("image_real",), generator=generator)
    expected = both.score_latents(latents_of(16))
    generator.largest_batch = 3
    generator.generate = lambda *given: Painter.generate(generator, *given)
    done = []
    np.testing.assert_allclose(both.score_latents(latents_of(16), done.append), expected, atol=1e-5)
    assert both.batches.size == 2
    assert done == list(range(2, 17, 2))


@pytest.mark.usefixtures("random_models", "two_threads")
def test_a_fault_in_one_of_two_micro_batches_passes_through():
    generator = TwoAtOnce()
    generator.largest_batch, generator.message = 0, "mat1 and mat2 shapes cannot be multiplied"
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        make(("image_real",), generator=generator).score_latents(latents_of(8))
    assert torch.get_num_threads() == 2


def test_not_even_one_image_fits(light):
    light.generator.largest_batch = 0
    with pytest.raises(DeviceMemoryError, match=r"Not even one image fits the memory of cpu"):
        light.score_latents(latents_of(4))


def test_other_errors_pass_through(light):
    light.generator.largest_batch = 0
    light.generator.message = "mat1 and mat2 shapes cannot be multiplied"
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        light.score_latents(latents_of(4))
    assert light.batches.size == 4


def test_a_row_without_a_finite_score_is_nan_and_the_others_stand(evaluator):
    latents = latents_of(5)
    expected = evaluator.score_latents(latents)
    latents[2, 0] = np.nan
    found = evaluator.score_latents(latents)
    assert np.isnan(found[2]).all()
    np.testing.assert_allclose(found[[0, 1, 3, 4]], expected[[0, 1, 3, 4]], atol=1e-5)


def test_more_than_half_without_a_finite_score_is_an_error(light):
    latents = latents_of(4)
    latents[:2] = np.nan
    assert np.isnan(light.score_latents(latents)).any(axis=1).sum() == 2
    latents[2] = np.nan
    words = r"3 of 4 images have no finite score: the score 'image_real' of the package evo-t2i"
    with pytest.raises(NonFiniteScoresError, match=words):
        light.score_latents(latents)


def test_a_score_too_large_to_be_measured_is_none():
    scores = np.array([[1.0, 2.0], [1.7e308, 2.0], [3.0, -1e101], [4.0, 5.0]])
    checked = checked_scores(scores.copy(), ("text_image", "image_real"))
    assert np.isnan(checked[1:3]).all()
    np.testing.assert_array_equal(checked[[0, 3]], scores[[0, 3]])
    with pytest.raises(NonFiniteScoresError, match=r"2 of 3 .*gave nan, infinity or more than 1e"):
        checked_scores(scores[:3].copy(), ("text_image", "image_real"))


def test_an_automatic_micro_batch_on_the_cpu(random_models):  # noqa: ARG001
    assert make(("image_real",), micro_batch=0).batches.size == CPU_MICRO_BATCH


@pytest.mark.parametrize(
    ("gigabytes", "size", "images"),
    [(140, 64, 256), (12, 64, 64), (11.9, 64, 64), (12, 256, 4), (4, 1024, 1), (0.01, 64, 1)],
)
def test_an_automatic_micro_batch_is_a_power_of_two_that_fits(gigabytes, size, images):
    assert fitting_micro_batch(int(gigabytes * 1e9), (size, size)) == images


def test_a_feature_that_nothing_provides_is_named(random_models, monkeypatch):  # noqa: ARG001
    class Greedy:
        name = "greedy"
        needs = frozenset({"vgg.depth"})

        def __call__(self, features):
            return features["vgg.depth"]

    real = registry.load
    monkeypatch.setattr(
        registry, "load", lambda kind, name: Greedy if name == "greedy" else real(kind, name)
    )
    with pytest.raises(UsageError, match=r"'greedy' needs the feature 'vgg\.depth'"):
        make(("greedy",))


def test_an_unknown_score_is_refused_with_the_nearest_name():
    with pytest.raises(UsageError, match="did you mean 'image_real'"):
        make(("image_rea",))


def test_scores_have_gradients_that_point_uphill(evaluator):
    images = torch.from_numpy(evaluator.render(latents_of(3))).permute(0, 3, 1, 2) / 255.0
    images.requires_grad_()
    scores = evaluator.scorer(images)
    gradients = torch.autograd.grad(scores.sum(), images)[0]
    assert (gradients.flatten(1).norm(dim=1) > 0).all()
    uphill = images + 1e-2 * gradients / gradients.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    assert (evaluator.scorer(uphill).sum(dim=1) > scores.sum(dim=1)).all()


def test_one_set_of_models_serves_any_number_of_captions(evaluator, random_models):  # noqa: ARG001
    models = Models(Painter(), load_scorers(DEFAULT_SCORES, device=CPU), "fp32")
    latents = latents_of(3)
    alone = models.for_caption(CAPTION, 4).score_latents(latents)
    cat, bus = models.for_caption(CAPTION, 4), models.for_caption("a red bus", 4)
    other = bus.score_latents(latents)
    np.testing.assert_array_equal(cat.score_latents(latents), alone)
    assert (np.abs(other - alone).max(axis=0) > 1e-6)[[0, 2, 3]].all()
    np.testing.assert_array_equal(bus.score_latents(latents), other)


def test_the_end_of_a_caption_that_no_encoder_reads_is_named(random_models):  # noqa: ARG001
    scorers = load_scorers(("text_image", "word_label"), device=CPU)
    assert scorers.for_caption("a cat on a table").unread == {}
    long = f"{' '.join(['a cat'] * 60)} and a dog"
    assert scorers.for_caption(long).unread == {"clip": ends_of(scorers, long)}


def ends_of(scorers, caption):
    """What can be left out at the end of the caption without a change of its embedding."""
    clip = scorers.extractors["clip"]
    whole = clip.embed([caption])
    words = caption.split()
    kept = next(
        count
        for count in range(len(words) + 1)
        if torch.equal(clip.embed([" ".join(words[:count]) or " "]), whole)
    )
    return " ".join(words[kept:])


def test_what_a_search_wants_to_know_comes_with_the_scores(evaluator):
    latents = latents_of(10)
    scores, described = evaluator.score_and_describe(latents, ("clip.image", "look"))
    np.testing.assert_array_equal(scores, evaluator.score_latents(latents))
    assert described.keys() == {"clip.image", "look"}
    np.testing.assert_array_equal(described["look"], thumbnails(evaluator.render(latents)))
    assert described["clip.image"].shape == (10, 32)
    assert described["clip.image"].dtype == np.float32
    assert np.linalg.norm(described["clip.image"], axis=1) == pytest.approx(1, abs=1e-5)
    alone = evaluator.score_and_describe(latents[7:8], ("clip.image",))[1]["clip.image"]
    np.testing.assert_allclose(alone[0], described["clip.image"][7], atol=1e-5)


def test_descriptors_are_whole_where_memory_runs_out(light):
    expected = light.score_and_describe(latents_of(10), ("look",))[1]["look"]
    light.generator.largest_batch = 3
    scores, described = light.score_and_describe(latents_of(10), ("look",))
    assert len(scores) == 10
    np.testing.assert_array_equal(described["look"], expected)


def test_a_feature_that_nobody_computes_is_refused(evaluator, light):
    evaluator.scorer.require_features({"clip.image"})
    with pytest.raises(UsageError, match=r"wants the feature 'clip\.image', which none of the"):
        light.scorer.require_features({"clip.image"})


def test_turning_keeps_norms_and_goes_uphill():
    rng = torch.Generator().manual_seed(0)
    latents, directions = (torch.randn(6, 50, generator=rng) for _ in range(2))
    directions[5] = 2 * latents[5]  # no part at right angles
    moved = turned(latents, directions, 0.1)
    assert torch.allclose(moved.norm(dim=1), latents.norm(dim=1), rtol=1e-5)
    cosine = torch.nn.functional.cosine_similarity(moved[:5], latents[:5])
    assert torch.allclose(cosine, torch.full((5,), np.cos(0.1)), atol=1e-5)
    assert ((moved - latents)[:5] * directions[:5]).sum(1).min() > 0
    assert torch.equal(moved[5], latents[5])


def test_refined_latents_score_higher_and_the_others_stay(evaluator):
    latents = latents_of(12)
    before = evaluator.score_latents(latents)
    scale = before.std(axis=0)
    moved = refined(latents, 8, evaluator, scale, np.random.default_rng(3))
    changed = (moved != latents).any(axis=1)
    assert changed.sum() == 8
    assert np.linalg.norm(moved, axis=1) == pytest.approx(np.linalg.norm(latents, axis=1), rel=1e-5)
    gain = ((evaluator.score_latents(moved) - before) / scale).mean(axis=1)[changed]
    assert gain.mean() > 0.1
    again = refined(latents, 8, evaluator, scale, np.random.default_rng(3))
    np.testing.assert_array_equal(again, moved)


def test_refining_without_gradients_is_refused(evaluator):
    class Stopped(Painter):
        def generate(self, latents, condition):
            return super().generate(latents, condition).detach()

    evaluator.generator = Stopped()
    with pytest.raises(UsageError, match="`refine` needs a generator and scores that give grad"):
        refined(latents_of(4), 2, evaluator, np.ones(4), np.random.default_rng(0))
