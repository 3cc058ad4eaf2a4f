import os
import subprocess
import sys
from pathlib import Path

import pytest
import small_encoder
import torch
from PIL import Image

from evo_t2i.checkpoints.minilm import minilm_folder
from evo_t2i.features import words
from evo_t2i.features.words import LABEL_THRESHOLD, FlairEncoder, WordFeatures
from evo_t2i.testing import check_feature_extractor

CPU = torch.device("cpu")
LABELS = (
    "cat",
    "dog",
    "bird",
    "bus",
    "car",
    "boat",
    "house",
    "tree",
    "table",
    "cup",
    "flower",
    "ball",
    "balloon",
    "umbrella",
    "goggles",
    "hat",
)


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVO_T2I_CACHE", str(tmp_path_factory.mktemp("cache")))
        return WordFeatures(device=CPU, labels=LABELS)


@pytest.mark.parametrize(
    ("caption", "labels"),
    [
        ("a cat is lay on the table.", ["cat", "table"]),
        ("A dog with goggles staring at the camera.", ["dog", "goggles"]),
        ("two puppies in an automobile", ["dog", "car"]),
        ("skyline at sunset.", []),
        ("mountains covered in snow", []),
        ("☀", []),
    ],
)
def test_a_caption_matches_the_labels_that_it_names(features, caption, labels):
    best = features.text(caption)["words.word_labels"].max(dim=0).values.tolist()
    reached = [label for label, value in zip(LABELS, best, strict=True) if value >= LABEL_THRESHOLD]
    assert reached == labels
    coverage = features.text(caption)["words.coverage"].item()
    assert (coverage >= LABEL_THRESHOLD) == bool(labels)


def test_similarities_are_cosines_of_caption_and_words_with_each_label(features):
    found = features.text("a cat by a tree")
    assert found["words.labels"].shape == (16,)
    assert found["words.word_labels"].shape == (2, 16)
    assert found["words.word_labels"][0, LABELS.index("cat")] == pytest.approx(1.0, abs=1e-4)
    right = [LABELS.index("cat"), LABELS.index("tree")]
    assert set(found["words.labels"].topk(2).indices.tolist()) == set(right)
    assert found["words.word_labels"].abs().max() <= 1 + 1e-5


def test_centring_takes_away_what_all_labels_share(features):
    between = features._matrix @ features._matrix.T
    others = between[~torch.eye(16, dtype=bool)]
    assert others.mean().abs() < 0.1


def test_the_contract_holds(features):
    check_feature_extractor(features)


def test_the_label_matrix_is_stored_and_a_damaged_one_is_replaced(features, monkeypatch, tmp_path):
    monkeypatch.setenv("EVO_T2I_CACHE", str(tmp_path))
    monkeypatch.setattr(words, "SentenceEncoder", lambda _folder: features._encoder)
    first = WordFeatures(device=CPU, labels=LABELS)
    (path,) = (tmp_path / "labels").iterdir()
    intact = path.read_bytes()
    for damaged in (intact[: len(intact) // 2], intact[:-1] + bytes([intact[-1] ^ 64])):
        path.write_bytes(damaged)
        second = WordFeatures(device=CPU, labels=LABELS)
        assert path.read_bytes() == intact
    torch.testing.assert_close(second._matrix, first._matrix)
    WordFeatures(device=CPU, labels=LABELS[:4])
    assert len(list((tmp_path / "labels").iterdir())) == 2


def test_one_label_alone_is_not_centred_away(features, monkeypatch, tmp_path):
    monkeypatch.setenv("EVO_T2I_CACHE", str(tmp_path))
    monkeypatch.setattr(words, "SentenceEncoder", lambda _folder: features._encoder)
    alone = WordFeatures(device=CPU, labels=["cat"])
    assert alone.text("a cat")["words.word_labels"].item() == pytest.approx(1.0, abs=1e-4)
    assert alone.text("snow")["words.coverage"].item() < 0.9


@pytest.fixture(scope="module")
def flairs():
    return FlairEncoder(minilm_folder())


def test_flair_keeps_its_own_device(flairs):
    import flair

    assert flairs._embeddings.model.device == CPU
    assert flair.device.type == ("cuda" if torch.cuda.is_available() else "cpu")


NO_HOME = """
import pwd
def unknown(uid):
    raise KeyError(uid)
pwd.getpwuid = unknown
from evo_t2i.cli.main import main
main()
"""


@pytest.mark.parametrize("chosen", [False, True])
def test_a_picture_is_scored_without_a_home_and_without_a_cache(tmp_path, chosen):
    Image.new("RGB", (64, 64), "red").save(tmp_path / "a.png")
    unset = ("HOME", "XDG_CACHE_HOME", "EVO_T2I_CACHE", "FLAIR_CACHE_ROOT")
    surroundings = {name: value for name, value in os.environ.items() if name not in unset}
    surroundings |= {"FLAIR_CACHE_ROOT": "a.png"}  # a file where a folder belongs
    arguments = ["score", "a.png", "--caption", "a red cat", "--scores", "word_label"]
    if chosen:  # by Flair
        arguments += ["--embedder", str(small_encoder.write(tmp_path / "encoder"))]
    result = subprocess.run(
        [sys.executable, "-c", NO_HOME, *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=surroundings,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert "a.png" in result.stdout
    assert {path.name for path in tmp_path.iterdir()} - {"encoder"} == {"a.png"}


def test_flairs_cache_is_where_its_other_users_expect_it(flairs):  # noqa: ARG001
    import flair

    assert flair.cache_root == Path(os.environ.get("FLAIR_CACHE_ROOT", Path.home() / ".flair"))
