"""What the texts of a command line become: options of plug-ins, and paths."""

import inspect
from pathlib import Path
from typing import Annotated, get_args, get_origin

import pytest
import typer

from evo_t2i.cli.arguments import home_expanded, plugin_options, run_folder
from evo_t2i.cli.main import app
from evo_t2i.errors import UsageError


def callbacks(of: typer.Typer) -> list:
    own = [command.callback for command in of.registered_commands]
    return own + [
        each for below in of.registered_groups for each in callbacks(below.typer_instance)
    ]


def path_parameters() -> list:
    """(command, parameter, typer's description) of everything that is a path or several."""
    found = []
    for callback in callbacks(app):
        for parameter in inspect.signature(callback, eval_str=True).parameters.values():
            annotation, *described = (
                get_args(parameter.annotation)
                if get_origin(parameter.annotation) is Annotated
                else (parameter.annotation, parameter.default)
            )
            if Path in (annotation, *get_args(annotation)):
                found.append((callback.__name__, parameter.name, described[0]))
    return found


def test_options_of_plugins_are_read_by_name_and_key():
    texts = ["nsga2.survival=mnn", "word_label.text=caption", "word_label.top_labels=3"]
    assert plugin_options(texts) == {
        "nsga2": {"survival": "mnn"},
        "word_label": {"text": "caption", "top_labels": "3"},
    }
    assert plugin_options(["a.b.key=x=y="]) == {"a.b": {"key": "x=y="}}
    assert plugin_options(["a.key="]) == {"a": {"key": ""}}
    assert plugin_options(None) == {}


@pytest.mark.parametrize("text", ["", "mnn", "survival=mnn", "nsga2.survival", ".a=1", "nsga2.=1"])
def test_another_form_is_refused(text):
    with pytest.raises(UsageError, match=r"^-o is .*; give NAME.KEY=VALUE, for example -o nsga2"):
        plugin_options([text])


def test_the_same_option_twice_is_refused():
    with pytest.raises(UsageError, match=r"-o names nsga2.survival twice; give it once."):
        plugin_options(["nsga2.survival=mnn", "nsga2.survival=mnn"])


def test_every_path_of_every_command_expands_the_home_folder():
    described = path_parameters()
    assert {command for command, _, _ in described} >= {
        "sample", "resume", "pick", "plot", "report", "view", "compare", "score", "convert",
        "render", "generator", "clip", "classifier", "text", "batch",
    }  # fmt: skip
    for command, name, info in described:
        assert info.callback in (home_expanded, run_folder), f"{command}: {name}"


def test_a_tilde_is_the_home_folder(evo, tmp_path, monkeypatch, finished_run):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert finished_run == tmp_path / "finished"
    plan = evo("sample", "a cat", "--out=~/x", "--dry-run")
    assert f"{tmp_path / 'x'} (nothing was written)" in plan.out
    assert evo("world", "render", "--out=~/pictures", "--count", 1).code == 0
    assert evo("pick", "~/finished").code == 0
    assert (tmp_path / "pictures" / "images").is_dir()
    assert (finished_run / "pick" / "pick.json").is_file()
    assert not (tmp_path / "~").exists()
    for callback in (home_expanded, run_folder):
        assert callback([Path("~/a"), Path("b")]) == [tmp_path / "a", Path("b")]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("x" * 300, "is too long a path for the file system; give a shorter one."),
        ("runs/" + "猫" * 100, "is too long a path"),
        ("a/" * 3_000, "is too long a path"),
        ("~nobody-of-this-name/x", "write the folder out, or put ./ before a name that begins"),
    ],
)
def test_paths_that_cannot_be_are_one_sentence(evo, tmp_path, path, message):
    for arguments in (["sample", "a cat", "--dry-run", "--out", path], ["pick", path]):
        result = evo(*arguments)
        assert (result.code, result.out) == (2, "")
        assert message in result.err
        assert result.err.count("\n") == 1
        assert len(result.err) < 250
    assert list(tmp_path.iterdir()) == []
