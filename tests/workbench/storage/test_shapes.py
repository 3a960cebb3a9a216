import numpy as np
import pytest

from patchcore.errors import DataError
from workbench.storage.shapes import Shape, mask_of


def test_a_rectangle_takes_the_pixels_whose_centres_lie_inside():
    mask = mask_of([Shape("rectangle", ((1.4, 0.0), (3.6, 2.5)))], 4, 5)
    expected = np.zeros((4, 5), bool)
    expected[0:2, 1:4] = True  # columns 1.5, 2.5, 3.5; rows 0.5, 1.5 (2.5 is the open end)
    np.testing.assert_array_equal(mask, expected)


def test_corners_may_come_in_any_order_and_lie_outside():
    mask = mask_of([Shape("rectangle", ((9, 9), (-3, 2)))], 4, 5)
    np.testing.assert_array_equal(mask.sum(1), [0, 0, 5, 5])


def naive_polygon(points, height, width):
    mask = np.zeros((height, width), bool)
    for row in range(height):
        for column in range(width):
            x, y, winding = column + 0.5, row + 0.5, 0
            for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
                if (y0 <= y) != (y1 <= y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
                    winding += 1 if y1 > y0 else -1
            mask[row, column] = winding != 0
    return mask


@pytest.mark.parametrize("seed", range(5))
def test_a_polygon_equals_the_naive_one(seed):
    points = (np.random.default_rng(seed).random((7, 2)) * [24, 18]).tolist()
    mask = mask_of([Shape("polygon", tuple(map(tuple, points)))], 18, 24)
    np.testing.assert_array_equal(mask, naive_polygon(points, 18, 24))


def naive_brush(points, radius, height, width):
    y, x = np.mgrid[0:height, 0:width] + 0.5
    nearest = np.full((height, width), np.inf)
    for start, end in zip(points, points[1:] or points, strict=False):
        for share in np.linspace(0, 1, 2001):
            px, py = np.array(start) + share * (np.array(end) - start)
            nearest = np.minimum(nearest, np.hypot(x - px, y - py))
    return nearest <= radius


def test_a_brush_equals_the_naive_one():
    points = [(3.0, 4.0), (15.0, 9.0), (15.0, 2.0)]
    mask = mask_of([Shape("brush", tuple(points), radius=2.3)], 14, 22)
    assert (mask != naive_brush(points, 2.3, 14, 22)).sum() <= 1  # the naive way samples the line


def test_a_dab_is_a_disc():
    mask = mask_of([Shape("brush", ((5.0, 5.0),), radius=2.0)], 10, 10)
    np.testing.assert_array_equal(mask, naive_brush([(5.0, 5.0)], 2.0, 10, 10))


def test_shapes_count_in_their_order():
    left, all_, right = ((0, 0), (2, 4)), ((0, 0), (4, 4)), ((2, 0), (4, 4))
    shapes = [Shape("rectangle", all_), Shape("rectangle", left, cut=True), Shape("rectangle", left)]
    assert mask_of(shapes, 4, 4).all()
    np.testing.assert_array_equal(mask_of(shapes[:2], 4, 4), mask_of([Shape("rectangle", right)], 4, 4))


def test_nothing_drawn_means_everything_and_a_first_cut_cuts_from_everything():
    assert mask_of([], 3, 3).all()
    assert mask_of([Shape("rectangle", ((0, 0), (1, 3)), cut=True)], 3, 3).sum() == 6


def test_a_drawing_can_begin_with_a_mask():
    base = np.eye(4, dtype=bool)
    np.testing.assert_array_equal(mask_of([Shape("mask")], 4, 4, base), base)
    with pytest.raises(DataError, match="another size"):
        mask_of([Shape("mask")], 5, 4, base)


def test_json_round_trip():
    shape = Shape("brush", ((1.5, 2.0), (3.0, 4.5)), cut=True, radius=7.5)
    assert Shape.from_dict(shape.to_dict()) == shape


@pytest.mark.parametrize(
    "values",
    [
        {"kind": "circle", "points": [[0, 0]]},
        {"kind": "polygon", "points": [[0, 0], [1, 1]]},
        {"kind": "rectangle", "points": [[0, "x"], [1, 1]]},
        {"kind": "rectangle", "points": [[0, float("nan")], [1, 1]]},
        {"kind": "brush", "points": [[1, 2, 3]], "radius": 2},
        {},
    ],
)
def test_values_that_are_not_a_shape_are_refused(values):
    with pytest.raises(DataError, match="shape"):
        Shape.from_dict(values)
