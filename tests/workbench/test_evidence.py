"""Evidence: good images count leave-one-out, test images with their labels, maps when all of them are there."""

import pytest

from patchcore.regions import clearing_threshold
from tests.workbench.parts import evidence, store_plates
from workbench.evidence import known_images
from workbench.inspecting import create_batch, good_batch, load_map, score_batch


@pytest.fixture
def batch(workspace, version):
    images = store_plates(workspace, 2, first=50, truth="good")
    images += store_plates(workspace, 2, first=60, scratched=True, truth="scratch")
    images += store_plates(workspace, 1, first=70)
    images += store_plates(workspace, 1, first=0, truth="good")  # one that the bank was built from
    batch = create_batch(workspace, version.inspector_id, images, "Monday")
    list(score_batch(workspace, batch, version))
    return batch


def test_all_that_is_known_is_listed_good_images_first(workspace, version, batch):
    known = known_images(workspace, version, batch)
    assert [(one.name, one.source, one.truth) for one in known] == [
        *((f"good/{i:03d}.png", "leave-one-out", "good") for i in range(6)),
        ("good/050.png", "test", "good"),
        ("good/051.png", "test", "good"),
        ("scratch/060.png", "test", "scratch"),
        ("scratch/061.png", "test", "scratch"),
        ("good/070.png", "test", None),
    ]
    assert {one.sha256: one.score for one in known[:6]} == version.good_scores
    assert len({one.key for one in known}) == 11
    assert [one.result is None for one in known] == [True] * 6 + [False] * 5
    assert [one.is_defect for one in known].count(True) == 2
    assert known_images(workspace, version, None) == known[:6]


def test_the_good_images_are_those_that_are_asked_for(workspace, version, batch):
    known = known_images(workspace, version, batch)
    tested = {one.sha256: one.score for one in known[6:8]}
    defects = {one.sha256: one.score for one in known[8:10]}
    for good, expected in (
        ("leave-one-out", version.good_scores),
        ("held-out", tested),
        ("both", {**version.good_scores, **tested}),
    ):
        found = evidence(workspace, version, batch, good)
        assert (found.good, found.defect) == (expected, defects)
    assert evidence(workspace, version, None, "held-out").good == {}


@pytest.mark.parametrize("area", [1, 40])
def test_peaks_are_there_once_every_map_is(workspace, version, batch, area):
    assert evidence(workspace, version, batch, "leave-one-out").map_peaks == {}
    assert len(evidence(workspace, version, batch, "held-out").map_peaks) == 2
    scoring = score_batch(workspace, good_batch(workspace, version), version)
    results = [next(scoring)]
    assert evidence(workspace, version, batch, "both").map_peaks == {}
    results += list(scoring)
    found = evidence(workspace, version, batch, "leave-one-out", min_area=area)
    assert found.good == version.good_scores
    assert found.map_peaks == {
        result.image.sha256: clearing_threshold(load_map(workspace, result), area) for result in results
    }


def test_a_peak_is_computed_once(workspace, version, batch, monkeypatch):
    one = known_images(workspace, version, batch)[6]
    peak = one.map_peak(3)
    monkeypatch.setattr("workbench.evidence.read_map", None)
    assert known_images(workspace, version, batch)[6].map_peak(3) == peak
