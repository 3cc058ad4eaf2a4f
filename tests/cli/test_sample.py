import json

import pytest
from PIL import Image

from evo_t2i.cli.commands import evolving
from evo_t2i.cli.terminal.progress import LINES, Pace, clock, duration, progress_display
from evo_t2i.cli.terminal.stop import Stopped
from evo_t2i.config import RunConfig
from evo_t2i.events import Event
from evo_t2i.run import Run


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([""], "The caption is empty"),
        (["  \t\n"], "The caption is empty"),
        (["a" * 100_000], "100,000 characters"),
        (["a\0cat"], "NUL"),
        (["a \ud800 cat"], "surrogate"),
        (["a cat", "--population", "-5"], "--population is -5; give 2 or more."),
        (["a cat", "--generations", "-1"], "--generations is -1; give 0 or more."),
        (["a cat", "--offspring", "0"], "--offspring is 0"),
        (["a cat", "--seed", "-1"], "--seed is -1"),
        (["a cat", "--scores", "text_imag"], "did you mean 'text_image'?"),
        (["a cat", "--scores", "text_image,text_image"], "each score once"),
        (["a cat", "--scores", ","], "at least one score"),
        (["a cat", "--sampler", "nsga3"], "did you mean 'nsga2'?"),
        (["a cat", "--generator", "bultin:x"], "did you mean 'builtin'?"),
        (["a cat", "-o", "nsga2.operators=sbx"], "choose from uniform-pcn, sbx-pm"),
        (["a cat", "-o", "nsga2.survival=none"], "choose from reference, mnn, crowding"),
        (["a cat", "-o", "image_real.temperature=nan"], "-o image_real.temperature is nan"),
        (["a cat", "-o", "image_real.form=min"], "max or entropy or energy"),
        (["a cat", "-o", "nsga2.surviva=mnn"], "did you mean 'survival'?"),
        (["a cat", "-o", "nsga3.survival=mnn"], "did you mean 'nsga2'?"),
        (["a cat", "-o", "word_label.top_labels=many"], "give a whole number"),
        (["a cat", "-o", "survival=mnn"], "give NAME.KEY=VALUE"),
        (["a cat", "--option", "nsga2.survival=mnn", "-o", "nsga2.survival=mnn"], "twice"),
    ],
)
def test_bad_requests_are_refused_in_one_line_and_leave_nothing(evo, tmp_path, arguments, message):
    result = evo("sample", *arguments)
    assert result.code == 2
    assert result.out == ""
    assert result.err.startswith("error: ")
    assert result.err.count("\n") == 1
    assert message in result.err
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_refused_and_kept(evo, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "precious.txt").write_text("keep")
    result = evo("sample", "a cat", "--out", "there")
    assert result.code == 2
    assert "there exists already" in result.err
    assert "resume" in result.err
    assert (tmp_path / "there" / "precious.txt").read_text() == "keep"


def test_dry_run_says_everything_and_touches_nothing(evo, tmp_path):
    result = evo("sample", "a cat", "--seed", 3, "--generations", 2, "--dry-run", "--json")
    plan = json.loads(result.out)
    assert plan["run"] == "runs/a-cat-3"
    assert plan["evaluations"] == 300
    assert plan["config"]["seed"] == 3
    assert plan["config"]["options"] == {}
    assert result.err == ""
    text = evo("sample", "a cat", "--seed", 3, "--generations", 2, "--dry-run").out
    assert "runs/a-cat-3" in text
    assert ["evaluations", "300"] in [line.split() for line in text.split("\n")]
    assert list(tmp_path.iterdir()) == []


def test_options_of_plugins_are_in_the_plan_as_their_types(evo):
    options = ("-o", "word_label.top_labels=3", "-o", "nsga2.survival=mnn")
    options += ("-o", "image_real.temperature=2")
    plan = json.loads(evo("sample", "a cat", "--dry-run", "--json", *options).out)
    assert plan["config"]["options"] == {
        "image_real": {"temperature": 2.0},
        "nsga2": {"survival": "mnn"},
        "word_label": {"top_labels": 3},
    }
    lines = [line.split() for line in evo("sample", "a cat", "--dry-run", *options).out.split("\n")]
    assert ["word_label.top_labels", "3"] in lines


def test_an_option_goes_over_that_of_the_preset(evo):
    arguments = ("--preset", "paper", "--generator", "builtin", "--dry-run", "--json")
    given = ("-o", "word_label.text=words", "-o", "word_label.top_labels=3")
    plan = json.loads(evo("sample", "a cat", *arguments, *given).out)
    assert plan["config"]["options"] == {"word_label": {"text": "words", "top_labels": 3}}


