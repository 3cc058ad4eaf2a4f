"""A prompts file → jobs: what is read, and that every bad line is named before anything starts."""

import contextlib
import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evo_t2i.batch.jobs import BadLinesError, expanded, read_jobs
from evo_t2i.batch.names import MOST_BYTES, default_name, fault_of, folded, seed_of
from evo_t2i.batch.prompt_sets import recognised
from evo_t2i.batch.rows import FORMS, form_of_stream
from evo_t2i.batch.shards import Shard, read_shard
from evo_t2i.errors import EvoError, UsageError


def jobs(text, form="txt", **more):
    return read_jobs(text.encode(), form, **more).jobs


def faults(text, form, **more):
    with pytest.raises(BadLinesError) as caught:
        jobs(text, form, name="p", **more)
    return caught.value.faults


def test_a_caption_a_line_with_blanks_and_comments_left_out():
    read = jobs("\ufeffa cat\r\n\n# a note\n  two dogs \n")
    assert [(job.line, job.id, job.config.caption) for job in read] == [
        (1, "000001-a-cat", "a cat"),
        (4, "000004-two-dogs", "two dogs"),
    ]


def test_columns_are_settings_and_go_over_those_of_the_command():
    text = (
        "id,caption,seed,generations,nsga2.survival,scores,clip,category\n"
        'one,"a cat, asleep",7,3,mnn,"text_image,word_label",local-dir:x,pets\n'
        "two,a dog,,,,,,\n"
    )
    one, two = jobs(text, "csv", settings={"generations": 9, "population": 20})
    assert (one.id, one.config.caption, one.config.seed) == ("one", "a cat, asleep", 7)
    assert (one.config.generations, one.config.population) == (3, 20)
    assert one.config.options == {"nsga2": {"survival": "mnn"}}
    assert one.config.scores == ("text_image", "word_label")
    assert one.config.scorer_models.clip == "local-dir:x"
    assert (one.category, two.category) == ("pets", "")
    assert (two.config.generations, two.config.options) == (9, {})


def test_json_lines_and_tables_say_the_same():
    record = {"id": "x", "caption": "a cat", "seed": 5, "options": {"nsga2": {"survival": "mnn"}}}
    from_json = jobs(json.dumps(record), "jsonl")
    from_table = jobs("id\tcaption\tseed\tnsga2.survival\nx\ta cat\t5\tmnn\n", "tsv")
    assert from_json[0].config == from_table[0].config


def test_seeds_and_names_depend_on_nothing_but_the_job():
    lines = [json.dumps({"id": f"n{number}", "caption": "a cat"}) for number in range(9)]
    first = {job.id: job.config for job in jobs("\n".join(lines), "jsonl", seed=3)}
    random.Random(0).shuffle(lines)
    assert {job.id: job.config for job in jobs("\n".join(lines[:5]), "jsonl", seed=3)}.items() <= (
        first.items()
    )
    assert len({config.seed for config in first.values()}) == 9
    assert seed_of(3, "n1") != seed_of(4, "n1")


def test_choices_expand_only_when_asked():
    text = "a {red|blue} {cat|dog}\nplain"
    assert [job.config.caption for job in jobs(text)] == ["a {red|blue} {cat|dog}", "plain"]
    read = jobs(text, expand=True)
    assert [job.config.caption for job in read] == [
        "a red cat", "a red dog", "a blue cat", "a blue dog", "plain",
    ]  # fmt: skip
    assert read[3].id == "000001-a-red-blue-cat-dog-4"
    assert len({job.config.seed for job in read}) == 5


