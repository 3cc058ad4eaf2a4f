import json
import os
import signal
import subprocess
import sys

import pytest

from evo_t2i.cli import main
from evo_t2i.cli.terminal import stop
from evo_t2i.errors import EvoError, PluginError

PROGRAM = "from evo_t2i.cli.main import main; main()"
HEAVY = ("torch", "pymoo", "flair", "matplotlib", "open_clip", "transformers")
PROBE = f"""
import sys
from evo_t2i.cli.main import run
code = run(sys.argv[1:])
loaded = [name for name in {HEAVY} if name in sys.modules]
print("LOADED", loaded)
sys.exit(code)
"""


def program(*arguments, code=PROGRAM, **options):
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def test_help_names_every_command_and_an_example(evo):
    result = evo("--help")
    assert result.code == 0
    for name in (
        "sample",
        "resume",
        "pick",
        "view",
        "report",
        "plot",
        "score",
        "list",
        "world",
        "train",
    ):
        assert f" {name} " in result.out
    assert 'evo-t2i sample "skyline at sunset." --generations 50' in result.out
    assert "completion" not in result.out


def test_no_arguments_are_help(evo):
    assert evo().out == evo("--help").out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--help"], 0),
        (["pick", "--help"], 0),
        (["sample", "--help"], 0),
        (["sample", "a cat", "--dry-run"], 0),
        (["sample", "a cat", "-o", "nsga3.survival=mnn"], 2),
        (["sample", ""], 2),
        (["sample", "a cat", "--population", "-1"], 2),
        (["sample", "a cat", "--scores", "text_imag"], 2),
        (["sample", "a cat", "--sampler", "nsga3"], 2),
        (["sample", "a cat", "--generator", "bultin"], 2),
        (["score", "missing.png", "--caption", "a cat"], 2),
    ],
)
def test_light_commands_and_refusals_load_no_models(arguments, code, tmp_path):
    result = program(*arguments, code=PROBE, cwd=tmp_path)
    assert result.returncode == code, result.stderr
    assert result.stdout.splitlines()[-1] == "LOADED []"


@pytest.mark.parametrize(
    "arguments",
    [
        ["frobnicate"],
        ["sample"],
        ["sample", "-rf"],
        ["sample", "a cat", "--generations", "many"],
        ["sample", "a cat", "--frobnicate"],
        ["world"],
        ["score", "--caption", "a cat"],
        ["list", "things"],
        ["pick"],
    ],
)
def test_wrong_command_lines_are_one_line_with_the_next_step(evo, arguments):
    result = evo(*arguments)
    assert result.code == 2
    assert result.out == ""
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1
    assert "--help`" in result.err or "give " in result.err


def test_unexpected_errors_name_the_switch_for_the_traceback(evo, monkeypatch):
    def broken(_kind):
        raise RuntimeError("[red]odd\nthing[/red]")

    monkeypatch.setattr("evo_t2i.registry.names", broken)
    quiet = evo("list", "scores")
    assert quiet.code == 1
    assert quiet.err == (
        "error: unexpected RuntimeError: [red]odd\\nthing[/red]; "
        "run again with EVO_T2I_DEBUG=1 for the traceback.\n"
    )
    monkeypatch.setenv("EVO_T2I_DEBUG", "1")
    assert "Traceback" in evo("list", "scores").err


@pytest.mark.parametrize("kind", EvoError.__subclasses__(), ids=lambda kind: kind.__name__)
def test_every_known_error_is_one_line_with_its_exit_code(evo, monkeypatch, kind):
    def broken(_kind):
        raise kind("What was wrong; what to do.")

    monkeypatch.setattr("evo_t2i.registry.names", broken)
    result = evo("list", "scores")
    assert (result.code, result.err) == (kind.exit_code, "error: What was wrong; what to do.\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_command_with_its_exit_code(evo, monkeypatch, number):
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}

    def interrupted(_kind):
        os.kill(os.getpid(), number)
        raise AssertionError("the signal came too late")

    monkeypatch.setattr("evo_t2i.registry.names", interrupted)
    for each in before:
        signal.signal(each, signal.SIG_DFL)  # in a shell's background SIGINT is ignored
    try:
        stop.stop_on_signals()
        result = evo("list", "scores")
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    assert (result.code, result.err) == (128 + number, "Stopped.\n")


