"""Plug-ins that break the rules are named, with their package, in one sentence."""

import sys
import textwrap

import pytest
import torch
from scoring import scores_of

from evo_t2i import registry
from evo_t2i.errors import NonFiniteScoresError, PluginError

GOOD = """
    import torch

    class Light:
        provides = frozenset({"light.mean"})
        digest = "none"

        def __init__(self, *, device, models):
            pass

        def text(self, caption):
            return {}

        def images(self, batch, text):
            return {"light.mean": batch.mean(dim=(1, 2, 3))}

    class Bright:
        name = "bright"
        needs = frozenset({"light.mean"})

        def __call__(self, features):
            return features["light.mean"]
"""
SCORE = "The score 'bright' of the package evo-t2i-bright 1.2 "
FEATURE = "The feature 'light' of the package evo-t2i-bright 1.2 "


@pytest.fixture
def install(tmp_path, monkeypatch):
    """``install(old, new)`` makes a package of GOOD with ``old`` replaced by ``new``."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(old="", new="", module="bright_plugin", package="evo-t2i-bright"):
        assert old in GOOD
        (tmp_path / f"{module}.py").write_text(textwrap.dedent(GOOD.replace(old, new)))
        facts = tmp_path / f"{package.replace('-', '_')}-1.2.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
        (facts / "entry_points.txt").write_text(
            f"[evo_t2i.scores]\nbright = {module}:Bright\n"
            f"[evo_t2i.features]\nlight = {module}:Light\n"
        )

    yield make
    sys.modules.pop("bright_plugin", None)


def score(values=(0.2, 0.4, 0.6)):
    images = torch.tensor(values).view(-1, 1, 1, 1).expand(-1, 3, 8, 8)
    return scores_of(images, "a cat", ["bright"], micro_batch=2)


def test_a_good_one_works(install):
    install()
    assert score().ravel().tolist() == pytest.approx([0.2, 0.4, 0.6])


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("import torch", "import torchh", SCORE + "cannot be imported (ModuleNotFoundError: No "
         "module named 'torchh'); update or uninstall that package."),
        ("class Bright", "class Brighter", SCORE + "cannot be imported (AttributeError: "),
        ("device, models):", "device):", FEATURE + "cannot be set up (TypeError: "),
        ('name = "bright"', 'name = "brigth"', SCORE + "calls itself 'brigth', expected the name"),
        ('name = "bright"', "", SCORE + "has no 'name', which every score needs"),
        ("__call__", "call", SCORE + "has no '__call__'"),
        ('needs = frozenset({"light.mean"})', 'needs = ["light.mean"]',
         SCORE + "has needs = ['light.mean'], expected a frozenset of keys"),
        ("def text(", "def texts(", FEATURE + "has no 'text'"),
        ('provides = frozenset({"light.mean"})', 'provides = frozenset({"clip.mean"})',
         FEATURE + "provides ['clip.mean'], expected keys that begin with 'light.'"),
        ('return {"light.mean": batch', 'return {"light.means": batch',
         FEATURE + "promised 'light.mean' and did not give it"),
        ("batch.mean(dim=(1, 2, 3))", "batch.mean()",
         FEATURE + "gave a tensor () as 'light.mean' of 2 images, expected a tensor (2, …)"),
        ("batch.mean(dim=(1, 2, 3))", "batch @ torch.ones(2)",
         FEATURE + "failed (RuntimeError: "),
        ('return features["light.mean"]', 'return features["light.mean"][:, None]',
         SCORE + "gave a tensor (2, 1) for 2 images, expected a tensor (2,)"),
        ('return features["light.mean"]', "return 1.0",
         SCORE + "gave float instead of a tensor for 2 images"),
        ('return features["light.mean"]', 'return features["clip.image"]',
         SCORE + "failed (KeyError: 'clip.image')"),
    ],
)  # fmt: skip
def test_a_bad_one_is_named(install, old, new, sentence):
    install(old, new)
    with pytest.raises(PluginError) as caught:
        score()
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_scores_that_are_not_finite_are_named(install):
    install('return features["light.mean"]', 'return features["light.mean"] / 0')
    with pytest.raises(NonFiniteScoresError) as caught:
        score()
    assert f"3 of 3 images have no finite score: t{SCORE[1:]}gave nan" in str(caught.value)


def test_running_out_of_memory_is_no_fault_of_a_plugin(install):
    install(
        'return {"light.mean": batch',
        "if len(batch) > 1:\n"
        '                raise RuntimeError("CUDA out of memory")\n'
        '            return {"light.mean": batch',
    )
    assert score().ravel().tolist() == pytest.approx([0.2, 0.4, 0.6])


def test_two_packages_with_one_name_are_both_named(install):
    install()
    install(module="other_plugin", package="evo-t2i-other")
    words = "is registered by evo-t2i-bright 1.2 and evo-t2i-other 1.2; uninstall one of them"
    with pytest.raises(PluginError, match=words):
        score()
    assert registry.names("score").count("bright") == 1


def test_a_broken_generator_and_sampler_are_named(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    facts = tmp_path / "evo_t2i_bad-3.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: evo-t2i-bad\nVersion: 3\n")
    (facts / "entry_points.txt").write_text(
        "[evo_t2i.generators]\nempty = builtins:dict\n[evo_t2i.samplers]\nempty = builtins:dict\n"
    )
    with pytest.raises(PluginError, match="'empty' of the package evo-t2i-bad 3 has no 'latent_sh"):
        registry.make("generator", "empty", device=None, argument=None)
    with pytest.raises(PluginError, match="has no 'generation', which every sampler needs"):
        registry.make("sampler", "empty", config=None)
