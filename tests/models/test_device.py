import pytest
import torch

from evo_t2i.errors import UsageError
from evo_t2i.models.device import choose_device


def test_the_cpu_can_be_chosen():
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device("auto").type in ("cpu", "cuda", "mps")


@pytest.mark.parametrize("name", ["meta", "hpu", "xla", "vulkan", "tpu", "cpu:x", "", "cuda:99"])
def test_a_device_that_cannot_compute_is_refused_in_one_sentence(name):
    with pytest.raises(UsageError) as caught:
        choose_device(name)
    assert str(caught.value).startswith(f"`device` is {name!r}, which cannot be used here (")
    assert str(caught.value).endswith("); use auto or cpu.")
    assert "\n" not in str(caught.value)
