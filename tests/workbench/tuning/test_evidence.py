"""Evidence: good images count leave-one-out, test images with their labels, maps when all of them are there."""

import io
import math
from dataclasses import replace

import numpy as np
import PIL.Image
import pytest

from patchcore.errors import SettingsError
from patchcore.maps.regions import clearing_threshold
from patchcore.thresholds.operating_point import Choice, OperatingPoint
from tests.workbench.parts import evidence, plate, store_plates
from workbench.inspections.batches import create_batch, good_batch, load_map, score_batch
from workbench.storage.map_files import read_map, write_map
from workbench.tuning.evidence import Known, known_images, verdict_of
from workbench.tuning.map_peaks import StoredMap


@pytest.fixture
def batch(workspace, version):
    images = store_plates(workspace, 2, first=50, truth="good")
    images += store_plates(workspace, 2, first=60, scratched=True, truth="scratch")
    images += store_plates(workspace, 1, first=70)
    images += store_plates(workspace, 1, first=0, truth="good")  # one that the bank was built from
    batch = create_batch(workspace, version.inspector_id, images, "Monday")
    list(score_batch(workspace, batch, version))
    return batch


def test_good_images_are_listed_before_labelled_ones(workspace, version, batch):
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


def test_the_pixels_of_a_good_image_in_another_file_are_left_out_as_part_of_the_bank(workspace, version):
    plates = [PIL.Image.open(io.BytesIO(plate(seed))) for seed in (0, 1, 50)]
    again = [resaved(plates[0], "BMP"), resaved(plates[1], "TIFF"), resaved(plates[2], "BMP")]
    images = [workspace.store_image(data, f"{number}.bmp", truth="good") for number, data in enumerate(again)]
    batch = create_batch(workspace, version.inspector_id, images, "again")
    list(score_batch(workspace, batch, version))
    known = known_images(workspace, version, batch)
    assert [one.name for one in known if one.source == "test"] == ["2.bmp"]


def resaved(picture, kind):
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


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
    monkeypatch.setattr("workbench.tuning.map_peaks.read_map", None)
    assert known_images(workspace, version, batch)[6].map_peak(3) == peak


POINT = OperatingPoint(
    accept=2.0, reject=4.0, rule=Choice("by_hand"), bank_id="b", statement="", set_by="", set_at=""
)


def image(score, truth=None, stored_map=None):
    return Known(f"{score}{truth}", f"{score}", "a.png", score, "test", truth, None, stored_map)


def test_an_image_is_judged_by_its_score():
    assert [verdict_of(image(score), POINT) for score in (2.0, 3.0, 4.0, 4.5)] == [
        "accept",
        "review",
        "review",
        "reject",
    ]


def test_stale_thresholds_are_refused():
    with pytest.raises(SettingsError, match="out of date"):
        verdict_of(image(1.0), POINT.outdated("The bank changed."))


@pytest.mark.parametrize("judge_by", ["area", "both"])
@pytest.mark.parametrize("min_area", [1, 5, 9, 10_000])
def test_judging_by_area_is_judging_by_the_regions_of_the_map(tmp_path, judge_by, min_area):
    rng = np.random.default_rng(min_area)
    for number in range(6):
        path = tmp_path / f"{min_area}{judge_by}{number}.png"
        write_map(path, rng.random((12, 14), np.float32) * 5)
        stored = read_map(path)
        for pixel in (
            0.0,
            2.5,
            float(stored.max()),
            float(np.sort(stored.ravel())[-7]),
            math.nextafter(4, 0),
        ):
            point = replace(POINT, judge_by=judge_by, pixel=pixel, min_area=min_area)
            for score in (1.0, 3.0, 5.0):
                one = image(score, stored_map=StoredMap(path, path.name, stored.size))
                assert verdict_of(one, point) == point.judge(score, point.regions(stored))


def test_an_image_without_a_map_is_not_judged_by_one():
    assert verdict_of(image(1.0), replace(POINT, judge_by="area", pixel=1.0)) is None
