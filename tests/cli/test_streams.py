"""What the commands do when nobody can read what they write."""

import os
import subprocess
import sys

import pytest
import typer

from evo_t2i.cli.main import app

PROGRAM = "from evo_t2i.cli.main import main; main()"
FULL = "/dev/full"
COMMANDS = sorted(typer.main.get_command(app).commands)
needs_full = pytest.mark.skipif(not os.path.exists(FULL), reason="no /dev/full here")


def shell(redirections, *arguments, cwd):
    """A command under ``sh``, with what follows it: ``>&-`` closes stdout."""
    command = ["sh", "-c", f'exec "$@" {redirections}', "sh", sys.executable, "-c", PROGRAM]
    return subprocess.run(
        [*command, *arguments], capture_output=True, text=True, check=False, cwd=cwd
    )


@needs_full
@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["list", "samplers"], ["sample", "a cat", "--dry-run"]],
)
def test_a_full_stdout_is_one_sentence(tmp_path, arguments):
    result = shell(f">{FULL}", *arguments, cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr == (
        "error: The results cannot be written to stdout (No space left on device); send them "
        "elsewhere, for example to a file on another disk.\n"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_stdout_is_one_sentence_for_every_command(tmp_path, command):
    result = shell(">&-", command, "--help", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (
        1,
        "error: Stdout is closed, and results go there; send them to a file or a terminal.\n",
    )


def test_a_stdout_for_reading_only_is_one_sentence(tmp_path):
    result = shell("1</dev/null", "list", "samplers", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.startswith("error: The results cannot be written to stdout (")
    assert result.stderr.count("\n") == 1


def test_a_large_result_fails_in_the_middle_with_one_sentence(tmp_path):
    caption = "a cat " * 160
    result = shell(f">{FULL}", "sample", caption, "--dry-run", "--json", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("redirections", ["2>&-", pytest.param(f"2>{FULL}", marks=needs_full)])
@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["sample", "a cat", "--dry-run"], 0), (["sample", "", "--dry-run"], 2)],
)
def test_a_stderr_that_takes_nothing_changes_nothing(tmp_path, redirections, arguments, code):
    result = shell(redirections, *arguments, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (code, "")
    assert ("evaluations" in result.stdout) == (code == 0)
    assert "error" not in result.stdout


def test_with_everything_closed_the_exit_code_speaks(tmp_path):
    assert shell("<&- >&- 2>&-", "list", "samplers", cwd=tmp_path).returncode == 1
    assert shell("<&- 2>&-", "list", "samplers", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    "arguments", [["--help"], ["list", "samplers"], ["sample", "a cat", "--dry-run"]]
)
def test_a_closed_pipe_is_quiet(tmp_path, arguments):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as stdout:
        result = subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments],
            stdout=stdout,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            check=False,
        )
    assert (result.returncode, result.stderr) == (1, b"")
