import torch
from torchvision.models import vgg19_bn

from evo_t2i.models import vgg


def test_the_published_width_has_torchvisions_vgg19_bn_layers():
    with torch.device("meta"):
        ours = vgg.build(64, 1000).features.state_dict()
        theirs = vgg19_bn().features.state_dict()
    assert {name: tensor.shape for name, tensor in ours.items()} == {
        name: tensor.shape for name, tensor in theirs.items()
    }


def test_a_width_and_its_list_of_channels_are_one_model():
    channels = [4, 4, "M", 8, 8, "M", *[16] * 4, "M", *[32] * 4, "M", *[32] * 4, "M"]
    by_width, by_list = vgg.build(4, 3), vgg.build(channels, 3)
    by_list.load_state_dict(by_width.state_dict())
    images = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(by_list(images), by_width(images))


def test_feature_maps_halve_with_each_block_and_end_in_the_logits():
    model = vgg.build(4, 3)
    images = torch.rand(2, 3, 64, 64)
    maps = model.features_at(images)
    assert [tuple(part.shape[1:]) for part in maps] == [
        (4, 64, 64),
        (8, 32, 32),
        (16, 16, 16),
        (32, 8, 8),
        (32, 4, 4),
    ]
    pooled = torch.nn.functional.max_pool2d(maps[-1], 2).mean(dim=(2, 3))
    torch.testing.assert_close(model.classifier(pooled), model(images))
