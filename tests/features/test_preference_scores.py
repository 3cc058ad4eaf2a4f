"""Preference scores from published files: against their own libraries' answers."""

import json
from pathlib import PurePosixPath

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image
from scoring import scores_of
from small_clip import ARCHITECTURE, make
from torch.nn.functional import normalize
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPProcessor,
    CLIPTokenizerFast,
)

from evo_t2i.checkpoints.cache import models_folder
from evo_t2i.checkpoints.catalogue import AESTHETIC_HEAD
from evo_t2i.errors import ModelError
from evo_t2i.features import aesthetic, hpsv2
from evo_t2i.features.state_dicts import read_state_dict
from evo_t2i.models.rating_head import RatingHead
from evo_t2i.testing import check_installed_score

CPU = torch.device("cpu")
CAPTION = "a red bus by the sea"
MEAN, STD = open_clip.OPENAI_DATASET_MEAN, open_clip.OPENAI_DATASET_STD


@pytest.fixture(autouse=True)
def own_caches(tmp_path, monkeypatch):
    """Neither cache holds anything yet."""
    monkeypatch.setenv("EVO_T2I_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def pictures():
    """Smooth 8-bit pictures (n, 3, 64, 64), as generators draw them."""
    coarse = torch.rand(5, 3, 6, 6, generator=torch.Generator().manual_seed(1))
    smooth = torch.nn.functional.interpolate(coarse, (64, 64), mode="bicubic").clamp(0, 1)
    return (smooth * 255).round() / 255


def as_pil(pictures):
    levels = (pictures * 255).round().byte().permute(0, 2, 3, 1).numpy()
    return [Image.fromarray(each) for each in levels]


def as_tensors(pictures):
    """The networks' input without PIL: torch's own antialiased bicubic."""
    small = torch.nn.functional.interpolate(pictures, (32, 32), mode="bicubic", antialias=True)
    centred = small.clamp(0, 1) - torch.tensor(MEAN).view(3, 1, 1)
    return centred / torch.tensor(STD).view(3, 1, 1)


def values_of(name, pictures):
    return scores_of(pictures, CAPTION, [name], micro_batch=2)[:, 0]


def by_hand(repository):
    folder = models_folder() / repository.replace("/", "--")
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def hps(small_clip, monkeypatch):  # noqa: ARG001
    """A small HPS v2 in the published file's form; returns open_clip's own model of it."""
    own = make()
    monkeypatch.setattr(hpsv2, "ARCHITECTURE", ARCHITECTURE)
    tensors = {name: tensor.half() for name, tensor in own.state_dict().items()}
    torch.save({"state_dict": tensors}, by_hand("xswu/HPSv2") / "HPS_v2.1_compressed.pt")
    return own


@torch.inference_mode()
def test_hpsv2_is_the_cosine_that_open_clip_gives(hps, pictures):
    preprocess = open_clip.image_transform(32, is_train=False, mean=MEAN, std=STD)
    text = hps.encode_text(open_clip.get_tokenizer("ViT-H-14")([CAPTION]), normalize=True)
    exact = as_tensors(pictures)
    by_pil = torch.stack([preprocess(each) for each in as_pil(pictures)])
    found = values_of("hpsv2", pictures)
    for inputs, tolerance in ((exact, 1e-4), (by_pil, 5e-3)):
        expected = (hps.encode_image(inputs, normalize=True) @ text.T)[:, 0]
        np.testing.assert_allclose(found, expected.numpy(), atol=tolerance)
    check_installed_score("hpsv2", value_range=(-1.0, 1.0))


def test_an_hpsv2_that_does_not_fit_or_runs_code_is_refused(hps):  # noqa: ARG001
    path = models_folder() / "xswu--HPSv2" / "HPS_v2.1_compressed.pt"
    torch.save({"state_dict": {"logit_scale": torch.ones(())}}, path)
    with pytest.raises(ModelError, match="does not hold these weights: 'ln_final"):
        values_of("hpsv2", torch.rand(1, 3, 8, 8))
    torch.save({"state_dict": PurePosixPath("x")}, path)
    with pytest.raises(ModelError, match="cannot be read without running code in it"):
        values_of("hpsv2", torch.rand(1, 3, 8, 8))
    path.write_bytes(b"PK\3\4")
    with pytest.raises(ModelError, match="or is damaged; fetch it again"):
        read_state_dict(path)


@pytest.fixture
def pick():
    """A small PickScore in the published repositories' form; returns transformers' own objects."""
    own = by_hand("yuvalkirstain/PickScore_v1")
    processing = by_hand("laion/CLIP-ViT-H-14-laion2B-s32B-b79K")
    letters = "abcdefghijklmnopqrstuvwxyz"
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>"]
    tokens.append("<|endoftext|>")
    vocabulary = {token: number for number, token in enumerate(tokens)}
    (processing / "vocab.json").write_text(json.dumps(vocabulary))
    (processing / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = CLIPTokenizerFast(str(processing / "vocab.json"), str(processing / "merges.txt"))
    resizing = CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    processor = CLIPProcessor(resizing, tokenizer)
    processor.save_pretrained(processing)
    torch.manual_seed(0)
    layers = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
    layers |= {"num_attention_heads": 2, "projection_dim": 24}
    config = CLIPConfig(
        text_config={
            **layers,
            "vocab_size": len(tokens),
            "bos_token_id": len(tokens) - 2,
            "eos_token_id": len(tokens) - 1,
        },
        vision_config={**layers, "image_size": 32, "patch_size": 8},
        projection_dim=24,
        logit_scale_init_value=4.6052,
    )
    model = CLIPModel(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(std=0.2)
    model.save_pretrained(own)
    return model, processor


@torch.inference_mode()
def test_pickscore_is_what_its_published_example_computes(pick, pictures):
    model, processor = pick
    text = processor(text=[CAPTION], return_tensors="pt", truncation=True, max_length=77)
    text = normalize(model.get_text_features(**text), dim=-1)
    pixels = processor(images=as_pil(pictures), return_tensors="pt")["pixel_values"]
    exact = as_tensors(pictures)
    found = values_of("pickscore", pictures)
    scale = model.logit_scale.exp()
    assert scale == pytest.approx(100, rel=1e-3)
    for inputs, tolerance in ((exact, 1e-4), (pixels, 5e-3)):
        images = normalize(model.get_image_features(pixel_values=inputs), dim=-1)
        expected = (scale * text @ images.T)[0].numpy()
        np.testing.assert_allclose(found / 100, expected / 100, atol=tolerance)
    check_installed_score("pickscore", value_range=(-100.1, 100.1))


def test_a_pickscore_without_its_tokenizer_is_refused(pick):  # noqa: ARG001
    folder = models_folder() / "laion--CLIP-ViT-H-14-laion2B-s32B-b79K"
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt"):
        (folder / name).unlink()
    with pytest.raises(ModelError, match="run `evo-t2i models check pickscore`"):
        values_of("pickscore", torch.rand(1, 3, 8, 8))


@torch.inference_mode()
def test_aesthetic_is_the_published_head_on_clips_unit_embedding(small_clip, pictures, monkeypatch):
    own = make()
    monkeypatch.setattr(aesthetic, "CLIP", f"local-dir:{small_clip}")
    torch.manual_seed(0)
    head = RatingHead(own.visual.output_dim).eval()
    path = models_folder() / "published" / AESTHETIC_HEAD.name
    path.parent.mkdir(parents=True)
    torch.save(head.state_dict(), path, _use_new_zipfile_serialization=False)
    exact = as_tensors(pictures)
    hidden = own.encode_image(exact, normalize=True)
    for number in (0, 2, 4, 6, 7):  # by the names in the published file, with nothing in between
        weight, bias = (head.state_dict()[f"layers.{number}.{part}"] for part in ("weight", "bias"))
        hidden = hidden @ weight.T + bias
    np.testing.assert_allclose(values_of("aesthetic", pictures), hidden[:, 0].numpy(), atol=1e-4)
    check_installed_score("aesthetic")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("hpsv2", "xswu/HPSv2/HPS_v2.1_compressed.pt is"),
        ("pickscore", "yuvalkirstain/PickScore_v1/model.safetensors is"),
        ("aesthetic", "sac+logos+ava1-l14-linearMSE.pth is"),
    ],
)
def test_weights_that_are_not_here_are_named_with_the_command(name, file):
    with pytest.raises(ModelError) as caught:
        values_of(name, torch.rand(1, 3, 8, 8))
    assert str(caught.value).startswith(f"{file} not on this machine; run `evo-t2i models pull ")
    assert f"pull {name}`" in str(caught.value)
    assert str(models_folder()) in str(caught.value)
