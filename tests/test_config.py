import json

import pytest

from evo_t2i.config import DEFAULT_SCORES, RunConfig, ScoreOptions, ScorerModels, configure
from evo_t2i.errors import RunDataError, UsageError

CAPTION = "skyline at sunset."


def test_the_options_of_the_scores_are_given_like_any_other():
    config = configure(CAPTION, seed=1, population=20, temperature=2.0, image_real="entropy")
    assert config.population == 20
    assert config.score_options == ScoreOptions(temperature=2.0, image_real="entropy")


def test_score_options_may_come_as_a_whole_and_single_ones_go_over_it():
    whole = ScoreOptions(temperature=2.0, top_labels=3)
    assert configure(CAPTION, score_options=whole).score_options == whole
    both = configure(CAPTION, score_options=whole, top_labels=4).score_options
    assert both == ScoreOptions(temperature=2.0, top_labels=4)


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
    with pytest.raises(UsageError, match="--classifier is ''; give builtin or the name"):
        configure(CAPTION, classifier="")


def test_a_run_from_before_scorers_could_be_chosen_is_still_read():
    config = configure(CAPTION, seed=1)
    values = json.loads(config.to_json())
    del values["scorer_models"]
    assert RunConfig.from_json(json.dumps(values)) == config


def test_defaults_and_a_drawn_seed():
    config = configure(CAPTION)
    assert config == RunConfig(caption=CAPTION, seed=config.seed)
    assert config.scores == DEFAULT_SCORES
    assert configure(CAPTION).seed != config.seed


@pytest.mark.parametrize(
    ("option", "near"),
    [
        ("populaton", "population"),
        ("temprature", "temperature"),
        ("image-real", "image_real"),
        ("sead", "seed"),
    ],
)
def test_an_unknown_option_is_refused_with_the_nearest_name(option, near):
    with pytest.raises(UsageError, match=f"no option '{option}'; did you mean '{near}'"):
        configure(CAPTION, **{option: 1})


def test_an_option_like_no_other_is_refused_with_all_names():
    with pytest.raises(UsageError, match=r"no option 'xyz'; choose from .*population.*top_labels"):
        configure(CAPTION, xyz=1)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"population": 1}, "--population is 1; give 2 or more"),
        ({"population": "20"}, "--population is '20'; give a whole number"),
        ({"generations": 2.5}, "--generations is 2.5; give a whole number"),
        ({"scores": ""}, "--scores is nothing"),
        ({"scores": "text_image,text_image"}, "give each score once"),
        ({"temperature": 0.0}, "temperature is 0.0; give a finite number above 0"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"image_real": "mean"}, "image_real is mean; give max or entropy or energy"),
        ({"seed": -1}, "--seed is -1"),
    ],
)
def test_a_value_without_sense_is_refused_by_name(options, words):
    with pytest.raises(UsageError, match=words):
        configure(CAPTION, **options)


@pytest.mark.parametrize(
    ("caption", "words"),
    [(" ", "caption is empty"), ("a" * 1001, "has 1,001 characters"), ("a\0", "NUL")],
)
def test_a_caption_that_cannot_be_used_is_refused(caption, words):
    with pytest.raises(UsageError, match=words):
        configure(caption)


def test_json_brings_the_same_configuration_back():
    config = configure('"Ein rotes Haus" 日没', seed=2**40, scores="word_label", top_labels=2)
    assert RunConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize("place", ["run", "scores"])
def test_json_with_an_unknown_key_is_refused(place):
    values = json.loads(configure(CAPTION).to_json())
    (values if place == "run" else values["score_options"])["colour"] = "red"
    with pytest.raises(RunDataError, match="colour"):
        RunConfig.from_json(json.dumps(values))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"caption": "x"}'])
def test_json_of_something_else_is_refused(text):
    with pytest.raises(RunDataError, match=r"config\.json cannot be read"):
        RunConfig.from_json(text)
