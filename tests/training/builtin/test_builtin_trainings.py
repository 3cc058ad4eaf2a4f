"""The trainings for real, on a few renders: they learn, they resume, they keep what fits."""

import dataclasses

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.errors import EvoError, RunDataError
from evo_t2i.models import text_side, vgg
from evo_t2i.models.clip import Things
from evo_t2i.models.judge import CELLS
from evo_t2i.models.layout_generator import Decider
from evo_t2i.models.word_reader import WordReader
from evo_t2i.training import checkpoint
from evo_t2i.training.builtin import claims, clip, decider, painter, placer, text
from evo_t2i.training.builtin.classifier import (
    MAIN_SHARE,
    SIZE,
    label_distribution,
    spoil,
    train_classifier,
)
from evo_t2i.training.builtin.judge import believed, build_judge, read, train_judge, unfound
from evo_t2i.training.builtin.pool import amounts_of, layout_of, load_pool
from evo_t2i.training.supervised import FitSettings, degrade, to_batch
from evo_t2i.world import (
    COLOURS,
    KINDS,
    LATENT_SIZE,
    NAMES,
    POSES,
    SCENES,
    TIMES,
    Caption,
    choices_of,
    holds,
    scene_from_choices,
    scene_of,
    shows_own,
    truth_of,
)

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    return load_pool(tmp_path_factory.mktemp("pool"), 64, 11)


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    return load_pool(tmp_path_factory.mktemp("twins"), 64, 12, kind="twins")


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    return text.load_texts(tmp_path_factory.mktemp("texts"), 120, 13)


def test_a_pool_is_the_same_when_read_again(pool):
    again = load_pool(pool.folder.parent, 64, 11)
    assert np.array_equal(pool.images, again.images)
    assert np.array_equal(pool.layout.boxes, again.layout.boxes)
    assert pool.texts == again.texts


def test_every_picture_shows_what_its_captions_name(pool):
    for column in range(pool.caption_rows.shape[1]):
        assert shows_own(pool.shown, pool.named[pool.caption_rows[:, column]]).all()


def test_choices_and_amounts_make_the_picture_again(pool):
    for row in range(8):
        scene = scene_from_choices(pool.choices[row], pool.amounts[row].astype(float).tolist())
        assert np.array_equal(choices_of(scene), pool.choices[row])
        boxes = layout_of([scene]).boxes[0]
        np.testing.assert_allclose(boxes, pool.layout.boxes[row], atol=1e-5)


def test_twins_differ_in_few_choices_or_have_lost_all_things_but_one(twins):
    differing = (twins.choices[::2] != twins.choices[1::2]).sum(1)
    assert differing.min() >= 1
    assert np.median(differing) <= 3
    things = (twins.layout.kinds >= 0).sum(1)
    lost = (things[::2] > 1) & (things[1::2] == 1)
    assert lost.any()
    assert holds(twins.shown[::2][lost], twins.named[twins.caption_rows[1::2, 0]][lost]).any()


def test_things_that_nobody_asked_for_fit_less():
    latent = np.zeros(LATENT_SIZE, np.float32)
    cat, dog = (("cat", "black", 1),), (("dog", "brown", 1),)
    asked = [Caption("", things=cat), Caption("", things=cat + dog)]
    shown = truth_of([scene_of(caption, latent) for caption in asked])
    found = clip.fits(shown, truth_of([*asked, Caption("", things=dog)]))
    np.testing.assert_allclose(found, [[1, 0, 0], [0.04, 1, 0.04]])


def test_label_targets_are_distributions_led_by_the_main_thing(pool):
    targets = label_distribution(pool)
    assert np.allclose(targets.sum(1), 1)
    main = pool.layout.kinds[:, 0]
    things = main >= 0
    assert (targets[things].argmax(1) == main[things]).all()
    assert np.allclose(targets[things].max(1), MAIN_SHARE)
    assert np.allclose(targets[~things], 1 / len(KINDS))