def test_choices_within_choices_empty_ones_and_too_many():
    assert expanded("{a|{b|c}} {|very} d") == ["a d", "a very d", "b d", "b very d", "c d",
                                              "c very d"]  # fmt: skip
    assert expanded("{a} {") == ["{a} {"]
    with pytest.raises(UsageError, match="allow more than 1,000 captions"):
        expanded("{a|b}" * 30)


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("caption,seed\na cat,x\na dog,-1\n", "csv",
         ["p:2: `seed` is 'x'; give a whole number.",
          "p:3: `seed` is -1; give an integer from 0 to 2^63-1."]),
        ("caption,population\n,5\nb,1.5\n", "csv",
         ["p:2: `caption` is missing; give a text.",
          "p:3: `population` is '1.5'; give a whole number."]),
        ("captoin\na\n", "csv", ["p:1: there is no setting 'captoin'; did you mean 'caption'?"]),
        (
            'caption,se ed\na,1\n"b\n',
            "csv",
            ["p:1: there is no setting 'se ed'", "p:3: the table ends here"],
        ),
        ("id\na\n", "csv", ["p:1: there is no `caption`; name the column of the captions so."]),
        ("caption,id\na,x\nb,X\n", "csv",
         ["p:3: the id 'X' is taken by line 2 (capitals do not tell folders apart everywhere); "
          "give another."]),
        ("caption,id\na,../x\nb,CON.txt\n", "csv",
         ["p:2: the id '../x' holds '/', which no folder's name has on every system; give one "
          "that can name a folder.",
          "p:3: the id 'CON.txt' is the name of a device on Windows; give one that can name a "
          "folder."]),
        ("caption,id\na,b,c\n", "csv",
         ["p:2: 3 cells under 2 columns; quote a cell with a comma."]),
        ("caption,caption\na,b\n", "csv", ["p:1: the column 'caption' stands there twice; "]),
        ('caption\n"a cat\n', "csv", ["p:2: the table ends here (unexpected end of data); "]),
        ('{"caption": "a", "seed": true}\n[1]\n{"caption": 5}\n{', "jsonl",
         ["p:1: `seed` is True; give a whole number.", "p:2: list instead of an object; ",
          "p:3: `caption` is 5; give a text.", "p:4: this is no JSON ("]),
        ('{"caption": "a", "caption": "b"}', "jsonl", ["p:1: this is no JSON (the key 'caption' "]),
        ('{"caption": "a", "generator": 5}', "jsonl", ["p:1: `generator` is 5; give a text."]),
        ('{"caption": "a", "generator": "buildin"}', "jsonl",
         ["p:1: There is no generator called 'buildin'; did you mean 'builtin'?"]),
        ('{"caption": "a", "nsga2.survivl": "x"}', "jsonl",
         ["p:1: nsga2 has no option 'survivl'; did you mean 'survival'?"]),
        ('{"caption": "a", "options": [1]}', "jsonl", ["p:1: `options` is [1]; give "]),
        ('{"caption": "a\\u0000b"}', "jsonl", ["p:1: The caption holds a NUL"]),
        ("a cat\n" + "x" * 1001, "txt", ["p:2: The caption has 1,001 characters; "]),
        ("{a|b}{a|b}{a|b}{a|b}{a|b}{a|b}{a|b}{a|b}{a|b}{a|b}{a|b}\nb", "txt",
         ["p:1: The choices allow more than"]),
    ],
)  # fmt: skip
def test_every_bad_line_is_named(text, form, expected):
    found = faults(text, form, expand=True)
    assert len(found) == len(expected)
    for sentence, beginning in zip(found, expected, strict=True):
        assert sentence.startswith(beginning)


def test_bytes_that_are_no_utf8_and_a_file_without_captions():
    with pytest.raises(BadLinesError, match="p:2: byte 0xff is no UTF-8; save the file"):
        read_jobs(b"a cat\n\xff\n", "txt", name="p")
    with pytest.raises(UsageError, match=r"p has no caption; write one a line\."):
        read_jobs(b"# nothing\n", "txt", name="p")


def test_what_all_lines_share_is_said_once():
    with pytest.raises(UsageError) as caught:
        jobs("a\nb\nc", settings={"population": 1})
    assert str(caught.value) == "`population` is 1; give 2 or more."


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=300), st.sampled_from(FORMS), st.booleans())
def test_no_bytes_do_harm(data, form, expand):
    with contextlib.suppress(EvoError):
        for job in read_jobs(data, form, expand=expand).jobs:
            assert fault_of(job.id) is None