def test_dry_run_prints_the_seed_that_it_drew(evo):
    plans = [json.loads(evo("sample", "a cat", "--dry-run", "--json").out) for _ in range(2)]
    assert plans[0]["config"]["seed"] != plans[1]["config"]["seed"]


@pytest.mark.parametrize(
    ("caption", "printed"),
    [
        ("-rf", "-rf"),
        ("[red]cat[/red] :smile:", "[red]cat[/red] :smile:"),
        ("a\x1b[31mcat\nb", "a\\x1b[31mcat\\nb"),
        ("a \u202etac", "a \\u202etac"),
        ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
        ("猫" * 86, "猫" * 86),
    ],
)
def test_captions_are_printed_as_they_are(evo, caption, printed):
    result = evo("sample", "--dry-run", "--seed", 1, "--", caption)
    assert result.code == 0
    (line,) = (line for line in result.out.splitlines() if line.startswith("caption "))
    assert line.split(None, 1)[1] == printed


def test_json_holds_control_characters_escaped(evo):
    out = evo("sample", "--dry-run", "--json", "--", "a \x9b31m\u202e \x7f").out
    assert json.loads(out)["config"]["caption"] == "a \x9b31m\u202e \x7f"
    assert out.isascii()
    assert "\x7f" not in out


def test_summary_of_a_finished_run(finished_run, capsys):
    facts = evolving.run_facts(Run(finished_run), 83.4)
    evolving.print_summary(facts)
    out = capsys.readouterr().out
    assert facts["hypervolume_gain"] == 2.5
    assert 0 < facts["front"] < 6
    for text in (
        str(finished_run),
        f"{facts['front']} images and {6 - facts['front']} beside it of 12 evaluated in 1 min 23 s",
        "5.000, 2.50 times generation 0's",
        "[red]cat[/red] :smile: on the table\\x1b[31m.",
        "contact_sheet.png, pareto.png, before_after.png",
        "No label of the classifier matches this caption (best similarity 0.28), "
        "so word_label says little about it.",
    ):
        assert text in out
    assert ["seed", "7"] in [line.split() for line in out.splitlines()]
    pick = facts["pick"]
    assert f"{pick['scores']['text_image']:.4f} (z {pick['z']['text_image']:+.1f})" in out
    assert json.loads(json.dumps(facts)) == facts


def test_coverage_sentence_only_when_a_score_asked_and_nothing_matched():
    both = ("text_image", "image_real", "word_label")
    blind = {"coverage": 0.28, "label_matched": False, "own_words": False}
    assert "image_real and word_label say little" in evolving.coverage_sentence(blind, both)
    assert evolving.coverage_sentence(blind | {"label_matched": True}, both) is None
    lent = evolving.coverage_sentence(blind | {"own_words": True}, both)
    assert "CLIP told them and the caption's words apart" in lent
    assert "--labels fixed" in lent


def test_what_was_not_read_of_the_caption_is_said_once_for_all_who_did_not(finished_run, capsys):
    facts = evolving.run_facts(Run(finished_run), 1.0)
    evolving.print_summary(facts | {"unread": {"clip": "a red car", "words": "a red car"}})
    said = "Not read by clip, words, whose limit the caption exceeds: its end from 'a red car' on."
    assert said in capsys.readouterr().out
    two = evolving.unread_sentences({"clip": "x" * 100, "generator": "car"})
    assert two[0].endswith(f"its end from '{'x' * evolving.MOST_QUOTED}…' on.")
    assert two[1].startswith("Not read by generator, ")
    evolving.print_summary(facts)
    assert "Not read" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("unfinished_run", "everything up to generation 0 is kept. Go on with: evo-t2i resume "),
        (None, "Stopped before the run began"),
    ],
)
def test_a_stopped_run_says_what_is_kept(request, tmp_path, capsys, state, message):
    directory = request.getfixturevalue(state) if state else tmp_path / "none"
    config = RunConfig(caption="a cat", seed=1)

    def stopped(_progress):
        raise Stopped(15)

    with pytest.raises(Stopped) as stop:
        evolving.evolve(directory, config, stopped, quiet=False)
    assert message in stop.value.message
    assert stop.value.exit_code == 143
    assert capsys.readouterr() == ("", "Loading models…\n")