def test_spoiled_pictures_differ_by_as_much_as_is_said(pool):
    batch = to_batch(pool.images[:32], CPU, SIZE)
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
    batch = to_batch(pool.images[:8], CPU, SIZE)
    first = degrade(batch, torch.Generator().manual_seed(3))
    second = degrade(batch, torch.Generator().manual_seed(3))
    assert torch.equal(first, second)
    assert first.min() >= 0
    assert first.max() <= 1
    assert 0 < (first - batch).abs().mean() < 0.15


def interrupted(*_):
    raise InterruptedError


def test_the_classifier_learns_and_resumes_to_the_same_weights(pool, tmp_path):
    settings = FitSettings(images=32 * 24, batch=32, seed=1, report_every=3)
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
    with pytest.raises(InterruptedError):
        train_classifier(pool, settings, tmp_path / "cut", CPU, width=8, progress=interrupted)
    resumed = train_classifier(pool, settings, tmp_path / "cut", CPU, width=8)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_the_painter_learns_and_resumes_to_the_same_weights(pool, tmp_path):
    network = vgg.build(4, len(KINDS)).requires_grad_(False)
    settings = painter.PainterSettings(images=4 * 8, batch=4, report_every=8)
    small = dataclasses.replace(
        painter.generator_config(),
        style_size=32,
        backdrop_channels=(8, 8, 8, 8, 8),
        thing_channels=(8, 8, 8, 8),
        canvas_channels=8,
        fine_channels=4,
    )
    reports = []

    def train(folder, progress=None):
        return painter.train_painter(pool, network, settings, folder, CPU, progress, small)

    whole = train(tmp_path / "whole", lambda *a: reports.append(a[2]))
    assert reports[-1]["pixels"] < reports[0]["pixels"]
    with pytest.raises(InterruptedError):
        train(tmp_path / "cut", interrupted)
    resumed = train(tmp_path / "cut")
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name
    assert (tmp_path / "cut" / "sheet.png").exists()


def test_the_placer_comes_nearer_to_where_things_are(pool, tmp_path):
    short = FitSettings(images=64, batch=64, learning_rate=2e-3)
    long = FitSettings(images=64 * 150, batch=64, learning_rate=3e-3)
    before = placer.evaluate(placer.train_placer(pool, short, tmp_path / "short", CPU), pool)
    after = placer.evaluate(placer.train_placer(pool, long, tmp_path / "long", CPU), pool)
    assert after["box_error"] < 0.5 * before["box_error"]
    assert after["presence"] > 0.7


def test_the_text_training_lowers_both_losses_and_resumes(texts, tmp_path):
    settings = text.TextSettings(texts=16 * 12, batch=16, report_every=2)
    reports = []
    whole = text.train_text(
        texts, settings, tmp_path / "whole", CPU, lambda *a: reports.append(a[2])
    )
    assert reports[-1]["named"] < reports[0]["named"]
    assert reports[-1]["decided"] < reports[0]["decided"]
    with pytest.raises(InterruptedError):
        text.train_text(texts, settings, tmp_path / "cut", CPU, interrupted)
    resumed = text.train_text(texts, settings, tmp_path / "cut")
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_a_decider_goes_on_with_what_a_reader_says_and_leaves_it_as_it_is(texts, tmp_path):
    torch.manual_seed(0)
    reader = WordReader(**text.READER)
    before = {name: value.clone() for name, value in reader.state_dict().items()}
    short = FitSettings(images=32 * 2, batch=32, seed=1, report_every=2)
    long = FitSettings(images=32 * 30, batch=32, seed=1, report_every=2)
    losses = {}
    for name, settings in (("short", short), ("long", long)):
        torch.manual_seed(0)
        kept = losses.setdefault(name, [])
        made = decider.train_decider(
            Decider(painter.generator_config()), reader, texts, settings, tmp_path / name, CPU,
            lambda *a, kept=kept: kept.append(a[2]["loss"]),
        )  # fmt: skip
    assert losses["long"][-1] < 0.8 * losses["short"][-1]
    assert any(layer.weight.abs().max() > 0 for layer in made.compare)
    for name, value in before.items():
        assert torch.equal(value, reader.state_dict()[name]), name


