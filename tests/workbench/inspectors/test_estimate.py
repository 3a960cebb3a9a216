import pytest

from patchcore.backbones import DEFAULT
from workbench.inspectors.estimate import START_SECONDS, NetworkCost, estimate_build, network_cost

COST = NetworkCost(seconds=0.1, rows=28, columns=28, dims=192)


def test_an_estimate_follows_its_stated_rule():
    found = estimate_build(COST, 100, 0.10, reading_seconds=0.05)
    assert found.bank_patches == 7840  # a tenth of 100 x 28 x 28
    assert found.bank_megabytes == pytest.approx(7840 * 192 * 4 / 1e6)
    greedy, calibration = 78400 * 7840 * 1.5e-8, 2 * 78400 * 7840 * 192 / 3e10
    assert found.seconds == pytest.approx(START_SECONDS + 100 * 0.15 + greedy + calibration)


def test_uninspected_pixels_cost_no_patches():
    assert estimate_build(COST, 100, 0.10, inspected=0.5).bank_patches == 3920


def test_the_network_is_measured():
    cost = network_cost(DEFAULT, 64)
    assert (cost.rows, cost.columns) == (8, 8) and cost.seconds > 0
