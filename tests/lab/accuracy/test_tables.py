import math
from dataclasses import replace

import pytest

from lab.accuracy import tables
from lab.accuracy.rows import Variant
from tests.lab.accuracy.test_rows import ROW

A, B = Variant("a"), Variant("b")


def row(variant, name, seed, area, aupro=math.nan, half=0.1):
    return replace(
        ROW,
        variant=variant,
        name=name,
        seed=seed,
        image_auroc=area,
        low=area - half,
        high=area + half,
        aupro=aupro,
    )


ROWS = [
    row(A, "one", 0, 0.9, 0.5),
    row(A, "one", 1, 0.8, 0.7),
    row(A, "two", 0, 0.6),
    row(B, "one", 0, 0.7, 0.4),
]


def test_the_mean_is_over_sets_whatever_the_number_of_seeds():
    lines = tables.by_set(ROWS[:3]).splitlines()
    assert lines[2].startswith("| one | 20 + 40 | 0.850 [0.750, 0.950] | 0.800 to 0.900 |")
    assert "**0.725**" in lines[4]  # of 0.85 and 0.6
    assert lines[5].startswith("| worst: two |  | 0.600")


def test_the_interval_of_the_mean_is_that_of_independent_sets():
    low, high = tables._interval_of_mean([[ROWS[0]], [ROWS[2]]])
    assert (high - low) / 2 == pytest.approx(math.hypot(0.1, 0.1) / 2)
    assert (high + low) / 2 == pytest.approx(0.75)


def test_variants_are_compared_on_the_sets_that_all_of_them_have():
    lines = tables.comparison(ROWS, [A, B]).splitlines()
    assert lines[2] == "| one | 0.850 (0.600) | 0.700 (0.400) |"
    assert lines[3] == "| two | 0.600 | not measured |"
    assert lines[4] == "| mean of 1 | 0.850 (0.600) | 0.700 (0.400) |"


def test_several_variants_are_compared_first_and_one_is_not():
    assert "mean of" in tables.text(ROWS)
    assert "mean of" not in tables.text(ROWS[:3])