def test_texts_know_what_their_latents_make(texts):
    assert len(texts.ends) == len(texts.choices) == len(texts.named) == 120
    assert texts.ends[-1] == len(texts.words)
    latents = texts.latents[texts.drawn[0]]
    assert latents.shape == (text.LATENTS, 210)
    amounts = amounts_of(latents).clip(0, 0.999).tolist()
    made = [scene_from_choices(c, a) for c, a in zip(texts.choices[0], amounts, strict=True)]
    assert shows_own(truth_of(made), texts.named[np.zeros(text.LATENTS, int)]).all()
    states, mask = text.pad(torch.from_numpy(texts.words), texts.ends, np.array([0, 5]))
    assert mask.sum() == texts.ends[0] + texts.ends[5] - texts.ends[4]
    assert (states[mask == 0] == 0).all()


def test_a_training_of_clip_lowers_its_loss_and_leaves_the_text_side(twins, tmp_path):
    torch.manual_seed(0)
    side = text_side.build({"width": 32, "layers": 1, "outputs": 48}, minilm_folder())
    side.reader = claims.claim_reader(side.reader)
    before = {name: value.clone() for name, value in side.state_dict().items()}
    losses = []
    model = clip.train_clip(
        twins,
        side,
        FitSettings(images=32 * 8, batch=32, seed=1, report_every=4),
        tmp_path,
        CPU,
        lambda *a: losses.append(a[2]["loss"]),
    )
    assert losses[-1] < losses[0]
    for name, value in before.items():
        assert torch.equal(value, model.text.side.state_dict()[name]), name


def test_a_thing_is_read_where_its_middle_is_and_begins_with_the_directions_of_its_claims(pool):
    rows = np.flatnonzero((pool.layout.kinds >= 0).sum(1) == 1)[:12]
    layout, shown = pool.layout[rows], pool.shown[rows]
    here = torch.full((12, 64, len(KINDS)), -30.0)
    like = torch.full((12, 64, 2, sum(n * o for n, o, _ in clip.TRAITS)), -30.0)
    for row, ((x, y), kind) in enumerate(
        zip(layout.middles(8)[:, 0].astype(int).clip(0, 7), layout.kinds[:, 0], strict=True)
    ):
        patch, worn = y * 8 + x, int(KINDS[kind] in clip.WORN)
        here[row, patch, kind] = 30
        pose = shown.poses[row, kind]
        like[row, patch, worn, layout.colours[row, 0]] = 30
        like[row, patch, worn, len(COLOURS) + (pose if pose >= 0 else len(POSES))] = 30
    assert float(clip.misread_things(here, like, layout, shown)) < 1e-3
    wrong = layout.kinds[:, 0].copy()
    wrong[0] = (wrong[0] + 1) % len(KINDS)
    moved = dataclasses.replace(layout, kinds=np.stack([wrong, *layout.kinds.T[1:]], axis=1))
    assert float(clip.misread_things(here, like, moved, shown)) > 1

    made = claims.claims_of(shown)
    directions = torch.eye(made.shape[1])
    things = Things(8, **clip.CLIP_CONFIG["things"])
    things.read = lambda _patches: (here, like)
    told = things(torch.zeros(12, 64, 8)) @ clip.directions_of_things(directions).T
    start = len(SCENES) + 1 + len(TIMES) + 1
    assert (told[:, start:].round() == made[:, start:]).all()


def test_swapped_twins_show_the_same_things_otherwise(tmp_path):
    pool = load_pool(tmp_path, 250, 3, kind="swaps")
    kinds, colours = pool.layout.kinds, pool.layout.colours
    slots = pool.layout.slots.max(1) + 1
    assert (slots[::2] > 1).mean() > 0.5

    def pairs(row):
        return sorted(zip(kinds[row].tolist(), colours[row].tolist(), strict=True))

    exchanged = [
        row
        for row in range(0, 250, 2)
        if slots[row] > 1
        and sorted(kinds[row]) == sorted(kinds[row + 1])
        and sorted(colours[row]) == sorted(colours[row + 1])
        and (pairs(row) != pairs(row + 1) or list(kinds[row]) != list(kinds[row + 1]))
    ]
    assert len(exchanged) >= 25


