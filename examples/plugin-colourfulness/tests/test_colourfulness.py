import pytest
import torch
from evo_t2i_colourfulness import colourfulness, opponent_moments

from evo_t2i.testing import check_installed_score


def test_the_contract_holds():
    check_installed_score("colourfulness", size=(48, 40), value_range=(0.0, 300.0))


def test_grey_has_none_and_two_colours_have_what_the_formula_says():
    grey = torch.rand(1, 1, 8, 8).expand(1, 3, 8, 8)
    halves = torch.zeros(1, 3, 8, 8)
    halves[:, 0, :, :4] = 1.0  # half red: rg 255, yb 127.5; half black: 0 and 0
    measured = colourfulness(opponent_moments(torch.cat([grey, halves])))
    assert measured[0].item() == pytest.approx(0.0, abs=1e-3)
    assert measured[1].item() == pytest.approx(1.3 * (127.5**2 + 63.75**2) ** 0.5, rel=1e-5)


def test_washing_a_picture_out_lowers_it():
    vivid = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    pictures = torch.cat([vivid, 0.5 + 0.5 * (vivid - 0.5)])
    first, second = colourfulness(opponent_moments(pictures))
    assert second.item() == pytest.approx(first.item() / 2, rel=1e-5)
