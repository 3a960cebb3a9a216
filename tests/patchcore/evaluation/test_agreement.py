"""Found and marked pixels compared."""

import numpy as np
import pytest

from patchcore.errors import DataError
from patchcore.evaluation.agreement import pixel_agreement
from patchcore.maps.regions import find_regions, region_mask


def test_agreement_by_hand():
    scores, mask = np.zeros((4, 5), np.float32), np.zeros((4, 5), np.uint8)
    scores[0, :3], scores[3, 4] = 5.0, 9.0
    mask[0, 1:5] = 255
    found = pixel_agreement(scores, mask, 4.0, min_area=2)
    assert found.counts == (2, 2, 1)
    assert found.agreed[0].tolist() == [False, True, True, False, False]
    assert found.missed[0].tolist() == [False, False, False, True, True]
    assert found.extra[0, 0] and not found.extra[3, 4]
    assert found.overlap == 2 / 5
    assert pixel_agreement(scores, mask, 4.0).counts == (2, 2, 2)


def test_a_good_image_has_nothing_marked():
    found = pixel_agreement(np.ones((3, 3), np.float32), None, 0.5)
    assert found.counts == (0, 0, 9)
    assert pixel_agreement(np.zeros((3, 3), np.float32), None, 0.5).overlap is None


def test_unfitting_masks_are_refused():
    with pytest.raises(DataError, match="3 × 2"):
        pixel_agreement(np.ones((3, 3), np.float32), np.zeros((2, 3), bool), 0.5)


def test_region_mask_holds_the_pixels_of_the_regions():
    scores = np.random.default_rng(0).random((40, 50)).astype(np.float32)
    for threshold, least in ((0.7, 1), (0.7, 6), (2.0, 3), (-1.0, 2001)):
        total = sum(region.area for region in find_regions(scores, threshold, least))
        assert region_mask(scores, threshold, least).sum() == total
