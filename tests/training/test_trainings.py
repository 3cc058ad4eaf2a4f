"""The trainings for real, on a few renders: they learn, they resume, they keep what fits."""

import numpy as np
import pytest
import torch

from evo_t2i.checkpoints.builtin import weights_folder
from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.errors import EvoError, RunDataError
from evo_t2i.models import clip
from evo_t2i.models.text_stylegan import TextStyleGan, TextStyleGanConfig
from evo_t2i.training import checkpoint
from evo_t2i.training.classifier import MAIN_SHARE, label_distribution, spoil, train_classifier
from evo_t2i.training.clip import CLIP_CONFIG, train_clip
from evo_t2i.training.export import load_teachers
from evo_t2i.training.generator import GeneratorSettings, train_generator
from evo_t2i.training.judge import agreement, build_judge, read, train_judge
from evo_t2i.training.pool import holds, load_pool, truth_of
from evo_t2i.training.supervised import FitSettings, degrade, to_batch
from evo_t2i.world import KINDS, NOTES_CAPTIONS, POSES, render, sample_scene, scene_for

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    return load_pool(tmp_path_factory.mktemp("pool"), 64, 11)


def test_a_pool_is_the_same_when_read_again(pool):
    again = load_pool(pool.folder.parent, 64, 11)
    assert np.array_equal(pool.images, again.images)
    assert pool.texts == again.texts


def test_every_image_shows_what_its_captions_name(pool):
    for column in range(pool.caption_rows.shape[1]):
        assert agreement(pool.shown, pool.named[pool.caption_rows[:, column]]).all()


def test_holds_refuses_another_scene_time_kind_and_colour():
    captions = list(NOTES_CAPTIONS)
    named = truth_of(captions)
    matrix = holds(named, named)
    assert matrix.diagonal().all()
    assert not matrix[~np.eye(len(captions), dtype=bool)].any()


def test_a_pool_tells_the_view_pose_and_side_of_each_scene(pool):
    for index in range(len(pool)):
        scene = sample_scene(np.random.default_rng([11, index]))
        assert pool.view[index] == scene.view
        assert pool.mirrored[index] == scene.mirrored
        assert POSES[pool.pose[index]] == (scene.things[0].pose if scene.things else "")


def test_label_targets_are_distributions_led_by_the_main_thing(pool):
    targets = label_distribution(pool)
    assert np.allclose(targets.sum(1), 1)
    things = pool.main_kind >= 0
    assert (targets[things].argmax(1) == pool.main_kind[things]).all()
    assert np.allclose(targets[things].max(1), MAIN_SHARE)  # alone or beside another thing
    assert np.allclose(targets[~things], 1 / len(KINDS))


def test_spoiled_pictures_differ_by_as_much_as_is_said(pool):
    batch = to_batch(pool.images[:32], CPU)
    spoiled, amount = spoil(batch, torch.Generator().manual_seed(3))
    again, _ = spoil(batch, torch.Generator().manual_seed(3))
    assert torch.equal(spoiled, again)
    assert spoiled.min() >= 0
    assert spoiled.max() <= 1
    distance = (spoiled - batch).abs().mean(dim=(1, 2, 3))
    assert (distance[amount == 0] == 0).all()
    assert (distance[amount > 0] > 0).all()
    assert 4 < (amount > 0).sum() < 28


def test_degrade_keeps_range_and_is_a_function_of_its_generator(pool):
    batch = to_batch(pool.images[:8], CPU)
    first = degrade(batch, torch.Generator().manual_seed(3))
    second = degrade(batch, torch.Generator().manual_seed(3))
    assert torch.equal(first, second)
    assert first.min() >= 0
    assert first.max() <= 1
    assert 0 < (first - batch).abs().mean() < 0.15