def test_a_reader_alone_learns_and_leaves_the_decider(texts, tmp_path):
    settings = text.TextSettings(texts=16 * 40, batch=16, latents=0, report_every=20)
    lines = []
    students = text.train_text(
        texts, settings, tmp_path / "reader", CPU, lambda *a: lines.append(a[2])
    )
    torch.manual_seed(settings.seed)
    untaught = text.TextStudents()
    assert lines[-1]["named"] < lines[0]["named"]
    assert "decided" not in lines[-1]
    for name, value in untaught.decider.state_dict().items():
        assert torch.equal(value, students.decider.state_dict()[name]), name
    assert not torch.equal(untaught.reader.queries, students.reader.queries)


def test_claims_are_what_captions_name_in_the_order_of_the_heads(texts):
    made = text.by_name(claims.claims_of(texts.named))
    for name, values in made.items():
        truth = getattr(texts.named, name)
        if name in ("subjects", "objects"):
            assert np.array_equal(values.numpy() > 0, truth), name
            continue
        none = 0 if name == "counts" else values.shape[-1] - 1
        assert (values[..., none] == 0).all(), name
        read = np.where(values.sum(-1) > 0, values.argmax(-1), -1)
        assert np.array_equal(read.reshape(truth.shape), truth), name


def test_a_reader_of_claims_begins_with_a_reader_and_learns(texts, tmp_path):
    reader = text.TextStudents().eval().reader
    settings = FitSettings(images=16 * 60, batch=16, report_every=20)
    lines = []
    model = claims.train_claims(
        texts, reader, settings, tmp_path, CPU, lambda *a: lines.append(a[2]["claims"])
    )
    assert lines[-1] < lines[0]
    assert model.claims == claims.claims_of(texts.named).shape[1]
    begun = claims.claim_reader(reader)
    for name, value in reader.state_dict().items():
        assert torch.equal(value, begun.state_dict()[name]), name


def test_words_are_shown_where_truth_says_so(pool):
    shown = clip.shown_words(pool.shown)
    assert shown.shape == (64, len(clip.WORDS))
    column = clip.WORDS.index("sunset")
    assert np.array_equal(shown[:, column], pool.shown.time == 1)


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    layer = torch.nn.Linear(2, 3)
    path = tmp_path / "checkpoint.safetensors"
    checkpoint.save(path, 7, "settings", {"model": layer}, {})
    assert checkpoint.restore(path, "settings", {"model": torch.nn.Linear(2, 3)}, {}) == 7
    with pytest.raises(RunDataError, match="does not fit") as refused:
        checkpoint.restore(path, "settings", {"model": torch.nn.Linear(4, 3)}, {})
    assert len(str(refused.value).splitlines()) == 1
    with pytest.raises(RunDataError, match="same options"):
        checkpoint.restore(path, "others", {"model": torch.nn.Linear(2, 3)}, {})


@pytest.mark.parametrize(
    ("key", "value"),
    [("0/step", None), ("7/step", torch.ones(())), ("x/step", torch.ones(())),
     ("0", torch.ones(())), ("0/exp_avg", torch.ones(5))],
)  # fmt: skip
def test_an_optimisers_state_that_fits_no_parameter_is_refused(key, value, tmp_path):
    layer = torch.nn.Linear(2, 3)
    adam = torch.optim.Adam(layer.parameters())
    layer(torch.ones(1, 2)).sum().backward()
    adam.step()
    path = tmp_path / "checkpoint.safetensors"
    checkpoint.save(path, 7, "settings", {"model": layer}, {"adam": adam})
    tensors = load_file(path) | {f"optimizer/adam/{key}": value}
    kept = {name: tensor for name, tensor in tensors.items() if tensor is not None}
    save_file(kept, path, metadata={"step": "7", "identity": repr("settings")})
    with pytest.raises(RunDataError, match="no state of the optimiser as a training writes it"):
        checkpoint.restore(path, "settings", {"model": layer}, {"adam": adam})


