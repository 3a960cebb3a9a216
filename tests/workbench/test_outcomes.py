"""Outcomes: verdicts on hand-made images, by their score or by the regions of their maps."""

import math
from dataclasses import replace

import numpy as np
import pytest

from patchcore.errors import SettingsError
from patchcore.operating_point import Choice, OperatingPoint
from workbench.evidence import Known
from workbench.map_files import read_map, write_map
from workbench.outcomes import verdict_of

POINT = OperatingPoint(
    accept=2.0, reject=4.0, rule=Choice("by_hand"), bank_id="b", statement="", set_by="", set_at=""
)


def image(score, truth=None, source="test", map_path=None):
    return Known(f"{score}{truth}", f"{score}", "a.png", score, source, truth, None, map_path)


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
                one = replace(image(score), key=path.name, map_path=path)
                assert verdict_of(one, point) == point.judge(score, point.regions(stored))


def test_an_image_without_a_map_is_not_judged_by_one():
    assert verdict_of(image(1.0), replace(POINT, judge_by="area", pixel=1.0)) is None
