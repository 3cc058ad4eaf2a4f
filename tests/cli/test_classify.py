import json

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def pictures(tmp_path):
    rng = np.random.default_rng(0)
    for name, shape in (("a.png", (64, 64, 3)), ("b.png", (40, 90, 3))):
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(tmp_path / name)
    (tmp_path / "labels.txt").write_text("cat\ndog\nred bus\n")


@pytest.mark.usefixtures("random_models", "pictures")
def test_labels_of_pictures_as_a_table_and_as_json(evo):
    result = evo("classify", "a.png", "b.png", "--labels", "labels.txt", "--top", 2, "--json")
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert found["labels"] == ["cat", "dog", "red bus"]
    assert len(found["templates"]) == 7
    assert [image["file"] for image in found["images"]] == ["a.png", "b.png"]
    for image in found["images"]:
        best, second = image["labels"]
        assert 1 / 3 <= best["probability"] <= 1
        assert best["probability"] >= second["probability"]
        assert best["similarity"] >= second["similarity"]
    every = json.loads(evo("classify", "b.png", "--labels", "dog,cat,red bus", "--json").out)
    shares = [each["probability"] for each in every["images"][0]["labels"]]
    assert sum(shares) == pytest.approx(1)
    table = evo("classify", "a.png", "b.png", "--labels", "labels.txt", "--top", 1, "-q")
    assert table.err == ""
    lines = table.out.splitlines()
    assert lines[0].split() == ["file", "label", "probability", "similarity"]
    assert [line.split()[0] for line in lines[1:]] == ["a.png", "b.png"]
    best = found["images"][1]["labels"][0]
    assert lines[2].split()[1:-2] == best["label"].split()
    assert float(lines[2].split()[-2]) == pytest.approx(best["probability"], abs=1e-4)


@pytest.mark.usefixtures("random_models", "pictures")
def test_a_template_of_ones_own_changes_the_answer(evo):
    given = ("classify", "a.png", "--labels", "cat,dog", "--json")
    one = json.loads(evo(*given, "--template", "{}").out)
    assert one["templates"] == ["{}"]
    assert one["images"] != json.loads(evo(*given).out)["images"]


@pytest.mark.usefixtures("random_models", "pictures")
def test_one_bad_file_leaves_the_others_classified(evo, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    result = evo("classify", "a.png", "bad.png", "--labels", "cat,dog", "--json")
    assert result.code == 1
    assert "error: bad.png is not a readable PNG" in result.err
    assert result.err.splitlines()[-1] == (
        "error: 1 of 2 files could not be classified; see above."
    )
    images = json.loads(result.out)["images"]
    assert "labels" in images[0]
    assert images[1]["error"].startswith("bad.png is not")


@pytest.mark.usefixtures("pictures")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--labels", "cat"], "error: --labels is 'cat', which is no file here"),
        (["--labels", "cat,cat"], "error: --labels has the label 'cat' twice"),
        (["--labels", "cat,dog", "--top", "0"], "error: --top is 0; give 1 or more."),
        (["--labels", "cat,dog", "--template", "a"], "error: --template has 'a'; write {} once"),
        ([], "Missing option '--labels'"),
    ],
)
def test_bad_requests(evo, options, message):
    result = evo("classify", "a.png", *options)
    assert (result.code, result.out) == (2, "")
    assert message in result.err
    assert result.err.count("\n") == 1
