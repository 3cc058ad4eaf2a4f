"""The presets against the notes' table, and each term against what it declares."""

import pytest
import torch

from evo_t2i.errors import UsageError
from evo_t2i.training.losses import contrast, non_saturating, rejected
from evo_t2i.training.terms import Every, ObjectiveSettings, now, objective

IMAGES, BATCH = 1000, 4
NOTES_GENERATOR = {
    "L_G": 1,
    "L_G'": 1,
    "itd_r": 5,
    "itd_f": 1,
    "iid_r": 4,
    "iid_f": 0.8,
    "iiv_r": 4,
    "iiv_f": 0.8,
    "iiv_d": 4,
    "itc_r": 10,
    "itc_f": 2,
    "iic": 3,
}


def terms(**settings):
    return objective(ObjectiveSettings(**settings), IMAGES, BATCH)


def weights(terms, images=0):
    return {term.name: weight for term, weight in now(terms, images).weighted}


class Recorder(dict):
    """Features that remember which of them were read."""

    def __init__(self, names):
        generator = torch.Generator().manual_seed(0)
        super().__init__()
        self.read = set()
        for name in sorted(names):
            shape = {"logits": (4,), "slopes": (4,), "regions": (4, 6, 5), "words": (4, 3, 5)}
            size = shape.get(name.split(".")[-1], (4, 5))
            value = torch.randn(size, generator=generator).requires_grad_()
            self[name] = torch.ones(4, 3, dtype=torch.bool) if name == "words.present" else value

    def __getitem__(self, name):
        self.read.add(name)
        return super().__getitem__(name)


def test_the_notes_weights():
    found = terms(preset="notes")
    assert weights(found.generator) == pytest.approx(NOTES_GENERATOR)
    assert weights(found.discriminator, BATCH) == pytest.approx(
        {"L_D": 1, "L_D'": 1, "itd": 5, "iiv_d": 4}
    )


def test_the_originals_weights():
    found = terms(preset="lafite")
    assert weights(found.generator) == {"L_G": 1, "itd_r": 5, "itc_r": 10}
    assert weights(found.discriminator, BATCH) == {"L_D": 1, "itd": 5}
    assert weights(found.discriminator, 0)["R1"] == 10 / 2 * 16


def test_xmc_gans_terms_all_weigh_1():
    found = terms(preset="xmc")
    names = {"L_G", "sentence_image", "region_word", "image_image", "image_image_classifier"}
    assert weights(found.generator) == dict.fromkeys(names, 1)
    assert weights(found.discriminator, BATCH) == dict.fromkeys(
        ("L_D", "sentence_image", "region_word"), 1
    )


@pytest.mark.parametrize(
    ("group", "added"),
    [
        ("image-image", {"iid_r"}),
        ("structure", {"L_G'", "itd_f", "itc_f", "iic"}),
        ("guided", {"iiv_r", "iiv_d"}),
        ("words", {"sentence_image", "region_word", "image_image", "image_image_classifier"}),
        ("text-label", {"text_label"}),
    ],
)
def test_a_group_can_be_added_alone_and_left_out_alone(group, added):
    base, more = terms(), terms(with_groups=(group,))
    assert weights(more.generator).keys() - weights(base.generator).keys() == added
    every = ("image-image", "structure", "guided", "words", "text-label")
    full = terms(with_groups=every)
    less = terms(with_groups=every, without_groups=(group,))
    assert weights(full.generator).keys() - weights(less.generator).keys() >= added


