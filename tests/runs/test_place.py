"""Where runs lie, and whose the names in their folders are."""

import re
import unicodedata

import pytest

from evo_t2i.config import RunConfig
from evo_t2i.errors import ModelError, UsageError
from evo_t2i.runs.directory import RunDirectory
from evo_t2i.runs.place import default_out, figure_name, require_unused


def folder(caption):
    return default_out(RunConfig(caption=caption, seed=7)).name


@pytest.mark.parametrize(
    ("caption", "name"),
    [
        ("skyline at sunset.", "skyline-at-sunset-7"),
        ("A red, red (bus)!", "a-red-red-bus-7"),
        ("猫", "猫-7"),
        ("الغروب فوق المدينة", "الغروب-فوق-المدينة-7"),
        ("закат над городом", "закат-над-городом-7"),
        ("un café au soleil", "un-café-au-soleil-7"),
        ("हिन्दी में", "हिन्दी-में-7"),
        ("../../etc", "etc-7"),
    ],
)
def test_a_run_is_called_by_its_captions_letters_in_any_script(caption, name):
    assert folder(caption) == unicodedata.normalize("NFKC", name)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("猫", "犬"),
        ("🐈", "🐕"),
        ("a 🐈 on the table", "a 🐕 on the table"),
        ("c++ code", "c code"),
        ("a cat " * 30 + "and a dog", "a cat " * 30 + "and a bird"),
        ("猫" * 200, "猫" * 201),
        ("!!!", "???"),
    ],
)
def test_different_captions_do_not_collide(one, other):
    assert folder(one) != folder(other)
    assert folder(one) == folder(one)


def test_a_name_is_cut_by_bytes_between_characters_and_says_so_by_a_digest():
    for caption in ("猫" * 300, "a" * 300, "é" * 300, "\U0001f408\u200d\u2b1b" * 50):
        name = folder(caption)
        assert len(name.encode()) < 100
        assert re.fullmatch(r"(\w+-)?[0-9a-f]{6}-7", name)


def test_no_character_of_a_name_is_invisible_or_changes_the_direction():
    name = folder("a\u202eb\u200bc\ufe0f ❤\ufe0f d\u0301")
    assert all(unicodedata.category(character) not in ("Cc", "Cf") for character in name)
    assert "\ufe0f" not in name.replace("c\ufe0f", "")


def test_an_out_that_is_too_long_is_one_sentence(tmp_path, toy):
    long = tmp_path / ("n" * 300)
    for refused in (lambda: require_unused(long), lambda: RunDirectory.create(long, toy.config)):
        with pytest.raises(
            UsageError, match=r"cannot be a run's folder \(File name too long\); ch"
        ):
            refused()
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="Not a directory"):
        require_unused(tmp_path / "file" / "run")


def test_a_figure_may_not_take_the_place_of_the_runs_own_files(toy, tmp_path):
    run = toy.whole(tmp_path / "run").path
    assert figure_name(run, run / "pareto.png") == "pareto.png"
    assert figure_name(run, tmp_path / "pareto.png") is None
    assert figure_name(run, run / "drafts" / "pareto.png") is None
    (tmp_path / "link").symlink_to(run)
    assert figure_name(run, tmp_path / "link" / "pareto.png") == "pareto.png"
    before = (run / "front.csv").read_bytes()
    for name in ("front.csv", "journal.jsonl", "lock", "front/0000.png", "gen/x.png", "pick/a.png"):
        with pytest.raises(UsageError, match="belongs to the run itself; give another name"):
            RunDirectory.open(run).publish(run / name, b"")
    assert (run / "front.csv").read_bytes() == before


def test_a_run_remembers_where_a_relative_path_led_to_a_model(toy, tmp_path, monkeypatch, files_of):
    home = tmp_path / "home"
    home.mkdir()
    (home / "coco.pkl").write_bytes(b"")
    config = RunConfig(caption="a cat", seed=1, generator="lafite:coco.pkl,0.7")
    monkeypatch.chdir(home)
    RunDirectory.create(tmp_path / "run", config).close()
    RunDirectory.open(tmp_path / "run").require_models_here()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        ModelError, match=rf"no coco\.pkl in {tmp_path}; the run was begun in {home}"
    ):
        RunDirectory.open(tmp_path / "run").require_models_here()
    elsewhere = toy.whole(tmp_path / "built-in")
    elsewhere.require_models_here()
    assert str(tmp_path).encode() not in b"".join(files_of(elsewhere.path).values())
