import pytest
import torch

from evo_t2i.features import words
from evo_t2i.features.words import LABEL_THRESHOLD, WordFeatures
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
    monkeypatch.setattr(words, "_flair_encoder", lambda _folder: features._encoder)
    first = WordFeatures(device=CPU, labels=LABELS)
    (path,) = (tmp_path / "labels").iterdir()
    intact = path.read_bytes()
    path.write_bytes(intact[: len(intact) // 2])
    second = WordFeatures(device=CPU, labels=LABELS)
    assert path.read_bytes() == intact
    torch.testing.assert_close(second._matrix, first._matrix)
    WordFeatures(device=CPU, labels=LABELS[:4])
    assert len(list((tmp_path / "labels").iterdir())) == 2


def test_one_label_alone_is_not_centred_away(features, monkeypatch, tmp_path):
    monkeypatch.setenv("EVO_T2I_CACHE", str(tmp_path))
    monkeypatch.setattr(words, "_flair_encoder", lambda _folder: features._encoder)
    alone = WordFeatures(device=CPU, labels=["cat"])
    assert alone.text("a cat")["words.word_labels"].item() == pytest.approx(1.0, abs=1e-4)
    assert alone.text("snow")["words.coverage"].item() < 0.9


def test_flair_keeps_its_own_device(features):
    import flair

    assert features._encoder.model.device == CPU
    assert flair.device.type == ("cuda" if torch.cuda.is_available() else "cpu")
