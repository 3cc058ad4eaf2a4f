"""Labels of one's own: files, lists, and the texts around them."""

import os

import pytest

from evo_t2i.errors import UsageError
from evo_t2i.features.classifiers import classifier_labels, load_classifier
from evo_t2i.features.labels import (
    TEMPLATES,
    checked_templates,
    label_texts,
    labels_digest,
    labels_of,
    own_labels,
    read_labels,
)


@pytest.mark.parametrize(
    "content",
    [
        b"skyline\nsunset\na cat\n",
        b"skyline,sunset, a  cat",
        b"\xef\xbb\xbfskyline\r\n\r\nsunset,a cat\r\n",
    ],
)
def test_a_file_has_a_label_a_line_or_commas(tmp_path, content):
    file = tmp_path / "labels.txt"
    file.write_bytes(content)
    assert read_labels(file) == ("skyline", "sunset", "a cat")
    assert labels_of(str(file)) == own_labels(f"clip:{file}") == read_labels(file)
    assert classifier_labels(f"clip:{file}") == read_labels(file)


def test_other_classifiers_have_no_file():
    assert own_labels("builtin") == own_labels("vgg19_bn:imagenet") == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has no label; give two or more"),
        (b"cat\n\n", r"has one label \(cat\); give two or more"),
        (b"cat\ndog\ncat", "has the label 'cat' twice"),
        (b"\xff\xfe\x00", "is no UTF-8 text"),
        (b"cat\n" + b"d" * 300, "has a label of 300 characters"),
        ("\n".join(map(str, range(20_001))).encode(), "has 20,001 labels; give at most 20,000"),
        (b"x" * (4 * 2**20 + 1), "more than the 4,194,304 of any list of labels"),
    ],
)
def test_a_file_that_is_no_list_of_labels_is_refused(tmp_path, content, message):
    file = tmp_path / "labels.txt"
    file.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        read_labels(file)


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"nothing cannot be read \(No such file"):
        own_labels(f"clip:{tmp_path / 'nothing'}")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(UsageError, match="cannot be read"):
            read_labels(path)
    with pytest.raises(UsageError, match="is 'cat', which is no file here"):
        labels_of("cat")
    assert labels_of("cat, dog") == ("cat", "dog")


def test_a_file_of_labels_is_no_network_of_its_own(tmp_path):
    file = tmp_path / "labels.txt"
    file.write_text("cat\ndog")
    with pytest.raises(UsageError, match="is a list of labels for CLIP and no network of its own"):
        load_classifier(f"clip:{file}")


def test_templates_hold_the_label_once_and_take_its_article():
    assert label_texts("apple", ["a photo of a {}.", "A {}", "the {}", "ala {}"]) == [
        "a photo of an apple.",
        "An apple",
        "the apple",
        "ala apple",
    ]
    assert label_texts("{}", ["a {}"]) == ["a {}"]
    assert checked_templates(TEMPLATES) == TEMPLATES
    for wrong in ("a photo", "{} and {}", ""):
        with pytest.raises(UsageError, match=r"write \{\} once"):
            checked_templates([wrong])


def test_the_digest_tells_labels_their_order_and_templates_apart():
    given = [
        (("a", "b"), TEMPLATES),
        (("b", "a"), TEMPLATES),
        (("a", "b"), ("{}",)),
        (("a,b",), ()),
    ]
    assert len({labels_digest(*each) for each in given}) == len(given)