@settings(deadline=None)
@given(st.text(), st.integers(1, 10**7))
def test_a_default_name_can_always_name_a_folder(caption, line):
    assert fault_of(default_name(line, caption)) is None


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "is empty"), ("..", "begins with '.'"), (".hidden", "begins with '.'"),
        ("-rf", "begins with '-'"), ("a.", "ends with '.'"), (" a", "begins with ' '"),
        ("nul", "is the name of a device"), ("Lpt9.tar.gz", "is the name of a device"),
        ("com\u00b9", "is the name of a device"), ("a:b", "holds ':'"), ("a\\b", "holds '\\\\'"),
        ("a\u202eb", "invisible character U+202E"), ("a\tb", "invisible character U+0009"),
        ("\ud800", "unpaired surrogate"), ("猫" * 86, "has 258 bytes"),
    ],
)  # fmt: skip
def test_names_that_some_system_refuses(name, fault):
    assert fault in fault_of(name)


def test_names_in_every_script_are_welcome():
    assert all(fault_of(name) is None for name in ("猫" * 85, "κόσμος", "می‌خواهم", "قط", "x" * 255))
    assert len(("x" * MOST_BYTES).encode()) == MOST_BYTES
    assert folded("Ä") == folded("a\u0308")
    assert default_name(3, "猫が座る。") == "000003-猫が座る"


def test_published_sets_are_known_by_their_columns():
    draw = "Prompts,Category\nA red cube.,Colors\n"
    parti = 'Prompt\tCategory\tChallenge\tNote\na "cat"\tAnimals\tBasic\t-\n'
    geneval = '{"tag": "single_object", "include": [{"class": "bench"}], "prompt": "a bench"}\n'
    found = [read_jobs(text.encode(), form) for text, form in
             ((draw, "csv"), (parti, "tsv"), (geneval, "jsonl"))]  # fmt: skip
    assert [each.prompt_set for each in found] == ["DrawBench", "PartiPrompts", "GenEval"]
    assert [each.jobs[0].config.caption for each in found] == ["A red cube.", 'a "cat"', "a bench"]
    assert [each.jobs[0].category for each in found] == ["Colors", "Animals", "single_object"]
    assert recognised(["Prompt", "Category"]) is None


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"RANK": "2", "WORLD_SIZE": "8"}, "3/8"),
        ({"SLURM_PROCID": "0", "SLURM_NTASKS": "4"}, "1/4"),
        ({"SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_MIN": "5", "SLURM_ARRAY_TASK_COUNT": "3",
          "SLURM_PROCID": "1", "SLURM_NTASKS": "2"}, "6/6"),
        ({"SLURM_ARRAY_TASK_ID": "14", "SLURM_ARRAY_TASK_MIN": "10", "SLURM_ARRAY_TASK_COUNT": "3",
          "SLURM_ARRAY_TASK_STEP": "2"}, "3/3"),
        ({"CLOUD_RUN_TASK_INDEX": "1", "CLOUD_RUN_TASK_COUNT": "5"}, "2/5"),
    ],
)  # fmt: skip
def test_a_shard_by_itself_knows_its_place(environment, expected):
    assert str(read_shard("auto", environment)) == expected


def test_shards_share_out_everything_once_and_refuse_nonsense():
    everything = jobs("\n".join(f"caption {number}" for number in range(10)))
    parts = [Shard(number, 3).of(everything) for number in (1, 2, 3)]
    assert sorted(job.index for part in parts for job in part) == list(range(10))
    for text in ("0/3", "4/3", "1", "a/b", "1/3/5", "-1/3"):
        with pytest.raises(UsageError, match="give i/n, for example 1/4"):
            read_shard(text, {})
    with pytest.raises(UsageError, match="neither torchrun nor Slurm nor Cloud Run says"):
        read_shard("auto", {})


def test_standard_input_is_known_by_its_beginning():
    assert form_of_stream(b'\xef\xbb\xbf\n {"caption": "a"}') == "jsonl"
    assert form_of_stream(b"{red|blue} cat") == "txt"
