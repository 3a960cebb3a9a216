"""The choice of pictures, and their drawing."""

import base64
import io
from dataclasses import replace

import numpy as np
from PIL import Image

from patchcore.errors import DataError
from patchcore.evaluation.measures import measure
from patchcore.reports.pictures import SIDE, data_uri, draw_galleries, heat_scale, telling_images
from tests.patchcore.labelled_sets import item, point, some_of_each


def decoded(uri):
    head, _, data = uri.partition(",")
    assert head == "data:image/jpeg;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))


def test_pictures_are_small_and_keep_their_shape():
    assert decoded(data_uri(np.zeros((2000, 1000, 3), np.uint8))).shape == (SIDE, SIDE // 2, 3)
    assert decoded(data_uri(np.zeros((20, 10, 3), np.uint8))).shape == (20, 10, 3)


def test_the_telling_images_by_hand():
    galleries = telling_images(measure(some_of_each(), point=point()))
    assert [[one.score for one in gallery.chosen] for gallery in galleries] == [
        [1.1, 1.5],
        [3.2],
        [3.1, 2.6, 1.9],
        [7.0, 6.0],
    ]
    assert galleries[0].words == "2 defects pass; from the lowest score."


def test_no_more_than_thirty_pictures_whatever_the_set():
    kinds = ["good", "a", "b", "c", "d"]
    many = [item(f"{n}", kinds[n % 5], 0.01 * n) for n in range(600)]
    chosen = [one.name for gallery in telling_images(measure(many, point=point())) for one in gallery.chosen]
    assert len(chosen) == len(set(chosen)) <= 14
    ranked = telling_images(measure(many))
    assert [len(gallery.chosen) for gallery in ranked] == [6, 4]


def test_heat_and_ring_are_where_they_belong():
    galleries = telling_images(evaluation := measure(some_of_each(), point=point()))
    assert draw_galleries(galleries, heat_scale(evaluation)) == []
    caught = galleries[3].pictures[0]
    original, heat = decoded(caught.original).astype(int), decoded(caught.heat).astype(int)
    assert caught.marked and not galleries[3].pictures[1].marked
    assert abs(original[14, 34] - 120).max() < 30 and original[7, 35].min() > 200
    assert abs(heat[14, 34] - 120).max() > 40 and abs(heat[35, 5] - 120).max() < 8
    missed = galleries[0].pictures[0]
    assert missed.error == "escape" and galleries[1].pictures[0].error == "false reject"
    assert abs(decoded(missed.heat).astype(int) - 120).max() < 8


def test_place_that_decided_is_outlined_where_the_verdict_comes_from_the_score():
    items = [replace(one, worst_box=(40, 20, 58, 36)) for one in some_of_each()]
    galleries = telling_images(evaluation := measure(items, point=point()))
    assert draw_galleries(galleries, heat_scale(evaluation), evaluation.point) == []
    caught, missed = (decoded(galleries[place].pictures[0].heat).astype(int) for place in (3, 0))
    assert abs(caught[20, 41] - 120).max() > 60 and abs(caught[28, 50] - 120).max() < 30
    assert abs(missed - 120).max() < 8


def test_a_mask_that_does_not_fit_leaves_the_picture_without_a_ring():
    items = some_of_each()

    def wrong():
        raise DataError("the mask is 9 × 3 but the image 8 × 8")

    items[5] = replace(items[5], load_mask=wrong)
    galleries = telling_images(evaluation := measure(items, point=point()))
    assert draw_galleries(galleries, heat_scale(evaluation)) == []
    assert not galleries[0].pictures[0].marked


def test_a_tiny_mark_is_not_lost_in_a_large_picture():
    mark = np.zeros((2000, 2000), bool)
    mark[1000, 1000] = True
    large = replace(
        item("a", "bent", 9.0),
        load_mask=lambda: mark,
        load_map=lambda: np.zeros((2000, 2000), np.float32),
        load_pixels=lambda: np.full((2000, 2000, 3), 60, np.uint8),
    )
    galleries = telling_images(evaluation := measure([large, item("g", "good", 1.0)], point=point()))
    draw_galleries(galleries, heat_scale(evaluation))
    picture = next(p for gallery in galleries for p in gallery.pictures if p.name == "a")
    assert picture.marked and decoded(picture.original).max() > 180