def test_what_libraries_print_stays_off_stdout(finished_run, capsys):
    def noisy(_progress):
        print("a library speaks")
        return Run(finished_run)

    evolving.evolve(finished_run, Run(finished_run).config, noisy, quiet=True)
    assert capsys.readouterr() == ("", "a library speaks\n")


class Happening:
    def __init__(self, stage, generation=0, evaluations=0, front=0, hypervolume=0.0):
        self.stage, self.generation, self.evaluations = stage, generation, evaluations
        self.front, self.hypervolume = front, hypervolume


def events(config):
    yield Happening("models")
    for generation in range(config.generations + 1):
        done = config.population + generation * config.offspring
        yield Happening("scoring", generation, done, 5)
        yield Happening("generation", generation, done, 5, 0.5 + generation)
    yield Happening("writing", config.generations, config.evaluations, 5)


@pytest.mark.parametrize("generations", [0, 1, 7, 50, 500])
def test_plain_progress_is_about_ten_lines(capsys, generations):
    config = RunConfig(caption="a cat", seed=1, generations=generations)
    with progress_display(config, quiet=False) as report:
        for event in events(config):
            report(event)
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if line.startswith("generation ")]
    assert out == ""
    assert err.startswith("Loading models…\n")
    assert lines[0].startswith(f"generation 0/{generations} · 100 images")
    assert lines[-1].startswith(f"generation {generations}/{generations} ")
    assert f"hypervolume {0.5 + generations:.3f} · front 5" in lines[-1]
    assert len(lines) == 1 + min(generations, LINES)


def test_doubts_are_a_line_each_on_a_terminal_and_elsewhere(capsys, terminal):
    config = RunConfig(caption="five dragons", seed=1, generations=3)
    doubting = Event("doubts", doubts=("No [red]dragons.", "Up to three."))
    with progress_display(config, quiet=False) as report:
        report(doubting)
    assert capsys.readouterr().err.splitlines()[1:] == ["No [red]dragons.", "Up to three."]
    with terminal(80, 24, TERM="xterm") as shown, progress_display(config, quiet=False) as report:
        report(doubting)
    lines = [line.rstrip() for line in shown.screen.display]
    assert lines[:2] == ["No [red]dragons.", "Up to three."]


def test_quiet_progress_is_silent(capsys):
    config = RunConfig(caption="a cat", seed=1, generations=3)
    with progress_display(config, quiet=True) as report:
        for event in events(config):
            report(event)
    assert capsys.readouterr() == ("", "")


def test_pace_counts_from_the_first_scored_images():
    seconds = iter([10.0, 12.0])
    pace = Pace(1_100, clock=lambda: next(seconds))
    assert pace(100) is None
    assert pace(300) == (100.0, 8.0)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (200, "3 min 20 s"),
        (3_900, "1 h 05 min"),
    ],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(41, "0:41"), (200, "3:20"), (3_900, "1:05:00")])
def test_clock(seconds, text):
    assert clock(seconds) == text


def test_a_preset_is_resolved_in_the_plan(evo, tmp_path, monkeypatch):
    monkeypatch.setenv("EVO_T2I_CACHE", str(tmp_path / "cache"))
    arguments = ("sample", "a cat", "--seed", 1, "--preset", "paper", "--dry-run", "--json")
    result = evo(*arguments)
    assert result.code == 3
    assert "The preset needs a checkpoint: give --generator lafite:FILE" in result.err
    config = json.loads(evo(*arguments, "--generator", "builtin", "--clip", "builtin").out)[
        "config"
    ]
    assert config["generator"] == "builtin"
    assert config["scorer_models"] == {
        "clip": "builtin",
        "classifier": "vgg19_bn:imagenet",
        "embedder": "bert-base-uncased",
        "labels": "auto",
    }
    assert config["options"] == {"word_label": {"text": "caption"}}
    assert config["precision"] == "bf16"
    assert "preset" not in config
    result = evo("sample", "a cat", "--preset", "papr")
    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "did you mean 'paper'?" in result.err


def test_score_takes_a_presets_scorers(evo, tmp_path, monkeypatch):
    for name in ("EVO_T2I_CACHE", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    Image.new("RGB", (64, 64)).save(tmp_path / "a.png")
    arguments = ("score", "a.png", "--caption", "a cat", "--preset", "paper", "--quiet")
    result = evo(*arguments, "--scores", "image_real")
    assert result.code == 3
    assert "run `evo-t2i models pull vgg19_bn:imagenet`, or put https://" in result.err
