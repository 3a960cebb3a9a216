"""Measures of a picture, against loops over its pixels."""

import numpy as np
import pytest

from patchcore.plausibility.measures import DARK, MEASURES, measure


def by_loops(pixels, valid):
    grey = {}
    for (row, col), inspected in np.ndenumerate(valid):
        if inspected:
            grey[row, col] = float(pixels[row, col].astype(np.float64) @ [0.299, 0.587, 0.114])
    squares = []
    for (row, col), value in grey.items():
        beside = [(row - 1, col), (row + 1, col), (row, col - 1), (row, col + 1)]
        if all(place in grey for place in beside):
            squares.append((4 * value - sum(grey[place] for place in beside)) ** 2)
    red, green, blue = pixels[valid].astype(np.float64).mean(0) + DARK
    values = np.array(list(grey.values()))
    sharpness = np.sqrt(np.mean(squares)) if squares else 0
    return [values.mean(), values.std(), sharpness, red / green, blue / green]


@pytest.mark.parametrize("inspected", ["all", "a part", "one pixel"])
def test_measures_equal_loops_over_the_inspected_pixels(inspected):
    pixels = np.random.default_rng(3).random((16, 16, 3), np.float32)
    valid = np.zeros((16, 16), bool)
    valid[{"all": slice(None), "a part": (slice(3, 11), slice(5, 16)), "one pixel": (4, 4)}[inspected]] = True
    assert measure(pixels, valid) == pytest.approx(by_loops(pixels, valid), rel=1e-5)


@pytest.mark.parametrize("grey", [0, 0.5, 1])
def test_flat_pictures_have_no_contrast_and_no_colour(grey):
    found = measure(np.full((32, 32, 3), grey, np.float32), np.ones((32, 32), bool))
    assert found == pytest.approx([grey, 0, 0, 1, 1], abs=1e-6)


@pytest.mark.parametrize("one", MEASURES, ids=lambda one: one.kind)
def test_the_scale_of_every_measure_leads_back(one):
    values = np.array([0.02, 0.3, 0.9])
    assert one.unscaled(one.scale(values)) == pytest.approx(values)
    assert (np.diff(one.scale(values)) > 0).all()


def test_sentences_name_value_and_good_images():
    brightness, red = MEASURES[0], MEASURES[3]
    assert brightness.sentence(12 / 255, 0.3, 90 / 255, 130 / 255) == (
        "Darker than any good image: mean grey 12, good images 90 to 130 (0 is black, 255 white)."
    )
    assert red.sentence(2.5, 0.8, 0.9, 1.1) == (
        "Redder than any good image: red is 2.5 times green, good images 0.9 to 1.1."
    )