def test_the_classifier_learns_and_resumes_to_the_same_weights(pool, tmp_path):
    settings = FitSettings(images=32 * 30, batch=32, seed=1, report_every=3)
    losses = []
    whole = train_classifier(
        pool,
        settings,
        tmp_path / "whole",
        CPU,
        width=8,
        progress=lambda *a: losses.append(a[2]["loss"]),
    )
    assert np.mean(losses[-4:]) < np.mean(losses[:4])

    class Interrupted(Exception):
        pass

    def interrupt(*_):
        raise Interrupted

    with pytest.raises(Interrupted):
        train_classifier(pool, settings, tmp_path / "cut", CPU, width=8, progress=interrupt)
    resumed = train_classifier(pool, settings, tmp_path / "cut", CPU, width=8)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_the_generator_resumes_to_the_same_weights_across_both_phases(pool, tmp_path):
    teachers = load_teachers(weights_folder(), CPU)
    settings = GeneratorSettings(
        images=24, batch=4, alone=12, relaxed_after=8, penalty_every=2, report_every=8
    )
    reports = []

    def train(folder, progress=None):
        return train_generator(pool, pool, teachers, settings, folder, CPU, progress)

    whole, rates = train(tmp_path / "whole", lambda *a: reports.append(a[2]))
    assert "d" not in reports[0]
    assert "misread" not in reports[0]
    assert reports[-1]["misread"] > 0
    assert reports[-1]["penalty"] > 0
    assert 0 <= rates["plain_sample_shows_caption"] <= 1
    for cut in (8, 16):

        def interrupt(done, *_, cut=cut):
            if done == cut:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            train(tmp_path / "cut", interrupt)
    resumed, again = train(tmp_path / "cut")
    assert again == rates
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    assert (tmp_path / "cut" / "grid-00000024.png").exists()


def test_fine_tuning_starts_from_the_given_generator(pool, tmp_path):
    teachers = load_teachers(weights_folder(), CPU)
    torch.manual_seed(11)
    start = TextStyleGan(TextStyleGanConfig(latent_size=8))
    settings = GeneratorSettings(images=4, batch=4, generator_rate=1e-9)
    tuned, _ = train_generator(pool, pool, teachers, settings, tmp_path, CPU, start=start)
    for name, value in start.state_dict().items():
        torch.testing.assert_close(tuned.state_dict()[name], value, msg=name)


def test_a_training_of_clip_lowers_its_loss_and_keeps_the_sentence_encoder(pool, tmp_path):
    losses = []
    model = train_clip(
        pool,
        FitSettings(images=32 * 8, batch=32, seed=1, report_every=4),
        tmp_path,
        CPU,
        lambda *a: losses.append(a[2]["loss"]),
    )
    assert losses[-1] < losses[0]
    fresh = clip.build(CLIP_CONFIG, minilm_folder())
    for name, value in fresh.text.transformer.state_dict().items():
        assert torch.equal(value, model.text.transformer.state_dict()[name]), name


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    layer = torch.nn.Linear(2, 3)
    path = tmp_path / "checkpoint.safetensors"
    checkpoint.save(path, 7, "settings", {"model": layer}, {})
    assert checkpoint.restore(path, "settings", {"model": torch.nn.Linear(2, 3)}, {}) == 7
    with pytest.raises(RunDataError, match="does not fit"):
        checkpoint.restore(path, "settings", {"model": torch.nn.Linear(4, 3)}, {})
    with pytest.raises(RunDataError, match="same options"):
        checkpoint.restore(path, "others", {"model": torch.nn.Linear(2, 3)}, {})


def test_a_checkpoint_that_cannot_be_written_is_told_in_one_sentence(tmp_path):
    layer = torch.nn.Linear(2, 3)
    with pytest.raises(
        EvoError, match=r"gone.checkpoint\.safetensors cannot be written \(.*make room"
    ):
        checkpoint.save(tmp_path / "gone" / "checkpoint.safetensors", 1, "", {"model": layer}, {})


def test_the_judge_reads_truth_in_the_worlds_order(pool, tmp_path):
    settings = FitSettings(images=64, batch=32, seed=1)
    model = train_judge(pool, settings, tmp_path, CPU)
    seen = read(model, np.asarray(pool.images[:5]))
    assert seen.scene.shape == (5,)
    assert seen.colours.shape == (5, len(KINDS))
    fresh = build_judge()
    assert sum(p.numel() for p in fresh.parameters()) < 2_000_000


def test_scenes_for_the_notes_captions_hold_what_is_named():
    rng = np.random.default_rng(0)
    for caption in NOTES_CAPTIONS:
        assert render(scene_for(caption, rng), 64).image.shape == (64, 64, 3)
