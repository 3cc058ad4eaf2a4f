"""bfloat16 where it is enough, float32 elsewhere."""

import pytest
import torch
from torch import nn

from evo_t2i.errors import UsageError
from evo_t2i.models.precision import InPrecision, check_precision, computing_in, fast_precision

CPU = torch.device("cpu")


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 8, 3)
        self.norm = nn.BatchNorm2d(8)
        self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
        self.last = nn.Linear(8, 4, bias=False)
        self.weight = nn.Parameter(torch.ones(4))

    def forward(self, images):
        tokens = self.norm(self.convolution(images)).flatten(2).transpose(1, 2)
        mixed = self.attention(tokens, tokens, tokens, need_weights=False)[0]
        return self.last(mixed.mean(dim=1)) * self.weight


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Small().eval().requires_grad_(False)


def test_the_twin_has_bf16_matrices_and_shares_the_rest(network):
    both = InPrecision(network)
    assert both.current(CPU) is network
    with computing_in("bf16", CPU):
        twin = both.current(CPU)
        assert both.current(CPU) is twin
    halves = {name for name, each in twin.named_parameters() if each.dtype == torch.bfloat16}
    assert halves == {
        "convolution.weight",
        "convolution.bias",
        "attention.in_proj_weight",
        "attention.in_proj_bias",
        "attention.out_proj.weight",
        "attention.out_proj.bias",
        "last.weight",
    }
    assert twin.norm.weight is network.norm.weight
    assert twin.weight is network.weight
    assert all(each.dtype == torch.float32 for each in network.parameters())
    assert both.current(CPU) is network


def test_the_twin_leaves_float64_alone():
    both = InPrecision(nn.Sequential(nn.Linear(2, 2).double(), nn.Linear(2, 2)))
    with computing_in("bf16", CPU):
        exact, short = both.current(CPU)
    assert exact.weight.dtype == torch.float64
    assert short.weight.dtype == torch.bfloat16


@torch.inference_mode()
def test_the_twin_answers_as_autocast_alone_does(network):
    images = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    exact = network(images)
    both = InPrecision(network)
    with computing_in("bf16", CPU):
        autocast, twin = network(images), both.current(CPU)(images)
    torch.testing.assert_close(twin, autocast, atol=2e-3, rtol=0)
    assert 0 < (twin.float() - exact).abs().max() < 0.02


def test_fp32_is_fp32_within_somebody_elses_autocast():
    with torch.autocast("cpu", torch.bfloat16), computing_in("fp32", CPU):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_a_gpu_without_bfloat16_is_refused(monkeypatch):
    monkeypatch.setattr("torch.cuda.device", lambda _device: torch.inference_mode())
    monkeypatch.setattr("torch.cuda.get_device_name", lambda _device: "Tesla T4")
    monkeypatch.setattr("torch.cuda.is_bf16_supported", lambda **_options: False)
    with pytest.raises(UsageError, match="The Tesla T4 has no bfloat16; use --precision fp32"):
        check_precision("bf16", torch.device("cuda"))
    check_precision("fp32", torch.device("cuda"))
    check_precision("bf16", CPU)


@pytest.mark.parametrize(
    ("avx512", "amx", "expected"),
    [(False, False, "fp32"), (True, False, "bf16"), (False, True, "bf16")],
)
def test_a_processor_with_bf16_instructions_searches_in_it(monkeypatch, avx512, amx, expected):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    assert fast_precision(CPU) == expected
    assert fast_precision(torch.device("cuda")) == "fp32"
