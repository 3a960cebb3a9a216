"""Bounds around the good images' values."""

import numpy as np
import pytest

from patchcore.plausibility.bounds import ENOUGH, Margin, bounds


def test_bounds_lie_beyond_the_worst_by_its_own_distance_from_the_median():
    assert bounds(np.array([1.0, 2, 2, 2, 5]), Margin(0, 0, 9)) == (0, 8)


@pytest.mark.parametrize(("values", "expected"), [([3.0], 3 + 0.1 + 2), ([3.0, 3.0], 3 + 0.1 + 1)])
def test_few_images_give_wide_bounds(values, expected):
    low, high = bounds(np.array(values), Margin(0.1, 2, 9))
    assert high == pytest.approx(expected) and 3 - low == pytest.approx(high - 3)


def test_one_odd_image_does_not_switch_the_check_off():
    assert bounds(np.array([0.0, 0, 0, 100]), Margin(0.1, 0, 1.5))[1] == 101.5


def test_the_worst_of_many_images_is_nearly_a_bound_itself():
    values = np.zeros(10 * ENOUGH)
    values[0] = 1
    assert bounds(values, Margin(0.01, 0, 9))[1] == pytest.approx(1.1)