@pytest.mark.parametrize("adversarial", ["logistic", "relativistic"])
def test_every_term_reads_what_it_declares_and_has_a_gradient(adversarial):
    settings = {"with_groups": ("text-label", "words"), "mismatch": 0.5, "r2": 1.0}
    found = terms(preset="notes", adversarial=adversarial, **settings)
    for side, moved in ((found.generator, "x"), (found.discriminator, None)):
        for term in side:
            features = Recorder(term.needs)
            loss = term.loss(features)
            assert features.read == term.needs, term.name
            assert loss.shape == ()
            inputs = {n: v for n, v in features.items() if v.is_floating_point()}
            slopes = dict(
                zip(inputs, torch.autograd.grad(loss, list(inputs.values())), strict=True)
            )
            moving = [n for n in inputs if moved is None or n.split(".")[0] in (moved, "x'")]
            assert moving, term.name
            assert all(slopes[name].abs().max() > 1e-4 for name in moving), term.name


def test_the_terms_pair_what_the_notes_pair():
    found = terms(preset="notes")
    pairs = {
        "itd_r": ("x.text", "h"),
        "itd_f": ("x.text", "h'"),
        "iid_r": ("x.image", "r.image"),
        "iid_f": ("x.image", "x'.image"),
        "iiv_r": ("x.guide", "r.guide"),
        "iiv_f": ("x.guide", "x'.guide"),
        "iiv_d": ("x.guided", "r.guide"),
        "itc_r": ("x.clip", "h"),
        "itc_f": ("x.clip", "h'"),
        "iic": ("x.clip", "x'.clip"),
    }
    by_name = {term.name: term for term in found.generator}
    for name, (a, b) in pairs.items():
        features = Recorder({a, b})
        torch.testing.assert_close(by_name[name].loss(features), contrast(features[a], features[b]))
    by_name = {term.name: term for term in found.discriminator}
    for name, (a, b) in {"itd": ("r.text", "h"), "iiv_d": ("r.guided", "r.guide")}.items():
        features = Recorder({a, b})
        torch.testing.assert_close(by_name[name].loss(features), contrast(features[a], features[b]))


def test_the_modified_l_d_counts_real_pictures_once():
    """L_D over r, x and x': softplus(-D(r)) + softplus(D(x)) + softplus(D(x'))."""
    found = terms(preset="notes")
    features = Recorder({"r.logits", "x.logits", "x'.logits"})
    total = sum(t.loss(features) for t in found.discriminator if t.name.startswith("L_D"))
    wanted = non_saturating(features["r.logits"])
    wanted = wanted + rejected(features["x.logits"]) + rejected(features["x'.logits"])
    torch.testing.assert_close(total, wanted)


def test_a_step_adds_up_weighted_terms_and_tells_each():
    found = terms(preset="lafite")
    step = now(found.generator, 0)
    assert step.needs == {"x.logits", "x.text", "x.clip", "h"}
    features = Recorder(step.needs)
    total, told = step.total(features)
    assert float(total.detach()) == pytest.approx(
        float(told["L_G"] + 5 * told["itd_r"] + 10 * told["itc_r"]), rel=1e-5
    )
    assert not any(value.requires_grad for value in told.values())


def test_a_penalty_falls_and_is_left_out_between_its_steps():
    weight = Every(start=5.0, end=0.5, images=1000, steps=4, batch=10)
    assert weight(0) == 20
    assert [weight(n) for n in (10, 20, 30)] == [0, 0, 0]
    assert weight(1000) == pytest.approx(2)
    assert weight(40) < weight(0)
    found = terms(r1=2.0, penalty_every=2)
    assert "r.slopes" in now(found.discriminator, 0).needs
    assert "r.slopes" not in now(found.discriminator, BATCH).needs


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"preset": "note"}, "`preset` is 'note'; did you mean 'notes'"),
        ({"with_groups": ("guide",)}, "`with_groups` is 'guide'; did you mean 'guided'"),
        ({"adversarial": "hinge"}, "`adversarial` is 'hinge'; choose from logistic, relativistic"),
        ({"form": "info"}, "`form` is 'info'"),
        ({"temperature": 0.0}, "temperature"),
        ({"itd": -1.0}, "itd"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(UsageError, match=message):
        ObjectiveSettings(**settings)
