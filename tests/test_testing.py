"""The contract checks refuse what breaks the contract."""

import numpy as np
import pytest
import torch

from evo_t2i.errors import UsageError
from evo_t2i.search.nsga2 import Nsga2
from evo_t2i.search.random_search import RandomSearch
from evo_t2i.testing import (
    check_feature_extractor,
    check_generator,
    check_installed_score,
    check_score,
    check_search,
)


class Plain:
    latent_shape = (4,)
    image_size = (8, 8)
    digest = ""

    def condition(self, _caption):
        return None

    def sample(self, count, rng):
        return rng.standard_normal((count, 4), dtype=np.float32)

    def generate(self, latents, _condition):
        return latents.sigmoid().mean(dim=1).view(-1, 1, 1, 1).expand(-1, 3, 8, 8)


class Noisy(Plain):
    def generate(self, latents, condition):
        return super().generate(latents, condition) * torch.rand(1)


class BatchNormed(Plain):
    def generate(self, latents, condition):
        return super().generate(latents - latents.mean(dim=0), condition)


class Unbounded(Plain):
    def generate(self, latents, condition):
        return 3 * super().generate(latents, condition)


class Small(Plain):
    image_size = (9, 9)


class Deaf(Plain):
    def generate(self, latents, condition):
        return super().generate(torch.zeros_like(latents), condition)


class Unseeded(Plain):
    def sample(self, count, _rng):
        return np.random.default_rng().standard_normal((count, 4), dtype=np.float32)


class Brightness:
    provides = frozenset({"brightness.mean"})
    digest = ""

    def text(self, _caption):
        return {}

    def images(self, batch, text):  # noqa: ARG002
        return {"brightness.mean": batch.mean(dim=(1, 2, 3))}


class Relative(Brightness):
    def images(self, batch, text):
        mean = super().images(batch, text)["brightness.mean"]
        return {"brightness.mean": mean - mean.mean()}


class Undeclared(Brightness):
    provides = frozenset({"brightness.mean", "brightness.deviation"})


class Bright:
    name = "bright"
    needs = frozenset({"brightness.mean"})

    def __call__(self, features):
        return features["brightness.mean"]


class Ranked(Bright):
    def __call__(self, features):
        return features["brightness.mean"].argsort().float()


def test_what_keeps_the_contract_passes():
    check_generator(Plain())
    check_feature_extractor(Brightness())
    check_score(
        Bright(),
        {"brightness.mean": torch.linspace(0, 1, 5)},
        image_keys=Brightness.provides,
        value_range=(0, 1),
    )


@pytest.mark.parametrize(
    ("generator", "words"),
    [
        (Noisy, "for the same batch"),
        (BatchNormed, "must not depend on the batch"),
        (Unbounded, r"expected \[0, 1\]"),
        (Small, r"expected \(5, 3, 9, 9\)"),
        (Deaf, "same image for different latents"),
        (Unseeded, "draw from rng alone"),
    ],
)
def test_a_broken_generator_is_told_why(generator, words):
    with pytest.raises(AssertionError, match=words):
        check_generator(generator())


@pytest.mark.parametrize(
    ("extractor", "words"),
    [(Relative, "must not depend on the batch"), (Undeclared, "provides says")],
)
def test_a_broken_extractor_is_told_why(extractor, words):
    with pytest.raises(AssertionError, match=words):
        check_feature_extractor(extractor())


def test_a_broken_score_is_told_why():
    features = {"brightness.mean": torch.tensor([0.3, 0.1, 0.2])}
    with pytest.raises(AssertionError, match="must not depend on"):
        check_score(Ranked(), features, image_keys=Brightness.provides)
    with pytest.raises(AssertionError, match=r"expected \[0, 0\.1\]"):
        check_score(Bright(), features, image_keys=Brightness.provides, value_range=(0, 0.1))


def test_an_installed_score_is_checked_from_its_entry_point_on(random_models):  # noqa: ARG001
    check_installed_score("clip_iqa", value_range=(0.0, 1.0))
    with pytest.raises(AssertionError, match=r"expected \[0\.9, 1\]"):
        check_installed_score("clip_iqa", value_range=(0.9, 1.0))
    with pytest.raises(UsageError, match="did you mean 'clip_iqa'"):
        check_installed_score("clip_iq")


class UnseededSearch(RandomSearch):
    def ask(self):
        return super().ask() + np.float32(np.random.default_rng().random())


class Forgetful(RandomSearch):
    def restore(self, state):
        pass


class Careless(RandomSearch):
    def tell(self, latents, scores):
        points = super().tell(latents, scores)
        self.archive = self.archive[:1]
        return points


class Silent(RandomSearch):
    def tell(self, latents, scores):
        super().tell(latents, scores)


class Wide(RandomSearch):
    def ask(self):
        return super().ask().astype(np.float64)


@pytest.mark.parametrize("factory", [Nsga2, RandomSearch])
@pytest.mark.parametrize("objectives", [1, 2, 4])
def test_the_searches_keep_the_contract(factory, objectives):
    check_search(factory, objectives=objectives, floored=factory is Nsga2)


@pytest.mark.parametrize(
    ("factory", "words"),
    [
        (UnseededSearch, "ask gave other latents before tell"),
        (Forgetful, "after restore"),
        (Careless, "the archive holds the ids"),
        (Silent, "tell did not give back the points"),
        (Wide, "float64, expected"),
    ],
)
def test_a_broken_search_is_told_why(factory, words):
    with pytest.raises(AssertionError, match=words):
        check_search(factory)
