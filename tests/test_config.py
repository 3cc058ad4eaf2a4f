import json
import re

import pytest

from evo_t2i.config import DEFAULT_SCORES, RunConfig, ScorerModels, configure
from evo_t2i.errors import RunDataError, UsageError

CAPTION = "skyline at sunset."


def test_options_are_kept_by_plug_in_and_key():
    options = {"word_label": {"top_labels": 3}, "image_real": {"temperature": 2, "form": "entropy"}}
    config = configure(CAPTION, seed=1, population=20, options=options)
    assert config.population == 20
    assert config.options == {
        "image_real": {"form": "entropy", "temperature": 2.0},
        "word_label": {"top_labels": 3},
    }
    assert type(config.options["image_real"]["temperature"]) is float
    assert RunConfig.from_json(config.to_json()) == config


def test_texts_are_read_as_the_options_types():
    texts = {"nsga2": {"survival": "mnn"}, "region_word": {"temperature": "0.5"}}
    typed = {"nsga2": {"survival": "mnn"}, "region_word": {"temperature": 0.5}}
    assert configure(CAPTION, seed=1, options=texts) == configure(CAPTION, seed=1, options=typed)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"image_real": {"temprature": 1}}, "image_real has no option 'temprature'; did you mean "
         "'temperature'"),
        ({"image_reel": {"form": "max"}}, "`options` names 'image_reel', which nothing here uses; "
         "did you mean 'image_real'"),
        ({"random": {"survival": "mnn"}}, "`options` names 'random', which nothing here uses"),
        ({"text_image": {"form": "max"}}, "text_image has no options, so text_image.form means "
         "nothing"),
        ({"image_real": {"form": "mean"}}, "Options of image_real: `form` is mean; give max or "),
        ({"image_real": {"temperature": 0}}, "`temperature` is 0.0; give a finite number above 0"),
        ({"image_real": {"temperature": "nan"}}, "`temperature` is nan; give a finite number"),
        ({"image_real": {"temperature": "warm"}}, "image_real.temperature is 'warm'; give a numb"),
        ({"word_label": {"top_labels": 2.5}}, "word_label.top_labels is 2.5; give a whole number"),
        ({"word_label": {"top_labels": True}}, "word_label.top_labels is True; give a whole numb"),
        ({"nsga2": {"survival": "best"}}, "`survival` is 'best'; choose from reference, mnn, crow"),
    ],
)  # fmt: skip
def test_an_option_that_means_nothing_is_refused(options, words):
    with pytest.raises(UsageError, match=re.escape(words)):
        configure(CAPTION, options=options)


@pytest.mark.parametrize(
    "scores", ["text_image, image_real", ["text_image", "image_real"], ("text_image", "image_real")]
)
def test_scores_are_a_tuple_however_they_are_given(scores):
    assert configure(CAPTION, scores=scores).scores == ("text_image", "image_real")


def test_scorers_are_chosen_like_any_other_option_and_kept():
    config = configure(CAPTION, seed=1, clip="ViT-B-32:laion2b_s34b_b79k", embedder="bert")
    chosen = ScorerModels(clip="ViT-B-32:laion2b_s34b_b79k", embedder="bert")
    assert config.scorer_models == chosen
    assert RunConfig.from_json(config.to_json()) == config
    with pytest.raises(UsageError, match="`classifier` is ''; give builtin or the name"):
        configure(CAPTION, classifier="")


def test_defaults_and_a_drawn_seed():
    config = configure(CAPTION)
    assert config == RunConfig(caption=CAPTION, seed=config.seed)
    assert config.scores == DEFAULT_SCORES
    assert configure(CAPTION).seed != config.seed


@pytest.mark.parametrize(
    ("option", "near"),
    [
        ("populaton", "population"),
        ("classifer", "classifier"),
        ("micro-batch", "micro_batch"),
        ("sead", "seed"),
    ],
)
def test_an_unknown_option_is_refused_with_the_nearest_name(option, near):
    with pytest.raises(UsageError, match=f"no option '{option}'; did you mean '{near}'"):
        configure(CAPTION, **{option: 1})


def test_an_option_like_no_other_is_refused_with_all_names():
    with pytest.raises(UsageError, match=r"no option 'xyz'; choose from .*population.*seed"):
        configure(CAPTION, xyz=1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"population": 1}, "`population` is 1; give 2 or more"),
        ({"population": "20"}, "`population` is '20'; give a whole number"),
        ({"generations": 2.5}, "`generations` is 2.5; give a whole number"),
        ({"scores": ""}, "`scores` is nothing"),
        ({"scores": "text_image,text_image"}, "give each score once"),
        ({"seed": -1}, "`seed` is -1"),
        ({"generator": None}, "`generator` is None; give a name"),
        ({"sampler": ["nsga2"]}, "`sampler` is .'nsga2'.; give a name"),
        ({"device": ""}, "`device` is ''; give a name"),
        ({"scores": 5}, "`scores` is 5; give names"),
        ({"scores": [["red"]]}, "`scores` is .*; give names"),
        ({"options": [1]}, r"`options` is \[1\]; give .*NAME"),
        ({"options": {"nsga2": 3}}, "`options` is .*; give .*NAME"),
        ({"scorer_models": "x"}, "`scorer_models` is 'x'; give a ScorerModels"),
        ({"scorer_models": "x", "clip": "builtin"}, "`scorer_models` is 'x'"),
    ],
)
def test_a_value_without_sense_is_refused_by_name(options, words):
    with pytest.raises(UsageError, match=words):
        configure(CAPTION, **options)


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        (7, "`caption` is 7; give a text"),
        (" ", "caption is empty"),
        ("a" * 1001, "has 1,001 characters"),
        ("a\0", "NUL"),
    ],
)
def test_a_caption_that_cannot_be_used_is_refused(caption, words):
    with pytest.raises(UsageError, match=words):
        configure(caption)


def test_json_brings_the_same_configuration_back():
    config = configure('"Ein rotes Haus" 日没', seed=2**40, scores="word_label")
    assert RunConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("place", ["run", "models"])
def test_json_with_an_unknown_key_is_refused(place):
    values = json.loads(configure(CAPTION).to_json())
    (values if place == "run" else values["scorer_models"])["colour"] = "red"
    with pytest.raises(RunDataError, match="colour"):
        RunConfig.from_json(json.dumps(values))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"caption": "x"}'])
def test_json_of_something_else_is_refused(text):
    with pytest.raises(RunDataError, match=r"config\.json cannot be read"):
        RunConfig.from_json(text)


def test_deeply_nested_json_is_refused():
    with pytest.raises(RunDataError, match=r"config\.json is damaged"):
        RunConfig.from_json("[" * 100_000)