def test_ignored_signals_stay_ignored():
    before = signal.getsignal(signal.SIGTERM)
    interrupt = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        stop.stop_on_signals()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, interrupt)


def test_output_survives_a_terminal_without_unicode(tmp_path):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    result = program("sample", "un café", "--dry-run", env=environment, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "un caf\\xe9" in result.stdout


def test_list_prints_one_name_a_line_and_its_options_below(evo):
    lines = evo("list", "scores").out.split("\n")
    assert [line for line in lines if not line.startswith("  ")] == [
        "aesthetic",
        "clip_iqa",
        "discriminator",
        "hpsv2",
        "image_real",
        "imagereward",
        "pickscore",
        "region_word",
        "text_image",
        "word_label",
        "",
    ]
    below = lines[lines.index("image_real") + 1 : lines.index("imagereward")]
    assert [line.split()[:2] for line in below] == [
        ["image_real.form", "<str>"],
        ["image_real.temperature", "<float>"],
    ]
    assert below[1].endswith("Divides the classifier's logits. [default: 1.0]")
    samplers = {one["name"]: one for one in json.loads(evo("list", "samplers", "--json").out)}
    options = {option["key"]: option for option in samplers["nsga2"]["options"]}
    assert {"operators", "survival", "cap", "niche"} <= options.keys()
    assert options["survival"]["type"] == "str"
    assert options["survival"]["default"] == "reference"
    assert "mnn" in options["survival"]["help"]
    assert samplers["random"] == {"name": "random", "options": []}
    assert "builtin" in evo("list", "generators").out
    assert "clip" in evo("list", "features").out


def test_list_survives_a_plugin_that_cannot_be_loaded(evo, monkeypatch):
    def broken(kind, name):
        raise PluginError(f"The {kind} {name!r} cannot be imported; update it.")

    monkeypatch.setattr("evo_t2i.registry.option_fields", broken)
    result = evo("list", "samplers")
    assert result.code == 0
    assert {"nsga2", "random"} <= set(result.out.splitlines())
    assert "The sampler 'nsga2' cannot be imported; update it.\n" in result.err


@pytest.mark.parametrize(
    ("arguments", "message", "said"),
    [
        (["sample"], "`micro_batch` is -1; give 0.", "--micro-batch is -1; give 0."),
        (["pick", "RUN"], "`weights` and `floors`", "--weight and --min"),
        (["pick", "RUN"], "`tolerance` is -1", "--tolerance is -1"),
        (["plot", "RUN"], "`method` is best", "--pick is best"),
        (["sample"], "`options` names 'x'", "-o names 'x'"),
        (["sample"], "Options of nsga2: `seed` is 1.", "-o nsga2.seed is 1."),
        (["compare", "pick"], "`runs` is empty", "RUN... is empty"),
        (["models", "convert"], "`text_encoder` is x", "--text-encoder is x"),
        (["sample"], "run `evo-t2i resume out`.", "run `evo-t2i resume out`."),
        (["sample"], "`pip` is old", "`pip` is old"),
        (["list", "scores"], "`weights` is x", "`weights` is x"),
    ],
)
def test_arguments_of_the_library_are_said_as_flags(arguments, message, said):
    assert main.with_flags(message, arguments) == said


def test_an_error_of_the_file_system_names_the_file(evo, monkeypatch):
    def broken(_kind):
        raise PermissionError(13, "Permission denied", "/there")

    monkeypatch.setattr("evo_t2i.registry.names", broken)
    result = evo("list", "scores")
    assert (result.code, result.err) == (
        1,
        "error: /there cannot be used (Permission denied); check that path and the disk.\n",
    )


def test_version(evo):
    import evo_t2i

    assert evo("--version").out == f"evo-t2i {evo_t2i.__version__}\n"


def test_main_leaves_with_the_exit_code(monkeypatch):
    handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    monkeypatch.setattr(sys, "argv", ["evo-t2i", "list", "things"])
    try:
        with pytest.raises(SystemExit) as left:
            main.main()
    finally:
        for each, handler in handlers.items():
            signal.signal(each, handler)
    assert left.value.code == 2
