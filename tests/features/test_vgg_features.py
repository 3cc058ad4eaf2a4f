import pytest
import torch

from evo_t2i.features.vgg import VggFeatures
from evo_t2i.testing import check_feature_extractor

CPU = torch.device("cpu")


@pytest.mark.usefixtures("random_models")
@pytest.mark.parametrize("size", [(64, 64), (100, 100)])
def test_the_builtin_keeps_the_contract(size):
    check_feature_extractor(VggFeatures(device=CPU), size=size)


@pytest.mark.usefixtures("random_models")
@torch.inference_mode()
def test_one_logit_a_label():
    features = VggFeatures(device=CPU)
    assert features.images(torch.rand(2, 3, 64, 64), {})["vgg.logits"].shape == (2, 16)
    assert features.labels[:2] == ("cat", "dog")
