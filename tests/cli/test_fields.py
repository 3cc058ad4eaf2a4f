"""Options of a command that are made from a dataclass."""

import dataclasses
import inspect
import re

import pytest
import typer

from evo_t2i.cli.commands.sample import sample
from evo_t2i.cli.fields import takes_fields
from evo_t2i.config import MACHINE, RunConfig, ScorerModels, described


@dataclasses.dataclass(frozen=True, kw_only=True)
class Form:
    hidden: str = "nobody describes this one"
    sharp_edges: float = described("How sharp.", 0.5, panel="Edges")
    names: tuple[str, ...] = described("Which.", ("a", "b"))
    count: int = described("How many.", 3)


def command_that_keeps(received: list) -> typer.Typer:
    app = typer.Typer()

    @app.command()
    @takes_fields(Form, by_preset={"count"})
    def command(place: str, loud: bool = False, **fields: object) -> None:
        """Do it."""
        received.append((place, loud, fields))

    return app


def words(help_text: str) -> str:
    """Without panels and folds."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", help_text).split())


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (["there"], {}),
        (["--count", "3", "there"], {"count": 3}),
        (["there", "--sharp-edges", "2", "--names", "x,y"], {"sharp_edges": 2.0, "names": "x,y"}),
    ],
)
def test_a_command_receives_what_was_given_and_no_more(arguments, given):
    received: list = []
    typer.main.get_command(command_that_keeps(received)).main(arguments, standalone_mode=False)
    assert received == [("there", False, given)]


def test_help_is_that_of_the_fields(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    command = typer.main.get_command(command_that_keeps([]))
    command.main(["--help"], standalone_mode=False)
    out = words(capsys.readouterr().out)
    for text in (
        "--sharp-edges <float> How sharp. [default: 0.5]",
        "--names <str> Which. [default: (a, b)]",
        "--count <int> How many. [default: (3, or by preset)]",
        " Edges ",
    ):
        assert text in out
    assert "hidden" not in out


def test_sample_has_a_flag_for_every_described_field(evo, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = evo("sample", "--help").out
    shown = words(out)
    fields = [*dataclasses.fields(RunConfig), *dataclasses.fields(ScorerModels)]
    options = [field for field in fields if "help" in field.metadata]
    assert len(options) >= 12
    for field in options:
        assert f"--{field.name.replace('_', '-')} " in shown
    assert set(inspect.signature(sample).parameters) >= {field.name for field in options}
    assert out.index("Scorers") < out.index(MACHINE) < out.index("--device")
    assert max(map(len, out.splitlines())) <= 80
    assert "…" not in out
