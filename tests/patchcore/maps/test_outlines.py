"""The pixels inside polygons and ellipses, in windows of a picture."""

import pytest
from numpy.testing import assert_array_equal

from patchcore.maps.outlines import inside_ellipse, inside_polygon, window, window_area

STAR = ((12.0, 1.0), (18.0, 20.0), (2.0, 8.0), (22.0, 8.0), (6.0, 20.0))


def test_a_window_of_a_polygon_equals_that_part_of_the_whole():
    whole = inside_polygon(STAR, slice(0, 24), slice(0, 24))
    part = inside_polygon(STAR, slice(5, 17), slice(7, 20))
    assert_array_equal(part, whole[5:17, 7:20])
    assert (
        whole[11, 12] and not whole[1, 1]
    )  # the middle of a star is inside, by the rule of the browser's canvas


@pytest.mark.parametrize("far", [1e6, 1e15, 1e300])
def test_far_corners_are_cut_off(far):
    points = ((-far, -far), (far, -far), (far, 7.0), (-far, 7.0))
    rows, columns = window(points, 12, 9)
    assert (rows, columns) == (slice(0, 7), slice(0, 9)) and window_area((rows, columns)) == 63
    assert inside_polygon(points, rows, columns).all()


def test_a_window_outside_is_empty():
    rows, columns = window([(50.0, -9.0), (60.0, -2.0)], 12, 9, 1.0)
    assert window_area((rows, columns)) == 0
    assert inside_polygon(((50.0, -9.0), (60.0, -9.0), (60.0, -2.0)), rows, columns).size == 0


def test_an_ellipse_is_turned_clockwise():
    whole = slice(0, 21), slice(0, 21)
    turned = inside_ellipse((10.5, 10.5), (9.0, 2.0), 45, *whole)
    assert turned[15, 15] and turned[5, 5] and not turned[15, 5]  # down to the right
    assert_array_equal(turned, turned.T)