def test_a_checkpoint_that_cannot_be_written_is_told_in_one_sentence(tmp_path):
    layer = torch.nn.Linear(2, 3)
    with pytest.raises(
        EvoError, match=r"gone.checkpoint\.safetensors cannot be written \(.*make room"
    ):
        checkpoint.save(tmp_path / "gone" / "checkpoint.safetensors", 1, "", {"model": layer}, {})


def test_the_judge_reads_pictures_as_a_truth(pool, tmp_path):
    model = train_judge(pool, FitSettings(images=64, batch=32, seed=1), tmp_path, CPU)
    seen = read(model, np.asarray(pool.images[:5]))
    assert seen.counts.shape == pool.shown.counts[:5].shape
    assert (seen.colours[seen.counts == 0] == -1).all()
    assert sum(p.numel() for p in build_judge().parameters()) < 6_000_000


def test_a_found_centre_costs_nothing_and_a_missed_or_invented_one_does(pool):
    layout = pool.layout[np.flatnonzero(pool.layout.kinds[:, 0] >= 0)[:8]]
    middles = (layout.boxes[..., :2] + layout.boxes[..., 2:]) / 2 * CELLS
    logits = torch.full((8, len(KINDS), CELLS, CELLS), -30.0)
    missed = unfound(logits, layout, middles)
    for row, column in zip(*np.nonzero(layout.kinds >= 0), strict=True):
        x, y = middles[row, column].astype(int).clip(0, CELLS - 1)
        logits[row, layout.kinds[row, column], y, x] = 30
    assert float(unfound(logits, layout, middles)) < 1e-6
    assert float(missed) == pytest.approx(30, rel=1e-3)
    absent = next(kind for kind in range(len(KINDS)) if kind not in layout.kinds[0])
    logits[0, absent, 3, 3] = 30
    assert float(unfound(logits, layout, middles)) > 1


def test_a_judge_that_has_learned_its_pictures_reads_all_that_they_show(pool, tmp_path):
    rows = np.flatnonzero(pool.layout.kinds[:, 0] >= 0)[:6]
    few = dataclasses.replace(
        pool, images=pool.images[rows], layout=pool.layout[rows], shown=pool.shown[rows]
    )
    settings = FitSettings(images=6 * 120, batch=6, seed=1, learning_rate=3e-3)
    judge = train_judge(few, settings, tmp_path, CPU)
    seen = read(judge, np.asarray(few.images))
    for name in ("scene", "time", "counts", "colours", "poses", "subjects", "objects"):
        assert np.array_equal(getattr(seen, name), getattr(few.shown, name)), name
    own = pool.named[pool.caption_rows[rows, 0]]
    assert (believed(judge, np.asarray(few.images), own) > 0.5).all()
    false = ~shows_own(few.shown, own[np.arange(6)[::-1]])
    assert false.any()
    assert (believed(judge, np.asarray(few.images), own[np.arange(6)[::-1]])[false] < 0.1).all()


def test_free_compositions_teach_a_judge_things_and_no_relations(pool, tmp_path):
    free = load_pool(tmp_path, 16, 14, kind="free")
    assert not free.shown.subjects.any()
    settings = FitSettings(images=64, batch=16, seed=1, report_every=1)
    lines = []
    model = train_judge(
        pool,
        settings,
        tmp_path / "second",
        CPU,
        lambda _done, _all, line: lines.append(line),
        eyes="transformer",
        free=free,
    )
    assert lines[-1]["loss"] < lines[0]["loss"]
    assert read(model, np.asarray(free.images[:4])).counts.shape == (4, len(NAMES))
