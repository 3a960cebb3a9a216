"""Evidence for a threshold, each score against scoring that image alone."""

import numpy as np
import pytest

from patchcore import read_image
from patchcore.errors import DataError
from patchcore.evaluation.evidence import map_peaks, score_labelled
from patchcore.evaluation.labelled_image import built_from
from patchcore.maps.regions import clearing_threshold, find_regions
from patchcore.thresholds.decision import decide
from patchcore.thresholds.operating_point import Choice, Evidence
from tests.patchcore.conftest import stripes
from tests.patchcore.evaluation.test_sweep import Shown, spotted


def sha(image):
    return read_image(image).record.sha256


def test_scores_by_hash_and_kind(model, good):
    bad, other = spotted(300)[0], stripes(200)
    images = [Shown("other", other, "good"), Shown("own", good[2][1], "good"), Shown("bad", bad, "spot")]
    found = score_labelled(model, images)
    assert found.good == {
        sha(other): model.score(other).score,
        sha(good[2][1]): model.good_scores_[good[2][0]],
    }
    assert found.defect == {sha(bad): model.score(bad).score}
    assert found.problems == [built_from([("own", good[2][0])])]


def test_unscorable_images_are_named_and_the_others_scored(model):
    image, steps = stripes(200), []
    images = [
        Shown("a", image, "good"),
        Shown("broken", b"no image", "spot"),
        Shown("unlabelled", stripes(201), None),
        Shown("again", image, "spot"),
        Shown("b", spotted(300)[0], "spot"),
    ]
    found = score_labelled(model, images, lambda *step: steps.append(step))
    assert (len(found.good), len(found.defect)) == (1, 1)
    assert [problem.split(":")[0] for problem in found.problems] == [
        "Left out broken",
        "Left out unlabelled",
        "Left out again",
    ]
    assert "the same pixels as a; each picture counts once, with its first label" in found.problems[2]
    assert steps[-1] == ("scoring", 5, 5)


@pytest.mark.parametrize("min_area", [1, 30])
def test_map_peaks_are_where_the_map_of_the_image_left_out_clears(model, good, min_area):
    given = [*good, good[0], ("broken.png", b"no image"), ("foreign", stripes(900))]
    peaks = map_peaks(model, given, min_area)
    assert set(peaks) == set(model.evidence_.good)
    for _, image in good[:3]:
        shown = model.score(image, leave_out=True).map
        assert peaks[sha(image)] == clearing_threshold(shown, min_area)
        assert not find_regions(shown, peaks[sha(image)], min_area)
    decided = decide(
        Choice("provisional"),
        Evidence(model.evidence_.good, map_peaks=peaks),
        model.bank_id_,
        set_by="Ada",
        pixel_rule=Choice("provisional"),
        min_area=min_area,
    )
    assert decided.pixel == pytest.approx(max(peaks.values()))


def test_maps_of_foreign_images_are_refused(model):
    with pytest.raises(DataError, match="and none of these images was given"):
        map_peaks(model, [stripes(900), np.zeros((4, 4), np.uint8)])
