import pytest

from patchcore.backbones import DEFAULT
from patchcore.errors import SettingsError
from patchcore.settings import Settings
from workbench.inspectors.estimate import (
    PROGRAM_MEGABYTES,
    START_SECONDS,
    NetworkCost,
    estimate_build,
    network_cost,
)

COST = NetworkCost(seconds=0.1, rows=28, columns=28, dims=192)
NETWORK = START_SECONDS + 100 * 0.15


def estimate(images=100, inspected=1.0, **settings):
    return estimate_build(COST, images, Settings(**settings), reading_seconds=0.05, inspected=inspected)


def test_an_estimate_follows_its_stated_rule():
    found = estimate(coreset=0.10)
    assert found.learned.parts == ("patches", 7840)  # a tenth of 100 x 28 x 28
    assert found.learned.megabytes == pytest.approx(7840 * 192 * 4 / 1e6)
    greedy, calibration = 78400 * 7840 * 1.5e-8, 2 * 78400 * 7840 * 192 / 3e10
    assert found.seconds == pytest.approx(NETWORK + greedy + calibration)
    assert found.image_seconds == pytest.approx(0.1 + calibration / 100)


def test_uninspected_pixels_cost_no_patches():
    assert estimate(coreset=0.10, inspected=0.5).learned.parts == ("patches", 3920)
    assert estimate(method="spade", inspected=0.5).learned.parts == ("patches", 39200)


def test_padim_takes_the_same_memory_for_any_number_of_images():
    few, many = estimate(4, method="padim"), estimate(100, method="padim")
    assert few.learned.parts == many.learned.parts == ("positions", 784)
    assert few.learned.megabytes == many.learned.megabytes
    assert many.learned.megabytes == pytest.approx(784 * (100 * 101 / 2 + 100) * 8 / 1e6)
    assert many.peak_megabytes - PROGRAM_MEGABYTES >= 2 * 784 * 100**2 * 8 / 1e6
    assert estimate(method="padim", dims_used=None).learned.megabytes > many.learned.megabytes


def test_padim_refuses_covariances_beyond_a_gigabyte_before_the_build():
    wide = NetworkCost(seconds=0.1, rows=28, columns=28, dims=1024)
    with pytest.raises(
        SettingsError,
        match=r"6\.6 GB \(1,024 dimensions at 784 positions\); 1 GB is the most\. Use at most 399 dimensions",
    ):
        estimate_build(wide, 100, Settings(method="padim", dims_used=None))


def test_spade_keeps_every_patch_and_compares_with_the_nearest_images():
    found = estimate(method="spade", nearest_images=20)
    assert found.learned.parts == ("patches", 78400)
    assert found.learned.megabytes == pytest.approx(78400 * (192 * 4 + 8) / 1e6)
    comparing = 2 * 784 * 20 * 784 * 192 / 3e10
    assert found.image_seconds == pytest.approx(0.1 + comparing)
    assert found.seconds == pytest.approx(NETWORK + 100 * comparing)
    assert estimate(method="spade", nearest_images=500).image_seconds == pytest.approx(0.1 + 5 * comparing)


def test_the_network_is_measured():
    cost = network_cost(DEFAULT, 64)
    assert (cost.rows, cost.columns) == (8, 8) and cost.seconds > 0
